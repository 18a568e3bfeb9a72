//! GO against ABORT: a person and the engine decide in the same moment, each through connections
//! of its own, on threads of their own. Exactly one wins, whoever loses is told, and the world saw
//! exactly what the winner says: the post and the page, or nothing at all.
//!
//! `DAYBREAK_RACES=1000` runs as many on each database.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};

use daybreak::casework::opening;
use daybreak::casework::{CaseError, House, controls, disclosures, plans, publications};
use daybreak::clock::{Clock, Generator};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::CellState;
use daybreak::domain::plan::{Plan, PlanKind, PlanState, Step};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::store::{Decision, Verdict};
use daybreak::town::project::LINES;
use daybreak::town::{Database, Options, Town, story};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rstest::rstest;

use crate::ground::Db;
use crate::postgres;
use crate::story::TEAM;
use crate::world::START;

/// Everything is as it was before the plan was decided.
const AGAIN: &str =
    "DELETE FROM documents; DELETE FROM publications; DELETE FROM step_events; DELETE FROM gos;
    UPDATE steps SET state = 'waiting', attempt = 0, next_try = NULL;
    UPDATE plans SET state = 'approved'; UPDATE disclosures SET stage = 'drafting';";

fn races() -> u32 {
    std::env::var("DAYBREAK_RACES").map_or(150, |n| n.parse().unwrap())
}

/// A way to the rows behind everybody's back.
enum Eraser {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Eraser {
    fn of(database: &Database, town: &Town) -> Self {
        match database {
            Database::Sqlite => {
                let file = town.dir().join("daybreak.sqlite");
                let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                Self::Sqlite(conn)
            }
            Database::Postgres(address) => {
                Self::Postgres(PgConnection::establish(address).unwrap())
            }
        }
    }

    fn again(&mut self) {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(AGAIN).unwrap(),
            Self::Postgres(conn) => conn.batch_execute(AGAIN).unwrap(),
        }
    }
}

/// A page and a post, approved, whose time has come.
async fn due(database: Database) -> (Town, Plan) {
    let options = Options { database, distributors: 1, ..Options::by_hand(START) };
    let town = Town::build(options).await.unwrap();
    story::add_members(&town).await.unwrap();
    let (advisory, _) = story::draft(&town).await.unwrap();
    let (t0, house) = (story::t0_in(&town, Span::days(4)), &town.house);
    let alone = Some("everybody hears at once".to_owned());
    let opened = disclosures::create(house, Actor::Operator, Some(t0), vec![advisory.id], alone);
    let (mut disclosure, _) = opened.await.unwrap();
    for line in &LINES {
        let (cell, branch) = (CellState::NotAffected, story::branch(line));
        let id = advisory.id;
        let marked = disclosures::mark(house, Actor::Operator, &disclosure, id, branch, cell);
        disclosure = marked.await.unwrap();
    }
    let posted = disclosures::add_post(house, Actor::Operator, &disclosure, "announce", None);
    disclosure = posted.await.unwrap();
    let plan = story::approved_plan(&town, &disclosure, PlanKind::Release).await.unwrap();
    town.hand.as_ref().unwrap().advance_to(t0.at);
    (town, plan)
}

/// The person: aborts once for every delay they are given, at the barrier.
fn person(
    house: &House,
    plan: &Plan,
    (gate, delays): (&Barrier, &Receiver<u32>),
    said: &Sender<Result<(), CaseError>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for delay in delays {
        gate.wait();
        (0..delay).for_each(|_| std::hint::spin_loop());
        let aborted = controls::abort(house, Actor::Operator, plan, "stop");
        said.send(runtime.block_on(aborted)).unwrap();
    }
}

/// What the world has: pages, and posts that were caught.
async fn seen(town: &Town) -> (usize, usize) {
    let posts = town.catcher.mails().into_iter().filter(|m| m.to != [TEAM]).count();
    (publications::all(&town.house.store).await.unwrap().len(), posts)
}

/// Where every step stands.
async fn words(town: &Town, plan: &Plan) -> Vec<String> {
    let standing = plans::standing(&town.house, plan).await.unwrap();
    let steps = &standing.manifest.steps;
    let word = |s: &Step| format!("{}: {:?}", s.outlet, standing.run.progress(s.id));
    steps.iter().map(word).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_go_and_abort_exactly_one_wins(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let database = match db {
        Db::Sqlite => Database::Sqlite,
        Db::Postgres => match postgres::fresh_schema() {
            Some(address) => Database::Postgres(address),
            None => return,
        },
    };
    let (town, plan) = due(database.clone()).await;
    let mut eraser = Eraser::of(&database, &town);
    let clock: Arc<dyn Clock> = Arc::clone(&town.clock);
    let rng = Arc::new(Generator::from_seed([7; 32]));
    let theirs = opening::open(&town.dir(), clock, rng).unwrap();
    let gate = Arc::new(Barrier::new(2));
    let ((tell, delays), (says, said)) = (channel(), channel());
    let (at_gate, what) = (Arc::clone(&gate), plan.clone());
    let abort = std::thread::spawn(move || person(&theirs, &what, (&at_gate, &delays), &says));
    let (mut went, mut aborted, mut posts) = (0, 0, 0);
    let (mut chance, mut delay) = (StdRng::from_seed([9; 32]), 0_u32);
    for race in 0..races() {
        let mut engine = daybreak::engine::Engine::start(Arc::clone(&town.house)).await.unwrap();
        tell.send(delay.saturating_add(chance.next_u32() % 200_000)).unwrap();
        gate.wait();
        engine.turn().await.unwrap();
        let told = said.recv().unwrap();
        engine.settle().await.unwrap();
        let id = plan.id;
        let read = town.house.store.read(move |r| {
            let now = r.plan(id)?;
            let stage = r.disclosure(now.disclosure)?.stage;
            Ok::<_, daybreak::store::StoreError>((
                r.decided(id)?.unwrap().decision,
                now.state,
                stage,
            ))
        });
        let end = read.await.unwrap();
        match told {
            Ok(()) => {
                aborted += 1;
                delay = delay.saturating_add(100_000);
                assert_eq!(end, (Decision::Abort, PlanState::Void, Stage::Drafting), "{race}");
                assert_eq!(seen(&town).await, (0, posts), "{race}: seen in spite of an ABORT");
            }
            Err(CaseError::NotNow { why, .. }) => {
                went += 1;
                posts += 1;
                delay = delay.saturating_sub(100_000);
                assert!(why.contains("GO is written"), "{race}: {why}");
                let words = words(&town, &plan).await;
                let done = (Decision::Go, PlanState::Finished, Stage::Public);
                assert_eq!(end, done, "{race}: {words:?}");
                assert_eq!(seen(&town).await, (1, posts), "{race}: not seen in spite of GO");
            }
            Err(other) => panic!("{race}: {other}"),
        }
        engine.end().await.unwrap();
        eraser.again();
    }
    drop(tell);
    abort.join().unwrap();
    eprintln!("{db:?}: GO won {went} times, ABORT {aborted} times");
    assert!(went > races() / 10 && aborted > races() / 10, "{went} to {aborted}: no races");
    let verdict = town.house.store.read(|r| r.verify_audit()).await.unwrap();
    assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
}
