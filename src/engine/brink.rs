//! For the test that kills the real program: at a named boundary of the journal the process ends
//! as by `kill -9`, nothing flushed, nothing said.
//!
//! What must stay true: a release build cannot be told to; only one with debug assertions reads
//! the wish. It is `BOUNDARY OUTLET N`: before the Nth crossing of that boundary by any step of
//! that outlet goes on, the process is dead.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

use super::Engine;
use crate::domain::ids::{PlanId, StepId};

/// Where the wish stands.
const WISH: &str = "DAYBREAK_TEST_DIE_AT";

/// How often the wished boundary was crossed.
static CROSSED: AtomicU32 = AtomicU32::new(0);

/// A boundary of the journal. What lies between intent and answer is the world's: a test ends
/// the process from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brink {
    /// The bytes are ready, no intent is written.
    BeforeIntent,
    /// The intent is committed, the act has not begun.
    AfterIntent,
    /// The world has answered, nothing of it is written.
    AfterAct,
    /// The answer is committed.
    AfterRecord,
}

impl Brink {
    const fn word(self) -> &'static str {
        match self {
            Self::BeforeIntent => "before-intent",
            Self::AfterIntent => "after-intent",
            Self::AfterAct => "after-act",
            Self::AfterRecord => "after-record",
        }
    }

    /// Goes on, unless it was wished otherwise.
    pub fn cross(self, outlet: &str) {
        if !cfg!(debug_assertions) {
            return;
        }
        let Ok(wish) = std::env::var(WISH) else { return };
        let mut words = wish.split(' ');
        if words.next() != Some(self.word()) || words.next() != Some(outlet) {
            return;
        }
        let nth = words.next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(1);
        if CROSSED.fetch_add(1, Ordering::Relaxed).saturating_add(1) == nth {
            let _we_are_gone = kill_process(getpid(), Signal::KILL);
        }
    }
}

impl Engine {
    /// The same for a step of a plan.
    pub(super) fn cross(&self, brink: Brink, plan: PlanId, step: StepId) {
        let day = self.days.get(&plan);
        let found = day.and_then(|d| d.manifest.steps.iter().find(|s| s.id == step));
        if let Some(step) = found {
            brink.cross(&step.outlet);
        }
    }
}
