//! What was told: what stood in a notice. The next one says what is different from that.

use serde::{Deserialize, Serialize};

use super::blob::Sha256;
use super::ids::BlobId;
use super::view::{AdvisoryView, BranchView, ReleaseView};
use super::zone::T0;

/// The content of one notice plan, kept beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// 1, 2, …: one more with every plan that tells anything.
    pub revision: i64,
    /// The instant.
    pub t0: T0,
    /// The advisories.
    pub advisories: Vec<AdvisoryView>,
    /// State of each supported branch.
    pub branches: Vec<BranchView>,
    /// Releases that will be issued.
    pub releases: Vec<ReleaseView>,
    /// The patches.
    pub patches: Vec<ToldPatch>,
    /// Files beside the patches.
    pub files: Vec<ToldFile>,
}

/// One file that was attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFile {
    /// File name.
    pub file_name: String,
    /// Whether it shows the flaw at work: only those who asked for it hear of it.
    pub poc: bool,
    /// Digest of the file.
    pub sha256: Sha256,
}

/// One patch that was attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldPatch {
    /// File name.
    pub file_name: String,
    /// Branch.
    pub branch: String,
    /// Full object id it was made on.
    pub base: String,
    /// Digest of the series.
    pub sha256: Sha256,
    /// The series.
    pub series: BlobId,
}

impl Told {
    /// What changed in the files beside the patches, one sentence a change, for somebody who
    /// gets proofs of concept or does not.
    pub fn file_changes(&self, now: &Self, poc: bool) -> Vec<String> {
        let theirs = |told: &Self| -> Vec<ToldFile> {
            told.files.iter().filter(|f| poc || !f.poc).cloned().collect()
        };
        let (was, now) = (theirs(self), theirs(now));
        let mut found = Vec::new();
        for file in &now {
            match was.iter().find(|w| w.file_name == file.file_name) {
                None => found.push(format!("{}: a new file.", file.file_name)),
                Some(w) if w.sha256 != file.sha256 => {
                    found.push(format!("{}: another file of that name.", file.file_name));
                }
                Some(_) => {}
            }
        }
        let gone = was.iter().filter(|w| !now.iter().any(|n| n.file_name == w.file_name));
        found.extend(gone.map(|w| format!("{}: withdrawn, do not use it.", w.file_name)));
        found
    }

    /// Whether both say the same but for the instant and the files beside the patches.
    pub fn same_content(&self, other: &Self) -> bool {
        let patches = |told: &Self| {
            let of =
                |p: &ToldPatch| (p.file_name.clone(), p.branch.clone(), p.base.clone(), p.sha256);
            told.patches.iter().map(of).collect::<Vec<_>>()
        };
        self.advisories == other.advisories
            && self.branches == other.branches
            && self.releases == other.releases
            && patches(self) == patches(other)
    }
}
