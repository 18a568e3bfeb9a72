//! Where most stories begin: a town whose case is prepared, made once for each database and
//! copied for every story, so that hundreds of days cost seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use daybreak::casework::plans::{self, Standing};
use daybreak::casework::{audits, controls};
use daybreak::clock::{Clock as _, SystemClock, sleep};
use daybreak::domain::advisory::Advisory;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::effect::Intended;
use daybreak::domain::ids::{MemberId, StepId};
use daybreak::domain::plan::{Plan, PlanKind, PlanState, Step};
use daybreak::domain::run::Status;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::engine::{Engine, EngineError};
use daybreak::store::Verdict;
use daybreak::town::catcher::Caught;
use daybreak::town::clock::HandClock;
use daybreak::town::{Database, Options, Town, story};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use tokio::sync::OnceCell;

use crate::ground::Db;
use crate::postgres;
use crate::world::{START, WorldView};

/// The team's own address, where bells ring.
pub const TEAM: &str = "security@meadow.example";

/// How far a story has come when others begin from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Everything is staged and built; the Notice plan is approved, nobody has heard.
    Ready,
    /// Everybody has heard; the Release plan is approved; it is two hours before T0.
    Told,
}

/// A town with a case in it.
pub struct Story {
    pub town: Town,
    pub hand: Arc<HandClock>,
    pub db: Db,
    pub t0: T0,
    pub advisory: Advisory,
    pub disclosure: Disclosure,
    pub notice: Plan,
    pub release: Option<Plan>,
    database: Database,
}

type Cell = OnceCell<Option<Story>>;

/// Copies never have the same ids.
static SEED: AtomicU64 = AtomicU64::new(100);

impl Story {
    /// A story of one's own from that point; `None`, said aloud, without such a database.
    pub async fn at(db: Db, point: Point) -> Option<Self> {
        static MADE: [Cell; 4] = [const { Cell::const_new() }; 4];
        let [ready, told] = match db {
            Db::Sqlite => [&MADE[0], &MADE[1]],
            Db::Postgres => [&MADE[2], &MADE[3]],
        };
        let ready = ready.get_or_init(|| Self::ready(db)).await.as_ref()?;
        if point == Point::Ready {
            return Some(ready.copy().await);
        }
        let told = told.get_or_init(|| async { Some(ready.copy().await.told().await) }).await;
        Some(told.as_ref()?.copy().await)
    }

    async fn ready(db: Db) -> Option<Self> {
        let database = match db {
            Db::Sqlite => Database::Sqlite,
            Db::Postgres => Database::Postgres(postgres::fresh_schema()?),
        };
        let options = Options { database: database.clone(), ..Options::by_hand(START) };
        Some(Self::begun(db, database, options).await)
    }

    /// One that is shared with nobody and has an instant of its own: `start` is twelve days
    /// before it. Few are on the list.
    pub async fn apart(db: Db, start: At) -> Option<Self> {
        let database = match db {
            Db::Sqlite => Database::Sqlite,
            Db::Postgres => Database::Postgres(postgres::fresh_schema()?),
        };
        let by_hand = Options::by_hand(start);
        let options = Options { database: database.clone(), distributors: 2, ..by_hand };
        Some(Self::begun(db, database, options).await)
    }

    async fn begun(db: Db, database: Database, options: Options) -> Self {
        let town = Town::build(options).await.unwrap();
        let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
        let (advisory, disclosure) = (prepared.advisory, prepared.disclosure);
        let notice = story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
        let hand = town.hand.clone().unwrap();
        let t0 = disclosure.t0.unwrap();
        Self { town, hand, db, t0, advisory, disclosure, notice, release: None, database }
    }

    /// Everybody hears; the Release plan is approved.
    pub async fn told(mut self) -> Self {
        let mut engine = self.engine().await;
        for days in [7, 3] {
            self.hand.advance_to(self.t0.days_before(days));
            engine.settle().await.unwrap();
        }
        engine.end().await.unwrap();
        self.hand.advance_to(self.t0.at.plus(Span::hours(-2)));
        let kind = PlanKind::Release;
        let release = story::approved_plan(&self.town, &self.disclosure, kind).await.unwrap();
        self.release = Some(release);
        self
    }

    /// The same story once more, in a world of its own.
    pub async fn copy(&self) -> Self {
        let database = match &self.database {
            Database::Sqlite => Database::Sqlite,
            Database::Postgres(address) => Database::Postgres(postgres::copy_of(address)),
        };
        let seed = SEED.fetch_add(1, Ordering::Relaxed);
        let town = self.town.fork(database.clone(), seed).await.unwrap();
        let config = ["config", "core.logAllRefUpdates", "always"];
        town.project.ask(&config).await.unwrap();
        let hand = town.hand.clone().unwrap();
        let (advisory, disclosure) = (self.advisory.clone(), self.disclosure.clone());
        let (notice, release) = (self.notice.clone(), self.release.clone());
        let (db, t0) = (self.db, self.t0);
        Self { town, hand, db, t0, advisory, disclosure, notice, release, database }
    }

    /// The plan that comes next, and when something of it happens.
    pub fn next(&self) -> (Plan, Vec<At>) {
        match &self.release {
            Some(release) => (release.clone(), vec![self.t0.at]),
            None => (self.notice.clone(), vec![self.t0.days_before(7), self.t0.days_before(3)]),
        }
    }

    /// The Release plan.
    pub fn release(&self) -> &Plan {
        self.release.as_ref().unwrap()
    }

    /// Starts an engine, waiting out a dead one where that must be.
    pub async fn engine(&self) -> Engine {
        self.try_engine().await.unwrap()
    }

    /// The same, when it may be refused.
    pub async fn try_engine(&self) -> Result<Engine, EngineError> {
        let start = Engine::start(Arc::clone(&self.town.house));
        tokio::pin!(start);
        loop {
            tokio::select! {
                biased;
                engine = &mut start => return engine,
                () = self.hand.wait_for_sleepers(1) => self.hand.advance(Span::secs(2)),
            }
        }
    }

    /// Whoever worked for the house died; it is opened again, with a new engine.
    pub async fn after_crash(&mut self, dead: Engine) -> Engine {
        drop(dead);
        self.town.reopen().unwrap();
        self.engine().await
    }

    /// Settles; an engine that is stopped on the way, which `died` then says, comes back.
    pub async fn survive(&mut self, mut engine: Engine, died: &mut bool) -> Engine {
        if halted(engine.settle().await) {
            *died = true;
            engine = self.after_crash(engine).await;
            engine.settle().await.unwrap();
        }
        engine
    }

    /// Time passes in the given pieces, each looked at by the engine.
    pub async fn pass(&self, engine: &mut Engine, pieces: &[Span]) {
        for piece in pieces {
            self.hand.advance(*piece);
            engine.settle().await.unwrap();
        }
    }

    /// The engine at T0.
    pub async fn at_t0(&self, engine: &mut Engine) {
        self.hand.advance_to(self.t0.at);
        engine.settle().await.unwrap();
    }

    pub async fn standing(&self, plan: &Plan) -> Standing {
        plans::standing(&self.town.house, plan).await.unwrap()
    }

    pub async fn state(&self, plan: &Plan) -> PlanState {
        self.standing(plan).await.plan.state
    }

    pub async fn stage(&self) -> Stage {
        story::again(&self.town.house, &self.disclosure).await.unwrap().stage
    }

    /// The word of every step's status, with the code where a person must decide.
    pub async fn words(&self, plan: &Plan) -> BTreeMap<StepId, String> {
        let standing = self.standing(plan).await;
        let word = |s: &Step| match &standing.run.progress(s.id).unwrap().status {
            Status::Blocked { code } => format!("blocked {code}"),
            other => other.word().to_owned(),
        };
        standing.manifest.steps.iter().map(|s| (s.id, word(s))).collect()
    }

    /// The disclosure as it is now.
    pub async fn disclosure_now(&self) -> Disclosure {
        story::again(&self.town.house, &self.disclosure).await.unwrap()
    }

    /// The first step that fits.
    pub fn step(&self, plan: &Plan, fits: impl Fn(&Step) -> bool) -> Step {
        let steps = plans::manifest_of(plan).unwrap().steps;
        steps.into_iter().find(|s| fits(s)).unwrap()
    }

    /// The status word of one step.
    pub async fn word(&self, plan: &Plan, step: StepId) -> String {
        self.words(plan).await.remove(&step).unwrap()
    }

    /// Nobody altered the record.
    pub async fn is_recorded(&self) {
        let verdict = audits::verify(&self.town.house).await.unwrap();
        assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
    }

    pub async fn hold(&self, plan: &Plan) {
        controls::hold(&self.town.house, Actor::Operator, plan, "wait").await.unwrap();
    }

    /// What the wall shows.
    pub fn hand_now(&self) -> At {
        self.hand.wall()
    }

    /// How long it is after T0.
    pub fn hand_since_t0(&self) -> Span {
        self.hand.wall().since(self.t0.at)
    }

    /// Raised by every audited write.
    pub async fn revision(&self) -> i64 {
        self.town.house.store.revision().await.unwrap()
    }

    /// How often the leader has shown that it lives.
    pub async fn beat(&self) -> i64 {
        self.town.house.store.read(|r| r.lease()).await.unwrap().beat
    }

    /// A member.
    pub async fn member(&self) -> MemberId {
        self.town.house.store.read(|r| r.members()).await.unwrap()[0].id
    }

    /// Mails that are no bells.
    pub fn letters(&self) -> Vec<Caught> {
        self.town.catcher.mails().into_iter().filter(|m| m.to != [TEAM]).collect()
    }

    /// The reasons of all bells at the team's, none of which says anything else.
    pub fn bells(&self) -> Vec<String> {
        let rung = self.town.catcher.mails().into_iter().filter(|m| m.to == [TEAM]);
        rung.map(|bell| {
            let text = String::from_utf8(bell.bytes).unwrap();
            for word in story::PLANTED {
                assert!(!text.contains(word), "a bell says {word}");
            }
            assert!(!text.contains(story::PUBLIC_ID), "a bell names the advisory");
            let reason = text.lines().find_map(|l| l.strip_prefix("reason: ")).unwrap();
            reason.trim().to_owned()
        })
        .collect()
    }

    /// Waits out errands of the engine, then says whether a bell of that reason rang.
    pub fn rang(&self, reason: &str) -> bool {
        self.bells().iter().any(|b| b == reason)
    }

    /// Changes rows behind the store's back.
    pub fn meddle(&self, sql: &str) {
        match &self.database {
            Database::Sqlite => {
                let file = self.town.dir().join("daybreak.sqlite");
                let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
                conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; {sql}")).unwrap();
            }
            Database::Postgres(address) => {
                PgConnection::establish(address).unwrap().batch_execute(sql).unwrap();
            }
        }
    }
}

/// What the world and the house hold when a day is over.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    pub world: WorldView,
    pub ref_writes: BTreeMap<String, usize>,
    pub stage: Stage,
    pub state: PlanState,
    pub words: BTreeMap<StepId, String>,
    /// Everybody who got anything; how often is asked elsewhere.
    pub heard: BTreeSet<Vec<String>>,
}

impl End {
    pub async fn of(story: &Story, plan: &Plan) -> Self {
        let mut world = WorldView::of(&story.town).await;
        world.posts = 0;
        Self {
            world,
            ref_writes: ref_writes(&story.town),
            stage: story.stage().await,
            state: story.state(plan).await,
            words: story.words(plan).await,
            heard: story.letters().into_iter().map(|m| m.to).collect(),
        }
    }
}

/// How the next plan from that point ends when nothing goes wrong.
pub async fn calm(db: Db, point: Point) -> Option<&'static End> {
    static ENDS: [OnceCell<Option<End>>; 4] = [const { OnceCell::const_new() }; 4];
    let place = match (db, point) {
        (Db::Sqlite, Point::Ready) => &ENDS[0],
        (Db::Sqlite, Point::Told) => &ENDS[1],
        (Db::Postgres, Point::Ready) => &ENDS[2],
        (Db::Postgres, Point::Told) => &ENDS[3],
    };
    let end = place.get_or_init(|| async {
        let story = Story::at(db, point).await?;
        let told = story.letters().len();
        let (plan, instants) = story.next();
        let mut engine = story.engine().await;
        for at in instants {
            story.hand.advance_to(at);
            engine.settle().await.unwrap();
        }
        let end = End::of(&story, &plan).await;
        assert_eq!(story.letters().len() - told, end.heard.len(), "somebody heard twice");
        Some(end)
    });
    end.await.as_ref()
}

/// How often each ref of the public repository was written since the story was copied.
pub fn ref_writes(town: &Town) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    let logs = town.project.public().join("logs");
    for kind in ["refs/heads", "refs/tags", "refs/heads/security"] {
        let Ok(entries) = std::fs::read_dir(logs.join(kind)) else { continue };
        for entry in entries.map(|e| e.unwrap()).filter(|e| e.path().is_file()) {
            let lines = std::fs::read_to_string(entry.path()).unwrap().lines().count();
            all.insert(format!("{kind}/{}", entry.file_name().to_string_lossy()), lines);
        }
    }
    all
}

/// Whether the engine was stopped where a test asked for it.
pub fn halted(settled: Result<(), EngineError>) -> bool {
    match settled {
        Ok(()) => false,
        Err(EngineError::Halted) => true,
        Err(other) => panic!("{other}"),
    }
}

/// A moment before another.
pub fn just_before(at: At) -> At {
    at.plus(Span::millis(-1))
}

/// Fits every step once.
pub fn once_a_step() -> impl Fn(&Intended) -> bool + Send + Sync + 'static {
    let seen = Mutex::new(BTreeSet::new());
    move |intended| seen.lock().unwrap().insert(intended.step)
}

/// The engine turns until it is so, in a bounded real time.
pub async fn until(engine: &mut Engine, what: &str, so: impl Fn() -> bool) {
    let machine = SystemClock::new();
    let begin = machine.mono();
    loop {
        engine.turn().await.unwrap();
        if so() {
            return;
        }
        assert!(machine.mono().since(begin) < Span::secs(60), "never: {what}");
        sleep(&machine, Span::millis(2)).await;
    }
}
