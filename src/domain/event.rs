//! The append-only log of a step. State is always the fold of these events, never the
//! other way round.

use serde::{Deserialize, Serialize};

use super::ids::{EventId, StepId};
use super::receipt::{OutletError, Receipt, Seen};
use super::time::At;

/// One line of a step's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEvent {
    /// Id.
    pub id: EventId,
    /// Which step.
    pub step: StepId,
    /// When, by the engine's clock.
    pub at: At,
    /// The leader's epoch; 0 when a person wrote it.
    pub epoch: i64,
    /// What.
    pub happened: Happened,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Happened {
    /// The world was asked.
    Looked {
        /// What it showed.
        seen: Seen,
        /// Whether an absence would have proved that nothing happened: what the engine knew by
        /// its own clocks. Lines of older versions do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proves: Option<bool>,
    },
    /// The act will follow at once; committed before the first byte leaves.
    Intended,
    /// The outlet has evidence.
    Acted {
        /// The evidence.
        receipt: Receipt,
    },
    /// The outlet failed.
    Failed {
        /// How.
        error: OutletError,
    },
    /// An intent was found without its end: the engine died in between.
    Lost,
    /// A named person vouches that it is done.
    ByHand {
        /// Who, as they call themselves.
        by: String,
        /// What shows it.
        evidence: String,
    },
    /// A named person decided that it shall not happen.
    Skipped {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A named person lets a blocked step try again.
    Released {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A relay further on said that it still tries (RFC 3464 section 2.3.3, `delayed`).
    Delayed {
        /// Its enhanced status code, `4.2.2`.
        code: String,
        /// What it said. Sealed: never logged.
        said: String,
    },
    /// A relay further on gave up (RFC 3464 section 2.3.3, `failed`).
    Bounced {
        /// Its enhanced status code, `5.1.1`.
        code: String,
        /// What it said. Sealed: never logged.
        said: String,
    },
    /// The recipient proved to have read it.
    Acknowledged {
        /// The fingerprint that signed, or the person who vouches.
        by: String,
        /// By what: an encrypted reply, a receipt code, a telephone call.
        how: String,
    },
}

impl Happened {
    /// The world was asked and showed this.
    pub const fn looked(seen: Seen) -> Self {
        Self::Looked { seen, proves: None }
    }

    /// Whether it is what was heard of a mail after it left: nobody steers by it.
    pub const fn is_heard(&self) -> bool {
        matches!(self, Self::Delayed { .. } | Self::Bounced { .. } | Self::Acknowledged { .. })
    }

    /// The word in the clear column.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Looked { .. } => "looked",
            Self::Intended => "intended",
            Self::Acted { .. } => "acted",
            Self::Failed { .. } => "failed",
            Self::Lost => "lost",
            Self::ByHand { .. } => "by-hand",
            Self::Skipped { .. } => "skipped",
            Self::Released { .. } => "released",
            Self::Delayed { .. } => "delayed",
            Self::Bounced { .. } => "bounced",
            Self::Acknowledged { .. } => "acknowledged",
        }
    }
}
