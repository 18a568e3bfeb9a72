//! Putting approved commits on a tip that moved: as a merge, or the same commits again.
//!
//! What must stay true: everything happens in a private area and nothing is forced; the same
//! tip, approval and instant give the same object ids; what does not fit by itself is said and
//! never bent; a branch whose history was rewritten gets nothing.

use super::commits::{self, Commit, Person};
use super::patches::{patch, same_patches};
use super::{Area, GitError, done};
use crate::domain::remake::{Remake, Way};
use crate::domain::time::At;

/// Commits that people approved: `base..tip`, all of them present in the area.
#[derive(Debug, Clone, Copy)]
pub struct Approved<'a> {
    /// The public commit they stand on.
    pub base: &'a str,
    /// The newest of them.
    pub tip: &'a str,
}

/// Why nothing was made. The texts name embargoed paths and subjects: for the team's eyes.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// The branch no longer contains what the commits stand on.
    #[error("the branch was rewritten: its history no longer holds the base of our commits")]
    Rewritten,
    /// Both sides changed the same lines.
    #[error("conflicts in {}", .0.join(", "))]
    Conflicts(Vec<String>),
    /// What would stand there is another change than the approved one.
    #[error("`{0}` would be another patch than the approved one")]
    Differs(String),
    /// A series cannot carry merges.
    #[error("the approved commits hold a merge, which cannot be applied again")]
    HoldsMerge,
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl NotMade {
    /// Stable code of a step that waits because of it; `None` when it is git's own trouble.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Rewritten => Some("branch-rewritten"),
            Self::Conflicts(_) => Some("branch-conflicts"),
            Self::Differs(_) | Self::HoldsMerge => Some("branch-differs"),
            Self::Git(_) => None,
        }
    }
}

/// Whether the history of `onto` already holds what was approved: the commit itself or, where
/// it may be applied again, every one of its patches with author and message.
pub async fn holds(
    area: &Area,
    approved: Approved<'_>,
    onto: &str,
    way: Option<Way>,
) -> Result<bool, GitError> {
    if area.is_ancestor(approved.tip, onto).await? {
        return Ok(true);
    }
    match way {
        Some(Way::Reapply) => same_patches(area, approved, onto).await,
        _ => Ok(false),
    }
}

/// Makes what `remake` says on `onto`; the id of the branch's new tip.
pub async fn make(
    area: &Area,
    approved: Approved<'_>,
    onto: &str,
    remake: &Remake,
    at: At,
) -> Result<String, NotMade> {
    if !area.is_ancestor(approved.base, onto).await? {
        return Err(NotMade::Rewritten);
    }
    let committer = Person::at(&remake.name, &remake.address, at);
    match remake.way {
        Way::Merge => {
            let tree = merged(area, onto, approved.tip).await?;
            let parents = [onto, approved.tip];
            let people = (&committer, &committer);
            Ok(commits::make(area, &tree, &parents, people, remake.says.as_bytes()).await?)
        }
        Way::Reapply => {
            let again = Again { area, committer: &committer, exact: true };
            again.apply(approved, onto).await
        }
    }
}

/// The approved commits again on `onto` as well as git can, whether or not they are then the
/// same patches: for people to look at.
pub async fn rebased(
    area: &Area,
    approved: Approved<'_>,
    onto: &str,
    committer: &Person,
) -> Result<String, NotMade> {
    Again { area, committer, exact: false }.apply(approved, onto).await
}

struct Again<'a> {
    area: &'a Area,
    committer: &'a Person,
    /// Whether only the approved patches will do.
    exact: bool,
}

impl Again<'_> {
    async fn apply(&self, approved: Approved<'_>, onto: &str) -> Result<String, NotMade> {
        let area = self.area;
        let list = area
            .git("rev-list")
            .args(["--reverse", "--topo-order", "--end-of-options"])
            .arg(format!("{}..{}", approved.base, approved.tip));
        let list = area.run("list the approved commits", list).await?.text();
        let mut tip = onto.to_owned();
        for oid in list.lines() {
            let commit = Commit::read(area, oid).await?.ok_or(NotMade::HoldsMerge)?;
            let [parent] = commit.parents.as_slice() else { return Err(NotMade::HoldsMerge) };
            let tree = self.three_way(parent, oid, &tip).await?;
            let people = (&commit.author, self.committer);
            let made = commits::make(area, &tree, &[&tip], people, &commit.message).await?;
            if self.exact {
                let same = patch(area, parent, oid).await? == patch(area, &tip, &made).await?
                    && Commit::read(area, &made).await?.is_some_and(|c| c.says_as(&commit));
                if !same {
                    let text = String::from_utf8_lossy(&commit.message);
                    let subject = text.lines().next().unwrap_or_default();
                    return Err(NotMade::Differs(subject.to_owned()));
                }
            }
            tip = made;
        }
        Ok(tip)
    }

    /// The tree of `onto` with the change from `parent` to `oid`. git merges commits by their
    /// history, so three commits without any other are made: nothing will ever refer to them.
    async fn three_way(&self, parent: &str, oid: &str, onto: &str) -> Result<String, NotMade> {
        let people = (self.committer, self.committer);
        let tree = |of: &str| format!("{of}^{{tree}}");
        let root = commits::make(self.area, &tree(parent), &[], people, b"base\n").await?;
        let ours = commits::make(self.area, &tree(onto), &[&root], people, b"ours\n").await?;
        let theirs = commits::make(self.area, &tree(oid), &[&root], people, b"theirs\n").await?;
        merged(self.area, &ours, &theirs).await
    }
}

/// The tree of a merge that nobody had to help with.
async fn merged(area: &Area, ours: &str, theirs: &str) -> Result<String, NotMade> {
    let ask = area.git("merge-tree").args(["--write-tree", "--name-only", "--no-messages"]);
    let out = area.run_any(ask.args([ours, theirs])).await?;
    let text = out.text();
    let mut lines = text.lines().map(str::to_owned);
    match (out.code, lines.next()) {
        (Some(0), Some(tree)) => Ok(tree),
        (Some(1), Some(_)) => {
            let mut paths: Vec<String> = lines.filter(|l| !l.is_empty()).collect();
            paths.dedup();
            Err(NotMade::Conflicts(paths))
        }
        _ => {
            let refused = done("merge two commits", out).map(drop);
            Err(refused.err().map_or(NotMade::Conflicts(Vec::new()), NotMade::Git))
        }
    }
}
