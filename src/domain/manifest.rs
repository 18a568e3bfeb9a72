//! A plan is its MANIFEST: text that people sign and the engine obeys.
//!
//! UTF-8, LF, fixed order. It is rendered once, stored, and never rendered again to be
//! checked: its digest is taken over the stored bytes. The last lines are accepted by
//! `sha256sum -c`, so an approver needs no tool of ours.

mod read;
mod write;

use super::blob::{BlobRef, Sha256};
use super::ids::{DisclosureId, PlanId};
use super::news::NoticeKind;
use super::plan::{PlanKind, Step};
use super::time::{At, Span};
use super::zone::T0;

pub use read::BadManifest;

/// First line of every MANIFEST.
pub const FIRST_LINE: &str = "daybreak-plan 1";

/// What a MANIFEST says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// 32 random bytes in hexadecimal: the digest of a plan can be published without
    /// letting anybody guess its content.
    pub salt: String,
    /// The plan.
    pub plan: PlanId,
    /// Its disclosure.
    pub disclosure: DisclosureId,
    /// Its number within the disclosure.
    pub number: i64,
    /// What for.
    pub kind: PlanKind,
    /// When it was made.
    pub made_at: At,
    /// The disclosure instant; a Headsup's own.
    pub t0: T0,
    /// How many people must approve.
    pub threshold: u32,
    /// How many may start it before T0.
    pub early_lift: u32,
    /// After how long announcements go although gates are not done.
    pub announce_after: Span,
    /// Digest of the recipient set.
    pub recipients: Sha256,
    /// The groups of distributors it is for; empty for all.
    pub groups: Vec<String>,
    /// A Headsup's `t0` is the instant at which it goes out itself; this is the one it
    /// announces. No other kind has it.
    pub announces: Option<At>,
    /// Templates the texts were made with.
    pub templates: Vec<(String, Sha256)>,
    /// The Notice plan whose content this one sends unchanged to one more contact.
    pub resends: Option<PlanId>,
    /// Digest of what a notice is made from: what was edited since is told anew, not again.
    pub tells: Option<Sha256>,
    /// Digest of who had been told what when a notice was made: if that is no longer so, its
    /// choice of who gets what no longer holds, and it is not approved.
    pub past: Option<Sha256>,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Manifest {
    /// The text.
    pub fn render(&self) -> String {
        write::render(self)
    }

    /// From the text; anything out of order is refused.
    pub fn parse(text: &str) -> Result<Self, BadManifest> {
        read::parse(text)
    }

    /// Every blob, once a name, in order of first use.
    pub fn blobs(&self) -> Vec<&BlobRef> {
        let mut all: Vec<&BlobRef> = Vec::new();
        for blob in self.steps.iter().flat_map(|s| s.action.blobs()) {
            if !all.iter().any(|b| b.name == blob.name) {
                all.push(blob);
            }
        }
        all
    }

    /// What a Notice plan reports: the weightiest of its notices. `None` when it has none.
    pub fn notice(&self) -> Option<NoticeKind> {
        self.steps.iter().filter_map(|s| s.sealing.as_ref()).map(|s| s.notice).max()
    }

    /// When the first byte leaves; `None` means at once on the last approval.
    pub fn first_effect(&self) -> Option<At> {
        let first = self.steps.iter().map(|s| s.not_before).min().unwrap_or(self.t0.at);
        (first > self.made_at).then_some(first)
    }
}

#[cfg(test)]
mod tests;
