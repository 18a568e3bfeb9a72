//! The engine and the database disagree: it is said once, and nothing spins.

use daybreak::clock::{SystemClock, within};
use daybreak::domain::time::Span;

use crate::ground::Db;
use crate::story::{Point, Story};

#[tokio::test]
async fn a_refused_intent_is_said_once_and_waits() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    // Behind everybody's back: the plan the engine holds looks approved still.
    story.meddle("DELETE FROM approvals");
    story.hand.advance_to(story.t0.days_before(7));
    let machine = SystemClock::new();
    within(&machine, Span::secs(60), engine.settle()).await.expect("it spins").unwrap();
    for _ in 0..5 {
        story.hand.advance(Span::mins(1));
        within(&machine, Span::secs(60), engine.settle()).await.expect("it spins").unwrap();
    }
    assert_eq!(story.letters().len(), 0);
    assert_eq!(story.rings("intent-refused"), 1, "{:?}", story.bells());
    let events = story.standing(&story.notice).await.events.len();
    assert!(events < 100, "{events} events");
}
