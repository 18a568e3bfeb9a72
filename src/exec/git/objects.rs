//! One bare repository on our disk and the questions asked of it. Never speaks to a network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Git, GitError, done};
use crate::clock::Clock;
use crate::exec::{Output, Process};

/// A bare repository.
#[derive(Clone)]
pub struct Objects {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Objects {
    /// The repository in `folder`, which need not exist yet.
    pub fn new(folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { folder, clock }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The clock its processes are bounded by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Makes it, empty; harmless when it exists.
    pub async fn init(&self, sha256: bool) -> Result<(), GitError> {
        let format = if sha256 { "sha256" } else { "sha1" };
        let init = Git::anonymous()
            .verb("init")
            .args(["--bare", "--quiet", "--template=", "--initial-branch=none"])
            .arg(format!("--object-format={format}"))
            .arg("--")
            .arg(self.folder.as_os_str());
        done("make a repository", init.run(self.clock.as_ref()).await?).map(drop)
    }

    /// A git verb on it, without credentials.
    pub fn git(&self, verb: &str) -> Process {
        Git::anonymous().at(&self.folder).verb(verb)
    }

    /// Runs a process that must succeed; `doing` says in words what it is for.
    pub async fn run(&self, doing: &'static str, process: Process) -> Result<Output, GitError> {
        done(doing, self.run_any(process).await?)
    }

    /// Runs a process whose failure is an answer too.
    pub async fn run_any(&self, process: Process) -> Result<Output, GitError> {
        Ok(process.run(self.clock.as_ref()).await?)
    }

    /// The one line a process that must succeed prints.
    pub async fn line(&self, doing: &'static str, process: Process) -> Result<String, GitError> {
        Ok(self.run(doing, process).await?.text().trim_end().to_owned())
    }

    /// The full id of what `name` means, or `None`. `name` may be a full ref name or an id,
    /// with `^{commit}` or the like.
    pub async fn resolve(&self, name: &str) -> Result<Option<String>, GitError> {
        let ask = self.git("rev-parse").args(["--verify", "--quiet", "--end-of-options"]).arg(name);
        let out = self.run_any(ask).await?;
        let text = out.text().trim_end().to_owned();
        Ok((out.ok() && super::is_oid(&text)).then_some(text))
    }

    /// The full id of the commit that `name` means or points to, or `None`. Looks the object
    /// up: a full id that is not there is `None`.
    pub async fn commit(&self, name: &str) -> Result<Option<String>, GitError> {
        self.resolve(&format!("{name}^{{commit}}")).await
    }

    /// `commit`, `tag`, `tree`, `blob`, or `None` when it is not there.
    pub async fn kind(&self, oid: &str) -> Result<Option<String>, GitError> {
        let out = self.run_any(self.git("cat-file").args(["-t", oid])).await?;
        Ok(out.ok().then(|| out.text().trim_end().to_owned()))
    }

    /// Whether the commit `ancestor` is in the history of `descendant`, or is it.
    pub async fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, GitError> {
        if self.commit(ancestor).await?.is_none() {
            return Ok(false);
        }
        let ask = self.git("merge-base").args(["--is-ancestor", ancestor, descendant]);
        let out = self.run_any(ask).await?;
        match out.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => done("compare two commits", out).map(|_| false),
        }
    }
}
