//! What is made of approved commits whose branch moved meanwhile: a merge of them into the new
//! tip, or the same commits on it. Who commits and what a merge says are approved with the plan;
//! the instant is a slot, so that the same tip and the same GO give the same commit.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::time::At;

/// How approved commits get onto a tip that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A merge commit: the tip first, the approved commit second.
    Merge,
    /// The same commits on the tip, each with the approved patch-id, author and message.
    Reapply,
}

impl Way {
    /// The word in a MANIFEST.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Reapply => "reapply",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Merge, Self::Reapply].into_iter().find(|w| w.word() == word)
    }
}

/// What people approved of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remake {
    /// How.
    pub way: Way,
    /// The committer's name.
    pub name: String,
    /// The committer's address.
    pub address: String,
    /// What a merge commit says; empty for commits that keep their own words.
    pub says: String,
    /// The slot: its date, to the second; `None` until it is dispatched.
    #[serde(default)]
    pub at: Option<At>,
}

impl Remake {
    /// The same, dispatched at `at`.
    #[must_use]
    pub fn filled(&self, at: At) -> Self {
        Self { at: Some(at), ..self.clone() }
    }
}

impl fmt::Debug for Remake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} of a moved branch]", self.way.word())
    }
}
