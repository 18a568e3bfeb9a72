//! A person's wish to be asked before a phase of a plan begins.
//!
//! It delays and never stops: once the phase is reached it holds for a bounded time, and one
//! that a terminal placed lapses soon after the terminal is gone. What it does to a run stands in
//! `run/pause.rs`.

use serde::{Deserialize, Serialize};

use super::ids::HolderId;
use super::plan::Phase;
use super::secret::Embargoed;
use super::time::{At, Span};

/// The longest that a phase waits for a word.
pub const LONGEST: Span = Span::mins(10);
/// How long a terminal's pauses outlive its last sign of life.
pub const OUTLIVES: Span = Span::secs(45);

/// One wish that nobody has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Before which phase; before [`Phase::Gate`] means before GO.
    pub phase: Phase,
    /// How long it holds at most, once the phase is reached.
    pub holds: Span,
    /// When it lapses unless renewed; `None` when no terminal must keep it alive.
    pub until: Option<At>,
    /// That terminal.
    pub session: Option<HolderId>,
    /// Who asked for it and why.
    pub word: Embargoed<Word>,
}

/// Who asked for a pause and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Who, as they call themselves.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Word {
    /// In the place of one that the database no longer tells.
    pub fn unreadable() -> Self {
        let word = || "unreadable".to_owned();
        Self { by: word(), reason: word() }
    }
}
