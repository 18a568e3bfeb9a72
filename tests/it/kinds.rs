//! One embargo through every kind of notice: who hears what, when, and never what no longer
//! holds; read by real gpg, applied by real git.

use std::collections::BTreeSet;

use daybreak::casework::distributors::{self, Renewal};
use daybreak::casework::patches::NewPatch;
use daybreak::casework::plans::Order;
use daybreak::casework::plans::notice::{Tell, aware};
use daybreak::casework::plans::preview::File;
use daybreak::casework::{
    CaseError, House, advisories, disclosures, find_distributor, patches, plans,
};
use daybreak::domain::action::Action;
use daybreak::domain::advisory::Advisory;
use daybreak::domain::blob::equal_outside_slots;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::finding::Finding;
use daybreak::domain::news::NoticeKind;
use daybreak::domain::plan::{Plan, PlanKind, PlanState, Step};
use daybreak::domain::secret::Reason;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::letters::entity::BUCKETS;
use daybreak::pgp::samples;
use daybreak::town::catcher::{Caught, Fault, Times};
use daybreak::town::people::{Letter, Reader};
use daybreak::town::project::LINES;
use daybreak::town::{Town, story};
use daybreak::workshop::{Named, Source};
use mail_parser::{MessageParser, MimeHeaders as _};

use crate::gpg::{Gpg, git, says};
use crate::ground::Db;
use crate::notices::OUTER;
use crate::whole_day::{armor, field, fields, halves};
use crate::world::{drafted, town};

const ACTOR: Actor = Actor::Operator;
/// Hears three days ahead; the others a week.
const LATE: &str = "psirt@tarn.example";
const FIRST: &str = "vulns@fennel.example";
const TEAM: &str = "security@meadow.example";

/// A notice plan that tells this.
async fn make(
    house: &House,
    disclosure: &Disclosure,
    tell: Tell,
) -> Result<(Plan, Vec<Finding>), CaseError> {
    let order = Order { tell, ..Order::default() };
    plans::make_as(house, ACTOR, disclosure, PlanKind::Notice, &order).await
}

/// An embargo on its way.
struct Case {
    town: Town,
    engine: Engine,
    advisory: Advisory,
    disclosure: Disclosure,
    t0: T0,
    /// Mails already looked at.
    seen: usize,
    /// What approvers read, all plans together.
    approved: Vec<File>,
}

impl Case {
    async fn new(db: Db) -> Option<Self> {
        let town = town(db).await?;
        let (advisory, disclosure) = drafted(&town, Span::days(12)).await;
        let t0 = disclosure.t0.unwrap();
        let engine = Engine::start(town.house.clone()).await.unwrap();
        Some(Self { town, engine, advisory, disclosure, t0, seen: 0, approved: Vec::new() })
    }

    /// Everybody with a week's lead has heard.
    async fn told(db: Db) -> Option<Self> {
        let mut case = Self::new(db).await?;
        case.notice(Tell::Due, NoticeKind::First).await;
        case.at(case.t0.days_before(7)).await;
        case.refresh().await;
        Some(case)
    }

    async fn refresh(&mut self) {
        self.disclosure = story::again(&self.town.house, &self.disclosure).await.unwrap();
    }

    /// A notice plan, looked through and approved.
    async fn notice(&mut self, tell: Tell, kind: NoticeKind) -> Plan {
        self.refresh().await;
        let (plan, _) = make(&self.town.house, &self.disclosure, tell).await.unwrap();
        let manifest = plans::manifest_of(&plan).unwrap();
        assert_eq!(manifest.notice(), Some(kind));
        let text = manifest.render();
        assert!(text.contains(&format!("\nkind notice\nnotice {kind}\n")), "{text}");
        self.approved.extend(story::look_through(&self.town, &plan).await.unwrap());
        story::approve_by_all(&self.town, &plan).await.unwrap()
    }

    async fn at(&mut self, at: At) {
        self.town.hand.as_ref().unwrap().advance_to(at);
        self.engine.settle().await.unwrap();
    }

    /// Mails since the last call, the team's own aside.
    async fn mails(&mut self) -> Vec<Caught> {
        self.engine.settle().await.unwrap();
        let all = self.town.catcher.mails();
        let new = all[self.seen..].iter().filter(|m| m.to != [TEAM]).cloned().collect();
        self.seen = all.len();
        new
    }

    /// Opens mails; each must be what approvers read.
    fn read(&self, mails: &[Caught]) -> Vec<(String, Letter)> {
        mails.iter().map(|m| (m.to[0].clone(), self.open(m))).collect()
    }

    fn open(&self, mail: &Caught) -> Letter {
        let reader = self.reader(&mail.to[0]);
        let now = self.town.house.now();
        let letter = reader.decrypt(&mail.bytes, self.town.team_certificate(), now).unwrap();
        let same = |f: &File| {
            f.name.starts_with("notice-") && equal_outside_slots(&f.bytes, &letter.entity, &f.slots)
        };
        assert!(self.approved.iter().any(same), "{} reads what nobody approved", mail.to[0]);
        letter
    }

    fn reader(&self, address: &str) -> &Reader {
        self.town.people.readers().find(|r| r.address == address).unwrap()
    }

    /// Everybody who can read, but for those named.
    fn everybody_but(&self, left_out: &[&str]) -> BTreeSet<String> {
        let readers = self.town.people.readers().filter(|r| r.should_read);
        let heard = readers.filter(|r| !left_out.contains(&r.address));
        heard.map(|r| r.address.to_owned()).collect()
    }

    fn reporter(&self) -> &'static str {
        self.town.people.reporter.address
    }

    /// The fix of one branch again, with a line of it changed.
    async fn mend(&mut self) {
        self.refresh().await;
        let house = &self.town.house;
        let branch = story::branch(LINES.iter().find(|l| l.next.is_some()).unwrap());
        let case = self.disclosure.case.open(Reason::Review);
        let old = case.patches.iter().find(|p| p.branch == branch).unwrap().clone();
        let id = old.series;
        let text = house.store.read(move |r| r.blob(id)).await.unwrap().bytes;
        let text = String::from_utf8(text).unwrap();
        let line = text.lines().find(|l| l.starts_with("+ ") && l.len() > 8).unwrap();
        let text = text.replacen(line, &format!("{line}  # mended"), 1);
        let without = patches::withdraw(house, ACTOR, &self.disclosure, &branch).await.unwrap();
        let source = Source::Files(vec![Named { name: "m.patch".into(), bytes: text.into() }]);
        let new = NewPatch { branch, fixes: vec![], source, base: Some(old.base.clone()) };
        let added = patches::add(house, ACTOR, &without, new).await.unwrap();
        assert_eq!(added.1.file_name, old.file_name);
        self.disclosure = added.0;
    }

    async fn move_to(&mut self, t0: T0, reason: &str) {
        self.refresh().await;
        let house = &self.town.house;
        disclosures::move_t0(house, ACTOR, &self.disclosure, t0, reason).await.unwrap();
        self.t0 = t0;
        self.refresh().await;
    }

    async fn cancel(&mut self, reason: &str) {
        self.refresh().await;
        let house = &self.town.house;
        disclosures::cancel(house, ACTOR, &self.disclosure, reason).await.unwrap();
        self.refresh().await;
    }
}

fn to(mails: &[Caught]) -> BTreeSet<String> {
    let all: Vec<_> = mails.iter().map(|m| m.to[0].clone()).collect();
    let set: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "somebody got two: {all:?}");
    set
}

fn message_id(mail: &Caught) -> String {
    field(&halves(&mail.bytes).0, "Message-ID")
}

fn inner(letter: &Letter, name: &str) -> String {
    let text = String::from_utf8_lossy(&letter.entity).into_owned();
    field(text.split("\r\n\r\n").next().unwrap(), name)
}

/// From outside every kind looks like every other.
fn outside(mails: &[Caught]) {
    for mail in mails {
        let (head, _) = halves(&mail.bytes);
        assert_eq!(fields(&head), OUTER);
        assert_eq!(field(&head, "Subject"), "[...]");
    }
}

async fn through_every_kind(db: Db) {
    let Some(mut case) = Case::told(db).await else { return };
    let (house, reporter) = (case.town.house.clone(), case.reporter());
    let firsts = case.mails().await;
    assert_eq!(to(&firsts), case.everybody_but(&[LATE]));
    let first_of = |who: &str| message_id(firsts.iter().find(|m| m.to == [who]).unwrap());
    let old_patches = case.open(firsts.iter().find(|m| m.to == [FIRST]).unwrap()).attachments;

    // The content changes: those who have it hear at once what is different.
    case.mend().await;
    let text = case.advisory.text.open(Reason::Editing).clone();
    let edited = daybreak::domain::advisory::AdvisoryText { cwe: vec!["CWE-23".into()], ..text };
    advisories::edit(&house, ACTOR, &case.advisory, edited).await.unwrap();
    case.notice(Tell::Due, NoticeKind::Revision).await;
    let revisions = case.mails().await;
    outside(&revisions);
    assert_eq!(to(&revisions), case.everybody_but(&[LATE, reporter]));
    for (who, letter) in case.read(&revisions) {
        assert!(letter.text.contains("revision 2"), "{}", letter.text);
        assert!(letter.text.contains("weakness: was CWE-22, now CWE-23."), "{}", letter.text);
        assert!(letter.text.contains("\": changed."), "{}", letter.text);
        assert_eq!(inner(&letter, "In-Reply-To"), first_of(&who));
        assert!(!letter.text.contains("THE DATE"));
    }
    let mail = revisions.iter().find(|m| m.to == [FIRST]).unwrap().clone();
    gpg_and_git_agree(&case, &mail, &old_patches).await;

    // The date moves: everybody who knows hears at once, and the reporter.
    let (before, later) = (case.t0, T0::new(case.t0.at.plus(Span::days(2)), case.t0.zone));
    case.move_to(later, "A distributor asked for two days.").await;
    assert_eq!(aware(&house, &case.disclosure).await.unwrap().misled, firsts.len());
    case.notice(Tell::Due, NoticeKind::Schedule).await;
    let moved = case.mails().await;
    outside(&moved);
    assert_eq!(to(&moved), case.everybody_but(&[LATE]));
    for (who, letter) in case.read(&moved) {
        for wanted in [before.spoken(), later.spoken(), "asked for two days.".into()] {
            assert!(letter.text.contains(&wanted), "{wanted} is not in {}", letter.text);
        }
        assert!(letter.subject.starts_with("Meadow security notice "), "{}", letter.subject);
        let names: Vec<_> = letter.attachments.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["notice.json", "SHA256SUMS"], "no patch and no advisory");
        assert!(!String::from_utf8_lossy(&letter.entity).contains(story::PUBLIC_ID), "{who}");
        assert!(inner(&letter, "References").starts_with(&first_of(&who)));
        assert!(BUCKETS.contains(&letter.entity.len()));
    }
    assert_eq!(aware(&house, &case.disclosure).await.unwrap().misled, 0);

    // Whoever heard nothing yet gets the newest of everything, at their own window.
    case.at(before.days_before(3)).await;
    assert!(case.mails().await.is_empty(), "the window moved with the date");
    case.at(later.days_before(3)).await;
    let late = case.mails().await;
    assert_eq!(to(&late), [LATE.to_owned()].into());
    let letter = case.open(&late[0]);
    assert!(letter.text.contains(&later.spoken()) && !letter.text.contains(&before.spoken()));
    assert!(letter.text.contains("CWE-23") && !letter.text.contains("CWE-22"));
    assert_eq!(inner(&letter, "In-Reply-To"), "");
    assert!(letter.attachment("changes.interdiff").is_none());

    // It becomes known: all who were told hear, those who were told late too.
    let soon = T0::new(house.now().plus(Span::hours(4)), case.t0.zone);
    case.move_to(soon, "It is known.").await;
    let (public, may_say) = ("A stranger posted it.".to_owned(), "A fix is coming.".to_owned());
    case.notice(Tell::Broken { public, may_say }, NoticeKind::Broken).await;
    let broken = case.mails().await;
    outside(&broken);
    assert_eq!(to(&broken), case.everybody_but(&[]));
    for (_, letter) in case.read(&broken) {
        for wanted in [&*soon.spoken(), &later.spoken(), "A stranger posted it.", "fix is coming"] {
            assert!(letter.text.contains(wanted), "{wanted} is not in {}", letter.text);
        }
    }

    // It is off: that is told, once, and then nothing leaves any more.
    case.cancel("It is no flaw.").await;
    let again = plans::make(&house, ACTOR, &case.disclosure, PlanKind::Release).await;
    assert!(again.is_err(), "a release of what is cancelled");
    case.at(soon.at.plus(Span::hours(1))).await;
    assert!(case.mails().await.is_empty());
    case.notice(Tell::Due, NoticeKind::Cancellation).await;
    let off = case.mails().await;
    outside(&off);
    assert_eq!(to(&off), case.everybody_but(&[]));
    for (_, letter) in case.read(&off) {
        assert!(letter.text.starts_with("CANCELLED: ") && letter.text.contains("It is no flaw."));
        assert!(letter.subject.starts_with("Meadow security notice "), "{}", letter.subject);
    }
    let again = plans::make(&house, ACTOR, &case.disclosure, PlanKind::Notice).await;
    assert!(again.is_err(), "everybody knows");
    case.at(later.at.plus(Span::days(30))).await;
    assert!(case.mails().await.is_empty());
}

#[tokio::test]
async fn an_embargo_goes_through_every_kind_on_sqlite() {
    through_every_kind(Db::Sqlite).await;
}

#[tokio::test]
async fn an_embargo_goes_through_every_kind_on_postgres() {
    through_every_kind(Db::Postgres).await;
}

/// A distributor with gpg and git alone: the revision opens, and its interdiff makes the new
/// patches from the old ones.
async fn gpg_and_git_agree(case: &Case, mail: &Caught, old: &[daybreak::town::people::Attached]) {
    let Some(gpg) = Gpg::at(case.town.house.now()).await else { return };
    gpg.import_secret(&case.reader(&mail.to[0]).keys[0]).await;
    gpg.import(case.town.team_certificate()).await;
    let out = gpg.run(&["--decrypt"], armor(&mail.bytes).as_bytes()).await;
    assert!(out.ok() && says(&out, "GOODSIG"), "{}", out.complaint());
    let letter = MessageParser::default().parse(&out.stdout).unwrap();
    let part = |name: &str| {
        let found = letter.attachments().find(|a| a.attachment_name() == Some(name));
        found.unwrap().contents().to_vec()
    };
    let folder = tempfile::tempdir().unwrap();
    let patches = |n: &str| n.ends_with(".patch");
    for file in old.iter().filter(|a| patches(&a.name)) {
        std::fs::write(folder.path().join(&file.name), &file.bytes).unwrap();
    }
    std::fs::write(folder.path().join("changes.interdiff"), part("changes.interdiff")).unwrap();
    git(&["init", "--quiet", "."], folder.path()).await;
    git(&["apply", "--whitespace=nowarn", "changes.interdiff"], folder.path()).await;
    let mut changed = 0;
    for file in old.iter().filter(|a| patches(&a.name)) {
        let made = std::fs::read(folder.path().join(&file.name)).unwrap();
        assert_eq!(made, part(&file.name), "{}", file.name);
        changed += usize::from(made != file.bytes);
    }
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn nothing_of_an_old_date_leaves() {
    let mut case = Case::told(Db::Sqlite).await.unwrap();
    case.mails().await;
    let house = case.town.house.clone();
    let day = |n| T0::new(case.t0.at.plus(Span::days(n)), case.t0.zone);
    let (one, two, first) = (day(1), day(2), case.t0);
    case.move_to(one, "first").await;
    let (stale, _) = plans::make(&house, ACTOR, &case.disclosure, PlanKind::Notice).await.unwrap();
    case.move_to(two, "second").await;
    // Nobody can approve it any more.
    let ada = &case.town.people.ada;
    assert!(story::approve(&case.town, &stale, ada, story::Form::Inline).await.is_err());
    case.notice(Tell::Due, NoticeKind::Schedule).await;
    let mails = case.mails().await;
    assert_eq!(to(&mails), case.everybody_but(&[LATE]));
    for (_, letter) in case.read(&mails) {
        assert!(letter.text.contains(&two.spoken()) && letter.text.contains(&first.spoken()));
        assert!(!letter.text.contains(&one.spoken()), "a date nobody was told");
        assert!(letter.text.contains("second"));
    }
    let id = stale.id;
    assert_eq!(house.store.read(move |r| r.plan(id)).await.unwrap().state, PlanState::Void);
    // There and back: whoever knows the date hears nothing.
    case.move_to(first, "third").await;
    case.move_to(two, "fourth").await;
    let (plan, _) = plans::make(&house, ACTOR, &case.disclosure, PlanKind::Notice).await.unwrap();
    let manifest = plans::manifest_of(&plan).unwrap();
    assert_eq!(manifest.notice(), Some(NoticeKind::First));
    let mails = manifest.steps.iter().filter_map(|s| match &s.action {
        Action::Mail { to, .. } => Some(to.clone()),
        _ => None,
    });
    let mails: BTreeSet<String> = mails.collect();
    assert!(mails.contains(LATE) && mails.is_disjoint(&case.everybody_but(&[LATE])), "{mails:?}");
}

#[tokio::test]
async fn only_a_cancelled_disclosure_is_called_off_and_only_to_those_who_know() {
    let mut case = Case::new(Db::Sqlite).await.unwrap();
    let house = case.town.house.clone();
    let off = || Tell::Cancelled { holds: "You may speak about it.".to_owned() };
    assert!(make(&house, &case.disclosure, off()).await.is_err());
    case.notice(Tell::Due, NoticeKind::First).await;
    case.at(case.t0.days_before(7)).await;
    case.cancel("a mistake").await;
    case.mails().await;
    let (public, may_say) = ("all".to_owned(), "all".to_owned());
    let broken = Tell::Broken { public, may_say };
    assert!(make(&house, &case.disclosure, broken).await.is_err());
    case.notice(off(), NoticeKind::Cancellation).await;
    let mails = case.mails().await;
    assert_eq!(to(&mails), case.everybody_but(&[LATE]));
    assert!(case.read(&mails).iter().all(|(_, l)| l.text.contains("You may speak about it.")));
    // The one whose window had not opened never hears of any of it.
    case.at(case.t0.at.plus(Span::days(3))).await;
    assert!(case.mails().await.is_empty());

    let mut silent = Case::new(Db::Sqlite).await.unwrap();
    silent.cancel("a mistake").await;
    let house = silent.town.house.clone();
    assert!(plans::make(&house, ACTOR, &silent.disclosure, PlanKind::Notice).await.is_err());
}

#[tokio::test]
async fn news_that_ends_a_plan_carries_those_who_waited_in_it() {
    let mut case = Case::told(Db::Sqlite).await.unwrap();
    case.mails().await;
    case.mend().await;
    let address = FIRST.to_owned();
    case.town.catcher.script(Fault::RefuseRecipient { address, code: 550 }, Times::Always);
    let running = case.notice(Tell::Due, NoticeKind::Revision).await;
    assert!(!to(&case.mails().await).contains(FIRST), "refused");
    case.refresh().await;
    let (next, _) = make(&case.town.house, &case.disclosure, Tell::Due).await.unwrap();
    let steps = plans::manifest_of(&next).unwrap().steps;
    let told: BTreeSet<&str> = steps
        .iter()
        .filter_map(|s| match &s.action {
            Action::Mail { to, .. } => Some(to.as_str()),
            _ => None,
        })
        .collect();
    // Those whose certificates cannot be used are in it too, and stay blocked.
    assert!(told.is_superset(&[FIRST, LATE].into()), "left to the plan that ends: {told:?}");
    let id = running.id;
    let state = async || case.town.house.store.read(move |r| r.plan(id)).await.unwrap().state;
    assert_eq!(state().await, PlanState::Running, "a draft ends nothing");
    story::approve_by_all(&case.town, &next).await.unwrap();
    assert_eq!(state().await, PlanState::Void);
}

#[tokio::test]
async fn news_at_once_is_not_sealed_to_a_certificate_in_its_cool_down() {
    let mut case = Case::told(Db::Sqlite).await.unwrap();
    let house = case.town.house.clone();
    let long_ago = house.now().plus(Span::days(-30));
    let fresh = samples::cv25519(&format!("Fennel OS <{FIRST}>"), long_ago).unwrap();
    let fingerprint = fresh.certificate.fingerprint().to_string();
    let fennel = async || find_distributor(&house, "Fennel OS").await.unwrap();
    let new = Renewal {
        address: FIRST.to_owned(),
        certificate: fresh.certificate.armored().into_bytes(),
        signed_by_old: None,
        instead_of: None,
    };
    distributors::renew(&house, ACTOR, &fennel().await, new).await.unwrap();
    for member in house.store.read(|r| r.members()).await.unwrap() {
        let (found, how) = (fennel().await, "rang them");
        let done = distributors::confirm(&house, member.id, &found, FIRST, &fingerprint, how);
        done.await.unwrap();
    }
    case.mend().await;
    for (wait, sealed) in [(Span::ZERO, false), (Span::hours(72), true)] {
        let at = house.now().plus(wait);
        case.at(at).await;
        case.refresh().await;
        let (plan, _) = make(&house, &case.disclosure, Tell::Due).await.unwrap();
        let steps = plans::manifest_of(&plan).unwrap().steps;
        let theirs = |s: &&Step| matches!(&s.action, Action::Mail { to, .. } if to == FIRST);
        let sealing = steps.iter().find(theirs).unwrap().sealing.as_ref().unwrap();
        assert_eq!(
            sealing.fingerprints.contains(&fingerprint),
            sealed,
            "{} h",
            wait.as_secs() / 3600
        );
        assert_eq!(sealing.fingerprints.len(), 1 + usize::from(sealed));
    }
}
