//! People steer: hold, abort, start early, change their minds.

use daybreak::casework::{CaseError, advisories, controls, plans};
use daybreak::clock::Clock as _;
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::secret::Reason;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::store::{Claim, Decision, StoreError};
use daybreak::town::story;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

#[tokio::test]
async fn held_plans_do_nothing_until_they_are_resumed() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    story.hold(&story.notice).await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::hours(5)]).await;
    assert_eq!(story.letters().len(), 0);
    let house = &story.town.house;
    controls::resume(house, Actor::Operator, &story.notice, "go on").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.letters().len(), 6);

    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (house, plan) = (&story.town.house, story.release().clone());
    let before = WorldView::of(&story.town).await;
    let mut engine = story.engine().await;
    story.hold(&plan).await;
    story.at_t0(&mut engine).await;
    story.pass(&mut engine, &[Span::mins(3)]).await;
    assert_eq!(WorldView::of(&story.town).await, before, "a held plan acted");
    controls::resume(house, Actor::Operator, &plan, "go on").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
}

#[tokio::test]
async fn holding_after_go_stops_what_has_not_begun() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let plan = story.release().clone();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at);
    engine.turn().await.unwrap();
    assert_eq!(story.stage().await, Stage::Releasing);
    story.hold(&plan).await;
    let before = WorldView::of(&story.town).await;
    engine.settle().await.unwrap();
    assert_eq!(WorldView::of(&story.town).await, before);
    let house = &story.town.house;
    controls::abort(house, Actor::Operator, &plan, "too late").await.unwrap_err();
    controls::resume(house, Actor::Operator, &plan, "go on").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
}

#[tokio::test]
async fn what_is_aborted_before_t0_never_leaves() {
    for point in [Point::Ready, Point::Told] {
        let mut story = Story::at(Db::Sqlite, point).await.unwrap();
        let plan = story.release.clone().unwrap_or_else(|| story.notice.clone());
        let (told, before) = (story.letters().len(), WorldView::of(&story.town).await);
        let mut engine = story.engine().await;
        engine.settle().await.unwrap();
        let house = &story.town.house;
        controls::abort(house, Actor::Operator, &plan, "a new report").await.unwrap();
        for at in [story.t0.days_before(7), story.t0.days_before(3), story.t0.at] {
            story.hand.advance_to(at);
            engine.settle().await.unwrap();
        }
        story.pass(&mut engine, &[Span::mins(20)]).await;
        let mut engine = story.after_crash(engine).await;
        engine.settle().await.unwrap();
        assert_eq!(story.letters().len(), told);
        assert_eq!(WorldView::of(&story.town).await, before);
        let (house, id) = (&story.town.house, plan.id);
        // Nor does an engine that was about to end it bring it back.
        let deed = house.deed(Actor::Operator, "plan-finish", id);
        let finish = house.store.write(&deed, move |tx| {
            let epoch = tx.lease()?.epoch;
            tx.finish_plan(id, epoch)
        });
        assert!(matches!(finish.await, Err(StoreError::NotPermitted(_))));
        assert_eq!(story.state(&plan).await, PlanState::Void);
        controls::resume(house, Actor::Operator, &plan, "no").await.unwrap_err();
    }
}

/// Fifty times the engine and a person decide in the same moment.
#[rstest]
#[tokio::test]
async fn of_go_and_abort_exactly_one_wins(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(story) = Story::at(db, Point::Told).await else { return };
    let (house, plan) = (&story.town.house, story.release().clone());
    let before = WorldView::of(&story.town).await;
    story.hand.advance_to(story.t0.at);
    // The person is held up until both come in the same moment.
    let (mut went, mut aborted, mut delay) = (0, 0, 0_usize);
    for _ in 0..50 {
        story.hand.advance(Span::millis(1));
        let mut engine = story.engine().await;
        let person = async {
            for _ in 0..delay {
                house.store.revision().await.unwrap();
            }
            controls::abort(house, Actor::Operator, &plan, "stop").await
        };
        let (turn, abort) = tokio::join!(engine.turn(), person);
        turn.unwrap();
        let id = plan.id;
        let decided = house.store.read(move |r| r.decided(id)).await.unwrap().unwrap();
        let ends = (decided.decision, story.state(&plan).await, story.stage().await);
        match abort {
            Ok(()) => {
                aborted += 1;
                delay += 3;
                assert_eq!(ends, (Decision::Abort, PlanState::Void, Stage::Embargoed));
            }
            Err(CaseError::NotNow { .. }) => {
                went += 1;
                delay = delay.saturating_sub(2);
                assert_eq!(ends, (Decision::Go, PlanState::Running, Stage::Releasing));
            }
            Err(other) => panic!("{other}"),
        }
        assert_eq!(WorldView::of(&story.town).await, before);
        engine.end().await.unwrap();
        story.meddle(
            "DELETE FROM gos; UPDATE plans SET state = 'approved' WHERE kind = 'release';
             UPDATE disclosures SET stage = 'embargoed';",
        );
    }
    assert!(went > 0 && aborted > 0, "{went} to {aborted}: no races");
    story.is_recorded().await;
}

#[tokio::test]
async fn one_member_may_start_an_approved_plan_early_and_no_other() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (house, plan, member) = (&story.town.house, story.release().clone(), story.member().await);
    let now =
        |reason: &'static str| controls::publish_now(house, member, &story.disclosure, reason);
    let mut engine = story.engine().await;
    assert!(now(" ").await.is_err(), "a reason is needed");
    story.hold(&plan).await;
    assert!(matches!(now("leaked").await, Err(CaseError::NotNow { .. })));
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Approved);
    controls::resume(house, Actor::Operator, &plan, "go on").await.unwrap();
    let lifted = now("it is on a public list").await.unwrap();
    assert_eq!((lifted.given, lifted.needed), (1, 1));
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    assert_eq!(story.stage().await, Stage::Public);
    assert!(story.hand.wall() < story.t0.at);
    assert!(now("again").await.is_err());
}

/// A house whose plans, made from now on, need two members for an early start.
async fn two_must_ask(db: Db) -> Option<Story> {
    let mut story = Story::at(db, Point::Ready).await?;
    let file = story.town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("[plans]\n"), "{text}");
    std::fs::write(&file, text.replace("[plans]\n", "[plans]\nearly_lift = 2\n")).unwrap();
    story.town.reopen().unwrap();
    Some(story.told().await)
}

#[rstest]
#[tokio::test]
async fn where_two_members_must_ask_one_starts_nothing_however_often(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(story) = two_must_ask(db).await else { return };
    let (house, plan) = (&story.town.house, story.release().clone());
    let members = house.store.read(|r| r.members()).await.unwrap();
    let ask = |n: usize| controls::publish_now(house, members[n].id, &story.disclosure, "leaked");
    let mut engine = story.engine().await;
    let claim = Claim {
        plan: plan.id,
        digest: plan.digest,
        threshold: 1,
        early_lift: plans::manifest_of(&plan).unwrap().early_lift,
        announces: None,
        epoch: house.store.read(|r| r.lease()).await.unwrap().epoch,
    };
    let (before, letters) = (WorldView::of(&story.town).await, story.letters().len());
    let nothing_leaves = async |engine: &mut Engine| {
        story.pass(engine, &[Span::secs(1), Span::mins(20)]).await;
        let standing = story.standing(&plan).await;
        assert_eq!((standing.facts.lifted, standing.facts.go), (false, None));
        // The transaction itself, without the engine's own care before it.
        let deed = house.deed(Actor::Operator, "test", plan.id);
        let go = house.store.write(&deed, move |tx| tx.write_go(&claim)).await;
        assert!(matches!(go, Err(StoreError::NotPermitted(_))), "{go:?}");
        assert_eq!(WorldView::of(&story.town).await, before);
        assert_eq!(story.letters().len(), letters);
    };
    let one = ask(0).await.unwrap();
    assert_eq!((one.given, one.needed), (1, 2));
    nothing_leaves(&mut engine).await;
    let again = ask(0).await;
    assert!(matches!(again, Err(CaseError::Store(StoreError::AlreadyLifted))));
    nothing_leaves(&mut engine).await;

    let two = ask(1).await.unwrap();
    assert_eq!((two.given, two.needed), (2, 2));
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    assert_eq!(story.stage().await, Stage::Public);
    assert!(story.hand.wall() < story.t0.at);
}

#[tokio::test]
async fn an_unapproved_plan_is_never_started_early() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let kind = PlanKind::Release;
    let (plan, _) = story::plan(&story.town, &story.disclosure, kind).await.unwrap();
    story::approve(&story.town, &plan, &story.town.people.ada, story::Form::Inline).await.unwrap();
    let (house, member) = (&story.town.house, story.member().await);
    let now = controls::publish_now(house, member, &story.disclosure, "leaked").await;
    assert!(matches!(now, Err(CaseError::NeedsApproval { .. })));
    let before = WorldView::of(&story.town).await;
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(WorldView::of(&story.town).await, before, "half an approval was enough");
}

#[tokio::test]
async fn an_edit_after_approval_voids_and_nothing_happens_at_t0() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (house, plan) = (&story.town.house, story.release().clone());
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let mut text = story.advisory.text.open(Reason::Editing).clone();
    text.description.push_str(" A comma was missing.");
    advisories::edit(house, Actor::Operator, &story.advisory, text).await.unwrap();
    let before = WorldView::of(&story.town).await;
    story.at_t0(&mut engine).await;
    story.pass(&mut engine, &[Span::mins(20)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    assert_eq!(
        (story.state(&plan).await, story.stage().await),
        (PlanState::Void, Stage::Embargoed)
    );
    let approve = story::approve(&story.town, &plan, &story.town.people.ada, story::Form::Inline);
    assert!(approve.await.is_err(), "a void plan took an approval");
    assert!(plans::of(house, story.disclosure.id).await.unwrap().len() == 2);
}
