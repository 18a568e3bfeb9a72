//! What a notice reports. One disclosure is told in several notices: first what will be
//! disclosed, then whatever became different since.

use std::fmt;

use super::zone::T0;

/// What a notice is about. In this order: a plan is called after the last of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// To somebody who knows nothing yet: everything.
    First,
    /// Only the instant is another.
    Schedule,
    /// The content is another: everything again, and what changed.
    Revision,
    /// Something is public before its time.
    Broken,
    /// It is disclosed at once, and not at the date that was told.
    AtOnce,
    /// It is off.
    Cancellation,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::First,
        Self::Schedule,
        Self::Revision,
        Self::Broken,
        Self::AtOnce,
        Self::Cancellation,
    ];

    /// The word everywhere.
    pub const fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Schedule => "schedule",
            Self::Revision => "revision",
            Self::Broken => "broken",
            Self::AtOnce => "at-once",
            Self::Cancellation => "cancellation",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }

    /// Whether it tells again everything there is to know. The others tell the news alone, no
    /// advisory and no patch.
    pub const fn tells_all(self) -> bool {
        matches!(self, Self::First | Self::Revision)
    }

    /// Whether it is worth telling after the instant that was told, too: others still count on it.
    pub const fn outlives_t0(self) -> bool {
        matches!(self, Self::AtOnce | Self::Cancellation)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The same with what there is to say.
#[derive(Clone, PartialEq, Eq)]
pub enum News {
    /// Everything is news.
    First,
    /// The instant moved.
    Schedule {
        /// What the reader was told last.
        old: T0,
        /// Why, as the team said it.
        reason: String,
    },
    /// The content changed.
    Revision {
        /// The revision that the reader has.
        since: i64,
        /// One sentence a change.
        changes: Vec<String>,
        /// From the patches the reader has to those attached; empty when they are the same.
        interdiff: Vec<u8>,
    },
    /// The embargo is broken.
    Broken {
        /// What the reader was told last, if it is another instant now.
        old: Option<T0>,
        /// What is public, in the team's words.
        public: String,
        /// What may be said, in the team's words.
        may_say: String,
    },
    /// The embargo ends with our publication, which follows at once.
    AtOnce {
        /// What the reader was told last, if it is another instant now.
        old: Option<T0>,
        /// Why, in the team's words.
        public: String,
    },
    /// Given up.
    Cancellation {
        /// What the reader was told last.
        told: T0,
        /// Why, in the team's words.
        reason: String,
        /// What holds now, in the team's words; empty for the template's own.
        holds: String,
    },
}

impl News {
    /// What the team said in its own words: it goes to everybody who hears.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::First | Self::Revision { .. } => Vec::new(),
            Self::Schedule { reason, .. } => vec![reason],
            Self::Broken { public, may_say, .. } => vec![public, may_say],
            Self::AtOnce { public, .. } => vec![public],
            Self::Cancellation { reason, holds, .. } => vec![reason, holds],
        }
    }

    /// Which kind.
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::First => NoticeKind::First,
            Self::Schedule { .. } => NoticeKind::Schedule,
            Self::Revision { .. } => NoticeKind::Revision,
            Self::Broken { .. } => NoticeKind::Broken,
            Self::AtOnce { .. } => NoticeKind::AtOnce,
            Self::Cancellation { .. } => NoticeKind::Cancellation,
        }
    }
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[news: {}]", self.kind())
    }
}
