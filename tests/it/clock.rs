//! Clocks that lie. Each case says what happens to the clock of a house that is armed two hours
//! before T0, and what becomes of GO by the true time, which only the case knows.
//!
//! GO comes within a second after true T0, or not at all, and the team hears why. The cases
//! that end otherwise are those in which no witness could know: a lone wall clock, without a
//! time server's word and without a database server, that was set and has stood still since.

use daybreak::casework::controls;
use daybreak::clock::Clock as _;
use daybreak::clock::witness::Testimony;
use daybreak::domain::plan::PlanState;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::store::Decided;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{Point, Story};

/// What happens.
#[derive(Debug, Clone, Copy)]
enum Do {
    /// True time passes, and the machine with it, until so many seconds after T0.
    Until(i64),
    /// Somebody sets the wall clock by so many seconds.
    Set(i64),
    /// A time server's client puts the wall clock right, and says so.
    Ntp,
    /// The machine sleeps for so many seconds.
    Sleep(i64),
    /// The kernel hears nothing of a time server any more.
    NtpDies,
    /// The database server's clock is so many milliseconds ahead of the truth.
    Server(i64),
    /// The database server's clock is asked no more.
    NoServer,
    /// The machine is off for so many seconds and starts with its clock so many seconds wrong.
    Boot(i64, i64),
    /// A member asks for publication at once.
    PublishNow,
}

/// How it ends, 25 minutes after T0.
#[derive(Debug, Clone, Copy)]
enum End {
    /// GO within a second.
    OnTime,
    /// GO so many seconds past T0 and never before, because that was doubt's price.
    Late(i64),
    /// No GO, and this bell.
    No(&'static str),
    /// No witness could know: GO within a second after this many seconds past T0.
    NobodyKnew(i64),
}

use Do::{Boot, NoServer, Ntp, NtpDies, PublishNow, Server, Set, Sleep, Until};
use End::{Late, No, NobodyKnew, OnTime};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A lone clock: no time server, no database server.
const LONE: &[(&str, &[Do], End)] = &[
    ("nothing happens", &[], OnTime),
    ("set back by two days", &[Until(-HOUR), Set(-2 * DAY)], No("clock-behind")),
    ("set back by an hour, as if for winter", &[Until(-HOUR), Set(-HOUR)], No("clock-behind")),
    ("set back by ten minutes", &[Until(-HOUR), Set(-600)], NobodyKnew(600)),
    ("set back by three seconds", &[Until(-HOUR), Set(-3)], NobodyKnew(3)),
    ("set back by a second and a half less than two", &[Until(-HOUR), Set(-1)], NobodyKnew(1)),
    ("set ahead by a second", &[Until(-HOUR), Set(1)], NobodyKnew(-1)),
    ("set ahead by half an hour", &[Until(-HOUR), Set(1800)], NobodyKnew(-1800)),
    ("set ahead over T0 by a day", &[Until(-HOUR), Set(DAY + HOUR)], No("too-late-for-go")),
    ("set ahead by three days", &[Until(-HOUR), Set(3 * DAY)], No("too-late-for-go")),
    ("set ahead and right again", &[Until(-HOUR), Set(DAY), Until(-3000), Set(-DAY)], OnTime),
    ("set back and right again", &[Until(-HOUR), Set(-DAY), Until(-3000), Set(DAY)], OnTime),
    ("ten minutes ahead for a while", &[Until(-HOUR), Set(600), Until(-700), Set(-600)], OnTime),
    ("set right just before T0", &[Until(-HOUR), Set(-600), Until(-20), Set(600)], Late(40)),
    ("set ahead just before T0", &[Until(-20), Set(30)], Late(40)),
];

/// A time server keeps the clock, as the kernel says.
const KEPT: &[(&str, &[Do], End)] = &[
    ("nothing happens", &[], OnTime),
    ("never synchronised", &[NtpDies], No("clock-unsynchronised")),
    ("set back by two days", &[Until(-HOUR), NtpDies, Set(-2 * DAY)], No("clock-behind")),
    ("set ahead by a minute", &[Until(-HOUR), NtpDies, Set(60)], No("clock-unsynchronised")),
    ("set ahead by an hour", &[Until(-HOUR), NtpDies, Set(HOUR)], No("clock-unsynchronised")),
    ("set ahead by three days", &[Until(-HOUR), NtpDies, Set(3 * DAY)], No("clock-unsynchronised")),
    ("set ahead, then mended", &[Until(-HOUR), NtpDies, Set(HOUR), Until(-300), Ntp], OnTime),
    ("set back, then mended", &[Until(-HOUR), NtpDies, Set(-HOUR), Until(-300), Ntp], OnTime),
    ("mended too late", &[Until(-HOUR), NtpDies, Set(-HOUR), Until(300), Ntp], Late(360)),
    ("the time server dies", &[Until(-1800), NtpDies], No("clock-unsynchronised")),
    ("it dies and comes back", &[Until(-1800), NtpDies, Until(-60), Ntp], OnTime),
    ("it comes back after T0", &[Until(-1800), NtpDies, Until(300), Ntp], Late(300)),
    ("it dies after GO", &[Until(2), NtpDies], OnTime),
    ("dead, and a person starts it", &[NtpDies, Until(120), PublishNow], Late(120)),
    (
        "boots three days ahead, kept by nobody",
        &[NtpDies, Boot(60, 3 * DAY)],
        No("clock-unsynchronised"),
    ),
    (
        "boots two days behind, kept by nobody",
        &[NtpDies, Boot(60, -2 * DAY)],
        No("clock-unsynchronised"),
    ),
    ("boots an hour ahead, then mended", &[NtpDies, Boot(60, HOUR), Until(-600), Ntp], OnTime),
    ("boots at 1970, then mended", &[NtpDies, Boot(60, -1_800_000_000), Until(-600), Ntp], OnTime),
    ("boots with local time, then mended", &[NtpDies, Boot(60, 2 * HOUR), Until(-90), Ntp], OnTime),
    ("boots mended, after T0", &[Boot(2 * HOUR + 600, 0)], Late(600)),
];

/// The database server has a clock of its own; the kernel says nothing.
const SERVED: &[(&str, &[Do], End)] = &[
    ("both agree", &[Server(0)], OnTime),
    ("set back by two days", &[Server(0), Until(-HOUR), Set(-2 * DAY)], No("clock-behind")),
    ("set ahead by three seconds", &[Server(0), Until(-HOUR), Set(3)], No("clock-disagrees")),
    ("set ahead by half an hour", &[Server(0), Until(-HOUR), Set(1800)], No("clock-disagrees")),
    ("set ahead by three days", &[Server(0), Until(-HOUR), Set(3 * DAY)], No("clock-disagrees")),
    ("ahead by two, which is let pass", &[Server(0), Until(-HOUR), Set(2)], NobodyKnew(-2)),
    ("boots half an hour ahead", &[Server(0), Boot(60, 1800)], No("clock-disagrees")),
    ("the server is ahead by three seconds", &[Server(3000)], No("clock-disagrees")),
    ("the server is behind by three seconds", &[Server(-3000)], No("clock-disagrees")),
    ("the server is a day behind", &[Server(-DAY * 1000)], No("clock-disagrees")),
    ("the server is mended", &[Server(5000), Until(-600), Server(0)], OnTime),
    ("the server is asked no more", &[Server(0), Until(-600), NoServer], OnTime),
    ("it disagrees, and a person starts it", &[Server(9000), Until(30), PublishNow], Late(30)),
];

/// The machine sleeps.
const ASLEEP: &[(&str, &[Do], End)] = &[
    ("wakes an hour before T0", &[Sleep(HOUR)], OnTime),
    ("wakes half a minute before T0", &[Until(-HOUR), Sleep(HOUR - 30)], Late(30)),
    ("wakes ten seconds after T0", &[Until(-HOUR), Sleep(HOUR + 10)], Late(70)),
    ("wakes five minutes after T0", &[Until(-HOUR), Sleep(HOUR + 300)], Late(360)),
    ("naps for a second over T0", &[Until(-1), Sleep(2)], Late(1)),
    ("wakes seven hours after T0", &[Until(-HOUR), Sleep(8 * HOUR)], No("too-late-for-go")),
];

struct Case {
    story: Story,
    engine: Option<Engine>,
    /// What the wall is ahead of the truth.
    wrong: Span,
    server: Option<Span>,
    /// When GO should come, in seconds after T0.
    expected: Option<i64>,
    /// When the last thing happened, after T0.
    happened: Option<Span>,
}

impl Case {
    async fn new(heed: bool) -> Self {
        let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
        if heed {
            let file = story.town.dir().join("daybreak.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, text.replace("require_sync = false", "require_sync = true"))
                .unwrap();
            story.town.reopen().unwrap();
            story.town.voices.kernel.says(Testimony::Synchronised { within: Span::millis(5) });
        }
        let engine = Some(story.engine().await);
        Self { story, engine, wrong: Span::ZERO, server: None, expected: None, happened: None }
    }

    fn truth(&self) -> At {
        self.story.hand.wall().plus(Span::millis(-self.wrong.as_millis()))
    }

    fn since_t0(&self) -> Span {
        self.truth().since(self.story.t0.at)
    }

    fn set(&mut self, span: Span) {
        self.wrong = Span::millis(self.wrong.as_millis() + span.as_millis());
        self.story.hand.set_wall(self.story.hand.wall().plus(span));
    }

    async fn gone(&self) -> Option<Decided> {
        let plan = self.story.release().id;
        self.story.town.house.store.read(move |r| r.decided(plan)).await.unwrap()
    }

    /// The engine looks; what it began it may finish, unless GO is there.
    async fn look(&mut self) {
        if let Some(offset) = self.server {
            let shows = Testimony::Shows(self.truth().plus(offset));
            self.story.town.voices.database.says(shows);
        }
        let engine = self.engine.as_mut().unwrap();
        engine.turn().await.unwrap();
        if self.gone().await.is_none() {
            self.engine.as_mut().unwrap().settle().await.unwrap();
        }
    }

    /// Passes true time: by half seconds around T0 and the expected
    /// instant, by seconds after something happened, else faster.
    async fn until(&mut self, after_t0: Span) -> bool {
        while self.since_t0() < after_t0 {
            let now = self.since_t0().as_millis();
            let left = after_t0.as_millis() - now;
            let marks = [0, self.expected.unwrap_or(0) * 1000];
            let near = |mark: &i64| (-1000..1000).contains(&(now - mark));
            let new = self.happened.is_some_and(|at| now < at.as_millis() + 7000);
            let ahead = marks.iter().map(|m| m - 1000 - now).filter(|m| *m > 0).min();
            let step = match marks.iter().any(near) {
                true => 500,
                false if new => 1000,
                false => ahead.unwrap_or(i64::MAX).min(300_000),
            };
            self.story.hand.advance(Span::millis(step.min(left)));
            self.look().await;
            if self.gone().await.is_some() {
                return true;
            }
        }
        false
    }

    async fn happen(&mut self, event: Do) -> bool {
        match event {
            Until(secs) => return self.until(Span::secs(secs)).await,
            Set(secs) => self.set(Span::secs(secs)),
            Ntp => {
                self.set(Span::millis(-self.wrong.as_millis()));
                let said = Testimony::Synchronised { within: Span::millis(5) };
                self.story.town.voices.kernel.says(said);
            }
            NtpDies => self.story.town.voices.kernel.says(Testimony::Unsynchronised),
            // The machine's own steady clock stands still meanwhile.
            Sleep(secs) => self.story.hand.set_wall(self.story.hand.wall().plus(Span::secs(secs))),
            Server(millis) => self.server = Some(Span::millis(millis)),
            NoServer => {
                self.server = None;
                self.story.town.voices.database.says(Testimony::Silent);
            }
            Boot(off, wrong) => {
                drop(self.engine.take());
                self.story.hand.advance(Span::secs(off));
                self.set(Span::secs(wrong));
                self.story.town.reopen().unwrap();
                self.engine = Some(self.story.engine().await);
            }
            PublishNow => {
                let (house, member) = (&self.story.town.house, self.story.member().await);
                let (case, why) = (&self.story.disclosure, "the clock cannot be trusted");
                controls::publish_now(house, member, case, why).await.unwrap();
            }
        }
        self.happened = Some(self.since_t0());
        self.look().await;
        self.gone().await.is_some()
    }

    /// No clock stops what GO has begun.
    async fn ends_with_its_day(&mut self, name: &str) {
        self.engine.as_mut().unwrap().settle().await.unwrap();
        let state = self.story.state(self.story.release()).await;
        assert_eq!(state, PlanState::Finished, "{name}: {:?}", self.story.bells());
    }
}

async fn ends(heed: bool, name: &str, events: &[Do], end: End) {
    let mut case = Case::new(heed).await;
    case.expected = match end {
        Late(secs) | NobodyKnew(secs) => Some(secs),
        OnTime | No(_) => None,
    };
    case.look().await;
    // When GO was written. What happens after it happens all the same.
    let mut gone = None;
    for event in events {
        if case.happen(*event).await {
            gone.get_or_insert(case.since_t0());
        }
    }
    let horizon = case.since_t0().max(Span::ZERO).as_millis() + Span::mins(25).as_millis();
    if gone.is_none() && case.until(Span::millis(horizon)).await {
        gone = Some(case.since_t0());
    }
    let within = |secs: i64, most: i64| {
        let Some(at) = gone else { panic!("{name}: no GO; {:?}", case.story.bells()) };
        let after = at.as_millis() - secs * 1000;
        assert!((0..=most).contains(&after), "{name}: GO {} ms after T0", at.as_millis());
    };
    match end {
        OnTime => within(0, 1000),
        // Witnesses are asked every five seconds.
        Late(secs) => within(secs, 6000),
        NobodyKnew(secs) => within(secs, 1000),
        No(code) => {
            assert_eq!(gone, None, "{name}: GO");
            let heard = case.story.bells();
            let times = heard.iter().filter(|b| *b == code).count();
            // What a person must decide is said again until one answers: tests/it/paging.rs.
            let most = if code == "too-late-for-go" { 4 } else { 1 };
            assert!((1..=most).contains(&times), "{name}: {heard:?}");
        }
    }
    // A whole day is dear: it is lived where the clock is trusted least.
    if gone.is_some() && matches!(events.last(), Some(NtpDies | PublishNow)) {
        case.ends_with_its_day(name).await;
    }
}

async fn all(heed: bool, cases: &[(&str, &[Do], End)], part: usize) {
    for (name, events, end) in cases.iter().skip(part).step_by(3) {
        ends(heed, name, events, *end).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_lone_clock(#[values(0, 1, 2)] part: usize) {
    all(false, LONE, part).await;
}

#[rstest]
#[tokio::test]
async fn a_clock_that_a_time_server_keeps(#[values(0, 1, 2)] part: usize) {
    all(true, KEPT, part).await;
}

#[rstest]
#[tokio::test]
async fn a_clock_beside_a_database_servers(#[values(0, 1, 2)] part: usize) {
    all(false, SERVED, part).await;
}

#[rstest]
#[tokio::test]
async fn a_machine_that_sleeps(#[values(0, 1, 2)] part: usize) {
    all(false, ASLEEP, part).await;
}

#[test]
fn there_are_enough_cases() {
    let all = LONE.len() + KEPT.len() + SERVED.len() + ASLEEP.len() + ZONES.len();
    assert!(all >= 40, "{all}");
}

/// T0 as it is typed, and the instant it is; nothing when it must be typed otherwise.
const ZONES: &[(&str, Option<&str>)] = &[
    ("2027-03-28 02:30 Europe/Berlin", None),
    ("2027-03-28 03:30 Europe/Berlin", Some("2027-03-28T01:30:00Z")),
    ("2026-10-25 02:30 Europe/Berlin", None),
    ("2026-10-25 02:30+01:00 Europe/Berlin", Some("2026-10-25T01:30:00Z")),
    ("2026-11-01 01:30 America/New_York", None),
    ("2026-11-01 01:30-04:00 America/New_York", Some("2026-11-01T05:30:00Z")),
    ("2027-03-14 02:30 America/New_York", None),
    ("2026-10-04 02:15 Australia/Lord_Howe", None),
    ("2027-04-04 01:45 Australia/Lord_Howe", None),
    ("2026-12-01 16:00 Asia/Kathmandu", Some("2026-12-01T10:15:00Z")),
    ("2026-12-01 16:00 Africa/Casablanca", Some("2026-12-01T15:00:00Z")),
];

#[test]
fn an_instant_that_is_skipped_or_shown_twice_is_never_guessed() {
    for (typed, instant) in ZONES {
        let read = T0::parse(typed).ok().map(|t| t.at.rfc3339());
        assert_eq!(read.as_deref(), *instant, "{typed}");
    }
}
