//! Somebody points the configuration at another remote, and somebody presses every button there
//! is. Before T0 nothing of ours reaches any place.

use std::fs;
use std::path::Path;

use daybreak::casework::controls;
use daybreak::clock::SystemClock;
use daybreak::domain::deed::Actor;
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

#[tokio::test]
async fn nothing_of_ours_reaches_any_remote_before_t0() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let other = story.town.world().join("elsewhere.git");
    let public = story.town.project.public().to_owned();
    let target = other.to_str().unwrap();
    git(&["clone", "--quiet", "--mirror", public.to_str().unwrap(), target], &story.town.world())
        .await;
    let before = git(&["for-each-ref"], &other).await;
    let file = story.town.dir().join("daybreak.toml");
    let text = fs::read_to_string(&file).unwrap();
    let ours = format!("{public:?}");
    assert!(text.contains(&ours));
    fs::write(&file, text.replace(&ours, &format!("{other:?}"))).unwrap();
    story.town.reopen().unwrap();
    let world = WorldView::of(&story.town).await;

    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let plan = story.release().clone();
    let house = story.town.house.clone();
    for step in story.words(&plan).await.into_keys() {
        // A button may be refused; it may do nothing early.
        let _refused = controls::retry(&house, Actor::Operator, "Ada", &plan, step, "now").await;
        engine.settle().await.unwrap();
    }
    story.hand.advance_to(story.t0.at.plus(Span::millis(-1)));
    engine.settle().await.unwrap();
    assert_eq!(WorldView::of(&story.town).await, world);
    assert_eq!(git(&["for-each-ref"], &other).await, before);
    let objects = git(&["cat-file", "--batch-all-objects", "--batch-check"], &other).await;
    let here = git(&["cat-file", "--batch-all-objects", "--batch-check"], &public).await;
    assert_eq!(objects.lines().count(), here.lines().count(), "an object reached a remote");
}
