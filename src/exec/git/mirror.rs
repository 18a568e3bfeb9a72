//! A bare copy of a public repository. It holds public objects only and is never given
//! anything else: private work borrows from it, and nothing is written back.

use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Git, GitError, Objects, disk, done, is_oid, is_ref_name};
use crate::clock::{Clock, sleep};
use crate::config::Repository;
use crate::domain::time::Span;

/// Through whose eyes the public repository is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// As anybody: the public address, no credentials.
    Anonymous,
    /// As the team: the address we push to, with our credentials.
    Team,
}

impl View {
    /// How the public history is read: as anybody, unless even the public address is one that
    /// nobody reads without a key.
    pub fn public(repository: &Repository) -> Self {
        if needs_key(repository.public()) { Self::Team } else { Self::Anonymous }
    }

    /// The git and the address to use.
    pub fn of(self, repository: &Repository) -> (Git, &str) {
        match self {
            Self::Anonymous => (Git::anonymous(), repository.public()),
            Self::Team => (Git::team(repository), &repository.url),
        }
    }
}

/// Whether an address is SSH, `ssh://host/path` or `host:path`.
fn needs_key(url: &str) -> bool {
    let scp_like = url.split('/').next().is_some_and(|first| first.contains(':'));
    url.starts_with("ssh://") || (scp_like && !url.contains("://"))
}

/// The mirror of one repository.
#[derive(Clone)]
pub struct Mirror {
    objects: Objects,
    repository: Repository,
}

impl Deref for Mirror {
    type Target = Objects;
    fn deref(&self) -> &Objects {
        &self.objects
    }
}

impl Mirror {
    /// The mirror of the repository the configuration calls `name`, in the data directory:
    /// `mirrors/NAME.git`.
    pub fn new(data: &Path, name: &str, repository: Repository, clock: Arc<dyn Clock>) -> Self {
        let folder = data.join("mirrors").join(format!("{name}.git"));
        let repository = repository.seen_from(data);
        Self { objects: Objects::new(folder, clock), repository }
    }

    /// The repository it copies.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Whether it has ever been refreshed.
    pub fn exists(&self) -> bool {
        self.folder().join("objects").is_dir()
    }

    /// Whether its object ids are SHA-256.
    pub fn is_sha256(&self) -> bool {
        std::fs::read_to_string(self.folder().join("config"))
            .is_ok_and(|c| c.contains("objectformat = sha256"))
    }

    /// Makes its branches and tags those of the public repository.
    pub async fn refresh(&self) -> Result<(), GitError> {
        let view = View::public(&self.repository);
        let _held = self.hold().await?;
        // First: whoever was killed while making it left a lock too.
        remove_stale_locks(self.folder());
        if !self.exists() {
            self.objects.init(self.remote_is_sha256(view).await?).await?;
        }
        let (git, url) = view.of(&self.repository);
        let fetch = git
            .at(self.folder())
            .verb("fetch")
            .args(["--quiet", "--prune", "--no-recurse-submodules", "--no-write-fetch-head"])
            .args(["--no-tags", "--", url])
            .args(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])
            .allow(Span::mins(30));
        done("fetch", self.run_any(fetch).await?).map(drop).map_err(unreachable)
    }

    /// The public tip of `branch`, or `None`.
    pub async fn tip(&self, branch: &str) -> Result<Option<String>, GitError> {
        if !is_ref_name(branch) {
            return Ok(None);
        }
        self.commit(&format!("refs/heads/{branch}")).await
    }

    /// The object the public tag points to: the tag object of an annotated tag; or `None`.
    pub async fn tag_object(&self, tag: &str) -> Result<Option<String>, GitError> {
        if !is_ref_name(tag) {
            return Ok(None);
        }
        self.resolve(&format!("refs/tags/{tag}")).await
    }

    /// Whether a public branch or tag contains the commit: merely lying in the mirror, after
    /// the public repository dropped it, is not enough.
    pub async fn contains(&self, commit: &str) -> Result<bool, GitError> {
        if !is_oid(commit) || self.commit(commit).await?.is_none() {
            return Ok(false);
        }
        let ask = self.git("for-each-ref").args(["--count=1", "--format=x", "--contains", commit]);
        Ok(!self.line("search the public branches", ask).await?.is_empty())
    }

    async fn remote_is_sha256(&self, view: View) -> Result<bool, GitError> {
        let (git, url) = view.of(&self.repository);
        let ask = git.verb("ls-remote").args(["--quiet", "--", url]).limit(64 * 1024 * 1024);
        let out = done("list refs", self.run_any(ask).await?).map_err(unreachable)?;
        Ok(out.text().split('\t').next().is_some_and(|oid| oid.len() == 64))
    }

    /// Keeps other processes out. The system releases the lock when its holder dies.
    async fn hold(&self) -> Result<File, GitError> {
        let doing = "open the mirror's lock";
        if let Some(parent) = self.folder().parent() {
            std::fs::create_dir_all(parent).map_err(disk("make the mirrors' folder"))?;
        }
        let path: PathBuf = self.folder().with_extension("lock");
        let file = File::create(path).map_err(disk(doing))?;
        for _ in 0..600 {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::WouldBlock) => {
                    sleep(self.clock().as_ref(), Span::millis(200)).await;
                }
                Err(std::fs::TryLockError::Error(e)) => return Err(disk(doing)(e)),
            }
        }
        Err(GitError::Busy)
    }
}

/// A fetch or look that failed: the far side, as far as the caller can do anything about it.
fn unreachable(error: GitError) -> GitError {
    match error {
        GitError::Refused { complaint, .. } => GitError::Unreachable(complaint),
        other => other,
    }
}

/// A killed fetch leaves `*.lock` files that stop every later one. We hold the mirror, so
/// whatever lies there is stale.
fn remove_stale_locks(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|t| t.is_dir()) && entry.file_name() != "objects" {
            remove_stale_locks(&path);
        } else if path.extension().is_some_and(|e| e == "lock") {
            let _next_fetch_will_say = std::fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::git::testbed::{self, Testbed};

    #[tokio::test]
    async fn a_mirror_follows_the_public_repository() {
        let Some(bed) = Testbed::new().await else { return };
        let mirror = bed.mirror();
        mirror.refresh().await.unwrap();
        assert_eq!(mirror.tip("main").await.unwrap(), Some(bed.public("refs/heads/main").await));
        assert_eq!(mirror.tip("1.x").await.unwrap(), Some(bed.public("refs/heads/1.x").await));
        assert_eq!(mirror.tip("none").await.unwrap(), None);
        assert_eq!(mirror.tip("--all").await.unwrap(), None);
        let tag = mirror.tag_object("1.0.0").await.unwrap();
        assert_eq!(tag, Some(bed.public("refs/tags/1.0.0").await));

        let moved = bed.advance("main", "moved").await;
        bed.drop_ref("refs/heads/1.x").await;
        // A fetch that was killed leaves this behind.
        std::fs::write(mirror.folder().join("refs/heads/main.lock"), "").unwrap();
        mirror.refresh().await.unwrap();
        assert_eq!(mirror.tip("main").await.unwrap(), Some(moved.clone()));
        assert_eq!(mirror.tip("1.x").await.unwrap(), None);
        assert!(mirror.contains(&moved).await.unwrap());
        assert!(!mirror.contains(&"0".repeat(40)).await.unwrap());
    }

    #[tokio::test]
    async fn a_mirror_whose_making_was_killed_is_made() {
        let Some(bed) = Testbed::new().await else { return };
        let mirror = bed.mirror();
        std::fs::create_dir_all(mirror.folder()).unwrap();
        std::fs::write(mirror.folder().join("config.lock"), "").unwrap();
        mirror.refresh().await.unwrap();
        assert_eq!(mirror.tip("main").await.unwrap(), Some(bed.public("refs/heads/main").await));
    }

    #[tokio::test]
    async fn a_missing_repository_is_unreachable() {
        let Some(bed) = Testbed::new().await else { return };
        std::fs::remove_dir_all(bed.public_folder()).unwrap();
        let error = bed.mirror().refresh().await.unwrap_err();
        assert!(matches!(error, GitError::Unreachable(_)));
    }

    #[test]
    fn only_ssh_needs_a_key_to_read() {
        for (url, view) in [
            ("ssh://git@forge.example/x", View::Team),
            ("git@forge.example:x", View::Team),
            ("https://forge.example:8443/x", View::Anonymous),
            ("file:///srv/x.git", View::Anonymous),
            ("/srv/x:y.git", View::Anonymous),
        ] {
            assert_eq!(View::public(&testbed::repository(url)), view, "{url}");
        }
    }
}
