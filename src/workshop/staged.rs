//! A Candidate as git knows it: the commits and the tag of one branch by object id, and the
//! bundle that carries them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::exec::git::{Area, GitError, disk};

/// One commit of a Candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedCommit {
    /// Its id.
    pub oid: String,
    /// First line of its message.
    pub subject: String,
    /// The whole message.
    pub message: String,
}

/// The tag of a Candidate, always annotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedTag {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The tag object's id.
    pub oid: String,
    /// What it says, without a signature.
    pub message: String,
    /// Whether it carries a signature (which is not verified here).
    pub signed: bool,
}

/// A Candidate.
#[derive(Clone, PartialEq, Eq)]
pub struct Staged {
    /// The branch.
    pub branch: String,
    /// The public tip it stands on.
    pub base: String,
    /// Its last commit; the base when it has a tag only.
    pub tip: String,
    /// Its tag.
    pub tag: Option<StagedTag>,
    /// Its commits, oldest first.
    pub commits: Vec<StagedCommit>,
    /// A git bundle with all of it beyond the public history.
    pub bundle: Vec<u8>,
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[candidate of {} commits]", self.commits.len())
    }
}

/// The commits of `base..tip`, oldest first.
pub async fn commits(area: &Area, base: &str, tip: &str) -> Result<Vec<StagedCommit>, GitError> {
    let ask = area
        .git("log")
        .args(["--reverse", "--topo-order", "-z", "--format=%H%n%s%n%B", "--end-of-options"])
        .arg(format!("{base}..{tip}"));
    let text = area.run("list the commits", ask).await?.text();
    let commit = |text: &str| {
        let (oid, rest) = text.split_once('\n').unwrap_or((text, ""));
        let (subject, message) = rest.split_once('\n').unwrap_or((rest, ""));
        let own = str::to_owned;
        StagedCommit { oid: own(oid), subject: own(subject), message: own(message) }
    };
    Ok(text.split('\0').filter(|t| !t.is_empty()).map(commit).collect())
}

/// Packs `refs` beyond `base` into a thin bundle. The area keeps no ref of them afterwards.
pub async fn bundle(
    area: &Area,
    base: &str,
    refs: &[(String, String)],
) -> Result<Vec<u8>, GitError> {
    for (name, oid) in refs {
        let set = area.git("update-ref").args([name.as_str(), oid.as_str()]);
        area.run("name a commit", set).await?;
    }
    let file = area.file("bundle");
    let create = area
        .git("bundle")
        .args(["create", "--quiet"])
        .arg(file.as_os_str())
        .args(refs.iter().map(|(name, _)| name))
        .arg(format!("^{base}"));
    area.run("pack the candidate", create).await?;
    tokio::fs::read(&file).await.map_err(disk("read the candidate's pack"))
}
