//! The engine dies before every single write of a day, the GO and the sealing of mails among
//! them, and is started again: nothing is lost, nothing is early, the repository, the index and
//! the site change once, and no mail goes more than once more, with the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use daybreak::domain::ids::StepId;
use daybreak::domain::plan::{Plan, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::faults::Fault as OutletFault;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{Point, Story, halted, just_before, ref_writes};
use crate::world::WorldView;

/// Long enough for every retry, and for mail whose fate is unknown to be repeated.
const PATIENCE: [Span; 5] =
    [Span::secs(1), Span::secs(5), Span::secs(20), Span::secs(121), Span::secs(121)];

/// What the world and the house hold when a day is over.
#[derive(Debug, PartialEq, Eq)]
struct End {
    world: WorldView,
    ref_writes: BTreeMap<String, usize>,
    stage: Stage,
    state: PlanState,
    words: BTreeMap<StepId, String>,
    /// Everybody who got anything, with the bytes where they are pinned.
    heard: BTreeSet<(Vec<String>, Option<Vec<u8>>)>,
}

impl End {
    async fn of(story: &Story, plan: &Plan) -> Self {
        let mut world = WorldView::of(&story.town).await;
        // How often is asked elsewhere.
        world.posts = 0;
        let pinned = plan.kind.is_public();
        let letters = story.letters().into_iter();
        Self {
            world,
            ref_writes: ref_writes(&story.town),
            stage: story.stage().await,
            state: story.state(plan).await,
            words: story.words(plan).await,
            heard: letters.map(|m| (m.to, pinned.then_some(m.bytes))).collect(),
        }
    }
}

/// Lets a day happen, dying once before the write after the first `n` ones; whether it died.
async fn day(story: &mut Story, instants: &[At], n: Option<u32>) -> bool {
    let mut engine = story.engine().await;
    let mut died = false;
    if let Some(n) = n {
        engine.halt_after(n);
    }
    let mut settle = async |story: &mut Story, mut engine: Engine| {
        if halted(engine.settle().await) {
            died = true;
            engine = story.after_crash(engine).await;
            engine.settle().await.unwrap();
        }
        engine
    };
    for at in instants {
        story.hand.advance_to(just_before(*at));
        engine = settle(story, engine).await;
        story.hand.advance_to(*at);
        engine = settle(story, engine).await;
        for span in PATIENCE {
            story.hand.advance(span);
            engine = settle(story, engine).await;
        }
    }
    engine.end().await.unwrap();
    died
}

/// Nobody got more than one copy more, and copies are the same to the byte, Message-ID and all.
fn at_most_once_more(story: &Story, died: bool, about: &str) {
    let mut copies: BTreeMap<Vec<String>, Vec<Vec<u8>>> = BTreeMap::new();
    for mail in story.letters() {
        copies.entry(mail.to).or_default().push(mail.bytes);
    }
    for (to, bytes) in copies {
        assert!(bytes.len() <= 1 + usize::from(died), "{about}: {to:?} got {}", bytes.len());
        assert!(bytes.iter().all(|b| *b == bytes[0]), "{about}: {to:?} got another copy");
    }
}

/// The instants of a notice's windows.
fn windows(story: &Story) -> [At; 2] {
    [story.t0.days_before(7), story.t0.days_before(3)]
}

/// Every `stride`th death from `first` on, until a day goes through untouched.
async fn notices(db: Db, first: u32, stride: u32) {
    let Some(mut calm) = Story::at(db, Point::Ready).await else { return };
    let before = WorldView::of(&calm.town).await;
    let when = windows(&calm);
    assert!(!day(&mut calm, &when, None).await);
    let undisturbed = End::of(&calm, &calm.notice).await;
    assert_eq!(undisturbed.stage, Stage::Embargoed);
    assert_eq!(undisturbed.world, before, "a notice made something public");
    for n in (first..).step_by(stride as usize) {
        let mut story = Story::at(db, Point::Ready).await.unwrap();
        let died = day(&mut story, &when, Some(n)).await;
        at_most_once_more(&story, died, &format!("after {n} writes"));
        assert_eq!(End::of(&story, &story.notice).await, undisturbed, "after {n} writes");
        story.is_recorded().await;
        if !died {
            assert!(n > 20, "a day has more than {n} writes");
            return;
        }
    }
}

async fn release(db: Db, first: u32, stride: u32) {
    let Some(mut calm) = Story::at(db, Point::Told).await else { return };
    let before = WorldView::of(&calm.town).await;
    let t0 = calm.t0.at;
    assert!(!day(&mut calm, &[t0], None).await);
    let undisturbed = End::of(&calm, calm.release()).await;
    assert_eq!((undisturbed.stage, undisturbed.state), (Stage::Public, PlanState::Finished));
    assert_eq!(undisturbed.ref_writes.values().sum::<usize>(), 4, "two branches, two tags");
    for n in (first..).step_by(stride as usize) {
        let mut story = Story::at(db, Point::Told).await.unwrap();
        story.hand.advance_to(just_before(t0));
        let engine = story.engine().await;
        engine.end().await.unwrap();
        assert_eq!(WorldView::of(&story.town).await, before, "public before T0");
        let died = day(&mut story, &[t0], Some(n)).await;
        at_most_once_more(&story, died, &format!("after {n} writes"));
        assert_eq!(End::of(&story, story.release()).await, undisturbed, "after {n} writes");
        story.is_recorded().await;
        if !died {
            assert!(n > 20, "a day has more than {n} writes");
            return;
        }
    }
}

#[rstest]
#[case::first(0)]
#[case::second(1)]
#[tokio::test]
async fn notices_survive_a_death_before_every_write(#[case] first: u32) {
    notices(Db::Sqlite, first, 2).await;
}

#[rstest]
#[case::first(0)]
#[case::second(1)]
#[tokio::test]
async fn the_release_survives_a_death_before_every_write(#[case] first: u32) {
    release(Db::Sqlite, first, 2).await;
}

#[tokio::test]
async fn on_postgresql_too() {
    notices(Db::Postgres, 3, 11).await;
    release(Db::Postgres, 0, 9).await;
}
