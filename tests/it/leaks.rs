//! Nothing embargoed stands in the clear: a whole day in a process of its own, and then a
//! search for planted words in everything that others could come to read.
//!
//! The day runs in a child so that its temporary folder, its log, what it prints and the
//! arguments of every program it starts are its own and complete.

mod ground;
mod needles;
mod places;

use std::path::PathBuf;

use daybreak::casework::audits::timeline;
use daybreak::casework::{
    CaseError, advisories, approvals, candidates, controls, disclosures, distributors,
    find_disclosure, papers, patches, plans, releases,
};
use daybreak::clock::SystemClock;
use daybreak::domain::action::Action;
use daybreak::domain::advisory::Advisory;
use daybreak::domain::blob::Sha256;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::{BranchRef, CellState, Disclosure};
use daybreak::domain::plan::{Plan, PlanKind};
use daybreak::domain::secret::Reason;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::exec::Process;
use daybreak::town::story;
use daybreak::town::{Database, Options, Town};
use daybreak::web::{Web, serve};
use daybreak::workshop::{Named, Source};
use rstest::rstest;

use crate::ground::Db;
use crate::postgres;
use crate::world::START;
use ground::Child;
use needles::{Needles, Until};
use places::Places;

/// Where the child works; without it the child's test does nothing.
const GROUND: &str = "DAYBREAK_TEST_LEAKS";
/// Its PostgreSQL schema; SQLite without.
const SCHEMA: &str = "DAYBREAK_TEST_LEAKS_SCHEMA";

/// Words that people type beside the advisory, one for each field.
const TYPED: [(&str, &str); 8] = [
    ("reason of a hold", "Mugwortian"),
    ("reason of a resume", "Tansywise"),
    ("reason of an abort", "Yarrowmere"),
    ("evidence", "Comfreyhill"),
    ("reason for no notice", "Bedstrawed"),
    ("reason of a move", "Sainfoinly"),
    ("reason of a cancel", "Melilotus"),
    ("reason not to fix", "Vetchling"),
];

fn typed(what: &str) -> String {
    let (_, word) = TYPED.iter().find(|(w, _)| *w == what).unwrap();
    format!("It is {word}, as the team said.")
}

#[rstest]
#[tokio::test]
async fn nothing_embargoed_stands_in_the_clear(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let schema = match db {
        Db::Sqlite => String::new(),
        Db::Postgres => match postgres::fresh_schema() {
            Some(schema) => schema,
            None => return,
        },
    };
    let ground = ground::Ground::new();
    let child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "leaks::a_day_in_a_process_of_its_own", "--nocapture"])
        .env("PATH", ground.path())
        .env("TMPDIR", ground.temporary())
        .env(GROUND, ground.folder())
        .env(SCHEMA, schema)
        .env("RUST_BACKTRACE", "0")
        .allow(Span::mins(10));
    let out = child.run(&SystemClock::new()).await.unwrap();
    assert!(out.ok(), "{}{}", out.text(), out.complaint());
    assert!(out.text().contains("1 passed"), "{}", out.text());
    assert_eq!(ground.left_behind(), Vec::<PathBuf>::new(), "in the temporary folder");
}

#[tokio::test]
async fn a_day_in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os(GROUND) else { return };
    let child = Child::new(folder.into());
    let schema = std::env::var(SCHEMA).unwrap();
    let database = match schema.is_empty() {
        true => Database::Sqlite,
        false => Database::Postgres(schema.clone()),
    };
    let town = Town::build(Options { database, ..Options::by_hand(START) }).await.unwrap();
    // Until here it was the world's doing: the project's authors name what they commit.
    child.forget_arguments();
    papers::renew(&town.house).await.unwrap();
    let web = Web::of_house(town.house.clone());
    let site = serve("127.0.0.1:0".parse().unwrap(), web).await.unwrap();
    let mut quiet = Places::default();
    quiet.site(&site, &town).await;
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let (advisory, disclosure) = (prepared.advisory, prepared.disclosure);
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    let t0 = disclosure.t0.unwrap();
    let hand = town.hand.clone().unwrap();

    let notice = story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    let errors = bad_input(&town, &advisory, &disclosure, &notice).await;
    hand.advance_to(t0.days_before(7));
    engine.settle().await.unwrap();
    people_talk(&town, &disclosure, &notice).await;
    the_team_reads_it(&town, &disclosure).await;
    hand.advance_to(t0.days_before(1));
    engine.settle().await.unwrap();
    story::approved_plan(&town, &disclosure, PlanKind::Release).await.unwrap();
    engine.settle().await.unwrap();
    hand.advance_to(t0.at.plus(Span::millis(-1)));
    engine.settle().await.unwrap();

    let (mut words, mut needles) = (secret_words(&town), everything_secret(&town, &disclosure));
    // Its rows name it from GO on.
    words.word(story::PUBLIC_ID, Until::T0);
    needles.word(story::PUBLIC_ID, Until::T0);
    let mut places = Places::default();
    places.site(&site, &town).await;
    quiet.same_as(&places);
    places.mails(&town);
    places.house(&town, &schema).await;
    places.public_world(&town).await;
    places.nowhere(&needles, Until::T0);
    // An error may name the certificate that somebody just handed in, and git is told which
    // object is meant by its id; neither ever says what it is about.
    let mut near = Places::default();
    near.add("error texts", errors.into_bytes());
    child.fill(&mut near);
    near.nowhere(&words, Until::T0);
    places.work_areas_are_empty(&town);
    child.temporary_is_empty();

    hand.advance_to(t0.at);
    engine.settle().await.unwrap();
    hand.advance(Span::hours(2));
    engine.settle().await.unwrap();
    // What is public now stays sealed where it lies, and in the log it never was.
    let mut near = Places::default();
    child.fill(&mut near);
    near.nowhere(&words, Until::T0);
    let mut sealed = Places::default();
    sealed.database(&town, &schema);
    sealed.nowhere(&everything_secret(&town, &disclosure), Until::T0);
    let mut public = Places::default();
    public.site(&site, &town).await;
    public.mails(&town);
    public.public_world(&town).await;
    public.nowhere(&needles, Until::Ever);
    public.somewhere("Strawdog", "the search would not have found it");
    public.somewhere(story::PUBLIC_ID, "nothing was published");
    assert!(child.log().contains("GO"), "the log was not caught");
    assert!(child.arguments().contains("push"), "the arguments were not caught");
    engine.end().await.unwrap();
    site.stop().await;
    drop(town);
}

/// Every word and address that is nobody's business before T0, or ever.
fn secret_words(town: &Town) -> Needles {
    let mut all = Needles::default();
    for word in story::PLANTED {
        let ever = ["Sorrelwood", "Thornapple"].contains(&word);
        all.word(word, if ever { Until::Ever } else { Until::T0 });
    }
    for (_, word) in TYPED {
        all.word(word, Until::Ever);
    }
    for text in [
        "crafted bales",
        "joins the names of a bale",
        "keep unpacked entries below",
        "an entry leaves the folder",
        "CVSS:3.1/AV:N",
    ] {
        all.word(text, Until::T0);
    }
    all.word(town.people.reporter.address, Until::Ever);
    all.word(town.people.reporter_in_clear.1, Until::Ever);
    for reader in &town.people.distributors {
        all.word(reader.name, Until::Ever);
        all.word(reader.address, Until::Ever);
    }
    all
}

/// The same with fingerprints, digests and ids of objects that are not public yet.
fn everything_secret(town: &Town, disclosure: &Disclosure) -> Needles {
    let mut all = secret_words(town);
    for reader in &town.people.distributors {
        for key in &reader.keys {
            let text = key.certificate.fingerprint().to_string();
            all.bytes(&format!("fingerprint of {}", reader.name), &hex::decode(text).unwrap());
        }
    }
    let case = disclosure.case.open(Reason::Review);
    for patch in &case.patches {
        all.bytes("digest of a patch", patch.sha256.raw());
    }
    for artefact in case.releases.iter().flat_map(|r| &r.artefacts) {
        all.bytes("digest of a file", artefact.sha256.raw());
    }
    for candidate in &case.candidates {
        all.bytes("a commit", &hex::decode(&candidate.tip).unwrap());
        let tag = candidate.tag.as_ref().unwrap();
        all.bytes("a tag", &hex::decode(&tag.oid).unwrap());
    }
    all
}

/// What the team says and does beside the plans, with a planted word in each field.
async fn people_talk(town: &Town, disclosure: &Disclosure, notice: &Plan) {
    let (house, me) = (&town.house, Actor::Operator);
    let id = notice.id;
    let running = house.store.read(move |r| r.plan(id)).await.unwrap();
    controls::hold(house, me, &running, &typed("reason of a hold")).await.unwrap();
    controls::resume(house, me, &running, &typed("reason of a resume")).await.unwrap();
    let steps = plans::manifest_of(&running).unwrap().steps;
    let ask = steps.iter().find(|s| matches!(s.action, Action::Ask { .. })).unwrap();
    controls::done(house, me, "Ada Ngo", &running, ask.id, &typed("evidence")).await.unwrap();
    let (given_up, _) = story::plan(town, disclosure, PlanKind::Release).await.unwrap();
    controls::abort(house, me, &given_up, &typed("reason of an abort")).await.unwrap();

    let mut text = story::text(&town.people, house.now());
    text.public_id = "x_meadow-2026-0002".to_owned();
    let (second, _) = advisories::create(house, me, text).await.unwrap();
    let t0 = story::t0_in(town, Span::days(5));
    let silent = Some(typed("reason for no notice"));
    let made = disclosures::create(house, me, Some(t0), vec![second.id], silent).await;
    let other = made.unwrap().0;
    let reason = typed("reason not to fix");
    let branch = BranchRef { repository: "meadow".to_owned(), branch: "0.9.x".to_owned() };
    let never = CellState::WillNotFix { reason };
    let other = disclosures::mark(house, me, &other, second.id, branch, never).await.unwrap();
    let t0 = story::t0_in(town, Span::days(6));
    let moved = disclosures::move_t0(house, me, &other, t0, &typed("reason of a move")).await;
    let other = moved.unwrap().0;
    disclosures::cancel(house, me, &other, &typed("reason of a cancel")).await.unwrap();
}

/// The words were really taken in: the team's own record shows them.
async fn the_team_reads_it(town: &Town, disclosure: &Disclosure) {
    let lines = timeline(&town.house, disclosure).await.unwrap();
    for what in ["reason of a hold", "reason of a resume", "reason of an abort", "evidence"] {
        assert!(lines.iter().any(|l| l.detail.contains(&typed(what))), "{what} was not kept");
    }
}

/// What the house answers to bad input that is full of secrets.
async fn bad_input(
    town: &Town,
    advisory: &Advisory,
    disclosure: &Disclosure,
    notice: &Plan,
) -> String {
    let (house, me) = (&town.house, Actor::Operator);
    let mut said = String::new();
    let mut note = |what: &str, error: Option<CaseError>| {
        let Some(error) = error else { panic!("{what} was taken") };
        said.push_str(&format!("{what}: {error} {error:?}\n"));
    };
    let text = story::text(&town.people, house.now());
    let made = advisories::create(house, me, text.clone()).await;
    note("a public id twice", made.err());
    let mut bad = text.clone();
    bad.public_id = "no id at all".to_owned();
    note("a bad public id", advisories::edit(house, me, advisory, bad).await.err());

    let reader = &town.people.distributors[0];
    let new = |address: &str, certificate: &[u8]| distributors::NewDistributor {
        name: reader.name.to_owned(),
        lead_days: None,
        longest_embargo_days: None,
        groups: vec![],
        contact: distributors::NewContact {
            address: address.to_owned(),
            kind: reader.kind,
            profile: Default::default(),
            certificates: vec![("file.asc".to_owned(), certificate.to_vec())],
        },
        accept_unusable: false,
    };
    let good = reader.keys[0].certificate.to_bytes();
    for (what, address, certificate) in [
        ("a distributor twice", reader.address, good.as_slice()),
        ("an address with a line break", "psirt@tarn.example\nBcc: x@y.example", &good),
        ("no certificate", reader.address, b"Strawdog"),
        ("a secret key", reader.address, reader.keys[0].secret.as_slice()),
    ] {
        let added = distributors::add(house, me, new(address, certificate)).await;
        note(what, added.err());
    }
    let useless = town.people.distributors.iter().find(|d| !d.should_read).unwrap();
    let expired = useless.keys[0].certificate.to_bytes();
    let added = distributors::add(house, me, new("new@tarn.example", &expired)).await;
    note("an expired certificate", added.err());

    let patch = |bytes: &[u8]| patches::NewPatch {
        branch: BranchRef { repository: "meadow".to_owned(), branch: "main".to_owned() },
        fixes: vec![advisory.id],
        source: Source::Files(vec![Named { name: "fix.patch".into(), bytes: bytes.to_vec() }]),
        base: None,
    };
    let lost = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n\
        From: Ada Ngo <ada@meadow.example>\nDate: Fri, 20 Nov 2026 00:00:00 +0000\n\
        Subject: [PATCH] Strawdog: mend\n\nhedgeward\n---\n\
        diff --git a/src/meadow/archive.py b/src/meadow/archive.py\n\
        --- a/src/meadow/archive.py\n+++ b/src/meadow/archive.py\n\
        @@ -1,2 +1,2 @@\n Thornapple\n-windrow\n+windrows\n-- \n2.40.0\n\n";
    for (what, bytes) in
        [("a patch that does not apply", lost.as_slice()), ("no patch", b"Strawdog")]
    {
        note(what, patches::add(house, me, disclosure, patch(bytes)).await.err());
    }
    let file = releases::NewArtefact {
        file_name: "meadow-2.0.1.zip".to_owned(),
        bytes: b"Strawdog".to_vec(),
        sha256: Some(Sha256::of(b"windrow")),
    };
    let added = releases::add_artefacts(house, me, disclosure, "2.0.1", vec![file]).await;
    note("a file with another digest", added.err());
    let nowhere = BranchRef { repository: "meadow".to_owned(), branch: "none".to_owned() };
    note("no branch", candidates::stage(house, me, disclosure, &nowhere).await.err());
    note("no disclosure", find_disclosure(house, "dis_nothing").await.err());
    let again = disclosures::create(house, me, disclosure.t0, vec![advisory.id], None).await;
    note("an advisory twice", again.err());
    let text = plans::approval_text(notice).unwrap();
    let broken = format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}Strawdog\n");
    note("a broken approval", approvals::approve(house, broken.as_bytes(), None).await.err());
    said
}

#[tokio::test]
async fn a_patch_that_names_a_reporter_is_pointed_out() {
    let town = Town::build(Options::by_hand(START)).await.unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let codes = async |disclosure: &Disclosure| -> Vec<String> {
        story::plan(&town, disclosure, PlanKind::Notice).await.unwrap();
        let (_, findings) = story::plan(&town, disclosure, PlanKind::Release).await.unwrap();
        findings.into_iter().map(|f| f.code.to_string()).collect()
    };
    let plain = codes(&prepared.disclosure).await;
    assert!(!plain.contains(&"reporter-named".to_owned()), "{plain:?}");
    let mut text = story::text(&town.people, town.house.now());
    text.reporters[0].credit_consent = false;
    advisories::edit(&town.house, Actor::Operator, &prepared.advisory, text).await.unwrap();
    let again = story::again(&town.house, &prepared.disclosure).await.unwrap();
    let named = codes(&again).await;
    assert!(named.contains(&"reporter-named".to_owned()), "{named:?}");
}
