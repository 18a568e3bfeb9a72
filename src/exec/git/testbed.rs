//! A public repository in a temporary folder, for the tests of everything that speaks git.
//! Real git, no network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Git, Mirror};
use crate::clock::{Clock, SystemClock};
use crate::config::Repository;

/// A repository's configuration with nothing but its address.
pub fn repository(url: &str) -> Repository {
    let text = format!("url = {url:?}\nbranches = [{{ name = \"main\" }}, {{ name = \"1.x\" }}]");
    toml::from_str(&text).unwrap()
}

/// `public.git` with `main`, `1.x` and the tag `1.0.0`, and a developer's clone `work`.
pub struct Testbed {
    folder: TempDir,
    clock: Arc<dyn Clock>,
}

impl Testbed {
    /// `None`, said on the error stream, when there is no git; a failure when CI requires it.
    pub async fn new() -> Option<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let found = Git::anonymous().verb("version").run(clock.as_ref()).await;
        if found.is_err() {
            let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
            assert!(!required, "no git, and DAYBREAK_TEST_REQUIRE=all");
            eprintln!("not run: no git");
            return None;
        }
        let bed = Self { folder: TempDir::new().unwrap(), clock };
        let git = |args: &'static [&'static str]| bed.git(bed.folder(), args);
        git(&["init", "--bare", "--quiet", "-b", "main", "public.git"]).await;
        git(&["init", "--quiet", "-b", "main", "work"]).await;
        let body: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        bed.write("parser.py", &body);
        bed.write("docs/readme.txt", "hello\n");
        bed.commit("first").await;
        bed.work(&["tag", "-a", "-m", "1.0.0", "1.0.0"]).await;
        bed.work(&["branch", "1.x"]).await;
        bed.write("new.txt", "main only\n");
        bed.commit("second").await;
        bed.work(&["push", "--quiet", "../public.git", "main", "1.x", "1.0.0"]).await;
        Some(bed)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub fn public_folder(&self) -> PathBuf {
        self.folder().join("public.git")
    }

    pub fn repository(&self) -> Repository {
        repository(&self.public_folder().to_string_lossy())
    }

    pub fn mirror(&self) -> Mirror {
        Mirror::new(&self.folder().join("data"), "meadow", self.repository(), self.clock())
    }

    /// Runs git, which must succeed, and returns what it printed.
    pub async fn git(&self, folder: &Path, args: &[&str]) -> String {
        let git = Git::anonymous()
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@meadow.example")
            .env("GIT_COMMITTER_NAME", "Ada")
            .env("GIT_COMMITTER_EMAIL", "ada@meadow.example");
        let (first, rest) = args.split_first().unwrap();
        let process = git.verb(first).args(rest).folder(folder);
        let out = process.run(self.clock.as_ref()).await.unwrap();
        assert!(out.ok(), "git {args:?}: {}", out.complaint());
        out.text().trim_end().to_owned()
    }

    /// git in the developer's clone.
    pub async fn work(&self, args: &[&str]) -> String {
        self.git(&self.folder().join("work"), args).await
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder().join("work").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits everything in the developer's clone.
    pub async fn commit(&self, message: &str) -> String {
        self.work(&["add", "--all"]).await;
        self.work(&["commit", "--quiet", "-m", message]).await;
        self.work(&["rev-parse", "HEAD"]).await
    }

    /// What a public ref points to.
    pub async fn public(&self, name: &str) -> String {
        self.git(&self.public_folder(), &["rev-parse", name]).await
    }

    /// Somebody pushes one commit more to a public branch; its id.
    pub async fn advance(&self, branch: &str, file: &str) -> String {
        let back = self.work(&["rev-parse", "HEAD"]).await;
        let tip = self.public(&format!("refs/heads/{branch}")).await;
        self.work(&["fetch", "--quiet", "../public.git", &tip]).await;
        self.work(&["checkout", "--quiet", "--detach", &tip]).await;
        self.write(file, "by somebody else\n");
        let moved = self.commit("somebody else's work").await;
        let to = format!("HEAD:refs/heads/{branch}");
        self.work(&["push", "--quiet", "../public.git", &to]).await;
        self.work(&["checkout", "--quiet", "--detach", &back]).await;
        moved
    }

    pub async fn drop_ref(&self, name: &str) {
        self.git(&self.public_folder(), &["update-ref", "-d", name]).await;
    }

    /// Every object id in a repository, reachable or not.
    pub async fn all_objects(&self, folder: &Path) -> String {
        let args = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
        self.git(folder, &args).await
    }
}
