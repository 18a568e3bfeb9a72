//! One engine a database, whatever happens to the other one.

use std::sync::Arc;

use daybreak::domain::deed::{Actor, Subject};
use daybreak::domain::ids::HolderId;
use daybreak::domain::plan::PlanState;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::engine::{Engine, EngineError};
use daybreak::store::StoreError;

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

#[tokio::test]
async fn a_second_engine_on_the_same_file_is_refused() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut first = story.engine().await;
    assert!(matches!(story.try_engine().await, Err(EngineError::Taken)));
    first.settle().await.unwrap();
    drop(first);
    let mut second = story.engine().await;
    story.at_t0(&mut second).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}

#[tokio::test]
async fn a_silent_leader_is_replaced_after_thirty_seconds_and_writes_nothing_more() {
    let Some(story) = Story::at(Db::Postgres, Point::Told).await else { return };
    let mut old = story.engine().await;
    old.settle().await.unwrap();
    let mut waiting = tokio::spawn(Engine::start(Arc::clone(&story.town.house)));
    // As long as the old one lives, nobody takes its place.
    for _ in 0..40 {
        tokio::select! {
            _ = &mut waiting => panic!("a living leader was deposed"),
            () = story.hand.wait_for_sleepers(1) => {}
        }
        story.hand.advance(Span::secs(2));
        old.settle().await.unwrap();
    }
    let beat = story.beat().await;
    while story.beat().await == beat {
        story.hand.advance(Span::secs(2));
        old.settle().await.unwrap();
    }
    let mut silent = Span::ZERO;
    while !waiting.is_finished() {
        tokio::select! {
            biased;
            () = story.hand.wait_for_sleepers(1) => {
                story.hand.advance(Span::secs(2));
                silent = Span::millis(silent.as_millis() + 2000);
            }
            () = tokio::task::yield_now() => {}
        }
        tokio::task::yield_now().await;
    }
    assert!(silent >= Span::secs(30) && silent <= Span::secs(40), "{silent:?}");
    let mut new = waiting.await.unwrap().unwrap();

    story.hand.advance_to(story.t0.at);
    let (before, lines) = (WorldView::of(&story.town).await, story.revision().await);
    let deposed = old.settle().await;
    assert!(matches!(deposed, Err(EngineError::Store(StoreError::Deposed))), "{deposed:?}");
    assert_eq!(story.revision().await, lines, "a deposed leader wrote");
    assert_eq!((WorldView::of(&story.town).await, story.stage().await), (before, Stage::Embargoed));
    new.settle().await.unwrap();
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    assert!(old.end().await.is_err());
    story.is_recorded().await;
}

/// The loop that `serve` runs, with a database that refuses everything for a while.
#[tokio::test]
async fn the_loop_goes_through_the_day_and_gives_the_lead_back() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let engine = story.engine().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(engine.run(stopped));
    let until = async |state: PlanState| {
        while story.state(story.release()).await != state {
            story.hand.wait_for_sleepers(1).await;
            story.hand.advance(Span::millis(250));
            tokio::task::yield_now().await;
        }
    };
    story.hand.advance_to(story.t0.at.plus(Span::secs(-3)));
    story.meddle(
        "CREATE TRIGGER refuse BEFORE INSERT ON step_events
         BEGIN SELECT RAISE(ABORT, 'not now'); END",
    );
    until(PlanState::Running).await;
    assert!(story.hand_since_t0() >= Span::ZERO && story.hand_since_t0() < Span::secs(3));
    story.meddle("DROP TRIGGER refuse");
    until(PlanState::Finished).await;
    stop.send_replace(true);
    running.await.unwrap().unwrap();
    let lease = story.town.house.store.read(|r| r.lease()).await.unwrap();
    assert_eq!(lease.holder, None);
}

/// It hangs in the world's hands when another takes over: what it brings back is not written.
#[tokio::test]
async fn what_a_deposed_leader_brings_back_is_not_recorded_twice() {
    let Some(story) = Story::at(Db::Postgres, Point::Told).await else { return };
    let told = story.letters().len();
    let mut old = story.engine().await;
    story.hand.advance_to(story.t0.at);
    let script = story.town.script("site").unwrap();
    script.then(&daybreak::town::faults::Fault::Hang, 1);
    let hangs = script.wait_for_hanging(1);
    tokio::pin!(hangs);
    tokio::select! {
        biased;
        () = &mut hangs => {}
        settled = old.settle() => settled.unwrap(),
    }
    let mut new = story.engine().await;
    new.settle().await.unwrap();
    story.pass(&mut new, &[Span::secs(121), Span::secs(121)]).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    script.release();
    assert!(old.settle().await.is_err());
    assert_eq!(WorldView::of(&story.town).await.published.len(), 1);
    assert!(story.letters().len() <= told + 4);
    story.is_recorded().await;
}

/// Three machines see the same silence at the same time: one leads, the others stand by.
#[tokio::test]
async fn of_three_that_wait_one_leads_and_the_others_wait_on() {
    let Some(story) = Story::at(Db::Postgres, Point::Told).await else { return };
    let mut old = story.engine().await;
    old.settle().await.unwrap();
    drop(old);
    let start = || tokio::spawn(Engine::start(Arc::clone(&story.town.house)));
    let waiting = [start(), start(), start()];
    let done = |all: &[Started]| all.iter().filter(|w| w.is_finished()).count();
    for _ in 0..15 {
        story.hand.wait_for_sleepers(3).await;
        assert_eq!(done(&waiting), 0, "before thirty seconds of silence");
        story.hand.advance(Span::secs(2));
        tokio::task::yield_now().await;
    }
    let (led, rest) = first_of(waiting.into_iter().collect()).await;
    let mut leader = led.unwrap();
    story.hand.wait_for_sleepers(2).await;
    assert!(rest.iter().all(|w| !w.is_finished()), "who lost the race ended");
    // Two hours in one step are two hours of silence to whoever looks first.
    rest.iter().for_each(tokio::task::JoinHandle::abort);
    story.at_t0(&mut leader).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    story.is_recorded().await;
}

type Started = tokio::task::JoinHandle<Result<Engine, EngineError>>;

/// The first that ends, and the others.
async fn first_of(mut all: Vec<Started>) -> (Result<Engine, EngineError>, Vec<Started>) {
    loop {
        if let Some(n) = all.iter().position(|w| w.is_finished()) {
            return (all.remove(n).await.unwrap(), all);
        }
        tokio::task::yield_now().await;
    }
}

/// What `serve` runs: a leader that another machine replaced stands by, writes nothing, and
/// leads again when the other one falls silent.
#[tokio::test]
async fn a_deposed_leader_stands_by_and_leads_again() {
    let Some(story) = Story::at(Db::Postgres, Point::Told).await else { return };
    let house = &story.town.house;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving = tokio::spawn(Engine::serve(Arc::clone(house), stopped));
    let lease = async || house.store.read(|r| r.lease()).await.unwrap();
    let tick = async |span: Span| {
        story.hand.wait_for_sleepers(1).await;
        story.hand.advance(span);
        tokio::task::yield_now().await;
    };
    while lease().await.holder.is_none() {
        tick(Span::secs(1)).await;
    }
    let first = lease().await;
    let other = house.fresh(HolderId::new);
    let deed = house.deed(Actor::Engine(other), "engine-lead", Subject::house());
    loop {
        let seen = lease().await;
        if house.store.write(&deed, move |tx| tx.take_lease(other, &seen)).await.is_ok() {
            break;
        }
    }
    let (taken, lines) = (lease().await, story.revision().await);
    for _ in 0..12 {
        tick(Span::secs(2)).await;
    }
    assert_eq!(lease().await, taken, "it took the lead from one that was silent for 24 s");
    assert_eq!(story.revision().await, lines, "a deposed leader wrote");
    while lease().await.holder == Some(other) {
        tick(Span::secs(2)).await;
    }
    let again = lease().await;
    assert!(again.epoch > taken.epoch && again.holder != first.holder);
    assert!(!serving.is_finished());
    story.hand.advance_to(story.t0.at);
    while story.state(story.release()).await != PlanState::Finished {
        tick(Span::millis(250)).await;
    }
    stop.send_replace(true);
    story.hand.advance(Span::secs(1));
    serving.await.unwrap().unwrap();
    assert_eq!(lease().await.holder, None);
    story.is_recorded().await;
}
