//! Somebody points the configuration at another remote, and somebody presses every button there
//! is. Before T0 nothing of ours reaches any place.

use std::fs;
use std::path::{Path, PathBuf};

use daybreak::casework::branches::outlook;
use daybreak::casework::pauses::{self, Asker};
use daybreak::casework::{controls, preflight};
use daybreak::clock::SystemClock;
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::{Phase, PlanState};
use daybreak::domain::time::Span;
use daybreak::exec::Process;

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

async fn git(args: &[&str], folder: &Path) -> String {
    let out = Process::new("git").args(args).folder(folder).run(&SystemClock::new()).await;
    let out = out.unwrap();
    assert!(out.ok(), "git {args:?}: {}", out.complaint());
    out.text()
}

/// Refs and objects, reachable or not.
async fn everything(repository: &Path) -> (String, String) {
    let all = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
    (git(&["for-each-ref"], repository).await, git(&all, repository).await)
}

/// The story, and the remote that the house's configuration names now instead of the true one.
async fn turned() -> (Story, PathBuf) {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let other = story.town.world().join("elsewhere.git");
    let public = story.town.project.public().to_owned();
    let target = other.to_str().unwrap();
    git(&["clone", "--quiet", "--mirror", public.to_str().unwrap(), target], &story.town.world())
        .await;
    let file = story.town.dir().join("daybreak.toml");
    let text = fs::read_to_string(&file).unwrap();
    let ours = format!("{public:?}");
    assert!(text.contains(&ours));
    fs::write(&file, text.replace(&ours, &format!("{other:?}"))).unwrap();
    story.town.reopen().unwrap();
    (story, other)
}

#[tokio::test]
async fn whatever_is_pressed_nothing_of_ours_reaches_any_place_before_t0() {
    let (story, other) = turned().await;
    let public = story.town.project.public().to_owned();
    let before = (everything(&public).await, everything(&other).await);
    let world = WorldView::of(&story.town).await;
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let (plan, house) = (story.release().clone(), story.town.house.clone());
    let ada = Actor::Operator;
    for (step, word) in story.words(&plan).await {
        assert_eq!(word, "waiting");
        // To try again is no leave to begin.
        controls::retry(&house, ada, "Ada", &plan, step, "now").await.unwrap();
        engine.settle().await.unwrap();
    }
    let asker = Asker { actor: ada, by: "Ada" };
    pauses::place(&house, asker, &plan, Phase::Announce, None, "see the tags").await.unwrap();
    pauses::go_on(&house, asker, &plan, None, "never mind").await.unwrap();
    controls::hold(&house, ada, &plan, "look again").await.unwrap();
    engine.settle().await.unwrap();
    preflight::of(&house, &plan).await.unwrap();
    outlook(&house, &plan).await.unwrap();
    controls::resume(&house, ada, &plan, "it is right").await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::millis(-1)));
    engine.settle().await.unwrap();
    assert_eq!(WorldView::of(&story.town).await, world);
    assert_eq!((everything(&public).await, everything(&other).await), before);
    // It was the hour that kept it back, not a plan that could not go.
    assert_eq!(story.state(&plan).await, PlanState::Approved);
    story.at_t0(&mut engine).await;
    assert!(everything(&other).await.0.contains("refs/tags/2.0.1"));
    assert_eq!(everything(&public).await, before.0);
}
