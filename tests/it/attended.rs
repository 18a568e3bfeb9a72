//! A day with people at its side: a phase that waits for a word waits, and goes on without one;
//! whoever sits at a terminal may leave, or be killed, and the day ends all the same.

use std::process::Stdio;
use std::sync::Arc;

use daybreak::casework::pauses::{self, Asker, PHASES};
use daybreak::casework::{CaseError, controls};
use daybreak::clock::{SystemClock, within};
use daybreak::domain::deed::Actor;
use daybreak::domain::ids::HolderId;
use daybreak::domain::plan::{Phase, Plan, PlanKind, PlanState};
use daybreak::domain::run::GoRow;
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::town::{Options, Town, story};
use rstest::rstest;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;

use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

const ADA: Asker<'_> = Asker { actor: Actor::Operator, by: "Ada" };
const BELL: &str = "paused-between-phases";

/// A terminal asks to be asked before every phase.
async fn sit_down(story: &Story) -> HolderId {
    let house = &story.town.house;
    let session = house.fresh(HolderId::new);
    let got = pauses::attend(house, ADA, story.release(), session, &PHASES).await.unwrap();
    assert_eq!(got, [Phase::Gate, Phase::Announce], "this day has no third phase");
    session
}

async fn go_of(story: &Story) -> Option<GoRow> {
    story.standing(story.release()).await.facts.go
}

async fn is_over(story: &Story) -> bool {
    story.state(story.release()).await == PlanState::Finished
}

#[rstest]
#[tokio::test]
async fn a_paused_phase_waits_for_a_word_and_then_goes(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(true, false)] somebody_answers: bool,
) {
    let Some(mut story) = Story::at(db, Point::Told).await else { return };
    let plan = story.release().clone();
    let five = Some(Span::mins(5));
    let before = WorldView::of(&story.town).await;
    pauses::place(&story.town.house, ADA, &plan, Phase::Announce, five, "see the tags")
        .await
        .unwrap();
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    let gated = WorldView::of(&story.town).await;
    assert_ne!(gated.refs, before.refs, "the gate was not asked about");
    assert!(gated.published.is_empty() && gated.posts == 0, "nobody said go: {gated:?}");
    assert!(story.rang(BELL), "{:?}", story.bells());
    story.pass(&mut engine, &[Span::mins(4)]).await;
    // An engine that comes back obeys the same row, and begins no wait anew.
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    assert!(WorldView::of(&story.town).await.published.is_empty());
    if somebody_answers {
        let went = pauses::go_on(&story.town.house, ADA, &plan, None, "they are right").await;
        assert_eq!(went.unwrap(), Phase::Announce);
        engine.settle().await.unwrap();
    } else {
        story.pass(&mut engine, &[Span::secs(61)]).await;
    }
    assert!(is_over(&story).await);
    assert_eq!(WorldView::of(&story.town).await.published.len(), 1);
    story.is_recorded().await;
    engine.end().await.unwrap();
}

#[tokio::test]
async fn an_early_word_brings_no_go_before_t0() {
    let Some(story) = Story::at(Db::Sqlite, Point::Told).await else { return };
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at.plus(Span::secs(-30)));
    let session = sit_down(&story).await;
    let (house, plan) = (&story.town.house, story.release());
    pauses::go_on(house, ADA, plan, Some(Phase::Gate), "yes").await.unwrap();
    engine.settle().await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::millis(-1)));
    pauses::renew(house, ADA, plan, session).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(go_of(&story).await, None);
    story.at_t0(&mut engine).await;
    assert_eq!(go_of(&story).await, Some(GoRow::Go(story.t0.at)));
    assert!(!is_over(&story).await, "nobody was asked about the announcements yet");
    pauses::go_on(house, ADA, plan, None, "yes").await.unwrap();
    engine.settle().await.unwrap();
    assert!(is_over(&story).await);
    assert!(!story.rang(BELL), "whoever was asked sat there");
    engine.end().await.unwrap();
}

/// It is killed while it keeps GO back, while it keeps the announcements back, or long before.
#[rstest]
#[case::long_before(Span::hours(-1), None, Span::ZERO)]
#[case::before_go(Span::secs(-10), None, Span::secs(35))]
#[case::before_the_announcements(Span::secs(-1), Some(Span::secs(1)), Span::secs(46))]
#[tokio::test]
async fn a_killed_terminal_stops_no_day(
    #[case] sits: Span,
    #[case] renews: Option<Span>,
    #[case] ends: Span,
) {
    let Some(story) = Story::at(Db::Sqlite, Point::Told).await else { return };
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.at.plus(sits));
    let session = sit_down(&story).await;
    engine.settle().await.unwrap();
    story.at_t0(&mut engine).await;
    let (house, plan) = (&story.town.house, story.release());
    if let Some(after) = renews {
        pauses::go_on(house, ADA, plan, Some(Phase::Gate), "yes").await.unwrap();
        story.pass(&mut engine, &[after]).await;
        pauses::renew(house, ADA, plan, session).await.unwrap();
        engine.settle().await.unwrap();
    }
    // Nothing is heard of it any more.
    while !is_over(&story).await {
        assert!(story.hand_since_t0() <= Span::secs(60), "the day waits for nobody");
        story.pass(&mut engine, &[Span::secs(1)]).await;
    }
    assert_eq!(story.hand_since_t0(), ends);
    engine.end().await.unwrap();
}

#[tokio::test]
async fn nobody_can_ask_for_what_cannot_be() {
    let Some(story) = Story::at(Db::Sqlite, Point::Told).await else { return };
    let (house, plan) = (&story.town.house, story.release());
    let ask = |plan: Plan, phase, holds| async move {
        pauses::place(house, ADA, &plan, phase, Some(holds), "wait").await
    };
    let too_long = ask(plan.clone(), Phase::Gate, Span::mins(11)).await;
    assert!(matches!(too_long, Err(CaseError::Invalid { .. })), "{too_long:?}");
    for (plan, phase) in [(plan, Phase::Prepare), (&story.notice, Phase::Gate)] {
        let refused = ask(plan.clone(), phase, Span::mins(1)).await;
        assert!(matches!(refused, Err(CaseError::NotNow { .. })), "{refused:?}");
    }
    let nothing = pauses::go_on(house, ADA, plan, None, "go").await;
    assert!(matches!(nothing, Err(CaseError::NotNow { .. })), "{nothing:?}");
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    let over = ask(plan.clone(), Phase::Announce, Span::mins(1)).await;
    assert!(matches!(over, Err(CaseError::NotNow { .. })), "{over:?}");
    engine.end().await.unwrap();
}

/// A town on the machine's own clock whose release is approved, half an hour before T0.
async fn live_town() -> (Town, Plan) {
    let options = Options { distributors: 1, ..Options::live(7) };
    let town = Town::build(options).await.unwrap();
    let prepared = story::prepare(&town, Span::mins(30)).await.unwrap();
    // Distributors hear as soon as an engine runs.
    story::approved_plan(&town, &prepared.disclosure, PlanKind::Notice).await.unwrap();
    let release = story::approved_plan(&town, &prepared.disclosure, PlanKind::Release).await;
    (town, release.unwrap())
}

/// The real program at a terminal that is none.
struct Terminal {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    clock: SystemClock,
}

impl Terminal {
    #[expect(clippy::disallowed_methods, reason = "a person starts it")]
    fn sit_down(town: &Town) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_daybreak"))
            .arg("--dir")
            .arg(town.dir())
            .args(["--json", "--as", "Ada Ngo"])
            .args(["disclosure", "run", story::PUBLIC_ID, "--attended"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, clock: SystemClock::new() }
    }

    async fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// Everything until the event of that name, with it.
    async fn until(&mut self, event: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let line = within(&self.clock, Span::mins(2), self.lines.next_line()).await;
            let line = line.unwrap_or_else(|| panic!("no `{event}` after {all:?}"));
            let Some(line) = line.unwrap() else { panic!("it ended after {all:?}") };
            let value: Value = serde_json::from_str(&line).unwrap();
            let found = value["event"] == event;
            all.push(value);
            if found {
                return all;
            }
        }
    }
}

#[rstest]
#[case::it_is_the_engine_itself(false)]
#[case::beside_the_engine(true)]
#[tokio::test]
async fn the_program_shows_a_day_and_asks(#[case] served: bool) {
    let (town, plan) = live_town().await;
    let (stop, stopped) = watch::channel(false);
    let engine = match served {
        false => None,
        true => {
            let engine = Engine::start(Arc::clone(&town.house)).await.unwrap();
            Some(tokio::spawn(engine.run(stopped)))
        }
    };
    let (phase, most) = (Phase::Announce, Some(Span::mins(10)));
    pauses::place(&town.house, ADA, &plan, phase, most, "see the tags").await.unwrap();

    let mut ada = Terminal::sit_down(&town);
    let begun = ada.until("asks").await;
    assert_eq!(begun[0]["event"], "plan");
    assert_eq!(begun.last().unwrap()["before"], "gate");
    ada.say("go\n").await;
    ada.until("word").await;
    let id = plan.id;
    let decided = town.house.store.read(move |r| r.decided(id)).await.unwrap();
    assert!(decided.is_none(), "GO before T0");
    let leads = if served { "leads-elsewhere" } else { "leads-here" };
    // It may have been said before the question.
    if !begun.iter().any(|e| e["event"] == leads) {
        ada.until(leads).await;
    }

    // It leaked: a member starts it early, and the day happens before our eyes.
    let member = town.house.store.read(|r| r.members()).await.unwrap()[0].id;
    let dis = plan.disclosure;
    let disclosure = town.house.store.read(move |r| r.disclosure(dis)).await.unwrap();
    controls::publish_now(&town.house, member, &disclosure, "it leaked").await.unwrap();
    let gate = ada.until("asks").await;
    assert!(gate.iter().any(|e| e["event"] == "go"));
    for happened in ["looked", "intended", "acted"] {
        assert!(
            gate.iter().any(|e| e["happened"] == happened && e["phase"] == "gate"),
            "{happened}"
        );
    }
    assert_eq!(gate.last().unwrap()["before"], "announce");
    assert!(WorldView::of(&town).await.published.is_empty());
    ada.say("perhaps\ngo\n").await;
    let rest = ada.until("end").await;
    assert!(rest.iter().any(|e| e["event"] == "help"), "`perhaps` is no yes");
    assert_eq!(rest.last().unwrap()["state"], "finished");
    assert!(ada.child.wait().await.unwrap().success());
    assert_eq!(WorldView::of(&town).await.published.len(), 1);
    stop.send_replace(true);
    if let Some(engine) = engine {
        engine.await.unwrap().unwrap();
    }
}

/// Nobody is there to answer any more: what waits goes on, and the day comes to its end.
#[tokio::test]
async fn a_terminal_that_hangs_up_stops_no_day() {
    let (town, plan) = live_town().await;
    let mut ada = Terminal::sit_down(&town);
    ada.until("asks").await;
    drop(ada.child.stdin.take());
    ada.until("leaves").await;
    assert_eq!(pauses::of(&town.house, &plan).await.unwrap(), []);
    let member = town.house.store.read(|r| r.members()).await.unwrap()[0].id;
    let dis = plan.disclosure;
    let disclosure = town.house.store.read(move |r| r.disclosure(dis)).await.unwrap();
    controls::publish_now(&town.house, member, &disclosure, "it leaked").await.unwrap();
    let rest = ada.until("end").await;
    assert!(!rest.iter().any(|e| e["event"] == "asks"), "{rest:?}");
    assert!(ada.child.wait().await.unwrap().success());
}

/// What `plan pause` wrote is shown to whoever looks, until somebody lets it go.
#[tokio::test]
async fn a_pause_is_shown_to_everybody() {
    let Some(story) = Story::at(Db::Sqlite, Point::Told).await else { return };
    let dir = story.town.dir();
    let plan = format!("{}/{}", story::PUBLIC_ID, story.release().number);
    let run = |args: &[&str]| {
        let mut daybreak = assert_cmd::Command::new(env!("CARGO_BIN_EXE_daybreak"));
        let done = daybreak.arg("--dir").arg(&dir).args(["--as", "Ada Ngo"]).args(args);
        let done = done.assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    };
    let pause = ["plan", "pause", &plan, "--before", "announce"];
    run(&[&pause[..], &["--for", "90s", "--reason", "see the tags"]].concat());
    let shown = run(&["plan", "show", &plan]);
    for word in ["before announce", "at most 90 s", "Ada Ngo: see the tags"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
    let json: Value = serde_json::from_str(&run(&["--json", "plan", "show", &plan])).unwrap();
    assert_eq!(json["pauses"][0]["before"], "announce");
    assert_eq!(json["pauses"][0]["at_most_seconds"], 90);
    assert_eq!(json["pauses"][0]["waits_until"], Value::Null);
    run(&["plan", "go-on", &plan]);
    let json: Value = serde_json::from_str(&run(&["--json", "plan", "show", &plan])).unwrap();
    assert_eq!(json["pauses"], Value::Array(vec![]));
}

/// Long before T0 it ends without a trace but the record.
#[tokio::test]
async fn whoever_leaves_keeps_nothing_waiting() {
    let (town, plan) = live_town().await;
    let mut ada = Terminal::sit_down(&town);
    ada.until("asks").await;
    let asked = pauses::of(&town.house, &plan).await.unwrap();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|p| p.until > Some(At::from_secs(0)) && p.session.is_some()));
    ada.say("quit\n").await;
    ada.until("left").await;
    assert_eq!(ada.child.wait().await.unwrap().code(), Some(5));
    assert_eq!(pauses::of(&town.house, &plan).await.unwrap(), []);
    // Its engine gave the lead back.
    let engine = Engine::start(Arc::clone(&town.house)).await.unwrap();
    engine.end().await.unwrap();
    assert!(town.clock.wall() < plan.t0);
}
