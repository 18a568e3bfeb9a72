//! Rows changed behind the store's back, and a database that refuses for a while.

use std::collections::BTreeSet;

use daybreak::casework::controls;
use daybreak::domain::deed::{Actor, Deed};
use daybreak::domain::event::Happened;
use daybreak::domain::ids::{EventId, StepId};
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::engine::EngineError;
use daybreak::store::StoreError;
use daybreak::town::story as steps;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{End, Point, Story, calm, ref_writes};
use crate::world::WorldView;

/// What an intruder with the database, but without the vault's key, may try.
const TRICKS: [(&str, &str); 8] = [
    (
        "one approval less",
        "DELETE FROM approvals WHERE plan = 'ID' AND member = (SELECT max(member) FROM approvals)",
    ),
    (
        "approvals that change places",
        "UPDATE approvals SET sealed = (SELECT b.sealed FROM approvals b
         WHERE b.plan = approvals.plan AND b.member <> approvals.member) WHERE plan = 'ID'",
    ),
    (
        "approvals of another plan",
        "UPDATE approvals SET sealed = (SELECT b.sealed FROM approvals b
         WHERE b.plan <> approvals.plan AND b.member = approvals.member) WHERE plan = 'ID'",
    ),
    (
        "another plan's bytes",
        "UPDATE plans SET sealed = (SELECT b.sealed FROM plans b WHERE b.id <> 'ID'),
         digest = (SELECT b.digest FROM plans b WHERE b.id <> 'ID') WHERE id = 'ID'",
    ),
    (
        "another digest",
        "UPDATE plans SET digest = (SELECT b.digest FROM plans b WHERE b.id <> 'ID') WHERE id = 'ID'",
    ),
    (
        "a GO of their own",
        "INSERT INTO gos (plan, value, at, epoch, sealed)
         SELECT id, 'GO', t0, 1, sealed FROM plans WHERE id = 'ID'",
    ),
    (
        "a wish to start early",
        "INSERT INTO lifts (plan, member, at, sealed)
         SELECT 'ID', id, created_at, sealed FROM members WHERE id = (SELECT max(id) FROM members)",
    ),
    ("a maintainer who left", "UPDATE members SET active = (id <> (SELECT max(id) FROM members))"),
];

/// Both plans are approved; the release is meddled with, before or after the engine took it on.
#[rstest]
#[tokio::test]
async fn a_meddled_release_never_goes_and_the_notices_still_do(
    #[values(false, true)] taken_on: bool,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(whole) = Story::at(db, Point::Ready).await else { return };
    let release = steps::approved_plan(&whole.town, &whole.disclosure, PlanKind::Release);
    let release = release.await.unwrap();
    let before = WorldView::of(&whole.town).await;
    let tricks = if db == Db::Sqlite { &TRICKS[..] } else { &TRICKS[1..4] };
    for (name, sql) in tricks {
        let story = whole.copy().await;
        let meddle = || story.meddle(&sql.replace("ID", &release.id.to_string()));
        if !taken_on {
            meddle();
        }
        let mut engine = story.engine().await;
        // Somebody else's write makes the engine look at everything again.
        story.hand.advance_to(story.t0.days_before(8));
        engine.settle().await.unwrap();
        if taken_on {
            meddle();
        }
        for at in [story.t0.days_before(7), story.t0.days_before(3)] {
            story.hand.advance_to(at);
            engine.settle().await.unwrap();
        }
        // The notices need both maintainers too.
        let heard = if *name == "a maintainer who left" && !taken_on { 0 } else { 7 };
        assert_eq!(story.letters().len(), heard, "{name}: notices");
        story.hand.advance_to(story.t0.at);
        engine.settle().await.unwrap();
        story.pass(&mut engine, &[Span::secs(1), Span::mins(20)]).await;
        assert_eq!(WorldView::of(&story.town).await, before, "{name}: something became public");
        let paged = ["approvals-do-not-verify", "plan-unreadable"].iter().any(|b| story.rang(b));
        assert!(paged, "{name}: nobody heard: {:?}", story.bells());
    }
}

/// A step whose bytes were damaged is in trouble alone.
#[rstest]
#[case::late(Span::mins(10))]
#[case::on_time(Span::ZERO)]
#[tokio::test]
async fn damaged_bytes_of_one_step_stop_no_other(#[case] by: Span) {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let plan = story.release().clone();
    story.meddle(&format!(
        "UPDATE chunks SET sealed = (SELECT c.sealed FROM chunks c WHERE c.blob <> chunks.blob LIMIT 1)
         WHERE blob = (SELECT id FROM blobs WHERE owner = '{}' ORDER BY id DESC LIMIT 1)",
        plan.id
    ));
    story.hand.advance_to(story.t0.at.plus(by));
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::mins(16)]).await;
    let words = story.words(&plan).await;
    let trouble: Vec<_> = words.iter().filter(|(_, w)| *w != "done").collect();
    assert!(trouble.iter().all(|(_, w)| *w == "blocked cannot-be-prepared"), "{trouble:?}");
    // A tag and its branch share a bundle.
    let blobs = |id: &StepId| -> BTreeSet<String> {
        let step = story.step(&plan, |s| s.id == *id);
        step.action.blobs().iter().map(|b| b.name.clone()).collect()
    };
    let shared = trouble.iter().map(|(id, _)| blobs(id)).reduce(|a, b| &a & &b);
    assert!(shared.is_some_and(|names| !names.is_empty()), "{trouble:?}");
    assert!(story.rang("step-blocked"));
}

/// What nobody can read can be sent by nobody: it is void with GO, and stops no day.
#[rstest]
#[case::bytes_of_another("(SELECT p.sealed FROM plans p WHERE p.id <> plans.id)")]
#[case::under_another_key("CAST(x'01' || zeroblob(8) || substr(sealed, 10) AS BLOB)")]
#[tokio::test]
async fn a_damaged_notice_that_was_never_sent_keeps_no_release_back(#[case] cell: &str) {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (town, disclosure) = (&story.town, story.disclosure_now().await);
    let (draft, _) = steps::plan(town, &disclosure, PlanKind::Notice).await.unwrap();
    story.meddle(&format!("UPDATE plans SET sealed = {cell} WHERE id = '{}'", draft.id));
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(story.stage().await, Stage::Public, "{:?}", story.bells());
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    let id = draft.id;
    let stands = story.town.house.store.read(move |r| r.plan_stands(id)).await.unwrap();
    assert_eq!(stands, (PlanState::Void, false));
}

/// After GO distributors go public by themselves: an approver who leaves stops nothing.
#[tokio::test]
async fn a_restart_after_go_goes_on_whoever_left_meanwhile() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.halt_after(5);
    story.hand.advance_to(story.t0.at);
    assert!(matches!(engine.settle().await, Err(EngineError::Halted)));
    assert_eq!(story.stage().await, Stage::Releasing);
    story.meddle("UPDATE members SET active = (id <> (SELECT max(id) FROM members))");
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(121), Span::secs(121)]).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    assert!(story.rang("approvals-do-not-verify"), "and a person hears");
}

/// What GO was decided by is not asked again: a row of it that is damaged afterwards stops no
/// day half-way, neither of the engine that was at it nor of the next one.
#[rstest]
#[case::the_case("UPDATE disclosures SET sealed = zeroblob(40)")]
#[case::an_approval("UPDATE approvals SET sealed = zeroblob(40)")]
#[case::an_approval_less(
    "DELETE FROM approvals WHERE plan = 'ID' AND member = (SELECT max(member) FROM approvals)"
)]
#[tokio::test]
async fn a_row_damaged_after_go_stops_no_step(
    #[case] damage: &str,
    #[values(false, true)] restart: bool,
) {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let id = story.release().id;
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at);
    engine.turn().await.unwrap();
    assert!(story.town.house.store.read(move |r| r.decided(id)).await.unwrap().is_some());
    story.meddle(&damage.replace("ID", &id.to_string()));
    if restart {
        engine = story.after_crash(engine).await;
    }
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(121), Span::secs(121)]).await;
    let ends = story.town.house.store.read(move |r| r.plan_stands(id)).await.unwrap();
    assert_eq!(ends, (PlanState::Finished, false), "{:?}", story.bells());
}

/// Whoever can write into the database makes no GO of an ABORT, approved or not.
#[rstest]
#[case::approved("")]
#[case::by_nobody("DELETE FROM approvals WHERE plan = 'ID';")]
#[tokio::test]
async fn an_abort_never_becomes_a_go(#[case] more: &str, #[values("T0", "a test")] why: &str) {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (release, before) = (story.release(), WorldView::of(&story.town).await);
    controls::abort(&story.town.house, Actor::Operator, release, why).await.unwrap();
    let sql = "UPDATE gos SET value = 'GO', epoch = 1, at = at - 60000 WHERE plan = 'ID';
               UPDATE plans SET state = 'running' WHERE id = 'ID';";
    story.meddle(&format!("{sql} {more}").replace("ID", &release.id.to_string()));
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.at_t0(&mut engine).await;
    assert_eq!(WorldView::of(&story.town).await, before, "something became public");
    assert!(story.rang("plan-unreadable"), "{:?}", story.bells());
}

/// A row that is nobody's is passed over, wherever the engine meets it.
#[rstest]
#[case::of_a_plan(
    "INSERT INTO plans (id, disclosure, number, kind, state, held, t0, made_at, digest, sealed)
     SELECT 'x', disclosure, 99, 'notice', 'approved', held, t0, made_at, digest, sealed
     FROM plans WHERE id = 'ID'"
)]
#[case::of_a_disclosure(
    "INSERT INTO disclosures (id, revision, stage, t0, created_at, sealed)
     SELECT 'x', revision, 'embargoed', t0, created_at, sealed FROM disclosures
     WHERE id = (SELECT disclosure FROM plans WHERE id = 'ID')"
)]
#[tokio::test]
async fn a_row_that_names_nothing_keeps_no_release_back(#[case] sql: &str) {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let id = story.release().id;
    story.meddle(&sql.replace("ID", &id.to_string()));
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    let ends = story.town.house.store.read(move |r| r.plan_stands(id)).await.unwrap();
    assert_eq!(ends, (PlanState::Finished, false), "{:?}", story.bells());
}

/// The database takes the intent, and its answer is lost: nobody acts on it, nobody forgets it.
#[tokio::test]
async fn an_intent_whose_answer_was_lost_is_found_again() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (house, plan) = (&story.town.house, story.release().clone());
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at);
    engine.turn().await.unwrap();
    let (step, id, event) =
        (story.step(&plan, |s| s.outlet == "git").id, plan.id, house.fresh(EventId::new));
    let deed = Deed::new(Actor::Operator, "step-intend", step, house.now());
    let lost = house.store.write(&deed, move |tx| {
        let epoch = tx.lease()?.epoch;
        tx.add_step_event(event, (id, step), epoch, "intended", &Happened::Intended)
    });
    lost.await.unwrap();
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(1), Span::secs(121)]).await;
    assert_eq!(story.state(&plan).await, PlanState::Finished);
}

/// The database refuses a kind of line for a while: what came back from the world is kept and
/// written later, what was not written does not happen, and nothing is done twice.
#[rstest]
#[case::before_anything("looked", false)]
#[case::before_an_act("intended", false)]
#[case::after_an_act("acted", true)]
#[tokio::test]
async fn a_database_that_refuses_for_a_while_costs_time_only(
    #[case] kind: &str,
    #[case] acts: bool,
) {
    let undisturbed = calm(Db::Sqlite, Point::Told).await.unwrap();
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (told, before) = (story.letters().len(), WorldView::of(&story.town).await);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at);
    story.meddle(&format!(
        "CREATE TRIGGER refuse BEFORE INSERT ON step_events WHEN NEW.kind = '{kind}'
         BEGIN SELECT RAISE(ABORT, 'not now'); END"
    ));
    for _ in 0..12 {
        match engine.settle().await {
            Ok(()) | Err(EngineError::Store(StoreError::Unavailable(_))) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(WorldView::of(&story.town).await != before, acts, "an act without its intent");
    story.meddle("DROP TRIGGER refuse");
    story.pass(&mut engine, &[Span::secs(1)]).await;
    assert_eq!(End::of(&story, story.release()).await, *undisturbed);
    assert_eq!(story.letters().len(), told + 2);
    assert!(ref_writes(&story.town).values().all(|n| *n == 1));
    story.is_recorded().await;
}
