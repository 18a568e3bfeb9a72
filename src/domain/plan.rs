//! A plan: an immutable, numbered, approvable list of steps with its final bytes pinned.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::action::{Action, RefMove};
use super::blob::Sha256;
use super::ids::{DisclosureId, PlanId, StepId};
use super::news::NoticeKind;
use super::remake::Way;
use super::secret::Embargoed;
use super::time::At;

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanKind {
    /// Encrypted notices to distributors, and the date to reporters.
    Notice,
    /// Public, no details, before T0.
    Headsup,
    /// Everything at T0.
    Release,
    /// After it is public.
    Correction,
}

impl PlanKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Notice, Self::Headsup, Self::Release, Self::Correction];

    /// The word everywhere.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Headsup => "headsup",
            Self::Release => "release",
            Self::Correction => "correction",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }

    /// Whether its effects are public and need a GO row.
    pub const fn is_public(self) -> bool {
        !matches!(self, Self::Notice)
    }
}

impl fmt::Display for PlanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How far a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanState {
    /// Pinned, waiting for approvals.
    Made,
    /// Enough people said yes.
    Approved,
    /// Its first step was intended, or GO is written.
    Running,
    /// Every step is settled.
    Finished,
    /// It will never run.
    Void,
}

impl PlanState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Made, Self::Approved, Self::Running, Self::Finished, Self::Void];

    /// The word everywhere.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Approved => "approved",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Void => "void",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether an edit of the case voids it: it has not begun.
    pub const fn is_voidable(self) -> bool {
        matches!(self, Self::Made | Self::Approved)
    }

    /// Whether the engine may work on it.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Approved | Self::Running)
    }
}

impl fmt::Display for PlanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A plan as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Id.
    pub id: PlanId,
    /// Of which disclosure.
    pub disclosure: DisclosureId,
    /// 1, 2, … within the disclosure.
    pub number: i64,
    /// What for.
    pub kind: PlanKind,
    /// How far.
    pub state: PlanState,
    /// Whether a person holds it back.
    pub held: bool,
    /// The instant it is pinned to.
    pub t0: At,
    /// When it was made.
    pub made_at: At,
    /// SHA-256 of the MANIFEST, which is salted.
    pub digest: Sha256,
    /// The MANIFEST itself.
    pub manifest: Embargoed<String>,
}

/// When within the day a step belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Before anything is public.
    Prepare,
    /// First public effects: tags, branches, uploads.
    Gate,
    /// Telling the world: posts, site.
    Announce,
    /// The rest.
    FollowUp,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 4] = [Self::Prepare, Self::Gate, Self::Announce, Self::FollowUp];

    /// The word everywhere.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Gate => "gate",
            Self::Announce => "announce",
            Self::FollowUp => "follow-up",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.word() == word)
    }
}

/// What to do when a branch moved after approval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnMove {
    /// Its step waits for a person.
    #[default]
    Hold,
    /// Push `security/NAME` instead; a person merges.
    Leave,
    /// Push a merge of the approved commit into the tip.
    Merge,
    /// Push the approved commits again on the tip, with equal patch-ids; never below a tag.
    Reapply,
}

impl OnMove {
    /// The word everywhere.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Leave => "leave",
            Self::Merge => "merge",
            Self::Reapply => "reapply",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Hold, Self::Leave, Self::Merge, Self::Reapply].into_iter().find(|m| m.word() == word)
    }

    /// What is made on the new tip, if anything is.
    pub const fn way(self) -> Option<Way> {
        match self {
            Self::Hold | Self::Leave => None,
            Self::Merge => Some(Way::Merge),
            Self::Reapply => Some(Way::Reapply),
        }
    }

    /// What it does to a branch that moved, for those who approve it.
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Hold => "waits for a person",
            Self::Leave => "pushes security/BRANCH instead, for a person to merge",
            Self::Merge => "pushes a merge of the approved commit into the new tip",
            Self::Reapply => "pushes the approved commits again on the new tip, patch-ids equal",
        }
    }
}

/// How a pinned entity is sealed before it may leave.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealing {
    /// Whose it is: a contact's or reporter's id.
    pub recipient: String,
    /// What it reports.
    pub notice: NoticeKind,
    /// The real subject, inside.
    pub subject: String,
    /// The subject in clear.
    pub clear_subject: String,
    /// Message-IDs of what this recipient got earlier, oldest first: named inside only.
    pub references: Vec<String>,
    /// Primary fingerprints of the certificates it is sealed to.
    pub fingerprints: Vec<String>,
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealing]")
    }
}

/// One effect of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Id; the idempotency key.
    pub id: StepId,
    /// Name of the outlet.
    pub outlet: String,
    /// When within the day.
    pub phase: Phase,
    /// Never before this.
    pub not_before: At,
    /// Steps that must be settled first.
    pub after: Vec<StepId>,
    /// What it does.
    pub action: Action,
    /// Present when its mail must be sealed first.
    pub sealing: Option<Sealing>,
    /// Present on branch pushes.
    pub on_move: Option<OnMove>,
}

impl Step {
    /// The refs of the detour a moved branch takes under `on_move = leave`.
    pub fn detour(refs: &[RefMove]) -> Vec<RefMove> {
        refs.iter()
            .map(|r| {
                let name = r.name.strip_prefix("refs/heads/").unwrap_or(&r.name);
                RefMove {
                    name: format!("refs/heads/security/{name}"),
                    old: None,
                    new: r.new.clone(),
                }
            })
            .collect()
    }
}
