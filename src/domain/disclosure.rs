//! One embargo: its instant and everything that becomes public at it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::action::Expected;
use super::blob::Sha256;
pub use super::course::{Hands, Leak, MitigationOnly, Moved};
use super::ids::{
    AdvisoryId, ArtefactId, AttachmentId, BlobId, CandidateId, DisclosureId, PatchId, PostId,
    ReleaseId,
};
use super::secret::Embargoed;
use super::stage::Stage;
use super::time::At;
use super::zone::T0;

/// One embargo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// Id.
    pub id: DisclosureId,
    /// 1, 2, …: every change of the case or the instant.
    pub revision: i64,
    /// Who knows.
    pub stage: Stage,
    /// When; to be set while drafting.
    pub t0: Option<T0>,
    /// When it was made.
    pub created_at: At,
    /// Everything secret.
    pub case: Embargoed<Case>,
}

/// What a disclosure discloses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Advisories.
    pub advisories: Vec<AdvisoryId>,
    /// Advisory x supported branch.
    pub cells: Vec<Cell>,
    /// Patch series.
    pub patches: Vec<Patch>,
    /// Staged commits and tags, at most one a branch.
    pub candidates: Vec<Candidate>,
    /// Versions to issue.
    pub releases: Vec<Release>,
    /// Mailing-list posts.
    pub posts: Vec<Post>,
    /// Why distributors do not hear in advance, if they do not.
    pub without_notice: Option<String>,
    /// Which groups of distributors hear in advance; all when empty.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Files that distributors get beside the patches; never public.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// How the instant moved, oldest first.
    #[serde(default)]
    pub moves: Vec<Moved>,
    /// Why it was given up, if it was.
    #[serde(default)]
    pub cancelled: Option<String>,
    /// What became public before its time.
    #[serde(default)]
    pub leaks: Vec<Leak>,
    /// Set when it goes without a fix: no text of it claims a fixed version.
    #[serde(default)]
    pub mitigation_only: Option<MitigationOnly>,
    /// In whose hands it is.
    #[serde(default)]
    pub hands: Hands,
}

/// A branch of a configured repository; written `repository:branch`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchRef {
    /// Name in the configuration.
    pub repository: String,
    /// Branch.
    pub branch: String,
}

impl fmt::Display for BranchRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.branch)
    }
}

impl BranchRef {
    /// `meadow-1.x`: what files of this branch are named after. No two branches share one, and
    /// it holds `[A-Za-z0-9._+-]` only. A repository's `-` is doubled, so that the first single
    /// one ends it; any other sign of a branch's name is `_` and two hexadecimal digits.
    pub fn file_stem(&self) -> String {
        let repository = escaped(&self.repository).replace('-', "--");
        let branch = escaped(&self.branch);
        // A branch's own leading `-` would read as the second half of a doubled one.
        let branch = branch.strip_prefix('-').map_or(branch.clone(), |rest| format!("_2d{rest}"));
        format!("{repository}-{branch}")
    }
}

/// Everything but `[A-Za-z0-9.+-]` as `_` and two hexadecimal digits.
fn escaped(name: &str) -> String {
    let sign = |b: u8| match b {
        b'.' | b'+' | b'-' => char::from(b).to_string(),
        _ if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        _ => format!("_{b:02x}"),
    };
    name.bytes().map(sign).collect()
}

/// Text that names no branch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a branch as repository:branch")]
pub struct NotABranch;

impl FromStr for BranchRef {
    type Err = NotABranch;
    fn from_str(text: &str) -> Result<Self, NotABranch> {
        match text.split_once(':') {
            Some((r, b)) if !r.is_empty() && !b.is_empty() => {
                Ok(Self { repository: r.to_owned(), branch: b.to_owned() })
            }
            _ => Err(NotABranch),
        }
    }
}

impl Serialize for BranchRef {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BranchRef {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What happens to one advisory on one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Advisory.
    pub advisory: AdvisoryId,
    /// Branch.
    pub branch: BranchRef,
    /// What happens.
    pub state: CellState,
}

/// What happens to a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum CellState {
    /// A patch of this disclosure fixes it.
    Patched,
    /// The flaw is not there.
    NotAffected,
    /// It stays.
    WillNotFix {
        /// Why.
        reason: String,
    },
    /// There is no fix yet: only where nothing claims one.
    Pending,
}

impl fmt::Display for CellState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patched => f.write_str("patched"),
            Self::NotAffected => f.write_str("not affected"),
            Self::WillNotFix { reason } => write!(f, "will not fix: {reason}"),
            Self::Pending => f.write_str("no fix yet"),
        }
    }
}

/// An ordered series on one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Id.
    pub id: PatchId,
    /// Branch.
    pub branch: BranchRef,
    /// What it fixes.
    pub fixes: Vec<AdvisoryId>,
    /// Full object id it is made on.
    pub base: String,
    /// File name it travels under: `meadow-main-1.patch`.
    pub file_name: String,
    /// The series as one mbox.
    pub series: BlobId,
    /// Digest of the series.
    pub sha256: Sha256,
    /// Where it was tried.
    pub fits: Vec<Fit>,
}

/// Whether a patch applies somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// `tip of main`, `tag 1.4.2`.
    pub place: String,
    /// Commit tried.
    pub commit: String,
    /// Whether it applies.
    pub applies: bool,
}

/// Who made the commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Daybreak, from the series.
    Applied,
    /// The team, as a bundle; never rewritten.
    Brought,
}

/// A tag object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagObject {
    /// Name without `refs/tags/`.
    pub name: String,
    /// Object id of the annotated tag.
    pub oid: String,
}

/// One commit's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitLine {
    /// Object id.
    pub oid: String,
    /// Subject.
    pub subject: String,
}

/// Privately staged commits and tag of one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Id.
    pub id: CandidateId,
    /// Branch.
    pub branch: BranchRef,
    /// Who made it.
    pub origin: Origin,
    /// The branch's public tip it stands on.
    pub base: String,
    /// Its newest commit.
    pub tip: String,
    /// Its tag.
    pub tag: Option<TagObject>,
    /// Its commits, oldest first.
    pub commits: Vec<CommitLine>,
    /// The git bundle.
    pub bundle: BlobId,
    /// Digest of the bundle.
    pub sha256: Sha256,
    /// When it was staged.
    pub staged_at: At,
    /// The date of its commits and tag, if Daybreak made them.
    #[serde(default)]
    pub dated: Option<At>,
}

/// Where a release's files come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseKind {
    /// From us, pinned by digest.
    Pinned,
    /// From the project's CI, after the tag is pushed.
    BuiltFromTag,
}

impl ReleaseKind {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::BuiltFromTag => "built-from-tag",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pinned, Self::BuiltFromTag].into_iter().find(|k| k.word() == word)
    }
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Id.
    pub id: ArtefactId,
    /// File name.
    pub file_name: String,
    /// Digest.
    pub sha256: Sha256,
    /// Length in bytes.
    pub len: u64,
    /// The bytes.
    pub blob: BlobId,
}

/// One version to issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Id.
    pub id: ReleaseId,
    /// Branch.
    pub branch: BranchRef,
    /// Version.
    pub version: String,
    /// Tag name.
    pub tag: String,
    /// Where the files come from.
    pub kind: ReleaseKind,
    /// Project's name at the index.
    pub project: String,
    /// Configured commands that upload (pinned) or show (built from tag) the files.
    pub upload: Vec<String>,
    /// Files, for pinned.
    pub artefacts: Vec<Artefact>,
    /// Patterns with counts, for built from tag.
    pub expected: Vec<Expected>,
    /// Files written by an extra commit on top of the series (version bump, changelog).
    pub extra_commits: Vec<ExtraCommit>,
}

/// A commit on top of the series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraCommit {
    /// Its message.
    pub message: String,
    /// Path in the tree and the new contents.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What a file beside the patches is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachmentKind {
    /// Shows the flaw at work: for contacts that asked for such.
    Poc,
    /// Anything else: for every distributor that hears.
    File,
}

impl AttachmentKind {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Poc => "poc",
            Self::File => "file",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Poc, Self::File].into_iter().find(|k| k.word() == word)
    }
}

/// A file that distributors get beside the patches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Id.
    pub id: AttachmentId,
    /// File name it travels under.
    pub file_name: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// Digest.
    pub sha256: Sha256,
    /// The bytes.
    pub blob: BlobId,
}

/// One mailing-list post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Id.
    pub id: PostId,
    /// The list's name in the configuration.
    pub list: String,
    /// Subject after the list's prefix; made from the advisories unless given.
    pub subject: Option<String>,
}

impl Case {
    /// What happens to `advisory` on `branch`, if decided.
    pub fn cell(&self, advisory: AdvisoryId, branch: &BranchRef) -> Option<&CellState> {
        self.cells.iter().find(|c| c.advisory == advisory && c.branch == *branch).map(|c| &c.state)
    }

    /// Decides a cell.
    pub fn set_cell(&mut self, advisory: AdvisoryId, branch: BranchRef, state: CellState) {
        self.cells.retain(|c| !(c.advisory == advisory && c.branch == branch));
        self.cells.push(Cell { advisory, branch, state });
    }

    /// The staged candidate of a branch.
    pub fn candidate(&self, branch: &BranchRef) -> Option<&Candidate> {
        self.candidates.iter().find(|c| c.branch == *branch)
    }

    /// Whether a notice made from `other` would say the same to the same: advisories, branches,
    /// patches, attachments, versions and groups. Staged commits, built files and list posts are told to nobody ahead.
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let versions = |case: &Self| {
            let of = |r: &Release| (r.branch.clone(), r.version.clone(), r.tag.clone());
            case.releases.iter().map(of).collect::<Vec<_>>()
        };
        self.advisories == other.advisories
            && self.cells == other.cells
            && self.patches == other.patches
            && self.attachments == other.attachments
            && self.groups == other.groups
            && self.mitigation_only.is_some() == other.mitigation_only.is_some()
            && versions(self) == versions(other)
    }

    /// Why the instant is what it is now, if it ever moved.
    pub fn last_move(&self) -> Option<&str> {
        self.moves.last().map(|m| m.reason.as_str())
    }

    /// Whether any release is built by others from its tag.
    pub fn built_from_tag(&self) -> bool {
        self.releases.iter().any(|r| r.kind == ReleaseKind::BuiltFromTag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_branches_share_a_file_stem() {
        let names = [
            ("meadow", "1.x"),
            ("meadow", "a/b"),
            ("meadow", "a_b"),
            ("meadow", "a_2fb"),
            ("meadow", "a-b"),
            ("meadow", "a+b"),
            ("meadow-a", "b"),
            ("meadow_a", "b"),
            ("meadow.a", "b"),
            ("meadow-", "b"),
            ("meadow", "-b"),
            ("meadow", "\u{e9}"),
        ];
        let stem = |(r, b): &(&str, &str)| {
            BranchRef { repository: (*r).into(), branch: (*b).into() }.file_stem()
        };
        let stems: std::collections::BTreeSet<_> = names.iter().map(stem).collect();
        assert_eq!(stems.len(), names.len(), "{stems:?}");
        assert!(stems.contains("meadow-1.x"), "common names stay as they are");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
        assert!(stems.iter().all(|s| s.chars().all(plain)), "{stems:?}");
    }
}
