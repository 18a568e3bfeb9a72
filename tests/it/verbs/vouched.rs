//! A step is done by hand: it stays done, and the world is looked at all the same.

use daybreak::casework::{CaseError, controls};
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::event::Happened;
use daybreak::domain::plan::{PlanState, Step};
use daybreak::domain::receipt::{OutletError, Receipt, Seen};
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::faults::Fault;

use crate::ground::Db;
use crate::story::{Point, Story};

const BELL: &str = "done-by-hand-not-seen";
const EVIDENCE: &str = "https://git.example/meadow/tag/2.0.1";

/// What was seen of a step after a person vouched for it.
async fn seen_after(story: &Story, step: &Step) -> Vec<Seen> {
    let events = story.standing(story.release()).await.events;
    let ours = events.into_iter().filter(|e| e.step == step.id);
    let after = ours.skip_while(|e| !matches!(e.happened, Happened::ByHand { .. }));
    let seen = |happened| match happened {
        Happened::Looked { seen, .. } => Some(seen),
        _ => None,
    };
    after.filter_map(|e| seen(e.happened)).collect()
}

/// It is T0, and one tag was refused: a person must decide.
async fn refused() -> (Story, Engine, Step) {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let tag = |s: &Step| matches!(&s.action, Action::Push { refs, .. } if refs[0].name.starts_with("refs/tags/"));
    let step = story.step(story.release(), tag);
    let id = step.id;
    let no = Fault::Fail(OutletError::never("refused", "no"));
    story.town.script("git").unwrap().then_for(move |i| i.step == id, &no, 1);
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(story.word(story.release(), id).await, "blocked refused");
    (story, engine, step)
}

async fn vouch(story: &Story, step: &Step, evidence: &str) -> Result<(), CaseError> {
    let (house, plan) = (&story.town.house, story.release());
    controls::done(house, Actor::Operator, "Ada", plan, step.id, evidence).await
}

#[tokio::test]
async fn what_is_not_there_rings_a_bell_and_stays_done() {
    let (story, mut engine, step) = refused().await;
    let nothing = vouch(&story, &step, " ").await;
    assert!(matches!(nothing, Err(CaseError::Invalid { .. })), "evidence is needed");
    vouch(&story, &step, EVIDENCE).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(seen_after(&story, &step).await, [Seen::Absent]);
    assert!(story.rang(BELL), "{:?}", story.bells());
    assert_eq!(story.word(story.release(), step.id).await, "done", "a person decided");
    assert_eq!(story.state(story.release()).await, PlanState::Finished, "the day goes on");
    story.pass(&mut engine, &[Span::hours(1)]).await;
    assert_eq!(story.bells().iter().filter(|b| *b == BELL).count(), 1);
}

#[tokio::test]
async fn what_is_there_is_written_down_and_rings_no_bell() {
    let (story, mut engine, step) = refused().await;
    let id = step.id;
    let there = Fault::Lie(Seen::Present(Receipt::seen("tag 2.0.1")));
    story.town.script("git").unwrap().then_for(move |i| i.step == id, &there, 1);
    vouch(&story, &step, EVIDENCE).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(seen_after(&story, &step).await.len(), 1);
    assert!(!story.rang(BELL));
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}

#[tokio::test]
async fn the_look_is_not_lost_when_the_engine_dies() {
    let (mut story, engine, step) = refused().await;
    vouch(&story, &step, EVIDENCE).await.unwrap();
    let id = step.id;
    let other = Fault::Lie(Seen::Conflict("another tag".to_owned()));
    story.town.script("git").unwrap().then_for(move |i| i.step == id, &other, 1);
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    assert!(matches!(seen_after(&story, &step).await[..], [Seen::Conflict(_)]));
    assert!(story.rang(BELL), "{:?}", story.bells());
    assert_eq!(story.word(story.release(), step.id).await, "done");
}
