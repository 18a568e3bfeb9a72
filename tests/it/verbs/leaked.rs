//! It is public before its time.

use std::collections::BTreeSet;

use daybreak::casework::leaks::{Wish, publish_now};
use daybreak::casework::{CaseError, controls, plans};
use daybreak::clock::Clock as _;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::news::NoticeKind;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::secret::Reason;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::town::catcher::Caught;
use daybreak::town::people::Letter;
use daybreak::town::story;

use super::record;
use crate::ground::Db;
use crate::story::{Point, Story};

pub const URL: &str = "https://lists.example/2026/1";

pub fn leak(within: Option<Span>) -> Wish {
    let leak = Some(URL.to_owned());
    Wish { reason: "it was posted".to_owned(), leak, within, ..Wish::default() }
}

pub async fn approve(story: &Story, plan: &Plan) -> Plan {
    story::approve_by_all(&story.town, plan).await.unwrap()
}

pub fn read(story: &Story, mails: &[Caught]) -> Vec<Letter> {
    let (team, now) = (story.town.team_certificate(), story.town.house.now());
    let open = |m: &Caught| {
        story.town.people.reader(&m.to[0]).unwrap().decrypt(&m.bytes, team, now).unwrap()
    };
    mails.iter().map(open).collect()
}

pub fn to(mails: &[Caught]) -> BTreeSet<String> {
    mails.iter().map(|m| m.to[0].clone()).collect()
}

/// The lists, which are no recipients of notices.
pub fn notices(story: &Story) -> Vec<Caught> {
    let lists: Vec<_> = story.town.house.config.list.values().map(|l| l.address.clone()).collect();
    story.letters().into_iter().filter(|m| !lists.contains(&m.to[0])).collect()
}

#[tokio::test]
async fn an_approved_release_starts_at_once_and_everybody_hears_the_same() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (house, plan, member) = (&story.town.house, story.release().clone(), story.member().await);
    let readers = story.town.people.readers().filter(|r| r.should_read);
    let told: BTreeSet<String> = readers.map(|r| r.address.to_owned()).collect();
    let before = notices(&story).len();
    let done =
        publish_now(house, member, &story.disclosure_now().await, &leak(None)).await.unwrap();
    let lifted = done.lifted.unwrap();
    assert_eq!((lifted.given, lifted.needed, lifted.plan.id), (1, 1, plan.id));
    let (notice, _) = done.notice.unwrap().unwrap();
    assert_eq!(notice.state, PlanState::Made, "its approval follows the normal threshold");
    assert!(plans::approval_text(&notice).unwrap().contains("\nnotice at-once\n"));

    // The lifted GO waits for no notice.
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    assert_eq!(story.stage().await, Stage::Public);
    assert!(story.hand.wall() < story.t0.at);
    assert_eq!(notices(&story).len(), before);

    // Nor does it end it: who waits for the old date must hear that it is over.
    assert_eq!(story.state(&notice).await, PlanState::Made);
    let decided = story.hand.wall();
    approve(&story, &notice).await;
    engine.settle().await.unwrap();
    let mails = notices(&story).split_off(before);
    assert_eq!(to(&mails), told, "the reporter too");
    for letter in read(&story, &mails) {
        assert!(letter.text.starts_with("WE PUBLISH AT ONCE."), "{}", letter.text);
        for wanted in [&*format!("The details are public: {URL}"), &story.t0.spoken()] {
            assert!(letter.text.contains(wanted), "{wanted} is not in {}", letter.text);
        }
        assert!(letter.text.contains(&decided.spoken()), "{}", letter.text);
    }
    assert_eq!(story.state(&notice).await, PlanState::Finished);
    let record = record(&story).await;
    for line in [
        &*format!("{member} | leak-record "),
        &format!("{URL}: it was posted"),
        &format!("{member} | publish-now {} | it was posted", plan.id),
    ] {
        assert!(record.contains(line), "{line} is not in {record}");
    }
    story.is_recorded().await;
}

#[tokio::test]
async fn each_who_asks_says_it_and_it_is_told_once() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (house, member) = (&story.town.house, story.member().await);
    let notices = |plans: Vec<Plan>| plans.iter().filter(|p| p.kind == PlanKind::Notice).count();
    publish_now(house, member, &story.disclosure, &leak(None)).await.unwrap();
    let made = notices(plans::of(house, story.disclosure.id).await.unwrap());
    let again = publish_now(house, member, &story.disclosure_now().await, &leak(None)).await;
    assert!(again.is_err(), "the same member asked twice");
    assert_eq!(notices(plans::of(house, story.disclosure.id).await.unwrap()), made);
    let leaks = story.disclosure_now().await.case.open(Reason::Review).leaks.clone();
    assert_eq!(leaks.len(), 1);
}

#[tokio::test]
async fn without_an_approved_plan_the_last_approval_publishes_however_long_it_takes() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (house, member) = (&story.town.house, story.member().await);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    let done =
        publish_now(house, member, &story.disclosure_now().await, &leak(None)).await.unwrap();
    let (release, _) = done.release.unwrap().unwrap();
    let (notice, _) = done.notice.unwrap().unwrap();
    let text = plans::approval_text(&release).unwrap();
    assert!(text.contains("EFFECT: SENDS AT ONCE ON THE LAST APPROVAL"), "{text}");
    assert_eq!(plans::manifest_of(&notice).unwrap().notice(), Some(NoticeKind::AtOnce));
    // Signatures take longer than a day may be late; nobody is asked again.
    story.pass(&mut engine, &[Span::hours(7)]).await;
    assert_eq!(story.stage().await, Stage::Embargoed, "a draft publishes nothing");
    approve(&story, &release).await;
    engine.settle().await.unwrap();
    assert_eq!(story.stage().await, Stage::Public);
    assert!(!story.rang("too-late-for-go") && !story.rang("late-go-in-ten-minutes"));
    let before = notices(&story).len();
    approve(&story, &notice).await;
    engine.settle().await.unwrap();
    assert!(notices(&story).len() > before, "they hear afterwards, too");
}

#[tokio::test]
async fn what_cannot_be_published_moves_nothing() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (house, member) = (&story.town.house, story.member().await);
    let old = story.disclosure_now().await;
    // Not earlier than it would be anyway.
    let late = publish_now(house, member, &old, &leak(Some(Span::days(20)))).await;
    assert!(matches!(late, Err(CaseError::Invalid { .. })));
    // Nobody said how soon: what waits is not voided by a slip.
    let slip = Wish { reason: "now".to_owned(), ..Wish::default() };
    let slip = publish_now(house, member, &old, &slip).await.map(|_| ());
    let Err(CaseError::NeedsApproval { cure, .. }) = slip else { panic!("{slip:?}") };
    assert!(cure.contains("--in 0s"), "{cure}");
    // A branch that nobody decided stops it, unless it is waived by name.
    let branch =
        story::branch(daybreak::town::project::LINES.iter().find(|l| l.next.is_none()).unwrap());
    let undecided = undecided(&story, &old, &branch).await;
    let wish = leak(Some(Span::hours(1)));
    let stopped = publish_now(house, member, &undecided, &wish).await.map(|_| ());
    let Err(CaseError::Blocked(findings)) = stopped else { panic!("{stopped:?}") };
    assert!(findings.iter().any(|f| f.code == "cell-open"), "{findings:?}");
    assert_eq!(story.disclosure_now().await.t0, Some(story.t0), "T0 stays");
    let wish = Wish { waived: vec!["cell-open".to_owned()], ..wish };
    let done = publish_now(house, member, &undecided, &wish).await.unwrap();
    done.release.unwrap().unwrap();
    let record = record(&story).await;
    assert!(record.contains("; waived: cell-open"), "{record}");
}

/// The disclosure with one branch that nobody decided.
async fn undecided(
    story: &Story,
    disclosure: &Disclosure,
    branch: &daybreak::domain::disclosure::BranchRef,
) -> Disclosure {
    let house = &story.town.house;
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.cells.retain(|c| c.branch != *branch);
    let case = daybreak::domain::secret::Embargoed::new(content);
    let mut changed = Disclosure { case, ..disclosure.clone() };
    let deed = house.deed(Actor::Operator, "disclosure-mark", changed.id);
    let stored = changed.clone();
    changed.revision =
        house.store.write(&deed, move |tx| tx.save_disclosure(&stored)).await.unwrap();
    changed
}

#[tokio::test]
async fn a_held_plan_is_not_started_by_a_leak() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (house, member) = (&story.town.house, story.member().await);
    story.hold(story.release()).await;
    let now = publish_now(house, member, &story.disclosure, &leak(None)).await.map(|_| ());
    let Err(CaseError::NotNow { cure, .. }) = now else { panic!("{now:?}") };
    assert!(cure.contains("plan resume"), "{cure}");
    controls::resume(house, Actor::Operator, story.release(), "go on").await.unwrap();
}
