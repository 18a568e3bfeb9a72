//! The push by itself: the same commit again, a branch that moves under it, a rewritten one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use daybreak::clock::SystemClock;
use daybreak::config::Repository;
use daybreak::domain::action::{Action, RefMove};
use daybreak::domain::blob::Blob;
use daybreak::domain::effect::{Effect, Go, Intended, Permit};
use daybreak::domain::finding::Severity;
use daybreak::domain::ids::{PlanId, StepId};
use daybreak::domain::receipt::{OutletError, Receipt, Retry, Seen};
use daybreak::domain::remake::{Remake, Way};
use daybreak::domain::time::At;
use daybreak::outlets::Outlet as _;
use daybreak::outlets::git::GitOutlet;
use tempfile::TempDir;

const GO: At = At::from_secs(1_796_137_200);

/// A public repository, and two commits for it in a bundle.
struct World {
    root: TempDir,
    base: String,
    tip: String,
    pack: Blob,
    outlet: GitOutlet,
}

#[expect(clippy::disallowed_methods, reason = "a test's own git, not the program's")]
fn git(folder: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Ada")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@m.example")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_DATE"), "@1790000000 +0200")))
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn lines(from: usize, to: usize) -> String {
    (from..=to).map(|n| format!("line {n}\n")).collect()
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        git(root.path(), &["init", "--quiet", "--bare", "-b", "main", "public.git"]);
        git(root.path(), &["init", "--quiet", "-b", "main", "work"]);
        let work = root.path().join("work");
        commit(&work, "parser", &lines(1, 40), "first");
        let base = git(&work, &["rev-parse", "HEAD"]);
        git(&work, &["push", "--quiet", "../public.git", "main"]);
        let fixed = lines(1, 9) + "fixed 10\n" + &lines(11, 40);
        commit(&work, "parser", &fixed, "fix one\n\nReviewed-by: Bob <b@m.example>");
        commit(&work, "test", "test\n", "fix two");
        let tip = git(&work, &["rev-parse", "HEAD"]);
        git(&work, &["bundle", "create", "-q", "../pack", "main", &format!("^{base}")]);
        let pack = Blob::new("b", std::fs::read(root.path().join("pack")).unwrap(), vec![]);
        git(&work, &["checkout", "--quiet", "--detach", &base]);
        let text = format!(
            "url = {:?}\nbranches = [{{ name = \"main\" }}]",
            root.path().join("public.git")
        );
        let repository: Repository = toml::from_str(&text).unwrap();
        let named = BTreeMap::from([("meadow".to_owned(), repository)]);
        let clock = Arc::new(SystemClock::new());
        let outlet = GitOutlet::new(named, root.path().join("data"), clock);
        Self { root, base, tip, pack, outlet }
    }

    fn work(&self) -> std::path::PathBuf {
        self.root.path().join("work")
    }

    fn public(&self) -> std::path::PathBuf {
        self.root.path().join("public.git")
    }

    /// Somebody else pushes; the new tip.
    fn moves(&self, file: &str, text: &str) -> String {
        git(&self.work(), &["fetch", "--quiet", "../public.git", "main"]);
        git(&self.work(), &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
        commit(&self.work(), file, text, "somebody else's");
        git(&self.work(), &["push", "--quiet", "../public.git", "HEAD:refs/heads/main"]);
        self.main()
    }

    fn main(&self) -> String {
        git(&self.public(), &["rev-parse", "refs/heads/main"])
    }

    fn intended(&self, way: Way) -> Intended {
        let says = if way == Way::Merge { "Merge: it\n".to_owned() } else { String::new() };
        let remake = Remake {
            way,
            name: "Meadow Team".to_owned(),
            address: "security@m.example".to_owned(),
            says,
            at: Some(GO),
        };
        let action = Action::Push {
            repository: "meadow".to_owned(),
            place: None,
            refs: vec![RefMove {
                name: "refs/heads/main".to_owned(),
                old: Some(self.base.clone()),
                new: self.tip.clone(),
            }],
            pack: self.pack.about.clone(),
            remake: Some(remake),
        };
        Intended { step: StepId::new(GO, [1; 10]), action, blobs: vec![self.pack.clone()] }
    }

    async fn act(&self, way: Way) -> Result<Receipt, OutletError> {
        let go = Go::witnessed(PlanId::new(GO, [2; 10]), 1);
        let effect = Effect::new(self.intended(way), false, Permit::Public(go)).unwrap();
        self.outlet.act(&effect).await
    }

    /// What a check says of the branch, without a byte of ours reaching the repository.
    async fn check(&self, way: Way) -> (Severity, String) {
        let all = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
        let before = git(&self.public(), &all);
        let findings = self.outlet.check(&self.intended(way)).await;
        assert_eq!(git(&self.public(), &all), before);
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        (finding.severity, finding.code.clone())
    }
}

fn commit(work: &Path, file: &str, text: &str, message: &str) {
    std::fs::write(work.join(file), text).unwrap();
    git(work, &["add", "--all"]);
    git(work, &["commit", "--quiet", "-m", message]);
}

#[tokio::test]
async fn the_same_tip_and_the_same_go_give_the_same_commit() {
    for way in [Way::Merge, Way::Reapply] {
        let world = World::new();
        let moved = world.moves("other", "theirs\n");
        assert_eq!(world.check(way).await, (Severity::Note, "branch-moved".to_owned()));
        assert_eq!(world.outlet.look(&world.intended(way)).await, Seen::Absent);
        let receipt = world.act(way).await.unwrap();
        let made = world.main();
        assert!(receipt.detail.contains(&made) && receipt.detail.contains(&world.tip));
        // Once more on what is there: nothing new.
        world.act(way).await.unwrap();
        assert_eq!(world.main(), made);
        assert!(matches!(world.outlet.look(&world.intended(way)).await, Seen::Present(_)));
        // Somebody goes on: it is still there.
        let later = world.moves("more", "more\n");
        world.act(way).await.unwrap();
        assert_eq!(world.main(), later);
        // As if the push had never arrived.
        git(&world.public(), &["update-ref", "refs/heads/main", &moved]);
        world.act(way).await.unwrap();
        assert_eq!(world.main(), made, "{way:?}");
        git(&world.public(), &["fsck", "--strict", "--no-dangling"]);
    }
}

#[tokio::test]
async fn applied_again_means_the_same_words_and_the_same_patches() {
    let world = World::new();
    let moved = world.moves("parser", &("new head\n".to_owned() + &lines(1, 40)));
    world.act(Way::Reapply).await.unwrap();
    let work = world.work();
    git(&work, &["fetch", "--quiet", "../public.git", "main"]);
    let log = |range: &str| git(&work, &["log", "--format=%an %ae %ad%n%B", range]);
    assert_eq!(log(&format!("{moved}..FETCH_HEAD")), log(&format!("{}..main", world.base)));
    let committers = git(&work, &["log", "-2", "--format=%cn %ct", "FETCH_HEAD"]);
    assert_eq!(committers, "Meadow Team 1796137200\nMeadow Team 1796137200");
    let text = git(&work, &["show", "FETCH_HEAD:parser"]);
    assert!(text.starts_with("new head\nline 1\n") && text.contains("line 9\nfixed 10\nline 11"));
}

#[tokio::test]
async fn what_does_not_fit_waits_for_a_person() {
    let conflict = lines(1, 9) + "theirs 10\n" + &lines(11, 40);
    // Two lines from ours: git merges it, the patch is another one.
    let near = lines(1, 7) + "theirs 8\n" + &lines(9, 40);
    let blanks = lines(1, 7) + "line  8\n" + &lines(9, 40);
    for (way, text, code) in [
        (Way::Merge, &conflict, "branch-conflicts"),
        (Way::Reapply, &conflict, "branch-conflicts"),
        (Way::Reapply, &near, "branch-differs"),
        (Way::Reapply, &blanks, "branch-differs"),
    ] {
        let world = World::new();
        let moved = world.moves("parser", text);
        assert_eq!(world.check(way).await, (Severity::Warn, code.to_owned()), "{text}");
        let error = world.act(way).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.retry), (code, Retry::AskHuman));
        assert_eq!(world.main(), moved, "{code}");
        assert_eq!(world.outlet.look(&world.intended(way)).await, Seen::Absent);
    }
    let world = World::new();
    world.moves("parser", &near);
    world.act(Way::Merge).await.unwrap();
}

#[tokio::test]
async fn a_branch_that_was_rewritten_gets_nothing() {
    for way in [Way::Merge, Way::Reapply] {
        let world = World::new();
        let work = world.work();
        git(&work, &["checkout", "--quiet", "--orphan", "new"]);
        commit(&work, "parser", &lines(1, 40), "another history");
        git(&work, &["push", "--quiet", "--force", "../public.git", "HEAD:refs/heads/main"]);
        git(&world.public(), &["tag", "old", &world.base]);
        let rewritten = world.main();
        assert_eq!(world.check(way).await, (Severity::Warn, "branch-rewritten".to_owned()));
        let error = world.act(way).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.retry), ("branch-rewritten", Retry::AskHuman));
        assert_eq!(world.main(), rewritten);
    }
}

#[tokio::test]
async fn a_branch_that_moves_under_the_push_is_merged_where_it_stands_then() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let moved = world.moves("other", "theirs\n");
    // One commit more is ready to appear while our push is under way.
    git(&world.work(), &["checkout", "--quiet", "--detach", &moved]);
    commit(&world.work(), "late", "late\n", "late");
    let late = git(&world.work(), &["rev-parse", "HEAD"]);
    git(&world.work(), &["push", "--quiet", "../public.git", "HEAD:refs/keep/late"]);
    let hook = world.public().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let script = format!(
        "#!/bin/sh\n[ -e seen ] && exit 0\ntouch seen\n\
         env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main {late}\n"
    );
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    world.act(Way::Merge).await.unwrap();
    assert!(world.public().join("seen").exists());
    let parents = git(&world.public(), &["log", "-1", "--format=%P", "main"]);
    assert_eq!(parents, format!("{late} {}", world.tip));
}
