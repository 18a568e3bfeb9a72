//! What is heard of a mail when its plan has long ended.

use daybreak::casework::{controls, ledger};
use daybreak::domain::event::Happened;
use daybreak::domain::ids::EventId;
use daybreak::domain::plan::PlanState;
use daybreak::domain::time::Span;
use daybreak::town::faults::Fault;
use rstest::rstest;

use super::ground::{ALDER, FENNEL, LARCH, OPERATOR, bounced, delayed, read};
use crate::ground::Db;
use crate::story::{Point, Story};

#[rstest]
#[tokio::test]
async fn a_finished_plan_stays_finished_whatever_is_heard(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(story) = Story::at(db, Point::Ready).await else { return };
    let (house, plan) = (&story.town.house, &story.notice);
    let mut engine = story.engine().await;
    story.finished(&mut engine).await;
    let letters = story.letters().len();
    let id = house.fresh(EventId::new);
    assert!(story.hear_as(plan, FENNEL, id, bounced()).await);
    let revision = story.revision().await;
    assert!(!story.hear_as(plan, FENNEL, id, bounced()).await, "the same report once more");
    assert_eq!(story.revision().await, revision);
    assert!(story.hear(plan, ALDER, read()).await);
    story.pass(&mut engine, &[Span::mins(1), Span::mins(1), Span::mins(1)]).await;
    assert_eq!(story.rings("notice-bounced"), 1);
    assert_eq!(story.delivery(FENNEL).await.code, "5.1.1");
    assert_eq!(story.delivery_state(ALDER).await, "acknowledged");
    let step = story.mail_to(plan, FENNEL).id;
    assert_eq!(story.cached(plan, step).await, ("done".to_owned(), false));
    assert_eq!(story.told_by_hand(FENNEL).await.state.word(), "by-hand");
    story.pass(&mut engine, &[Span::mins(20)]).await;
    assert_eq!(story.state(plan).await, PlanState::Finished);
    assert_eq!(story.letters().len(), letters, "nothing was sent because of it");
    // Only what is heard of a delivery, and only of a delivery.
    let note = async |step, happened| {
        let id = house.fresh(EventId::new);
        ledger::note_delivery(house, OPERATOR, plan.id, step, id, happened).await
    };
    note(step, Happened::Lost).await.unwrap_err();
    let ask = story.step(plan, |s| s.sealing.is_none()).id;
    note(ask, bounced()).await.unwrap_err();
    // A person's word is the last but for the reader's own.
    story.hear(plan, FENNEL, delayed()).await;
    assert_eq!(story.delivery_state(FENNEL).await, "by-hand");
    story.hear(plan, FENNEL, read()).await;
    assert_eq!(story.delivery_state(FENNEL).await, "acknowledged");
    story.is_recorded().await;
}

#[tokio::test]
async fn a_void_plan_is_still_heard_of() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (house, plan) = (&story.town.house, &story.notice);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    let running = story.standing(plan).await.plan;
    controls::abort(house, OPERATOR, &running, "a wrong patch").await.unwrap();
    assert!(story.hear(plan, LARCH, bounced()).await);
    engine.settle().await.unwrap();
    assert_eq!(story.state(plan).await, PlanState::Void);
    let states = story.states().await;
    assert_eq!((states[LARCH], states[FENNEL]), ("bounced", "handed-over"));
    let tarn = story.delivery(super::ground::TARN).await;
    assert_eq!((tarn.state.word(), tarn.code.as_str()), ("blocked", "plan-void"));
}

/// The engine is in doubt about a mail; a bounce of it ends the doubt, also in its memory: the
/// mail is not repeated.
#[tokio::test]
async fn a_running_engine_catches_up_with_what_is_heard() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let plan = &story.notice;
    let step = story.mail_to(plan, FENNEL).id;
    let to_them = move |i: &daybreak::domain::effect::Intended| i.step == step;
    story.town.script("mail").unwrap().then_for(to_them, &Fault::LoseAnswer, 1);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    assert_eq!(story.delivery_state(FENNEL).await, "unknown");
    assert_eq!(story.cached(plan, step).await, ("unknown".to_owned(), true));
    story.hear(plan, FENNEL, bounced()).await;
    assert_eq!(story.cached(plan, step).await, ("done".to_owned(), false));
    story.pass(&mut engine, &[Span::secs(121), Span::mins(5)]).await;
    assert_eq!(story.letters_to(FENNEL), 1);
    assert_eq!(story.delivery_state(FENNEL).await, "bounced");
    assert_eq!(story.rings("notice-bounced"), 1);
}
