//! Tests of `project`: the promises that the file above makes.

use super::*;
use crate::clock::SystemClock;
use crate::exec::Process;
use crate::town::clock::HandClock;

/// A project; `None`, said aloud, when there is no git.
async fn project(world: &Path) -> Option<Project> {
    let clock = Arc::new(HandClock::new(At::from_secs(1_796_137_200)));
    match Project::new(world, clock).await {
        Err(TownError::Missing(_)) => {
            let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
            assert!(!required, "no git, and DAYBREAK_TEST_REQUIRE=all");
            eprintln!("not run: no git");
            None
        }
        other => Some(other.unwrap()),
    }
}

/// Builds what a public tag holds.
async fn build_tag(project: &Project, world: &Path, tag: &str) -> (PathBuf, Vec<Built>) {
    let tree = world.join(format!("tree-{tag}"));
    fs::create_dir(&tree).unwrap();
    let to = format!("--work-tree={}", tree.display());
    let public = project.public();
    let checkout = Process::new("git").arg(to).args(["checkout", "-f", tag, "--", "."]);
    let out = checkout.env("GIT_DIR", public).run(&SystemClock::new()).await.unwrap();
    assert!(out.ok(), "{}", out.complaint());
    let dist = world.join(format!("dist-{tag}"));
    let built = build(&tree, &dist).unwrap();
    (dist, built)
}

#[tokio::test]
async fn two_towns_have_the_same_project_and_the_fixes_stay_private() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(first) = project(one.path()).await else { return };
    let second = project(two.path()).await.unwrap();
    let refs = first.refs().await.unwrap();
    assert_eq!(refs, second.refs().await.unwrap());
    assert_eq!(refs.lines().count(), 6, "{refs}");
    let objects = ["cat-file", "--batch-all-objects", "--batch"];
    let public = first.ask(&objects).await.unwrap();
    assert!(public.contains("def unpack") && !public.contains("Strawdog"));
    let moved = first.move_branch("1.x").await.unwrap();
    assert!(first.refs().await.unwrap().contains(&moved));
}

#[tokio::test]
async fn builds_are_the_same_every_time_and_twine_accepts_them() {
    let world = tempfile::tempdir().unwrap();
    let Some(project) = project(world.path()).await else { return };
    let (dist, built) = build_tag(&project, world.path(), "1.4.2").await;
    let names: Vec<_> = built.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["meadow-1.4.2-py3-none-any.whl", "meadow-1.4.2.tar.gz"]);
    let again = build(&world.path().join("tree-1.4.2"), &world.path().join("again")).unwrap();
    assert_eq!(again, built);

    let clock = SystemClock::new();
    let tar = Process::new("tar").args(["tzf", "meadow-1.4.2.tar.gz"]).folder(&dist);
    let listing = tar.run(&clock).await.unwrap();
    assert!(listing.ok(), "{}", listing.complaint());
    assert!(listing.text().contains("meadow-1.4.2/src/meadow/archive.py\n"));

    let Some(twine) = crate::town::find_twine(&clock).await else {
        let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
        assert!(!required, "no twine, and DAYBREAK_TEST_REQUIRE=all");
        eprintln!("not run: no twine");
        return;
    };
    let check = Process::new(twine).args(["check", "--strict"]).args(&names).folder(&dist);
    let out = check.env("HOME", "/nonexistent").run(&clock).await.unwrap();
    assert!(out.ok() && out.text().matches("PASSED").count() == 2, "{}", out.text());
}
