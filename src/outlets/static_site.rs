//! The site as a tree of files, for teams whose web space only takes files: written whole
//! from the publications, then carried out by a command.
//!
//! Each file is replaced in one move, so that a reader sees the old or the new one. Files
//! that are not in the tree are left alone: the folder may hold more than ours.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::StaticTree;
use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;
use crate::exec::{ExecError, Process};
use crate::formats::links::document_path;

use super::Outlet;
use super::command::installed;
use super::settle::{Ended, settle};
use super::shown::PublicSite;
use super::site::{ShelfError, already_there};

/// Carrying a tree of text out to its host.
const ALLOWED: Span = Span::mins(5);

/// A file's path below the folder, and its bytes.
pub type File = (String, Vec<u8>);

/// The whole public tree, a pure function of the publications.
#[async_trait]
pub trait Pages: Send + Sync {
    /// Every file. Paths are relative, with `/`, without `.` or `..`.
    async fn tree(&self) -> Result<Vec<File>, ShelfError>;
}

/// The outlet that writes the tree once an advisory is among the publications.
pub struct StaticSite {
    tree: StaticTree,
    pages: Arc<dyn Pages>,
    clock: Arc<dyn Clock>,
    public: Option<PublicSite>,
}

impl StaticSite {
    /// Over the publications' pages.
    pub fn new(tree: StaticTree, pages: Arc<dyn Pages>, clock: Arc<dyn Clock>) -> Self {
        Self { tree, pages, clock, public: None }
    }

    /// The same, present only when that site shows it to anybody.
    #[must_use]
    pub fn shown_by(self, public: PublicSite) -> Self {
        Self { public: Some(public), ..self }
    }

    /// The tree, if it already holds what is to be published.
    async fn ripe(&self, intended: &Intended) -> Result<Option<Vec<File>>, OutletError> {
        let Action::Publish { documents, .. } = &intended.action else {
            return Err(OutletError::never("not-publish", "the site takes publications only"));
        };
        let files = self
            .pages
            .tree()
            .await
            .map_err(|e| OutletError::later("site-unreachable", e.to_string()))?;
        let digests: Vec<_> = files.iter().map(|(_, bytes)| Sha256::of(bytes)).collect();
        let published = documents.iter().all(|d| {
            intended.blob(&d.name).is_some_and(|b| digests.contains(&Sha256::of(&b.bytes)))
        });
        Ok(published.then_some(files))
    }

    async fn carry(&self) -> Result<Receipt, OutletError> {
        let Some((program, args)) = self.tree.then.split_first() else {
            return Ok(Receipt::seen("written"));
        };
        let run = Process::new(program.as_str())
            .args(args)
            .folder(&self.tree.folder)
            .allow(ALLOWED)
            .run(self.clock.as_ref())
            .await;
        match run {
            Ok(out) if out.ok() => Ok(Receipt::handed_over("written and carried out")),
            Ok(out) => Err(OutletError::later("carrying-failed", out.complaint())),
            Err(e @ ExecError::NotFound { .. }) => {
                Err(OutletError::ask_human("command-missing", e.to_string()))
            }
            Err(e) => Err(OutletError::unknown("carrying-broke-off", e.to_string())),
        }
    }
}

#[async_trait]
impl Outlet for StaticSite {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        if !matches!(intended.action, Action::Publish { .. }) {
            return vec![Finding::stop("not-publish", "site", "the site takes publications only")];
        }
        let mut findings = Vec::new();
        let folder = self.tree.folder.clone();
        let writable = blocking(move || tempfile::tempfile_in(folder).map(|_| ())).await;
        if writable.is_err() {
            findings.push(
                Finding::stop(
                    "folder-not-writable",
                    "site.static_tree.folder",
                    "cannot be written",
                )
                .cure("make the folder, writable for the account that runs daybreak"),
            );
        }
        if self.tree.then.first().is_some_and(|program| !installed(program)) {
            findings.push(
                Finding::stop("command-missing", "site.static_tree.then", "is not installed")
                    .cure("install it, or give its full path"),
            );
        }
        findings
    }

    async fn exposed(&self, intended: &Intended) -> Vec<Finding> {
        let Action::Publish { public_id, documents, .. } = &intended.action else {
            return Vec::new();
        };
        // A file that somebody put there by hand goes out with the next run of `then`.
        let paths = documents.iter().filter_map(|d| document_path(public_id, &d.name).ok());
        let mut files = paths.map(|p| self.tree.folder.join(p.trim_start_matches('/')));
        if files.any(|f| f.exists()) { vec![already_there(public_id)] } else { Vec::new() }
    }

    async fn look(&self, intended: &Intended) -> Seen {
        let files = match self.ripe(intended).await {
            Ok(Some(files)) => files,
            Ok(None) => return Seen::Absent,
            Err(_) => return Seen::CannotTell,
        };
        let folder = self.tree.folder.clone();
        let same = move || {
            // Without the folder nothing can be told of what is in it.
            std::fs::read_dir(&folder)?;
            Ok(files.iter().all(|(path, bytes)| holds(&folder.join(path), bytes)))
        };
        match (blocking(same).await, &self.public) {
            (Ok(false), _) => Seen::Absent,
            // Not shown: whatever carries it out may not have run.
            (Ok(true), Some(public)) => match public.shows(intended).await {
                Seen::Underway(_) if !self.tree.then.is_empty() => Seen::CannotTell,
                shown => shown,
            },
            (Ok(true), None) if self.tree.then.is_empty() => {
                Seen::Present(Receipt::seen("written"))
            }
            // The folder cannot show whether the command carried it out.
            _ => Seen::CannotTell,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let Some(files) = self.ripe(effect.intended()).await? else {
            return Err(OutletError::later("not-published-yet", "the site does not show it yet"));
        };
        if files.iter().any(|(path, _)| !is_plain_path(path)) {
            return Err(OutletError::never("bad-path", "a page's path leaves the folder"));
        }
        let folder = self.tree.folder.clone();
        blocking(move || write(&folder, &files))
            .await
            .map_err(|e| OutletError::later("folder-not-writable", e.kind().to_string()))?;
        let receipt = self.carry().await?;
        match &self.public {
            Some(public) => settle(
                Ended::Well(receipt.detail),
                public.shows(effect.intended()).await,
                Span::ZERO,
            ),
            None => Ok(receipt),
        }
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        Span::ZERO
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn is_plain_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    path.split('/')
        .all(|part| !part.is_empty() && part != "." && part != ".." && part.chars().all(plain))
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|there| there == bytes)
}

/// Writes what differs: temporary file, fsync, move, fsync of the folder.
fn write(folder: &Path, files: &[File]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    for (path, bytes) in files {
        let target: PathBuf = folder.join(path);
        if holds(&target, bytes) {
            continue;
        }
        let parent = target.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)?;
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|e| e.error)?;
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_plain_path;

    #[test]
    fn paths_stay_below_the_folder() {
        for good in ["index.html", "osv/A-1.json", ".well-known/security.txt"] {
            assert!(is_plain_path(good), "{good}");
        }
        for bad in ["", "/etc/x", "../x", "a//b", "a/../b", "a/", "a b"] {
            assert!(!is_plain_path(bad), "{bad}");
        }
    }
}
