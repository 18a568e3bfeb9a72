//! The real program, ended by `kill -9` at every boundary of the journal, in a world that keeps a
//! record of its own: git pushes (safe to repeat), list mail (the same bytes again), and a command
//! of which nobody can tell what it did (a person is asked). Then it is started again, and the day
//! must end as any other: nothing lost, nothing early, nothing twice but what law 4 allows.
//!
//! `DAYBREAK_KILLS=20` lives every case twenty times.

mod case;
mod doomed;
mod full;

mod world;

use std::sync::Arc;

use daybreak::clock::{Clock as _, SystemClock};
use daybreak::domain::time::{At, Span};
use rstest::rstest;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use case::Case;

use crate::ground::Db;
use crate::story::{End, Story};

/// Until T0 everything is made and copied; a day that begins later is late and goes all the same.
const AHEAD: Span = Span::secs(12);

/// Where the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boundary {
    BeforeIntent,
    AfterIntent,
    DuringAct,
    AfterAct,
    AfterRecord,
}

const BOUNDARIES: [Boundary; 5] = [
    Boundary::BeforeIntent,
    Boundary::AfterIntent,
    Boundary::DuringAct,
    Boundary::AfterAct,
    Boundary::AfterRecord,
];

/// One outlet for each class of repeats, and how many steps it has in the plan.
const OUTLETS: [(&str, u32); 3] = [("git", 4), ("mail", 2), ("command:index", 2)];

/// How often each case is lived.
fn rounds() -> u32 {
    let rounds = std::env::var("DAYBREAK_KILLS").map_or(1, |n| n.parse().unwrap());
    assert!(rounds > 0, "DAYBREAK_KILLS says how often; never is no test");
    rounds
}

/// A case that is told and approved, twelve days and a moment after it began; and how its day
/// ends when nobody dies.
async fn base(db: Db) -> Option<(Story, End)> {
    let t0 = At::from_secs(SystemClock::new().wall().secs()).plus(AHEAD);
    let story = Story::apart(db, t0.plus(Span::days(-12))).await?.told().await;
    let calm = story.copy().await;
    let mut engine = calm.engine().await;
    calm.at_t0(&mut engine).await;
    let mut end = End::of(&calm, calm.release()).await;
    engine.end().await.unwrap();
    end.heard.clear();
    Some((story, end))
}

/// Every boundary with every outlet once.
async fn matrix(db: Db, round: u32) -> Option<()> {
    let (story, calm) = base(db).await?;
    let (story, calm) = (Arc::new(story), Arc::new(calm));
    // Two cores carry no more than a few programs at a time.
    let room = Arc::new(Semaphore::new(4));
    let only = std::env::var("DAYBREAK_KILLS_ONLY").unwrap_or_default();
    let mut cases = JoinSet::new();
    for boundary in BOUNDARIES {
        for (outlet, steps) in OUTLETS {
            let nth = 1 + round % steps;
            let case = Case { db, boundary, outlet, nth };
            if !only.is_empty() && !format!("{case:?}").contains(&only) {
                continue;
            }
            let (story, calm, room) = (Arc::clone(&story), Arc::clone(&calm), Arc::clone(&room));
            cases.spawn_local(async move {
                case.live(&story, &calm, &room).await;
            });
        }
    }
    assert!(!cases.is_empty(), "no case is called {only:?}");
    while let Some(ended) = cases.join_next().await {
        ended.unwrap();
    }
    Some(())
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_boundary_the_program_may_be_killed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    if !cfg!(debug_assertions) {
        let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
        assert!(!required, "a release build cannot be told where to die");
        eprintln!("not run: a release build cannot be told where to die");
        return;
    }
    // The catchers work on threads of their own while a case waits for a program.
    let rounds = async {
        for round in 0..rounds() {
            matrix(db, round).await?;
        }
        Some(())
    };
    let _said_aloud = tokio::task::LocalSet::new().run_until(rounds).await;
}
