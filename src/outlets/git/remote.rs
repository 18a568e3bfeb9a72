//! What a repository shows: through our credentials, and as anybody sees it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::short_name;
use crate::config::Repository;
use crate::domain::action::RefMove;
use crate::domain::finding::Finding;
use crate::domain::time::Span;
use crate::exec::git::{Area, Complaint, GitError, Mirror, View, is_oid};

/// A repository seen one way.
pub struct Remote<'a> {
    pub mirror: &'a Mirror,
    pub areas: PathBuf,
    pub view: View,
}

/// What it shows of a push.
pub enum Standing {
    /// Every tag is ours, every branch contains our commit.
    Ours,
    /// Not all of it, and nothing stands in the way.
    NotYet,
    /// Something else stands in its place; the text says where.
    Other(String),
}

impl Remote<'_> {
    /// The object ids of those of `refs` that exist.
    pub async fn refs(&self, refs: &[RefMove]) -> Result<BTreeMap<String, String>, GitError> {
        let (git, url) = self.view.of(self.mirror.repository());
        let ask = git
            .verb("ls-remote")
            .args(["--quiet", "--refs", "--", url])
            .args(refs.iter().map(|r| &r.name))
            .allow(Span::mins(1));
        let out = self.mirror.run_any(ask).await?;
        if !out.ok() {
            return Err(GitError::Unreachable(Complaint::of(&out)));
        }
        // The patterns also match `refs/x/refs/heads/main`: only exact names count.
        let text = out.text();
        let found = text
            .lines()
            .filter_map(|l| l.split_once('\t'))
            .filter(|(oid, name)| is_oid(oid) && refs.iter().any(|r| r.name == *name));
        Ok(found.map(|(oid, name)| (name.to_owned(), oid.to_owned())).collect())
    }

    /// What it shows of `refs`.
    pub async fn standing(&self, refs: &[RefMove]) -> Result<Standing, GitError> {
        let now = self.refs(refs).await?;
        let mut all_ours = true;
        for r in refs {
            match now.get(&r.name) {
                Some(oid) if *oid == r.new => {}
                Some(_) if is_tag(r) => return Ok(Standing::Other(other(r))),
                Some(oid) if Some(oid) == r.old.as_ref() => all_ours = false,
                Some(_) if self.contains(r).await? => {}
                Some(_) if r.old.is_none() => return Ok(Standing::Other(other(r))),
                _ => all_ours = false,
            }
        }
        Ok(if all_ours { Standing::Ours } else { Standing::NotYet })
    }

    /// Whether the branch's history, fetched now, contains our commit. The area is a new one:
    /// a fetch offers the ids of what it has, and this one has public objects only.
    async fn contains(&self, r: &RefMove) -> Result<bool, GitError> {
        let area = Area::new(&self.areas, self.mirror).await?;
        let (git, url) = self.view.of(self.mirror.repository());
        let fetch = git
            .at(area.folder())
            .verb("fetch")
            .args(["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"])
            .args(["--", url])
            .arg(format!("+{}:refs/look", r.name))
            .allow(Span::mins(10));
        let out = area.run_any(fetch).await?;
        if !out.ok() {
            return Err(GitError::Unreachable(Complaint::of(&out)));
        }
        area.is_ancestor(&r.new, "refs/look").await
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

fn is_tag(r: &RefMove) -> bool {
    r.name.starts_with("refs/tags/")
}

fn other(r: &RefMove) -> String {
    format!("`{}` is another object than ours", short_name(&r.name).unwrap_or(&r.name))
}
