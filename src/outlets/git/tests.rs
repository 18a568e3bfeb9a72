//! The promises of a push, kept against real repositories.

use super::*;
use crate::domain::effect::{Go, Permit};
use crate::domain::finding::Severity;
use crate::domain::ids::{PlanId, StepId};
use crate::domain::receipt::Evidence;
use crate::domain::time::At;
use crate::exec::git::testbed::Testbed;

/// A public repository and a developer's commit and tag in a bundle.
struct World {
    bed: Testbed,
    outlet: GitOutlet,
    old: String,
    tip: String,
    tag: String,
    pack: Blob,
    remake: Option<Remake>,
    place: Option<Sha256>,
}

impl World {
    async fn new() -> Option<Self> {
        let bed = Testbed::new().await?;
        let old = bed.work(&["rev-parse", "HEAD"]).await;
        bed.write("parser.py", "fixed\n");
        let tip = bed.commit("fix").await;
        bed.work(&["tag", "-a", "-m", "1.0.1", "1.0.1"]).await;
        let tag = bed.work(&["rev-parse", "1.0.1"]).await;
        let file = bed.folder().join("pack");
        let not = format!("^{old}");
        let args = ["bundle", "create", "-q", file.to_str().unwrap(), "main", "1.0.1", &not];
        bed.work(&args).await;
        let pack = Blob::new("main.bundle", std::fs::read(&file).unwrap(), vec![]);
        let outlet = outlet(&bed, bed.repository());
        Some(Self { bed, outlet, old, tip, tag, pack, remake: None, place: None })
    }

    fn to(&self, name: &str, old: Option<&str>, new: &str) -> RefMove {
        RefMove { name: name.to_owned(), old: old.map(str::to_owned), new: new.to_owned() }
    }

    fn intended(&self, refs: Vec<RefMove>) -> Intended {
        let action = Action::Push {
            repository: "meadow".to_owned(),
            place: self.place,
            refs,
            pack: self.pack.about.clone(),
            remake: self.remake.clone(),
        };
        let step = StepId::new(At::from_secs(0), [0; 10]);
        Intended { step, action, blobs: vec![self.pack.clone()] }
    }

    fn branch(&self) -> Intended {
        self.intended(vec![self.to("refs/heads/main", Some(&self.old), &self.tip)])
    }

    fn tag(&self) -> Intended {
        self.intended(vec![self.to("refs/tags/1.0.1", None, &self.tag)])
    }

    fn both(&self) -> Intended {
        self.intended(vec![
            self.to("refs/heads/main", Some(&self.old), &self.tip),
            self.to("refs/tags/1.0.1", None, &self.tag),
        ])
    }

    async fn act(&self, intended: Intended) -> Result<Receipt, OutletError> {
        act(&self.outlet, intended).await
    }

    async fn public_refs(&self) -> String {
        self.bed.git(&self.bed.public_folder(), &["for-each-ref"]).await
    }
}

fn outlet(bed: &Testbed, repository: Repository) -> GitOutlet {
    let repositories = BTreeMap::from([("meadow".to_owned(), repository)]);
    GitOutlet::new(repositories, bed.folder().join("data"), bed.clock())
}

async fn act(outlet: &GitOutlet, intended: Intended) -> Result<Receipt, OutletError> {
    let go = Go::witnessed(PlanId::new(At::from_secs(0), [0; 10]), 1);
    outlet.act(&Effect::new(intended, false, Permit::Public(go)).unwrap()).await
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.code.as_str()).collect()
}

#[tokio::test]
async fn nothing_leaves_before_the_act_and_everything_is_there_after_it() {
    let Some(world) = World::new().await else { return };
    let refs = world.public_refs().await;
    let objects = world.bed.all_objects(&world.bed.public_folder()).await;
    for intended in [world.branch(), world.tag(), world.both()] {
        assert_eq!(world.outlet.check(&intended).await, []);
        assert_eq!(world.outlet.look(&intended).await, Seen::Absent);
    }
    let mirror = world.bed.folder().join("data/mirrors/meadow.git");
    assert_eq!(world.public_refs().await, refs);
    for folder in [&world.bed.public_folder(), &mirror] {
        assert_eq!(world.bed.all_objects(folder).await, objects);
    }
    let receipt = world.act(world.both()).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::Seen);
    assert!(receipt.detail.contains(&world.tip) && receipt.detail.contains(&world.tag));
    assert_eq!(world.bed.public("refs/heads/main").await, world.tip);
    assert_eq!(world.bed.public("refs/tags/1.0.1").await, world.tag);
    assert!(matches!(world.outlet.look(&world.both()).await, Seen::Present(_)));
    // No area with private work is left.
    assert_eq!(std::fs::read_dir(world.bed.folder().join("data/areas")).unwrap().count(), 0);
}

/// A fetch that was killed may leave a commit in the mirror whose files are not there.
#[tokio::test]
async fn half_a_fetch_is_fetched_again() {
    let Some(world) = World::new().await else { return };
    let base = world.bed.public("refs/heads/main").await;
    let mirror = world.bed.folder().join("data/mirrors/meadow.git");
    let path = mirror.to_string_lossy().into_owned();
    world.bed.git(&world.bed.public_folder(), &["init", "--quiet", "--bare", &path]).await;
    let (first, rest) = base.split_at(2);
    let object = |root: &std::path::Path| root.join("objects").join(first).join(rest);
    std::fs::create_dir_all(object(&mirror).parent().unwrap()).unwrap();
    std::fs::copy(object(&world.bed.public_folder()), object(&mirror)).unwrap();
    assert_eq!(world.act(world.both()).await.unwrap().evidence, Evidence::Seen);
}

#[tokio::test]
async fn again_is_harmless_and_a_branch_that_went_on_is_still_present() {
    let Some(world) = World::new().await else { return };
    world.act(world.branch()).await.unwrap();
    let refs = world.public_refs().await;
    assert_eq!(world.act(world.branch()).await.unwrap().evidence, Evidence::Seen);
    assert_eq!(world.public_refs().await, refs);
    assert_eq!(world.outlet.repeat(), Repeat::Safe);
    world.bed.advance("main", "later").await;
    assert!(matches!(world.outlet.look(&world.branch()).await, Seen::Present(_)));
}

#[tokio::test]
async fn a_moved_branch_is_absent_and_left_alone() {
    let Some(world) = World::new().await else { return };
    let moved = world.bed.advance("main", "other").await;
    let findings = world.outlet.check(&world.branch()).await;
    assert_eq!(codes(&findings), ["branch-moved"]);
    assert_eq!(findings[0].severity, Severity::Warn);
    assert_eq!(world.outlet.look(&world.branch()).await, Seen::Absent);
    let error = world.act(world.branch()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("branch-moved", Retry::AskHuman));
    assert_eq!(world.bed.public("refs/heads/main").await, moved);
    // Together with the tag it is all or nothing; the tag by itself still goes, and so does
    // another branch.
    let error = world.act(world.both()).await.unwrap_err();
    assert_eq!(error.code, "branch-moved");
    assert!(!world.public_refs().await.contains("1.0.1"));
    world.act(world.tag()).await.unwrap();
    let aside = world.intended(vec![world.to("refs/heads/security/DSA-1", None, &world.tip)]);
    assert_eq!(world.outlet.look(&aside).await, Seen::Absent);
    world.act(aside).await.unwrap();
    assert_eq!(world.bed.public("refs/heads/security/DSA-1").await, world.tip);
}

#[tokio::test]
async fn another_tag_of_that_name_is_a_conflict_never_forced() {
    let Some(world) = World::new().await else { return };
    let public = world.bed.public_folder();
    world.bed.git(&public, &["tag", "-a", "-m", "theirs", "1.0.1", "main"]).await;
    let refs = world.public_refs().await;
    let findings = world.outlet.check(&world.tag()).await;
    assert_eq!(codes(&findings), ["tag-exists"]);
    assert_eq!(findings[0].severity, Severity::Stop);
    assert!(matches!(world.outlet.look(&world.tag()).await, Seen::Conflict(_)));
    let error = world.act(world.tag()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("tag-exists", Retry::AskHuman));
    assert_eq!(world.public_refs().await, refs);
}

#[tokio::test]
async fn an_unreachable_repository_is_later_and_cannot_be_judged() {
    let Some(world) = World::new().await else { return };
    let (there, away) = (world.bed.public_folder(), world.bed.folder().join("away"));
    assert_eq!(world.outlet.check(&world.branch()).await, []);
    std::fs::rename(&there, &away).unwrap();
    assert_eq!(codes(&world.outlet.check(&world.branch()).await), ["repository-unreachable"]);
    assert_eq!(world.outlet.look(&world.branch()).await, Seen::CannotTell);
    let error = world.act(world.branch()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("repository-unreachable", Retry::Later));
    std::fs::rename(&away, &there).unwrap();
    world.act(world.branch()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_refuses_asks_a_person_and_one_that_hangs_up_is_unknown() {
    let Some(world) = World::new().await else { return };
    let hook = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = world.bed.public_folder().join("hooks").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let refusing = hook("pre-receive", "exit 1");
    let error = world.act(world.branch()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("push-refused", Retry::AskHuman));
    std::fs::remove_file(refusing).unwrap();
    // The receiver dies in the middle, before anything moved.
    let dying = hook("pre-receive", "kill -9 $PPID; exit 1");
    let error = world.act(world.branch()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("connection-lost", Retry::Unknown));
    std::fs::remove_file(dying).unwrap();
    // It dies after the branch moved: the answer is lost, the push is not.
    hook("post-receive", "kill -9 $PPID");
    let receipt = world.act(world.branch()).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::Seen);
    assert_eq!(world.bed.public("refs/heads/main").await, world.tip);
}

#[tokio::test]
async fn a_public_copy_that_lags_is_underway() {
    let Some(world) = World::new().await else { return };
    let copy = world.bed.folder().join("copy.git");
    let public = world.bed.public_folder();
    let args = ["clone", "-q", "--mirror", public.to_str().unwrap(), copy.to_str().unwrap()];
    world.bed.git(world.bed.folder(), &args).await;
    let mut repository = world.bed.repository();
    repository.public_url = Some(copy.to_string_lossy().into_owned());
    let outlet = outlet(&world.bed, repository);
    let receipt = act(&outlet, world.both()).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::HandedOver);
    assert!(matches!(outlet.look(&world.both()).await, Seen::Underway(_)));
    world.bed.git(&copy, &["fetch", "-q"]).await;
    assert!(matches!(outlet.look(&world.both()).await, Seen::Present(_)));
}

#[tokio::test]
async fn several_refs_need_a_server_that_can_and_one_does_not() {
    let Some(world) = World::new().await else { return };
    let public = world.bed.public_folder();
    world.bed.git(&public, &["config", "receive.advertiseAtomic", "false"]).await;
    assert_eq!(codes(&world.outlet.check(&world.both()).await), ["no-atomic"]);
    let error = world.act(world.both()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("no-atomic", Retry::AskHuman));
    assert_eq!(world.outlet.check(&world.branch()).await, []);
    world.act(world.branch()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_push_of_ours_is_refused() {
    let Some(world) = World::new().await else { return };
    let hostile = ["refs/heads/--force", "+refs/heads/main", "main", "refs/heads/a:refs/heads/b"];
    for name in hostile {
        let intended = world.intended(vec![world.to(name, None, &world.tip)]);
        assert_eq!(codes(&world.outlet.check(&intended).await), ["ref-unusable"], "{name}");
        assert_eq!(world.act(intended).await.unwrap_err().retry, Retry::Never);
    }
    let mut altered = world.branch();
    altered.blobs[0].bytes.push(0);
    assert_eq!(codes(&world.outlet.check(&altered).await), ["pack-damaged"]);
    assert_eq!(world.act(altered).await.unwrap_err().code, "pack-damaged");
    let mut unknown = world.branch();
    if let Action::Push { repository, .. } = &mut unknown.action {
        *repository = "other".to_owned();
    }
    assert_eq!(codes(&world.outlet.check(&unknown).await), ["repository-unknown"]);
    let mut missing = world.bed.repository();
    missing.credential_file = Some("/nonexistent/credentials".into());
    let findings = outlet(&world.bed, missing).check(&world.branch()).await;
    assert_eq!(codes(&findings), ["credential-unreadable"]);
}

/// The name leads elsewhere than people approved: nothing is looked at there and nothing pushed.
#[tokio::test]
async fn another_address_than_was_approved_gets_nothing() {
    let Some(mut world) = World::new().await else { return };
    let refs = world.public_refs().await;
    world.place = Some(Sha256::of(b"elsewhere"));
    assert_eq!(codes(&world.outlet.check(&world.both()).await), ["repository-moved"]);
    assert_eq!(world.outlet.look(&world.both()).await, Seen::CannotTell);
    let error = world.act(world.both()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("repository-moved", Retry::AskHuman));
    assert_eq!(world.public_refs().await, refs);
    // A shadow stands for the place that was approved.
    let places = BTreeMap::from([("meadow".to_owned(), Sha256::of(b"elsewhere"))]);
    let shadow = outlet(&world.bed, world.bed.repository()).standing_for(places);
    assert_eq!(shadow.look(&world.both()).await, Seen::Absent);
    world.place = Some(world.bed.repository().place());
    world.act(world.both()).await.unwrap();
    assert!(matches!(world.outlet.look(&world.both()).await, Seen::Present(_)));
}

/// Whatever the name under which anybody can fetch it, and in whatever was built upon it.
#[tokio::test]
async fn what_is_public_before_its_time_is_found_under_any_name() {
    let Some(world) = World::new().await else { return };
    let exposed = async |intended: &Intended| {
        // As a preflight does: the check makes the mirror what anybody can fetch.
        world.outlet.check(intended).await;
        let found = world.outlet.exposed(intended).await;
        found.into_iter().map(|f| format!("{} {}", f.code, f.place)).collect::<Vec<_>>()
    };
    let (branch, tag) = (world.branch(), world.tag());
    let nothing: [&str; 0] = [];
    assert_eq!(exposed(&branch).await, nothing);
    assert_eq!(exposed(&tag).await, nothing);

    let public = world.bed.public_folder();
    let to = public.to_str().unwrap();
    world.bed.work(&["push", "--quiet", to, "HEAD:refs/pull/7/head"]).await;
    assert_eq!(exposed(&branch).await, ["already-public refs/pull/7/head"]);
    assert_eq!(exposed(&tag).await, nothing, "the tag is not there");
    world.bed.work(&["push", "--quiet", to, ":refs/pull/7/head"]).await;
    assert_eq!(exposed(&branch).await, nothing);

    world.bed.write("parser.py", "built upon it\n");
    world.bed.commit("more").await;
    world.bed.work(&["push", "--quiet", to, "HEAD:refs/heads/idea"]).await;
    assert_eq!(exposed(&branch).await, ["already-public refs/heads/main"]);
    world.bed.work(&["push", "--quiet", to, ":refs/heads/idea", "1.0.1:refs/tags/1.0.1"]).await;
    assert!(exposed(&tag).await.contains(&"already-public refs/tags/1.0.1".to_owned()));
    assert_eq!(exposed(&branch).await, ["already-public refs/tags/1.0.1^{}"]);
}
