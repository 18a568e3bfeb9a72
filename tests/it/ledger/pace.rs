//! When notices leave: not before there is a place at the relay and their turn has come, never
//! in one burst where chance is asked for, and always before T0.

use daybreak::casework::controls;
use daybreak::clock::Clock as _;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::catcher::{Fault, Times};

use crate::crowd::Crowd;
use crate::story::{TEAM, until};

async fn engine(crowd: &Crowd) -> Engine {
    Engine::start(crowd.town.house.clone()).await.unwrap()
}

/// The times of everybody served since the first one, in milliseconds.
fn times(crowd: &Crowd) -> Vec<i64> {
    let served = crowd.served();
    served.iter().map(|(_, at)| at.since(served[0].1).as_millis()).collect()
}

#[tokio::test]
async fn connections_that_hang_hold_no_intent_of_another_and_nobody_back_for_long() {
    let mut crowd = Crowd::new(12, 21, |_| {}).await;
    crowd.configure("connections = 2");
    let catcher = &crowd.town.catcher;
    catcher.spare(TEAM);
    catcher.script(Fault::Hang, Times::Only(2));
    let mut engine = engine(&crowd).await;
    until(&mut engine, "two hang", || catcher.hanging() == 2).await;
    for _ in 0..20 {
        engine.turn().await.unwrap();
        tokio::task::yield_now().await;
    }
    // Whoever waits for a place has no intent: a hold would come in time.
    assert_eq!((crowd.under_way().await, crowd.served().len()), (2, 0));
    crowd.hand.advance(Span::secs(15));
    until(&mut engine, "everybody else is served", || crowd.served().len() == 10).await;
    until(&mut engine, "no other is under way", || true).await;
    assert_eq!(catcher.hanging(), 2);
}

#[tokio::test]
async fn a_pace_spaces_them_evenly_and_a_hold_stops_who_waits() {
    let mut crowd = Crowd::new(5, 22, |_| {}).await;
    crowd.configure("per_minute = 20");
    let mut engine = engine(&crowd).await;
    engine.settle().await.unwrap();
    assert_eq!((crowd.served().len(), crowd.under_way().await), (1, 0));
    for _ in 0..2 {
        crowd.hand.advance(Span::millis(2_999));
        engine.settle().await.unwrap();
        let before = crowd.served().len();
        crowd.hand.advance(Span::millis(1));
        engine.settle().await.unwrap();
        assert_eq!(crowd.served().len(), before + 1);
    }
    assert_eq!(times(&crowd), [0, 3_000, 6_000]);
    let by = super::ground::OPERATOR;
    controls::hold(&crowd.town.house, by, &crowd.notice, "wait").await.unwrap();
    crowd.hand.advance(Span::mins(5));
    engine.settle().await.unwrap();
    assert_eq!(crowd.served().len(), 3, "a held notice left");
}

#[tokio::test]
async fn chance_spreads_them_and_none_leaves_before_its_turn() {
    let mut crowd = Crowd::new(6, 23, |_| {}).await;
    crowd.configure("jitter = 60");
    let mut engine = engine(&crowd).await;
    for _ in 0..(5 * 60) {
        engine.settle().await.unwrap();
        if crowd.served().len() == 6 {
            break;
        }
        crowd.hand.advance(Span::secs(1));
    }
    let times = times(&crowd);
    assert_eq!(times.len(), 6, "{times:?}");
    let mut waits: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    // A second more: the test's clock moves in whole ones.
    assert!(waits.iter().all(|w| (0..=61_000).contains(w)), "{waits:?}");
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() >= 4, "by chance they would not be equal: {waits:?}");
}

#[tokio::test]
async fn chance_makes_nobody_late() {
    let mut crowd = Crowd::new(6, 24, |_| {}).await;
    crowd.configure("jitter = 3600");
    let t0 = crowd.notice.t0;
    crowd.hand.advance_to(t0.plus(Span::secs(-12)));
    let mut engine = engine(&crowd).await;
    while crowd.hand.wall() < t0.plus(Span::secs(-1)) {
        engine.settle().await.unwrap();
        crowd.hand.advance(Span::millis(100));
    }
    assert_eq!(crowd.served().len(), 6, "{:?}", times(&crowd));
}
