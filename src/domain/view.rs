//! What each audience may see. Renderers get a view, never an advisory: they cannot print
//! a recipient or a private note because neither is here.

use super::advisory::{AdvisoryText, Credit, Reference};
use super::affected::Affected;
use super::time::At;
use super::zone::T0;

/// The public part of one advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvisoryView {
    /// Public id.
    pub public_id: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub description: String,
    /// CVE and other ids.
    pub aliases: Vec<String>,
    /// Packages and ranges.
    pub affected: Vec<Affected>,
    /// CVSS vectors.
    pub severity: Vec<String>,
    /// `CWE-…`.
    pub cwe: Vec<String>,
    /// Markdown; may be empty.
    pub remedy: String,
    /// Markdown; may be empty.
    pub mitigation: String,
    /// Links.
    pub references: Vec<Reference>,
    /// People who agreed to be named.
    pub credits: Vec<Credit>,
}

impl AdvisoryView {
    /// What anybody may see of `text` once it is public.
    pub fn of(text: &AdvisoryText) -> Self {
        Self {
            public_id: text.public_id.clone(),
            title: text.title.clone(),
            description: text.description.clone(),
            aliases: text.aliases.clone(),
            affected: text.affected.clone(),
            severity: text.severity.clone(),
            cwe: text.cwe.clone(),
            remedy: text.remedy.clone(),
            mitigation: text.mitigation.clone(),
            references: text.references.clone(),
            credits: text.public_credits(),
        }
    }
}

/// One release the world will see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseView {
    /// Branch.
    pub branch: String,
    /// Version.
    pub version: String,
    /// Tag.
    pub tag: String,
}

/// One patch series the world will see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchView {
    /// Branch.
    pub branch: String,
    /// File name it travels under.
    pub file_name: String,
    /// Commits on the public branch, once pushed.
    pub commits: Vec<String>,
    /// The series, as one mbox.
    pub bytes: Vec<u8>,
}

/// A supported branch and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchView {
    /// Branch.
    pub branch: String,
    /// Advisory's public id.
    pub public_id: String,
    /// `patched`, `not affected`, `will not fix: reason`.
    pub state: String,
}

/// What everybody may hear before GO by a Headsup: nothing here can name a flaw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadsupView {
    /// The project's name.
    pub team: String,
    /// Where to write.
    pub contact: String,
    /// The site's address without final slash.
    pub base_url: String,
    /// When everything becomes public.
    pub t0: T0,
    /// Versions that will be issued.
    pub versions: Vec<String>,
    /// How many security issues.
    pub count: usize,
    /// The most severe one's CVSS vectors, and everybody else's: only the highest word is said.
    pub severity: Vec<String>,
}

/// What everybody sees after GO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicView {
    /// The project's name.
    pub team: String,
    /// Where to write.
    pub contact: String,
    /// The site's address without final slash.
    pub base_url: String,
    /// All advisories of the disclosure.
    pub advisories: Vec<AdvisoryView>,
    /// Releases.
    pub releases: Vec<ReleaseView>,
    /// Patches.
    pub patches: Vec<PatchView>,
    /// State of each supported branch.
    pub branches: Vec<BranchView>,
}

/// Whether a patch applies to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitView {
    /// `the tip of main`, `the tag 1.4.2`.
    pub place: String,
    /// The commit tried.
    pub commit: String,
    /// Whether it applies.
    pub applies: bool,
}

/// One patch as distributors get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticePatch {
    /// Branch.
    pub branch: String,
    /// Attachment's file name.
    pub file_name: String,
    /// Full object id it was made on.
    pub base: String,
    /// Hexadecimal SHA-256 of the attachment.
    pub sha256: String,
    /// What to type.
    pub apply_command: String,
    /// Where it was tried.
    pub fits: Vec<FitView>,
    /// The attachment.
    pub bytes: Vec<u8>,
}

/// One file beside the patches, as distributors get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeFile {
    /// Attachment's file name.
    pub file_name: String,
    /// Whether it shows the flaw at work.
    pub poc: bool,
    /// Hexadecimal SHA-256 of the attachment.
    pub sha256: String,
    /// The attachment.
    pub bytes: Vec<u8>,
}

/// Who a notice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A distributor: everything but private notes.
    Distributor,
    /// A reporter: only their own advisories, and no patches.
    Reporter,
}

/// What a distributor or a reporter hears in advance. No recipient is named here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeView {
    /// Who it is for.
    pub audience: Audience,
    /// The project's name.
    pub team: String,
    /// Where to reply, encrypted.
    pub reply_to: String,
    /// An opaque reference to quote.
    pub reference: String,
    /// 1, 2, …
    pub revision: i64,
    /// When patches, releases and disclosure happen.
    pub t0: T0,
    /// Rendered at.
    pub made_at: At,
    /// The advisories.
    pub advisories: Vec<AdvisoryView>,
    /// The patches.
    pub patches: Vec<NoticePatch>,
    /// Files beside the patches.
    pub files: Vec<NoticeFile>,
    /// Whether the machine-readable advisory goes with it.
    pub machine_readable: bool,
    /// Releases that will be issued.
    pub releases: Vec<ReleaseView>,
    /// State of each supported branch.
    pub branches: Vec<BranchView>,
}
