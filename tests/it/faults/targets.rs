//! The places of the release are away, or hold something else.

use std::fs;

use daybreak::casework::controls;
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::{PlanState, Step};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;

use crate::ground::Db;
use crate::story::{Point, Story, ref_writes};
use crate::world::WorldView;

fn push_of(name: &str) -> impl Fn(&Step) -> bool {
    move |s| matches!(&s.action, Action::Push { refs, .. } if refs[0].name == name)
}

fn upload_of(version: &str) -> impl Fn(&Step) -> bool {
    move |s| matches!(&s.action, Action::Run { args, .. } if args[1] == version)
}

#[tokio::test]
async fn an_unreachable_repository_delays_its_pushes_and_nothing_else() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let plan = story.release().clone();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at.plus(Span::mins(-5)));
    engine.settle().await.unwrap();
    let told = story.letters().len();
    let (here, away) = (story.town.project.public().to_owned(), story.town.world().join("away"));
    fs::rename(&here, &away).unwrap();
    story.at_t0(&mut engine).await;
    let waits = [1, 2, 5, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60];
    story.pass(&mut engine, &waits.map(Span::secs)).await;
    let passed = story.hand_since_t0();
    assert!(passed > Span::mins(13) && passed < Span::mins(15), "{passed:?}");
    assert_eq!(story.letters().len(), told, "announcements wait for the gates");
    assert!(story.rang("step-keeps-failing"), "{:?}", story.bells());
    assert_eq!(story.town.uploads.files().unwrap().len(), 4, "uploads do not wait for pushes");
    story.hand.advance_to(story.t0.at.plus(Span::mins(15)));
    engine.settle().await.unwrap();
    assert_eq!(story.letters().len(), told + 2, "the embargo is over for everybody");
    assert_eq!(
        (story.stage().await, story.state(&plan).await),
        (Stage::Public, PlanState::Running)
    );
    let acts = story.town.script("git").unwrap().acts();
    assert!(acts < 4 * 25, "{acts} tries in a quarter of an hour");
    fs::rename(&away, &here).unwrap();
    story.pass(&mut engine, &[Span::secs(60), Span::secs(60)]).await;
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    assert!(ref_writes(&story.town).values().all(|n| *n == 1));
    assert_eq!(ref_writes(&story.town).len(), 4);
    assert_eq!(story.letters().len(), told + 2);
    story.is_recorded().await;
}

#[tokio::test]
async fn a_moved_branch_waits_or_is_left_aside_as_approved() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let file = story.town.dir().join("daybreak.toml");
    let config = fs::read_to_string(&file).unwrap();
    let old = "last_release_tag = \"1.4.2\"";
    assert!(config.contains(old));
    fs::write(&file, config.replace(old, &format!("{old}, on_move = \"leave\""))).unwrap();
    story.town.reopen().unwrap();
    let story = story.told().await;
    let plan = story.release().clone();
    let mut engine = story.engine().await;
    let main = story.town.project.move_branch("main").await.unwrap();
    let old = story.town.project.move_branch("1.x").await.unwrap();
    story.at_t0(&mut engine).await;
    let hold = story.step(&plan, push_of("refs/heads/main"));
    assert_eq!(story.word(&plan, hold.id).await, "blocked branch-moved");
    let refs = story.town.project.refs().await.unwrap();
    assert!(refs.contains(&format!("{main} refs/heads/main")), "a moved branch was overwritten");
    assert!(refs.contains(&format!("{old} refs/heads/1.x")), "a moved branch was overwritten");
    assert!(refs.contains("refs/heads/security/1.x") && !refs.contains("security/main"));
    assert!(refs.contains("refs/tags/1.4.3") && refs.contains("refs/tags/2.0.1"));
    assert!(story.rang("step-blocked") && story.rang("branch-left-aside"), "{:?}", story.bells());
    story.pass(&mut engine, &[Span::mins(15)]).await;
    assert_eq!(story.stage().await, Stage::Public);

    // A person merges by hand and says so.
    let house = &story.town.house;
    let evidence = "https://git.example/merge/1";
    controls::done(house, Actor::Operator, "Ada", &plan, hold.id, " ").await.unwrap_err();
    controls::done(house, Actor::Operator, "Ada", &plan, hold.id, evidence).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    story.is_recorded().await;
}

#[tokio::test]
async fn what_is_taken_is_never_forced_and_a_person_steers() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let plan = story.release().clone();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at.plus(Span::mins(-5)));
    engine.settle().await.unwrap();
    let project = &story.town.project;
    let theirs = project.ask(&["rev-parse", "refs/tags/2.0.0"]).await.unwrap();
    project.ask(&["update-ref", "refs/tags/2.0.1", &theirs]).await.unwrap();
    let taken = story.town.world().join("index/meadow-1.4.3.tar.gz");
    fs::write(&taken, "another file").unwrap();
    story.at_t0(&mut engine).await;
    let tag = story.step(&plan, push_of("refs/tags/2.0.1")).id;
    let upload = story.step(&plan, upload_of("1.4.3")).id;
    assert_eq!(story.word(&plan, tag).await, "blocked conflict");
    assert_eq!(story.word(&plan, upload).await, "blocked conflict");
    let others = story.words(&plan).await.values().filter(|w| *w == "done").count();
    assert_eq!(others, 4, "two branches, the other tag, the other upload");
    story.pass(&mut engine, &[Span::mins(15), Span::hours(1)]).await;
    assert_eq!(story.stage().await, Stage::Public, "what was approved to be said is said");
    assert_eq!(project.ask(&["rev-parse", "refs/tags/2.0.1"]).await.unwrap(), theirs);
    assert_eq!(fs::read_to_string(&taken).unwrap(), "another file");
    let bells = story.bells().iter().filter(|b| *b == "step-blocked").count();
    assert!(bells >= 2, "{bells}");

    let house = &story.town.house;
    controls::skip(house, Actor::Operator, "Ada", &plan, tag, "2.0.2 will be tagged")
        .await
        .unwrap();
    // Too early: the place is still taken.
    controls::retry(house, Actor::Operator, "Ada", &plan, upload, "try").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.word(&plan, upload).await, "blocked conflict");
    fs::remove_file(&taken).unwrap();
    controls::retry(house, Actor::Operator, "Ada", &plan, upload, "removed it").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.word(&plan, tag).await, "skipped");
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    let again = controls::retry(house, Actor::Operator, "Ada", &plan, upload, "once more").await;
    again.unwrap_err();
    assert_eq!(WorldView::of(&story.town).await.files.len(), 4);
    let lines = daybreak::casework::audits::timeline(house, &story.disclosure).await.unwrap();
    let said = |text: &str| lines.iter().any(|l| l.detail.contains(text));
    assert!(said("Ada: 2.0.2 will be tagged") && said("Ada: removed it"));
}
