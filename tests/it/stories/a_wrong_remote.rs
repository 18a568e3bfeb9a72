//! Somebody points the configuration at another remote after the plan was approved, and somebody
//! presses every button there is. Before T0 nothing of ours reaches any place and the preflight
//! says what is wrong; at T0 neither remote gets anything, the team is called, and the
//! announcements go as they do when a gate is blocked. Set back and tried again, the push arrives
//! where people approved it.

use std::fs;
use std::path::{Path, PathBuf};

use daybreak::casework::branches::outlook;
use daybreak::casework::pauses::{self, Asker};
use daybreak::casework::{controls, preflight};
use daybreak::clock::SystemClock;
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::finding::Severity;
use daybreak::domain::ids::StepId;
use daybreak::domain::plan::{Phase, PlanState, Step};
use daybreak::domain::preflight::Family;
use daybreak::domain::time::Span;
use daybreak::exec::Process;
use daybreak::town::config::REPOSITORY;

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

/// The wrong one, as the configuration calls it.
const ELSEWHERE: &str = "../world/elsewhere.git";

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

/// The house's configuration names another remote from now on.
fn point(story: &mut Story, from: &str, to: &str) {
    let file = story.town.dir().join("daybreak.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&format!("{from:?}")));
    fs::write(&file, text.replace(&format!("{from:?}"), &format!("{to:?}"))).unwrap();
    story.town.reopen().unwrap();
}

/// The story, and the remote that the house's configuration names now instead of the true one.
async fn turned() -> (Story, PathBuf) {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let other = story.town.world().join("elsewhere.git");
    let public = story.town.project.public().to_owned();
    let target = other.to_str().unwrap();
    git(&["clone", "--quiet", "--mirror", public.to_str().unwrap(), target], &story.town.world())
        .await;
    point(&mut story, REPOSITORY, ELSEWHERE);
    (story, other)
}

/// What stands in the way of the release now.
async fn red(story: &Story) -> Vec<(Family, String)> {
    let report = preflight::of(&story.town.house, story.release()).await.unwrap();
    let stops = report.found.into_iter().filter(|c| c.finding.severity == Severity::Stop);
    stops.map(|c| (c.family, c.finding.code)).collect()
}

fn repository_moved() -> Vec<(Family, String)> {
    vec![(Family::Plan, "repository-moved".to_owned())]
}

/// The words of the steps that fit.
async fn words(story: &Story, fits: impl Fn(&Step) -> bool) -> Vec<(StepId, String)> {
    let plan = story.release();
    let steps = story.standing(plan).await.manifest.steps;
    let mut words = story.words(plan).await;
    steps.iter().filter(|s| fits(s)).map(|s| (s.id, words.remove(&s.id).unwrap())).collect()
}

fn is_push(step: &Step) -> bool {
    matches!(step.action, Action::Push { .. })
}

async fn all_are(story: &Story, fits: impl Fn(&Step) -> bool, word: &str) {
    let words = words(story, fits).await;
    assert!(!words.is_empty() && words.iter().all(|(_, w)| w == word), "not {word}: {words:?}");
}

async fn retry_pushes(story: &Story) {
    let (house, plan) = (&story.town.house, story.release());
    for (step, _) in words(story, is_push).await {
        controls::retry(house, Actor::Operator, "Ada", plan, step, "again").await.unwrap();
    }
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
    assert_eq!(red(&story).await, repository_moved());
    outlook(&house, &plan).await.unwrap();
    controls::resume(&house, ada, &plan, "it is right").await.unwrap();
    assert_eq!(red(&story).await, repository_moved());
    story.hand.advance_to(story.t0.at.plus(Span::millis(-1)));
    engine.settle().await.unwrap();
    assert_eq!(WorldView::of(&story.town).await, world);
    assert_eq!((everything(&public).await, everything(&other).await), before);
    // It was the hour that kept it back, not a plan that could not go.
    assert_eq!(story.state(&plan).await, PlanState::Approved);
}

#[tokio::test]
async fn at_t0_neither_remote_gets_anything_until_the_address_is_set_back() {
    let (mut story, other) = turned().await;
    let public = story.town.project.public().to_owned();
    let before = (everything(&public).await, everything(&other).await);
    let plan = story.release().clone();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert!(story.rang("preflight-red-plan"), "{:?}", story.bells());
    story.at_t0(&mut engine).await;
    all_are(&story, is_push, "blocked repository-moved").await;
    assert!(story.rang("step-blocked"), "{:?}", story.bells());
    let announces = |s: &Step| s.phase == Phase::Announce;
    all_are(&story, announces, "waiting").await;
    // The approved post carries the patch and stands alone.
    story.pass(&mut engine, &[Span::mins(15), Span::secs(1)]).await;
    all_are(&story, announces, "done").await;
    retry_pushes(&story).await;
    engine.settle().await.unwrap();
    all_are(&story, is_push, "blocked repository-moved").await;
    assert_eq!((everything(&public).await, everything(&other).await), before);

    engine.end().await.unwrap();
    point(&mut story, ELSEWHERE, REPOSITORY);
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    // A person was asked, and has not answered.
    assert_eq!(everything(&public).await, before.0);
    retry_pushes(&story).await;
    engine.settle().await.unwrap();
    all_are(&story, |_| true, "done").await;
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    assert!(everything(&public).await.0.contains("refs/tags/2.0.1"));
    assert_eq!(everything(&other).await, before.1);
}
