//! A public repository on disk, and a developer's tag in a bundle: real git, no network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use daybreak::config::Repository;
use daybreak::domain::action::RefMove;
use daybreak::outlets::git::GitOutlet;

use super::*;

pub(super) struct Public {
    root: tempfile::TempDir,
    tag: String,
    bundle: Blob,
}

impl Public {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let world = Self { root, tag: String::new(), bundle: Blob::new("b", vec![], vec![]) };
        world.git("", &["init", "--quiet", "--bare", "-b", "main", "public.git"]);
        world.git("", &["init", "--quiet", "-b", "main", "work"]);
        world.git("work", &["commit", "--quiet", "--allow-empty", "-m", "first"]);
        world.git("work", &["push", "--quiet", "../public.git", "main"]);
        world.git("work", &["commit", "--quiet", "--allow-empty", "-m", PLANTED]);
        world.git("work", &["tag", "-a", "-m", PLANTED, "1.0.1"]);
        world.git("work", &["bundle", "create", "-q", "../pack", "1.0.1", "^HEAD~1"]);
        let tag = world.git("work", &["rev-parse", "1.0.1"]);
        let pack = std::fs::read(world.root.path().join("pack")).unwrap();
        Self { tag, bundle: Blob::new("main.bundle", pack, vec![]), ..world }
    }

    fn public(&self) -> PathBuf {
        self.root.path().join("public.git")
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own git, not the program's")]
    fn git(&self, folder: &str, args: &[&str]) -> String {
        let out = Command::new("git")
            .args(args)
            .current_dir(self.root.path().join(folder))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Ada")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@m.example")))
            .output()
            .unwrap();
        assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }
}

#[async_trait]
impl World for Public {
    fn name(&self) -> &'static str {
        "git"
    }
    fn outlet(&self) -> Arc<dyn Outlet> {
        let url = self.public().to_string_lossy().into_owned();
        let text = format!("url = {url:?}\nbranches = [{{ name = \"main\" }}]");
        let repository: Repository = toml::from_str(&text).unwrap();
        let named = BTreeMap::from([("meadow".to_owned(), repository)]);
        Arc::new(GitOutlet::new(named, self.root.path().join("data"), clock()))
    }
    fn intended(&self) -> Intended {
        let refs =
            vec![RefMove { name: "refs/tags/1.0.1".to_owned(), old: None, new: self.tag.clone() }];
        let pack = self.bundle.about.clone();
        let action = Action::Push { repository: "meadow".to_owned(), refs, pack };
        intended(action, vec![self.bundle.clone()])
    }
    async fn copies(&self) -> Option<usize> {
        let hidden = self.root.path().join("away");
        let there = if hidden.exists() { "away" } else { "public.git" };
        let tags = self.git(there, &["for-each-ref", "--format=%(objectname)", "refs/tags"]);
        Some(tags.lines().filter(|oid| *oid == self.tag).count())
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Unreachable => {
                std::fs::rename(self.public(), self.root.path().join("away")).unwrap();
            }
            Trouble::HoldsAnother => {
                self.git("public.git", &["update-ref", "refs/tags/1.0.1", "main"]);
            }
            Trouble::Refuses => {
                let hook = self.public().join("hooks/pre-receive");
                std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
                use std::os::unix::fs::PermissionsExt as _;
                std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
            }
            // A local push has no answer to lose; src/outlets/git/tests.rs covers it.
            Trouble::LosesTheAnswer => return false,
        }
        true
    }
}
