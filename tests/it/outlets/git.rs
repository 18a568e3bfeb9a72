//! A public repository on disk, and a developer's tag in a bundle: real git, no network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use daybreak::config::Repository;
use daybreak::domain::action::RefMove;
use daybreak::domain::remake::{Remake, Way};
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

    /// Pushing to `public.git`, which anybody reads at `seen`.
    fn outlet_for(&self, seen: &str, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        let text = format!(
            "url = {:?}\npublic_url = {:?}\nbranches = [{{ name = \"main\" }}]",
            self.public(),
            self.root.path().join(seen),
        );
        let repository: Repository = toml::from_str(&text).unwrap();
        let named = BTreeMap::from([("meadow".to_owned(), repository)]);
        Arc::new(GitOutlet::new(named, self.root.path().join("data"), clock))
    }

    fn hook(&self, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let hook = self.public().join("hooks/pre-receive");
        std::fs::write(&hook, text).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
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
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        self.outlet_for("public.git", clock)
    }
    fn intended(&self) -> Intended {
        let refs =
            vec![RefMove { name: "refs/tags/1.0.1".to_owned(), old: None, new: self.tag.clone() }];
        let pack = self.bundle.about.clone();
        let repository = "meadow".to_owned();
        let action = Action::Push { repository, place: None, refs, pack, remake: None };
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
            Trouble::Refuses => self.hook("#!/bin/sh\nexit 1\n"),
            Trouble::Hangs => self.hook("#!/bin/sh\nexec sleep 20\n"),
            // Somebody else is at that tag.
            Trouble::Busy => {
                let tags = self.public().join("refs/tags");
                std::fs::create_dir_all(&tags).unwrap();
                std::fs::write(tags.join("1.0.1.lock"), "").unwrap();
            }
            // It shows at once what it took; a copy of it is `Copied`.
            Trouble::ShowsLate => return false,
            // A local push has no answer to lose; src/outlets/git/tests.rs covers it.
            Trouble::LosesTheAnswer => return false,
        }
        true
    }
}

/// A repository whose public address is a copy that follows.
pub(super) struct Copied(Public);

impl Copied {
    pub(super) fn new() -> Self {
        let world = Public::new();
        world.git("", &["clone", "--quiet", "--mirror", "public.git", "copy.git"]);
        Self(world)
    }

    fn follow(&self) {
        self.0.git("copy.git", &["fetch", "--quiet"]);
    }
}

#[async_trait]
impl World for Copied {
    fn name(&self) -> &'static str {
        "git as anybody sees it"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        self.0.outlet_for("copy.git", clock)
    }
    fn intended(&self) -> Intended {
        self.0.intended()
    }
    fn ends(&self) -> Ends {
        Ends::SeenLater
    }
    async fn appear(&self) {
        self.follow();
    }
    async fn copies(&self) -> Option<usize> {
        self.0.copies().await
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        // It follows late by nature; everything else is the repository's own.
        trouble == Trouble::ShowsLate
    }
}

/// A branch that somebody else moved, into which our commit is merged.
pub(super) struct Moved {
    public: Public,
    base: String,
    tip: String,
}

impl Moved {
    pub(super) fn new() -> Self {
        let public = Public::new();
        let base = public.git("public.git", &["rev-parse", "main"]);
        let tip = public.git("work", &["rev-parse", "HEAD"]);
        let tree = format!("{base}^{{tree}}");
        let theirs = public.git("public.git", &["commit-tree", &tree, "-p", &base, "-m", "x"]);
        public.git("public.git", &["update-ref", "refs/heads/main", &theirs]);
        Self { public, base, tip }
    }
}

#[async_trait]
impl World for Moved {
    fn name(&self) -> &'static str {
        "git onto a branch that moved"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        self.public.outlet_on(clock)
    }
    fn intended(&self) -> Intended {
        let remake = Remake {
            way: Way::Merge,
            name: PLANTED.to_owned(),
            address: format!("{PLANTED}@m.example"),
            says: PLANTED.to_owned(),
            at: Some(At::from_secs(1_796_137_200)),
        };
        let name = "refs/heads/main".to_owned();
        let (old, new) = (Some(self.base.clone()), self.tip.clone());
        let action = Action::Push {
            repository: "meadow".to_owned(),
            place: None,
            refs: vec![RefMove { name, old, new }],
            pack: self.public.bundle.about.clone(),
            remake: Some(remake),
        };
        intended(action, vec![self.public.bundle.clone()])
    }
    async fn copies(&self) -> Option<usize> {
        let hidden = self.public.root.path().join("away");
        let there = if hidden.exists() { "away" } else { "public.git" };
        let merges = self.public.git(there, &["rev-list", "--merges", "--count", "main"]);
        Some(merges.parse().unwrap())
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            // What conflicts is not made; `tests/it/branches/outlet.rs` holds that.
            Trouble::HoldsAnother => false,
            Trouble::Busy => {
                std::fs::write(self.public.public().join("refs/heads/main.lock"), "").unwrap();
                true
            }
            other => self.public.trouble(other).await,
        }
    }
}

#[tokio::test]
async fn only_what_anybody_sees_is_seen() {
    let copied = Copied::new();
    assert_eq!(act(&copied).await.unwrap().evidence, Evidence::HandedOver);
    assert!(matches!(look(&copied).await, Seen::Underway(_)));
    // Once more is harmless, and still nobody sees it.
    assert_eq!(act(&copied).await.unwrap().evidence, Evidence::HandedOver);
    copied.follow();
    assert_eq!(evidence(&look(&copied).await), Some(Evidence::Seen));
    assert_eq!(act(&copied).await.unwrap().evidence, Evidence::Seen);
    std::fs::rename(copied.0.root.path().join("copy.git"), copied.0.root.path().join("gone"))
        .unwrap();
    assert_eq!(look(&copied).await, Seen::CannotTell, "what we see ourselves is not enough");
}

#[tokio::test]
async fn another_object_at_the_public_address_is_said() {
    let copied = Copied::new();
    copied.0.git("copy.git", &["tag", "1.0.1", "main"]);
    let error = act(&copied).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("conflict", Retry::AskHuman));
    assert!(matches!(look(&copied).await, Seen::Conflict(_)));
}
