//! People are called until one of them answers: what must be decided before T0, or keeps a day
//! half-way, is said again after 5, 10 and 20 minutes, in whatever ways the team wished for.

use daybreak::casework::{calls, controls, identity, rehearsals};
use daybreak::clock::witness::Testimony;
use daybreak::domain::deed::Actor;
use daybreak::domain::escalation::{Call, State};
use daybreak::domain::quarantine::Doubt;
use daybreak::domain::receipt::OutletError;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::faults::Fault;

use rstest::rstest;

use crate::ground::Db;
use crate::story::{Point, Story};

mod heartbeat;
mod ways;

impl Story {
    /// Minutes since T0 at which a bell of that reason was rung while `minutes` pass.
    async fn rung(&self, engine: &mut Engine, code: &str, minutes: i64) -> Vec<i64> {
        let mut rung = Vec::new();
        for _ in 0..minutes {
            let before = self.rings(code);
            self.pass(engine, &[Span::mins(1)]).await;
            if self.rings(code) > before {
                rung.push(self.hand_since_t0().as_secs() / 60);
            }
        }
        rung
    }

    async fn calls(&self) -> Vec<Call> {
        calls::recent(&self.town.house).await.unwrap()
    }

    async fn state_of(&self, code: &str) -> Vec<State> {
        self.calls().await.iter().filter(|c| c.said.code == code).map(|c| c.state).collect()
    }
}

async fn held_at_t0(db: Db) -> Option<(Story, Engine)> {
    let story = Story::at(db, Point::Told).await?;
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.hold(story.release()).await;
    story.at_t0(&mut engine).await;
    assert_eq!(story.rings("held-at-t0"), 1, "{:?}", story.bells());
    Some((story, engine))
}

#[rstest]
#[case(Db::Sqlite)]
#[case(Db::Postgres)]
#[tokio::test]
async fn a_call_that_nobody_answers_is_said_four_times(#[case] db: Db) {
    let Some((story, mut engine)) = held_at_t0(db).await else { return };
    assert_eq!(story.rung(&mut engine, "held-at-t0", 45).await, [5, 10, 20]);
    assert_eq!(story.state_of("held-at-t0").await, [State::Open]);
    story.is_recorded().await;
}

#[tokio::test]
async fn whoever_takes_it_on_or_steers_the_plan_is_not_called_again() {
    let (story, mut engine) = held_at_t0(Db::Sqlite).await.unwrap();
    assert_eq!(story.rung(&mut engine, "held-at-t0", 6).await, [5]);
    let member = Actor::Member(story.member().await);
    assert!(calls::ack(&story.town.house, member, "too-late-for-go").await.is_err());
    let call = story.calls().await[0].said.call.to_uppercase().replace('-', "");
    assert_eq!(calls::ack(&story.town.house, member, &call).await.unwrap().len(), 1);
    assert_eq!(story.rung(&mut engine, "held-at-t0", 25).await, [] as [i64; 0]);
    assert_eq!(story.state_of("held-at-t0").await, [State::Answered]);

    // Another: the plan is steered, without a word about the call.
    let (story, mut engine) = held_at_t0(Db::Sqlite).await.unwrap();
    let member = Actor::Member(story.member().await);
    // A rehearsal changes nothing, and so it answers nobody.
    rehearsals::record(&story.town.house, member, story.release(), Vec::new()).await.unwrap();
    assert_eq!(story.rung(&mut engine, "held-at-t0", 6).await, [5]);
    controls::hold(&story.town.house, member, story.release(), "not yet").await.unwrap();
    assert_eq!(story.rung(&mut engine, "held-at-t0", 25).await, [] as [i64; 0]);
}

#[rstest]
#[case(Db::Sqlite)]
#[case(Db::Postgres)]
#[tokio::test]
async fn a_restart_forgets_no_call_and_repeats_none(#[case] db: Db) {
    let Some((mut story, mut engine)) = held_at_t0(db).await else { return };
    let mut rung = vec![0];
    // It dies every three minutes.
    for _ in 0..10 {
        rung.extend(story.rung(&mut engine, "held-at-t0", 3).await);
        engine = story.after_crash(engine).await;
        let before = story.rings("held-at-t0");
        engine.settle().await.unwrap();
        assert_eq!(story.rings("held-at-t0"), before, "a restart rang at {rung:?}");
    }
    // Another machine may take a lead that was not given back after half a minute only.
    let near = |expected: i64, got: &i64| (expected..=expected + 3).contains(got);
    assert_eq!(rung.len(), 4, "{rung:?}");
    assert!([0, 5, 10, 20].into_iter().zip(&rung).all(|(e, got)| near(e, got)), "{rung:?}");

    // What a person answered stays answered.
    let member = Actor::Member(story.member().await);
    calls::ack(&story.town.house, member, "held-at-t0").await.unwrap();
    engine = story.after_crash(engine).await;
    assert_eq!(story.rung(&mut engine, "held-at-t0", 5).await, [] as [i64; 0]);
}

/// The half-way day: GO is written, and one step cannot go on without a person.
#[tokio::test]
async fn a_day_that_stands_half_way_is_said_until_somebody_comes() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    // Contacts without a certificate are blocked in the notice's plan: that can wait.
    let before = story.rings("step-blocked");
    let blocked = OutletError::ask_human("refused", "");
    story.town.script("command:index").unwrap().then(&Fault::Fail(blocked), 1);
    story.at_t0(&mut engine).await;
    assert_eq!(story.rings("step-blocked"), before + 1, "{:?}", story.bells());
    assert_eq!(story.rung(&mut engine, "step-blocked", 7).await, [5]);
    let call = story.calls().await.pop().unwrap();
    let step = call.said.step.unwrap();
    let (house, actor) = (&story.town.house, Actor::Operator);
    controls::retry(house, actor, "ada", story.release(), step, "mended").await.unwrap();
    assert_eq!(story.rung(&mut engine, "step-blocked", 20).await, [] as [i64; 0]);
    let state = story.calls().await.into_iter().find(|c| c.said.call == call.said.call);
    assert_eq!(state.unwrap().state, State::Over, "that it is over is written down");
}

/// What must not be lost in the night must not become noise: what waits can wait.
#[tokio::test]
async fn what_can_wait_is_said_once() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let before = story.bells();
    assert!(!before.is_empty(), "contacts without a certificate are blocked");
    story.pass(&mut engine, &[Span::mins(10); 6]).await;
    for code in &story.bells()[before.len()..] {
        assert!(story.rings(code) == 1, "{code} again: {:?}", story.bells());
    }
    assert_eq!(story.calls().await, []);
}

/// A clock that was said to be wrong a day ago keeps GO back: that is said at T0 too.
#[tokio::test]
async fn a_go_that_is_barred_is_said_at_its_hour() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let file = story.town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("require_sync = false", "require_sync = true")).unwrap();
    story.town.reopen().unwrap();
    story.town.voices.kernel.says(Testimony::Unsynchronised);
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::mins(30)]).await;
    assert_eq!(story.rings("clock-unsynchronised"), 1, "{:?}", story.bells());
    assert_eq!(story.rings("go-barred-at-t0"), 0);
    story.at_t0(&mut engine).await;
    assert_eq!(story.rings("go-barred-at-t0"), 1, "{:?}", story.bells());
    assert_eq!(story.rung(&mut engine, "go-barred-at-t0", 11).await, [5, 10]);
    assert_eq!(story.rings("clock-unsynchronised"), 1);
    // Mended, the day begins, and nothing is said any more.
    let right = Testimony::Synchronised { within: Span::millis(5) };
    story.town.voices.kernel.says(right);
    assert_eq!(story.rung(&mut engine, "go-barred-at-t0", 15).await, [] as [i64; 0]);
    assert_eq!(story.state_of("go-barred-at-t0").await, [State::Over]);
}

#[tokio::test]
async fn a_quarantine_at_t0_is_said_of_the_plan() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    identity::quarantine(&story.town.house, Actor::Operator, Doubt::Restored).await.unwrap();
    story.pass(&mut engine, &[Span::mins(61)]).await;
    assert_eq!(story.rings("quarantine-restored"), 1, "{:?}", story.bells());
    assert_eq!(story.rings("not-armed-an-hour-ahead"), 1, "nothing is armed in a quarantine");
    story.at_t0(&mut engine).await;
    assert_eq!(story.rings("go-barred-at-t0"), 1, "{:?}", story.bells());
    assert_eq!(story.rings("not-armed-at-t0"), 0, "one bell for one thing");
    assert_eq!(story.rung(&mut engine, "go-barred-at-t0", 6).await, [5]);
}

#[tokio::test]
async fn a_day_caught_by_a_quarantine_is_said() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let away = OutletError::later("away", "");
    story.town.script("command:index").unwrap().then(&Fault::Fail(away), 50);
    story.at_t0(&mut engine).await;
    identity::quarantine(&story.town.house, Actor::Operator, Doubt::Restored).await.unwrap();
    story.pass(&mut engine, &[Span::mins(1)]).await;
    assert_eq!(story.rings("day-in-quarantine"), 1, "{:?}", story.bells());
    assert_eq!(story.rung(&mut engine, "day-in-quarantine", 6).await, [6]);
}

/// A disclosure without advance notice: nobody outside counts on the day, and still somebody must
/// hear that nothing is armed for it.
#[tokio::test]
async fn a_draft_whose_day_comes_unarmed_is_said_and_does_not_shout() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    controls::abort(&story.town.house, Actor::Operator, &story.notice, "no").await.unwrap();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at.plus(Span::hours(-25)));
    engine.settle().await.unwrap();
    assert!(!story.bells().iter().any(|b| b.starts_with("not-armed")), "{:?}", story.bells());
    story.pass(&mut engine, &[Span::hours(2)]).await;
    assert_eq!(story.rings("not-armed-a-day-ahead"), 1, "{:?}", story.bells());
    story.at_t0(&mut engine).await;
    assert_eq!(story.rings("not-armed-at-t0"), 1, "{:?}", story.bells());
    assert_eq!(story.rung(&mut engine, "not-armed-at-t0", 25).await, [] as [i64; 0]);
    // Long past, it is not dug up at every start.
    story.pass(&mut engine, &[Span::hours(25)]).await;
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    assert_eq!(story.rings("not-armed-at-t0"), 1);
}
