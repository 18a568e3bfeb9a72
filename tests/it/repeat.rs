//! Every step twice, every step failing once, every look lying once: the day ends as it would
//! have ended, and the repository, the index and the site were changed once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use daybreak::domain::effect::Intended;
use daybreak::domain::plan::PlanState;
use daybreak::domain::receipt::{OutletError, Seen};
use daybreak::domain::time::Span;
use daybreak::town::faults::Fault;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{End, Point, Story, calm, once_a_step};

/// Every outlet of the town's plans.
const OUTLETS: [&str; 5] = ["mail", "git", "site", "command:index", "person"];

/// Long enough for whatever must be tried again.
const PATIENCE: [Span; 6] =
    [Span::secs(1), Span::secs(3), Span::secs(6), Span::secs(121), Span::secs(2), Span::secs(121)];

/// What went wrong with each outlet, once a step.
fn disturb(story: &Story, fault: &Fault) {
    for outlet in OUTLETS {
        story.town.script(outlet).unwrap().then_for(once_a_step(), fault, 99);
    }
}

/// Notices and release of one day; how both ended, and how many copies each letter had.
async fn day(point: Point, disturb: impl Fn(&Story)) -> (End, BTreeMap<Vec<String>, usize>) {
    let story = Story::at(Db::Sqlite, point).await.unwrap();
    let told = story.letters().len();
    let (plan, instants) = story.next();
    disturb(&story);
    let mut engine = story.engine().await;
    for at in instants {
        story.hand.advance_to(at);
        engine.settle().await.unwrap();
        story.pass(&mut engine, &PATIENCE).await;
    }
    engine.end().await.unwrap();
    story.is_recorded().await;
    let mut copies: BTreeMap<_, Vec<Vec<u8>>> = BTreeMap::new();
    for letter in story.letters().split_off(told) {
        copies.entry(letter.to).or_default().push(letter.bytes);
    }
    let same = copies.values().all(|c| c.iter().all(|b| *b == c[0]));
    assert!(same, "a repeated mail is another mail");
    let counts = copies.into_iter().map(|(to, c)| (to, c.len())).collect();
    (End::of(&story, &plan).await, counts)
}

#[rstest]
#[tokio::test]
async fn every_step_twice_is_every_step_once(
    #[values(Point::Ready, Point::Told)] point: Point,
    #[values(None, Some(Seen::Absent), Some(Seen::CannotTell))] lie: Option<Seen>,
) {
    let (end, copies) = day(point, |story| {
        for outlet in OUTLETS {
            let script = story.town.script(outlet).unwrap();
            let acted = Arc::new(Mutex::new(BTreeSet::new()));
            let known = Arc::clone(&acted);
            let first = move |i: &Intended| acted.lock().unwrap().insert(i.step);
            script.then_for(first, &Fault::LoseAnswer, 99);
            if let Some(seen) = &lie {
                let once = once_a_step();
                let after = move |i: &Intended| known.lock().unwrap().contains(&i.step) && once(i);
                script.then_for(after, &Fault::Lie(seen.clone()), 99);
            }
        }
    })
    .await;
    assert_eq!(end, *calm(Db::Sqlite, point).await.unwrap());
    assert!(copies.values().all(|n| *n <= 2), "{copies:?}");
    if point == Point::Told {
        assert_eq!(end.state, PlanState::Finished);
        assert!(end.ref_writes.values().all(|n| *n == 1), "{:?}", end.ref_writes);
    }
}

#[rstest]
#[tokio::test]
async fn every_step_failing_once_delays_the_day_only(
    #[values(Point::Ready, Point::Told)] point: Point,
) {
    let later = Fault::Fail(OutletError::later("not-now", "try again"));
    let (end, copies) = day(point, |story| disturb(story, &later)).await;
    assert_eq!(end, *calm(Db::Sqlite, point).await.unwrap());
    assert!(copies.values().all(|n| *n == 1), "{copies:?}");
}

#[rstest]
#[tokio::test]
async fn every_first_look_lying_changes_nothing(
    #[values(Point::Ready, Point::Told)] point: Point,
    #[values(Seen::Absent, Seen::CannotTell)] seen: Seen,
) {
    let (end, copies) = day(point, |story| disturb(story, &Fault::Lie(seen.clone()))).await;
    assert_eq!(end, *calm(Db::Sqlite, point).await.unwrap());
    assert!(copies.values().all(|n| *n == 1), "{copies:?}");
}

/// An act that ends without a word is not done over and over in the same second.
#[tokio::test]
async fn a_push_nobody_answers_is_tried_with_patience_and_a_person_hears() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let git = story.town.script("git").unwrap();
    let unknown = OutletError::unknown("connection-lost", "the remote end hung up");
    git.then(&Fault::Fail(unknown), 400);
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    story.pass(&mut engine, &[Span::secs(1), Span::secs(2), Span::secs(5)]).await;
    let acts = git.acts();
    assert!(acts <= 4 * 5, "{acts} pushes within eight seconds");
    assert!(story.rang("step-keeps-failing"), "{:?}", story.bells());
    git.behave();
    story.pass(&mut engine, &[Span::secs(61), Span::secs(61)]).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}
