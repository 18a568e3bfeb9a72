//! What outlets answer: what they see, what they did, how they failed, and whether doing it
//! again is harmless.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::time::{At, Span};

/// How strong the evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The next hop took it; the world may not show it yet.
    HandedOver,
    /// The world shows it.
    Seen,
    /// A named person says so.
    ByHand,
}

/// Evidence that an effect happened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// How strong it is.
    pub evidence: Evidence,
    /// What was seen or answered: a relay's reply, an object id, an address. Sealed.
    pub detail: String,
}

impl Receipt {
    /// The world shows it.
    pub fn seen(detail: impl Into<String>) -> Self {
        Self { evidence: Evidence::Seen, detail: detail.into() }
    }
    /// The next hop took it.
    pub fn handed_over(detail: impl Into<String>) -> Self {
        Self { evidence: Evidence::HandedOver, detail: detail.into() }
    }
    /// A person vouches for it.
    pub fn by_hand(detail: impl Into<String>) -> Self {
        Self { evidence: Evidence::ByHand, detail: detail.into() }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[receipt: {:?}]", self.evidence)
    }
}

/// What a look saw.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// It is not there.
    Absent,
    /// It is on its way since that instant.
    Underway(At),
    /// It is there.
    Present(Receipt),
    /// Something else stands in its place: a person decides. The text is sealed.
    Conflict(String),
    /// Nobody can tell.
    CannotTell,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Underway(since) => write!(f, "underway since {since}"),
            Self::Present(receipt) => write!(f, "present {receipt:?}"),
            Self::Conflict(_) => f.write_str("[conflict]"),
            Self::CannotTell => f.write_str("cannot tell"),
        }
    }
}

/// What may be done from a state nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// Again at once: the world keeps one.
    Safe,
    /// The same bytes again after `after`, at most `max` times.
    SameBytes {
        /// How long absence must last.
        after: Span,
        /// How often at most.
        max: u32,
    },
    /// Only when a person says so.
    AskHuman,
}

/// How an outlet behaves when an act's answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habit {
    /// What may be done from a state nobody can tell.
    pub repeat: Repeat,
    /// How long after an act the world may still not show it: until then an absence proves
    /// nothing.
    pub settle: Span,
}

impl Default for Habit {
    /// Of an outlet nobody knows.
    fn default() -> Self {
        Repeat::AskHuman.into()
    }
}

impl From<Repeat> for Habit {
    /// Of an outlet whose world shows at once what was done.
    fn from(repeat: Repeat) -> Self {
        Self { repeat, settle: Span::ZERO }
    }
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Nothing happened; try again with backoff.
    Later,
    /// Nothing happened and trying again will not help.
    Never,
    /// It may have happened: law 4's `Unknown`.
    Unknown,
    /// A person must decide.
    AskHuman,
}

/// How an outlet failed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}")]
pub struct OutletError {
    /// Stable, kebab-case, safe to log.
    pub code: String,
    /// What the world said. Sealed: never logged.
    pub message: String,
    /// What to do about it.
    pub retry: Retry,
    /// How long the world asks to be left alone before the next try (RFC 9110 section 10.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Span>,
}

impl OutletError {
    fn new(code: &str, message: impl Into<String>, retry: Retry) -> Self {
        Self { code: code.to_owned(), message: message.into(), retry, wait: None }
    }
    /// The same, not to be tried again before `wait` is over.
    #[must_use]
    pub fn not_within(mut self, wait: Option<Span>) -> Self {
        self.wait = wait;
        self
    }
    /// Nothing happened; later may work.
    pub fn later(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, message, Retry::Later)
    }
    /// Nothing happened and never will.
    pub fn never(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, message, Retry::Never)
    }
    /// It may have happened.
    pub fn unknown(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, message, Retry::Unknown)
    }
    /// A person must decide.
    pub fn ask_human(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, message, Retry::AskHuman)
    }
}

impl fmt::Debug for OutletError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[outlet error {}]", self.code)
    }
}
