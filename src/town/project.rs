//! The project whose flaw is disclosed: `meadow`, a small Python package in a real public
//! repository with three branches, and a maintainer's private clone that holds the fixes.

mod build;
mod pack;
pub mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::TownError;
use crate::clock::Clock;
use crate::domain::time::At;
use crate::exec::git::Git;
use crate::exec::{ExecError, Output};

pub use build::{Built, build};
pub use tree::{LINES, Line};

/// The repository's and the package's name.
pub const NAME: &str = "meadow";

/// The project.
pub struct Project {
    public: PathBuf,
    private: PathBuf,
    clock: Arc<dyn Clock>,
    born: At,
}

impl Project {
    /// Makes both repositories below `world`, which must exist. The same instant gives the
    /// same commits.
    pub async fn new(world: &Path, clock: Arc<dyn Clock>) -> Result<Self, TownError> {
        let born = At::from_secs(clock.wall().secs());
        let (public, private) = (world.join("meadow.git"), world.join("private"));
        let project = Self { public, private, clock, born };
        project.history(world).await?;
        project.fixes().await?;
        Ok(project)
    }

    /// The same project in a copy of its world.
    #[must_use]
    pub fn moved(&self, world: &Path, clock: Arc<dyn Clock>) -> Self {
        let (public, private) = (world.join("meadow.git"), world.join("private"));
        Self { public, private, clock, born: self.born }
    }

    /// The repository that everybody reads.
    pub fn public(&self) -> &Path {
        &self.public
    }

    /// The maintainer's clone, which nobody else reads.
    pub fn private(&self) -> &Path {
        &self.private
    }

    /// The range of the fix on a branch in the private clone, for `--from-git`.
    pub fn range(line: &Line) -> String {
        format!("{0}..fix-{0}", line.branch)
    }

    async fn history(&self, world: &Path) -> Result<(), TownError> {
        self.git(world, &["init", "--bare", "--template=", "--quiet", "-b", "main", "meadow.git"])
            .await?;
        self.git(world, &["init", "--template=", "--quiet", "-b", "0.9.x", "private"]).await?;
        for (age, line) in LINES.iter().rev().enumerate() {
            if age > 0 {
                self.work(&["checkout", "--quiet", "-b", line.branch]).await?;
            }
            self.write(&tree::released(line))?;
            let title = format!("Meadow {}", line.released);
            self.commit(&title).await?;
            self.work(&["tag", "-a", "-m", &title, line.released]).await?;
        }
        // Work goes on after a release: the tip of main is not its last tag.
        self.write(&[("docs/ideas.txt", "Hedges between fields.\n".to_owned())])?;
        self.commit("Note an idea").await?;
        let public = self.public.to_string_lossy().into_owned();
        self.work(&["remote", "add", "origin", &public]).await?;
        self.work(&["push", "--quiet", "origin", "--all"]).await?;
        self.work(&["push", "--quiet", "origin", "--tags"]).await?;
        Ok(())
    }

    /// The fixes, said in full: these words must not become public before T0.
    async fn fixes(&self) -> Result<(), TownError> {
        for line in LINES.iter().filter(|l| l.next.is_some()) {
            let name = format!("fix-{}", line.branch);
            self.work(&["checkout", "--quiet", "-b", &name, line.branch]).await?;
            self.write(&[(tree::FLAWED, tree::archive(line, true))])?;
            self.commit(
                "Strawdog: keep unpacked entries below the folder\n\n\
                 A bale could name entries that `unpack` wrote anywhere.\n\n\
                 Reported-by: Maren Quillfeather\n\
                 Reviewed-by: Bea Olsen <bea@meadow.example>",
            )
            .await?;
            if line.branch == "main" {
                self.write(&[tree::test()])?;
                self.commit("Strawdog: test it").await?;
            }
        }
        Ok(())
    }

    fn write(&self, files: &[tree::File]) -> Result<(), TownError> {
        for (name, text) in files {
            let path = self.private.join(name);
            let folder = path.parent().unwrap_or(&self.private);
            let wrote = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
            wrote.map_err(TownError::disk("write the project's files"))?;
        }
        Ok(())
    }

    async fn commit(&self, message: &str) -> Result<(), TownError> {
        self.work(&["add", "--all"]).await?;
        self.work(&["commit", "--quiet", "-m", message]).await?;
        Ok(())
    }

    async fn work(&self, args: &[&str]) -> Result<String, TownError> {
        self.git(&self.private, args).await
    }

    /// Asks the public repository, as anybody may: what a ref points to, what a log says.
    pub async fn ask(&self, args: &[&str]) -> Result<String, TownError> {
        self.git(&self.public, args).await
    }

    /// Every ref of the public repository with its object id, a line each.
    pub async fn refs(&self) -> Result<String, TownError> {
        self.ask(&["for-each-ref", "--format=%(objectname) %(refname)"]).await
    }

    /// Somebody else pushes a commit to a public branch; its id.
    pub async fn move_branch(&self, branch: &str) -> Result<String, TownError> {
        let name = format!("refs/heads/{branch}");
        let tip = self.ask(&["rev-parse", &name]).await?;
        let tree = self.ask(&["rev-parse", &format!("{name}^{{tree}}")]).await?;
        let made = ["commit-tree", &tree, "-p", &tip, "-m", "Somebody else's work"];
        let moved = self.ask(&made).await?;
        self.ask(&["update-ref", &name, &moved, &tip]).await?;
        Ok(moved)
    }

    async fn git(&self, folder: &Path, args: &[&str]) -> Result<String, TownError> {
        let date = format!("@{} +0000", self.born.secs());
        let git = Git::anonymous()
            .env("GIT_AUTHOR_NAME", "Ada Ngo")
            .env("GIT_AUTHOR_EMAIL", "ada@meadow.example")
            .env("GIT_AUTHOR_DATE", date.as_str())
            .env("GIT_COMMITTER_NAME", "Ada Ngo")
            .env("GIT_COMMITTER_EMAIL", "ada@meadow.example")
            .env("GIT_COMMITTER_DATE", date.as_str());
        let (verb, rest) = args.split_first().unwrap_or((&"version", &[]));
        let ran = git.verb(verb).args(rest).folder(folder).run(self.clock.as_ref()).await;
        said(ran)
    }
}

fn said(ran: Result<Output, ExecError>) -> Result<String, TownError> {
    match ran {
        Ok(out) if out.ok() => Ok(out.text().trim_end().to_owned()),
        Ok(out) => Err(TownError::Git(out.complaint())),
        Err(ExecError::NotFound { program }) => Err(TownError::Missing(program)),
        Err(e) => Err(TownError::Git(e.to_string())),
    }
}

#[cfg(test)]
mod tests;
