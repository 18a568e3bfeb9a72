//! What a repository shows: through our credentials, and as anybody sees it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Push, short_name};
use crate::config::Repository;
use crate::domain::action::RefMove;
use crate::domain::finding::Finding;
use crate::domain::time::Span;
use crate::exec::git::remake::{Approved, holds};
use crate::exec::git::{Area, Complaint, GitError, View, listed};

/// The branch as it was fetched into an area.
pub const FETCHED: &str = "refs/look";

/// A repository seen one way.
pub struct Remote<'a> {
    pub push: &'a Push<'a>,
    pub areas: PathBuf,
    pub view: View,
}

/// What the far side shows, by full name.
pub type Shown = BTreeMap<String, String>;

/// What it shows of a push.
pub enum Standing {
    /// Every tag is ours, every branch contains our commit.
    Ours(Shown),
    /// Not all of it, and nothing stands in the way.
    NotYet,
    /// Something else stands in its place; the text says where.
    Other(String),
}

impl Remote<'_> {
    /// The object ids of those refs of the push that exist.
    pub async fn refs(&self) -> Result<Shown, GitError> {
        let names: Vec<&str> = self.push.refs.iter().map(|r| r.name.as_str()).collect();
        listed(&self.push.mirror, self.view, &names).await
    }

    /// What it shows of the push.
    pub async fn standing(&self) -> Result<Standing, GitError> {
        let now = self.refs().await?;
        let mut all_ours = true;
        for r in self.push.refs {
            match now.get(&r.name) {
                Some(oid) if *oid == r.new => {}
                Some(_) if is_tag(r) => return Ok(Standing::Other(other(r))),
                Some(oid) if Some(oid) == r.old.as_ref() => all_ours = false,
                Some(_) if self.contains(r).await? => {}
                Some(_) if r.old.is_none() => return Ok(Standing::Other(other(r))),
                _ => all_ours = false,
            }
        }
        Ok(if all_ours { Standing::Ours(now) } else { Standing::NotYet })
    }

    /// A new area with the branch as it is now, under [`FETCHED`]. A fetch offers the ids of
    /// what it has, and this one has public objects only: ours may be taken in afterwards.
    pub async fn fetched(&self, r: &RefMove) -> Result<Area, GitError> {
        let mirror = &self.push.mirror;
        let area = Area::new(&self.areas, mirror).await?;
        let (git, url) = self.view.of(mirror.repository());
        let fetch = git
            .at(area.folder())
            .verb("fetch")
            .args(["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"])
            .args(["--", url])
            .arg(format!("+{}:{FETCHED}", r.name))
            .allow(Span::mins(10));
        let out = area.run_any(fetch).await?;
        if !out.ok() {
            return Err(GitError::Unreachable(Complaint::of(&out)));
        }
        Ok(area)
    }

    /// Whether the branch's history, fetched now, holds what was approved.
    async fn contains(&self, r: &RefMove) -> Result<bool, GitError> {
        let area = self.fetched(r).await?;
        if area.is_ancestor(&r.new, FETCHED).await? {
            return Ok(true);
        }
        let (Some(remake), Some(base)) = (self.push.remake, &r.old) else { return Ok(false) };
        match area.unbundle(&self.push.bundle, false).await {
            Ok(()) => {}
            // What it stands on is gone from the branch: so is everything made of it.
            Err(GitError::Refused { .. }) => return Ok(false),
            Err(other) => return Err(other),
        }
        holds(&area, Approved { base, tip: &r.new }, FETCHED, Some(remake.way)).await
    }
}

/// Whether the credentials' files can be read.
pub fn check_files(repository: &Repository) -> Vec<Finding> {
    let files: [(&str, Option<&Path>); 3] = [
        ("ssh_key_file", repository.ssh_key_file.as_deref()),
        ("known_hosts", repository.known_hosts.as_deref()),
        ("credential_file", repository.credential_file.as_deref()),
    ];
    let missing =
        files.into_iter().filter(|(_, f)| f.is_some_and(|f| std::fs::File::open(f).is_err()));
    missing
        .map(|(field, _)| {
            Finding::stop("credential-unreadable", field, "the file it names cannot be read")
                .cure("name a file that the account running daybreak may read")
        })
        .collect()
}

/// Compares what is there with what the plan pinned.
pub fn compare(refs: &[RefMove], now: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for r in refs {
        let found = now.get(&r.name);
        if found == r.old.as_ref() || found == Some(&r.new) {
            continue;
        }
        findings.push(if is_tag(r) {
            Finding::stop(
                "tag-exists",
                &r.name,
                "the public repository has another tag of that name",
            )
            .cure("choose the next version, stage again and make a new plan")
        } else if r.old.is_none() {
            Finding::stop(
                "branch-exists",
                &r.name,
                "the public repository has a branch of that name",
            )
            .cure("remove that branch, or make a new plan")
        } else {
            Finding::warn("branch-moved", &r.name, "the public branch moved since this was staged")
                .cure("stage again and make a new plan, or let the branch's `on_move` decide")
        });
    }
    findings
}

/// The repository cannot be reached with our credentials.
pub fn unreachable() -> Finding {
    Finding::stop("repository-unreachable", "url", "the repository cannot be reached or read")
        .cure("check `url`, the network and the credentials of the repository")
}

/// Nobody can read the public address.
pub fn public_unreachable() -> Finding {
    Finding::stop("public-unreachable", "public_url", "the public address cannot be read")
        .cure("set `public_url` to where anybody reads the repository")
}

/// Whether it moves a tag.
pub fn is_tag(r: &RefMove) -> bool {
    r.name.starts_with("refs/tags/")
}

fn other(r: &RefMove) -> String {
    format!("`{}` is another object than ours", short_name(&r.name).unwrap_or(&r.name))
}
