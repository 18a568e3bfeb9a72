//! Days that never were: the real core, engine and database in an imagined world with its own
//! true clock, where anything may go wrong but nothing may go out early or stop half-way.
//!
//! One seed is one day, and the same seed is the same day. What must stay true is in
//! `simulate/judge.rs`; what may go wrong in `simulate/world.rs` and `simulate/day.rs`.

mod case;
mod crew;
mod day;
mod fate;
mod judge;
mod machine;
mod place;
mod world;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

pub use case::Case;
pub use day::{Outcome, Stroke, Struck};

use crate::domain::blob::Sha256;

/// Databases in memory have names, which no two days of a process may share.
static DAYS: AtomicU64 = AtomicU64::new(0);

/// A day that went as none may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What must never be and was, or why it could not be lived.
    pub broken: String,
}

/// What many days came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many days were lived.
    pub days: u64,
    /// How many things really happened in them.
    pub happened: usize,
    /// Days that went as none may.
    pub failures: Vec<Failure>,
}

/// Lives one day on the caller's own thread.
pub fn one(case: &Case, seed: u64) -> Outcome {
    let name = format!("day{}", DAYS.fetch_add(1, Ordering::Relaxed));
    // Nothing in a day waits for real time.
    match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime.block_on(day::live(case, seed, &name)),
        Err(e) => Outcome {
            broken: Some(format!("cannot start: {}", e.kind())),
            trace: Sha256::of(b""),
            happened: 0,
        },
    }
}

/// Lives the calm day of a Release (or of its notices) in which one stroke falls on the database.
pub fn struck(case: &Case, notices: bool, stroke: Stroke) -> Struck {
    let name = format!("day{}", DAYS.fetch_add(1, Ordering::Relaxed));
    match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime.block_on(day::struck(case, notices, stroke, &name)),
        Err(e) => Struck::never(format!("cannot start: {}", e.kind())),
    }
}

/// Lives the days of many seeds on all cores; `told` hears of each that ended.
pub fn many(case: &Case, seeds: Range<u64>, told: &(dyn Fn(u64, &Outcome) + Sync)) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let cores = crate::pgp::press::cores();
    let mut summary = Summary::default();
    thread::scope(|scope| {
        let work = || {
            let mut part = Summary::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return part;
                }
                let outcome = one(case, seed);
                told(seed, &outcome);
                part.days = part.days.saturating_add(1);
                part.happened = part.happened.saturating_add(outcome.happened);
                part.failures.extend(outcome.broken.map(|broken| Failure { seed, broken }));
            }
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let Ok(part) = worker.join() else {
                let broken = "a day panicked".to_owned();
                summary.failures.push(Failure { seed: seeds.end, broken });
                continue;
            };
            summary.days = summary.days.saturating_add(part.days);
            summary.happened = summary.happened.saturating_add(part.happened);
            summary.failures.extend(part.failures);
        }
    });
    summary.failures.sort_by_key(|f| f.seed);
    summary
}
