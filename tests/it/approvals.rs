//! Approvals: three forms by real gpg and by our own signer, nobody but the team, nothing but
//! the very bytes of one plan, and no way around by the database.

use daybreak::casework::approvals::{approve, recheck};
use daybreak::casework::plans::{self, preview};
use daybreak::casework::{CaseError, controls, members};
use daybreak::domain::blob::Sha256;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::pgp::{TeamKey, samples};
use daybreak::store::StoreError;
use daybreak::town::people::Maintainer;
use daybreak::town::story::{self, Form};
use daybreak::town::{Options, Town};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use crate::gpg::{Gpg, program};
use crate::whole_day::armor;
use crate::world::{START, drafted};

/// A case whose notice can be planned.
struct Ready {
    town: Town,
    disclosure: Disclosure,
}

impl Ready {
    async fn new() -> Self {
        Self::seeded(1).await
    }

    async fn seeded(seed: u64) -> Self {
        let town = Town::build(Options { seed, ..Options::by_hand(START) }).await.unwrap();
        let (_, disclosure) = drafted(&town, Span::days(12)).await;
        Self { town, disclosure }
    }

    /// A new plan.
    async fn plan(&self) -> Plan {
        story::plan(&self.town, &self.disclosure, PlanKind::Notice).await.unwrap().0
    }

    async fn hand_in(&self, signed: &[u8]) -> Result<(u32, PlanState), CaseError> {
        approve(&self.town.house, signed, None).await.map(|a| (a.given, a.plan.state))
    }

    /// It is refused with these words, and nothing is written.
    async fn refuses(&self, plan: &Plan, signed: &[u8], words: &str) {
        let before = self.standing(plan).await;
        let error = self.hand_in(signed).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(self.standing(plan).await, before, "{words}");
    }

    async fn standing(&self, plan: &Plan) -> (PlanState, usize) {
        let now = plans::standing(&self.town.house, plan).await.unwrap();
        (now.plan.state, now.approvals.len())
    }

    fn ada(&self) -> &Maintainer {
        &self.town.people.ada
    }

    fn bea(&self) -> &Maintainer {
        &self.town.people.bea
    }

    async fn gpg(&self, key: &TeamKey) -> Option<Gpg> {
        gpg_of(key, self.town.house.now()).await
    }
}

async fn gpg_of(key: &TeamKey, now: At) -> Option<Gpg> {
    let gpg = Gpg::at(now).await?;
    gpg.import_secret(key).await;
    Some(gpg)
}

/// The text that approves a plan.
fn text(plan: &Plan) -> String {
    plans::approval_text(plan).unwrap()
}

async fn by_gpg(gpg: &Gpg, form: Form, text: &str) -> Vec<u8> {
    let args: &[&str] = match form {
        Form::Detached => &["--armor", "--detach-sign"],
        Form::Clearsigned => &["--clear-sign"],
        Form::Inline => &["--armor", "--sign"],
    };
    gpg.ok(args, text.as_bytes()).await.stdout
}

fn crlf(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8(bytes.to_vec()).unwrap().replace('\n', "\r\n").into_bytes()
}

#[tokio::test]
async fn gpg_and_our_signer_approve_in_all_three_forms() {
    let ready = Ready::new().await;
    let Some(gpg) = ready.gpg(&ready.ada().key).await else { return };
    for form in Form::ALL {
        for mailed in [false, true] {
            let plan = ready.plan().await;
            let mut signed = by_gpg(&gpg, form, &text(&plan)).await;
            if mailed {
                signed = crlf(&signed);
            }
            assert_eq!(ready.hand_in(&signed).await.unwrap(), (1, PlanState::Made), "{form:?}");
            let done = story::approve(&ready.town, &plan, ready.bea(), form).await.unwrap();
            assert_eq!((done.given, done.plan.state), (2, PlanState::Approved), "{form:?}");
            let people = recheck(&ready.town.house.store, &plan).await.unwrap();
            assert_eq!(people.len(), 2, "{form:?}, mailed: {mailed}");
        }
    }
}

#[tokio::test]
async fn binary_signatures_and_text_mode_count_too() {
    let ready = Ready::new().await;
    let Some(gpg) = ready.gpg(&ready.ada().key).await else { return };
    for args in [&["--detach-sign"][..], &["--sign"], &["--textmode", "--armor", "--detach-sign"]] {
        let plan = ready.plan().await;
        let signed = gpg.ok(args, text(&plan).as_bytes()).await.stdout;
        assert_eq!(ready.hand_in(&signed).await.unwrap().0, 1, "{args:?}");
        assert_eq!(recheck(&ready.town.house.store, &plan).await.unwrap().len(), 1, "{args:?}");
    }
}

#[tokio::test]
async fn a_text_that_was_mailed_with_crlf_can_be_signed_as_it_came() {
    let ready = Ready::new().await;
    let Some(gpg) = ready.gpg(&ready.ada().key).await else { return };
    for form in Form::ALL {
        let plan = ready.plan().await;
        let came = text(&plan).replace('\n', "\r\n");
        let signed = by_gpg(&gpg, form, &came).await;
        // With the signed file beside it, and without.
        let over = Some(came.as_bytes());
        let given = approve(&ready.town.house, &signed, over).await.unwrap().given;
        assert_eq!(given, 1, "{form:?}");
        // What was taken once must hold when it is read again before GO.
        assert_eq!(recheck(&ready.town.house.store, &plan).await.unwrap().len(), 1, "{form:?}");
        let again = ready.plan().await;
        let signed = by_gpg(&gpg, form, &text(&again).replace('\n', "\r\n")).await;
        assert_eq!(ready.hand_in(&signed).await.unwrap().0, 1, "{form:?}");
        assert_eq!(recheck(&ready.town.house.store, &again).await.unwrap().len(), 1, "{form:?}");
    }
}

#[tokio::test]
async fn only_the_team_over_only_these_bytes() {
    let ready = Ready::new().await;
    let Some(ada) = ready.gpg(&ready.ada().key).await else { return };
    let stranger = ready.gpg(&ready.town.people.stranger).await.unwrap();
    let old = ready.plan().await;
    controls::abort(&ready.town.house, Actor::Operator, &old, "another").await.unwrap();
    let plan = ready.plan().await;
    let said = text(&plan);
    for form in Form::ALL {
        ready.refuses(&plan, &by_gpg(&stranger, form, &said).await, "was not taken").await;
        ready.refuses(&plan, &by_gpg(&ada, form, &text(&old)).await, "void").await;
        let other = Sha256::of(b"other").to_string();
        for wrong in [
            said.replace(&plan.digest.to_string(), &other),
            said.replace("early-lift 1", "early-lift 9"),
            said.replace("number 2", "number 1"),
            said.replace(&old.id.to_string(), &plan.id.to_string()) + "and more\n",
        ] {
            assert_ne!(wrong, said);
            ready.refuses(&plan, &by_gpg(&ada, form, &wrong).await, "approval").await;
        }
    }
    // Good signatures over something else, and good words under a broken one.
    let clear = String::from_utf8(by_gpg(&ada, Form::Clearsigned, &said).await).unwrap();
    let edited = clear.replace("early-lift 1", "early-lift 2");
    ready.refuses(&plan, edited.as_bytes(), "altered").await;
    let cut = clear.replace("early-lift 1\n", "");
    ready.refuses(&plan, cut.as_bytes(), "altered").await;
    let hello = by_gpg(&ada, Form::Clearsigned, "I approve everything.\n").await;
    ready.refuses(&plan, &hello, "not an approval text").await;
    ready.refuses(&plan, said.as_bytes(), "not an OpenPGP signature").await;
    ready.refuses(&plan, b"", "not an OpenPGP signature").await;
    let elsewhere = Ready::seeded(2).await;
    let theirs = by_gpg(&ada, Form::Inline, &text(&elsewhere.plan().await)).await;
    ready.refuses(&plan, &theirs, "another house").await;
    // The real text still counts after all that.
    let signed = by_gpg(&ada, Form::Detached, &said).await;
    assert_eq!(ready.hand_in(&signed).await.unwrap(), (1, PlanState::Made));
}

#[tokio::test]
async fn one_person_counts_once_whatever_the_form() {
    let ready = Ready::new().await;
    let plan = ready.plan().await;
    let first = story::approve(&ready.town, &plan, ready.ada(), Form::Inline).await.unwrap();
    assert_eq!((first.given, first.needed), (1, 2));
    for form in Form::ALL {
        let signed = story::sign(&ready.town, &plan, ready.ada(), form).await.unwrap();
        let error = ready.hand_in(&signed).await.unwrap_err();
        assert!(matches!(error, CaseError::Store(StoreError::AlreadyApproved)), "{error}");
        assert_eq!(ready.standing(&plan).await, (PlanState::Made, 1));
    }
    let mut engine = Engine::start(ready.town.house.clone()).await.unwrap();
    ready.town.hand.clone().unwrap().advance(Span::days(6));
    engine.settle().await.unwrap();
    assert_eq!(ready.town.catcher.mails().len(), 0, "half an approval sent something");
    let signed = story::sign(&ready.town, &plan, ready.bea(), Form::Detached).await.unwrap();
    assert_eq!(ready.hand_in(&signed).await.unwrap(), (2, PlanState::Approved));
    engine.settle().await.unwrap();
    assert!(!ready.town.catcher.mails().is_empty());
}

#[tokio::test]
async fn a_signer_whose_key_has_expired_since_is_refused() {
    let ready = Ready::new().await;
    let key = samples::expiring("Cy Reed <cy@meadow.example>", ready.town.house.now(), 3).unwrap();
    let certificate = key.certificate.to_bytes();
    let house = &ready.town.house;
    members::add(house, Actor::Operator, "Cy Reed", "cy@meadow.example", &certificate)
        .await
        .unwrap();
    let Some(gpg) = gpg_of(&key, ready.town.house.now()).await else { return };
    let (early, late) = (ready.plan().await, ready.plan().await);
    let signed = by_gpg(&gpg, Form::Clearsigned, &text(&late)).await;
    ready.town.hand.clone().unwrap().advance(Span::days(4));
    ready.refuses(&late, &signed, "not valid").await;
    assert_eq!(ready.standing(&early).await.0, PlanState::Made);
    // Signed and handed in while it was valid, it goes on to count.
    let plan = ready.plan().await;
    for who in [ready.ada(), ready.bea()] {
        story::approve(&ready.town, &plan, who, Form::Clearsigned).await.unwrap();
    }
    assert_eq!(ready.standing(&plan).await, (PlanState::Approved, 2));
    assert_eq!(ready.standing(&early).await.0, PlanState::Void);
}

#[tokio::test]
async fn an_approver_needs_only_gpg_tar_and_sha256sum() {
    let town = Town::build(Options::by_hand(START)).await.unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    for kind in [PlanKind::Notice, PlanKind::Release] {
        let (plan, _) = story::plan(&town, &prepared.disclosure, kind).await.unwrap();
        let exported = preview::to_team(&town.house, &plan).await.unwrap();
        for who in town.people.maintainers() {
            let Some(gpg) = gpg_of(&who.key, town.house.now()).await else { return };
            gpg.import(town.team_certificate()).await;
            let sealed = gpg.file("preview.gpg", &exported);
            let unpacked = gpg.path().join("preview.tar");
            let (from, to) = (sealed.to_str().unwrap(), unpacked.to_str().unwrap());
            gpg.ok(&["--output", to, "--decrypt", from], b"").await;
            let out = program("tar", &["-xf", to], gpg.path()).await;
            assert!(out.ok(), "{}", out.complaint());
            let folder = gpg.path().join(format!("plan-{}", plan.number));
            let sums = program("sha256sum", &["-c", "MANIFEST"], &folder).await;
            assert!(sums.ok(), "{}", sums.complaint());
            let files = std::fs::read_dir(&folder).unwrap().count();
            let checked = sums.text().lines().count();
            // The rest: MANIFEST, APPROVAL.txt, SLOTS and each notice put together.
            let notices = sums.text().lines().filter(|l| l.contains(".entity")).count();
            assert!(checked >= 2 && checked < files, "{checked} of {files}");
            assert_eq!(notices > 0, kind == PlanKind::Notice);
            let digest = program("sha256sum", &["MANIFEST"], &folder).await.text();
            let approval = std::fs::read_to_string(folder.join("APPROVAL.txt")).unwrap();
            let digest = digest.split(' ').next().unwrap();
            assert!(approval.contains(&format!("\nmanifest {digest}\n")), "{approval}");
            assert!(approval.is_ascii() && !approval.contains("Strawdog"));
            let path = folder.join("APPROVAL.txt");
            let args = ["--output", "-", "--clear-sign", path.to_str().unwrap()];
            let signed = gpg.ok(&args, b"").await.stdout;
            daybreak::casework::approvals::approve(&town.house, &signed, None).await.unwrap();
            // An altered file is noticed.
            let name = sums.text().lines().next().unwrap().split(':').next().unwrap().to_owned();
            let mut bytes = std::fs::read(folder.join(&name)).unwrap();
            bytes[0] ^= 1;
            std::fs::write(folder.join(&name), bytes).unwrap();
            assert!(!program("sha256sum", &["-c", "MANIFEST"], &folder).await.ok());
        }
        let standing = plans::standing(&town.house, &plan).await.unwrap();
        assert_eq!(standing.plan.state, PlanState::Approved);
        let Some(gpg) = gpg_of(&town.people.stranger, town.house.now()).await else { return };
        assert!(!gpg.run(&["--decrypt"], armor(&exported).as_bytes()).await.ok());
    }
}

/// Changes rows as somebody with the database and without the keys could.
fn meddle(town: &Town, sql: &str) {
    let file = town.dir().join("daybreak.sqlite");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; {sql}")).unwrap();
}

#[tokio::test]
async fn whoever_has_the_database_cannot_approve() {
    let swapped = "UPDATE approvals SET sealed = (SELECT b.sealed FROM approvals b \
        WHERE b.id <> approvals.id AND b.plan = approvals.plan) \
        WHERE plan IN (SELECT id FROM plans WHERE state = 'approved')";
    let one_less = "DELETE FROM approvals WHERE id = (SELECT a.id FROM approvals a \
        JOIN plans p ON p.id = a.plan WHERE p.state = 'approved' LIMIT 1)";
    let moved = "UPDATE approvals SET plan = (SELECT id FROM plans WHERE state = 'made') \
        WHERE plan = (SELECT id FROM plans ORDER BY number DESC LIMIT 1 OFFSET 1); \
        UPDATE plans SET state = 'approved' WHERE state = 'made'";
    let ready = Ready::new().await;
    let mut engine = Engine::start(ready.town.house.clone()).await.unwrap();
    // The window opens with the first of them; each goes void with the plan that follows.
    ready.town.hand.clone().unwrap().advance(Span::days(8));
    for (what, approved, sql) in [
        ("nobody said yes", 0, "UPDATE plans SET state = 'approved' WHERE state = 'made'"),
        ("one did", 1, "UPDATE plans SET state = 'approved' WHERE state = 'made'"),
        ("another's yes moved over", 2, moved),
        ("rows swapped", 2, swapped),
        ("a row taken away", 2, one_less),
        ("yes from before the signature", 2, "UPDATE approvals SET at = at - 86400000"),
        ("the digest changed", 2, "UPDATE plans SET digest = zeroblob(32)"),
    ] {
        let plan = ready.plan().await;
        for who in ready.town.people.maintainers().into_iter().take(approved) {
            story::approve(&ready.town, &plan, who, Form::Detached).await.unwrap();
        }
        if what.starts_with("another") {
            story::plan(&ready.town, &ready.disclosure, PlanKind::Notice).await.unwrap();
        }
        meddle(&ready.town, sql);
        let id = plan.id;
        let plan = ready.town.house.store.read(move |r| r.plan(id)).await;
        let people = match plan {
            Ok(plan) => recheck(&ready.town.house.store, &plan).await.map_or(0, |p| p.len()),
            Err(_) => 0,
        };
        assert!(people < 2, "{what}: {people}");
        // An unreadable row may end the turn; what counts is that nothing leaves.
        let _refused = engine.settle().await;
        let told: Vec<_> = ready.town.catcher.mails();
        let to_team = |m: &&daybreak::town::catcher::Caught| m.to == ["security@meadow.example"];
        assert!(told.iter().all(|m| to_team(&m)), "{what}: something was sent");
    }
}
