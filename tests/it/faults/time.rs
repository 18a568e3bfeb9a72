//! Late starts and clocks that jump.

use daybreak::casework::controls;
use daybreak::clock::Clock as _;
use daybreak::clock::{SystemClock, within};
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::PlanState;
use daybreak::domain::receipt::OutletError;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::town::faults::Fault;

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

/// An engine that starts so late, after its first look around.
async fn late(by: Span) -> (Story, daybreak::engine::Engine, WorldView) {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let before = WorldView::of(&story.town).await;
    story.hand.advance_to(story.t0.at.plus(by));
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    (story, engine, before)
}

#[tokio::test]
async fn ten_minutes_late_it_looks_and_goes() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::mins(10)));
    let mut engine = story.engine().await;
    engine.turn().await.unwrap();
    assert_eq!(story.stage().await, Stage::Embargoed, "GO before the looks came back");
    engine.settle().await.unwrap();
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    assert!(!story.rang("late-go-in-ten-minutes"));
    assert!(story.town.script("git").unwrap().looks() >= 4);
}

#[tokio::test]
async fn three_hours_late_people_have_ten_minutes() {
    let (story, mut engine, before) = late(Span::hours(3)).await;
    assert!(story.rang("late-go-in-ten-minutes"));
    story.pass(&mut engine, &[Span::mins(9), Span::secs(59)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    story.pass(&mut engine, &[Span::secs(1)]).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);

    let (story, mut engine, before) = late(Span::hours(3)).await;
    let house = &story.town.house;
    controls::abort(house, Actor::Operator, story.release(), "it was done by hand").await.unwrap();
    story.pass(&mut engine, &[Span::mins(10), Span::mins(10)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
}

#[tokio::test]
async fn seven_hours_late_a_person_decides() {
    let (story, mut engine, before) = late(Span::hours(7)).await;
    assert!(story.rang("too-late-for-go"));
    story.pass(&mut engine, &[Span::mins(11), Span::hours(20)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    let (house, member) = (&story.town.house, story.member().await);
    controls::publish_now(house, member, &story.disclosure, "better late").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}

/// A step whose outlet was taken out of the configuration is in trouble alone.
#[tokio::test]
async fn a_place_that_misses_its_outlet_does_not_spin_when_late() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let file = story.town.dir().join("daybreak.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("[command.index]", "[command.other]")).unwrap();
    let mut story = story;
    story.town.reopen().unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::mins(10)));
    let mut engine = story.engine().await;
    let machine = SystemClock::new();
    within(&machine, Span::secs(60), engine.settle()).await.expect("it spins").unwrap();
    let events = story.standing(story.release()).await.events.len();
    assert!(events < 100, "{events} events");
    story.pass(&mut engine, &[Span::mins(15)]).await;
    let words = story.words(story.release()).await;
    assert_eq!(words.values().filter(|w| *w == "blocked outlet-missing").count(), 2);
    assert_eq!(words.values().filter(|w| *w == "done").count(), 7, "{words:?}");
}

#[tokio::test]
async fn a_clock_that_jumps_over_t0_writes_no_go_until_it_is_steady() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let before = WorldView::of(&story.town).await;
    story.hand.set_wall(story.t0.at.plus(Span::secs(2)));
    engine.settle().await.unwrap();
    assert!(story.rang("clock-jumped"), "{:?}", story.bells());
    story.pass(&mut engine, &[Span::secs(30), Span::secs(29)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    story.pass(&mut engine, &[Span::secs(1)]).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}

/// A clock set wrong for a moment and put right again costs a minute, not the day.
#[tokio::test]
async fn a_clock_put_right_again_is_trusted_at_t0() {
    for restart in [false, true] {
        let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
        let mut engine = story.engine().await;
        engine.settle().await.unwrap();
        let (before, right) = (WorldView::of(&story.town).await, story.hand.wall());
        story.hand.set_wall(story.t0.at.plus(Span::days(1)));
        engine.settle().await.unwrap();
        story.pass(&mut engine, &[Span::secs(20)]).await;
        story.hand.set_wall(right.plus(Span::secs(20)));
        engine.settle().await.unwrap();
        story.pass(&mut engine, &[Span::secs(59), Span::secs(2)]).await;
        if restart {
            engine = story.after_crash(engine).await;
        }
        assert_eq!(WorldView::of(&story.town).await, before);
        story.at_t0(&mut engine).await;
        assert_eq!(story.state(story.release()).await, PlanState::Finished, "{restart}");
    }
}

#[tokio::test]
async fn a_clock_set_back_after_a_restart_is_not_believed() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::secs(-2)));
    engine.settle().await.unwrap();
    story.hand.set_wall(story.t0.at.plus(Span::hours(-1)));
    let before = WorldView::of(&story.town).await;
    let mut engine = story.after_crash(engine).await;
    let house = &story.town.house;
    let member = story.member().await;
    controls::publish_now(house, member, &story.disclosure, "leaked").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(WorldView::of(&story.town).await, before, "GO by a clock that runs behind");
}

/// GO is said once: a clock set back right after it must not leave the day half done.
#[tokio::test]
async fn a_clock_set_back_after_go_stops_nothing() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    engine.halt_after(5);
    story.hand.advance_to(story.t0.at);
    let _died = engine.settle().await;
    assert_ne!(story.state(story.release()).await, PlanState::Finished);
    story.hand.set_wall(story.t0.at.plus(Span::hours(-1)));
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::mins(2), Span::mins(2)]).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}

/// An upload that fails over and over while the clock is set back by an hour: it is tried again
/// as soon as ever, and the announcements go anyway when they were to.
#[tokio::test]
async fn a_clock_set_back_after_go_lengthens_no_wait() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let told = story.letters().len();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let away = || Fault::Fail(OutletError::later("unreachable", ""));
    story.town.script("command:index").unwrap().then(&away(), 1000);
    story.at_t0(&mut engine).await;
    let acts = || story.town.script("command:index").unwrap().acts();
    let tried = acts();
    story.hand.set_wall(story.t0.at.plus(Span::hours(-1)));
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(1), Span::secs(2), Span::secs(5)]).await;
    assert!(acts() >= tried + 6, "two uploads, tried thrice more each: {}", acts() - tried);
    story.pass(&mut engine, &[Span::mins(1); 14]).await;
    assert_eq!(story.letters().len(), told, "gates are not done, and it is not time");
    story.pass(&mut engine, &[Span::mins(1)]).await;
    assert_eq!(story.letters().len(), told + 2, "both lists hear");
    let most = acts();
    story.pass(&mut engine, &[Span::millis(100); 20]).await;
    assert!(acts() <= most + 2, "it does not hurry either: {}", acts() - most);
}
