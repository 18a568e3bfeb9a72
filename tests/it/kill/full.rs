//! The disk under the real program is full from before its day until after T0: no byte of any file can
//! be written, its log included. Nothing is public without its durable intent, a person hears, and
//! the day goes when there is room again, by the same process.

use daybreak::casework::controls;
use daybreak::clock::{Clock as _, SystemClock};
use daybreak::domain::deed::Actor;
use daybreak::domain::plan::PlanState;
use daybreak::domain::time::Span;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::case::Case;
use super::doomed::{Doomed, in_time, until};
use super::world::World;
use super::{Boundary, base};
use crate::ground::Db;
use crate::story::TEAM;

/// How long there is no room: five seconds until the next beat fails, twenty more until the bell,
/// and some for it to ring.
const FULL: Span = Span::secs(34);

/// How many bytes long its files may become.
fn room(engine: &Doomed, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(engine.pid()).unwrap());
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_over_t0_makes_the_day_late_and_nothing_else() {
    let (base, calm) = base(Db::Sqlite).await.unwrap();
    let mut story = base.copy().await;
    let world = World::around(&mut story).await;
    let before = story.beat().await;
    let log = world.folder.join("engine.log");
    // Until there is no room nothing may begin, however slow the machine.
    story.hold(story.release()).await;
    let mut engine = Doomed::start(&story.town.dir(), &log, None);
    until("the engine leads", async || story.beat().await != before).await;
    room(&engine, Some(0));
    let (house, machine) = (&story.town.house, SystemClock::new());
    let since = machine.mono();
    controls::resume(house, Actor::Operator, story.release(), "go on").await.unwrap();
    let over = || machine.wall() > story.t0.at && machine.mono().since(since) > FULL;
    until("T0 is over", async || over()).await;
    assert!(engine.lives(), "it ended: {}", std::fs::read_to_string(&log).unwrap());
    assert!(world.record("refs.log").is_empty() && world.record("runs.log").is_empty());
    let mails = world.catcher.mails();
    assert!(mails.iter().all(|m| m.to == [TEAM]), "a post without an intent");
    let id = story.release().id;
    let decided = story.town.house.store.read(move |r| r.decided(id)).await.unwrap();
    assert!(decided.is_none(), "GO on a full disk");
    let rang = |m: &[u8]| String::from_utf8_lossy(m).contains("reason: database-");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said: Vec<_> = mails
        .iter()
        .filter_map(|m| {
            let text = text(&m.bytes);
            text.lines().find(|l| l.starts_with("reason: ")).map(str::to_owned)
        })
        .collect();
    assert!(mails.iter().any(|m| rang(&m.bytes)), "nobody heard of it: {said:?}");
    room(&engine, None);
    let ended = in_time(async || story.state(story.release()).await == PlanState::Finished).await;
    assert!(ended, "{:?}", story.words(story.release()).await);
    drop(engine);
    let undisturbed = Boundary::BeforeIntent;
    let case = Case { db: Db::Sqlite, boundary: undisturbed, outlet: "site", nth: 1 };
    case.judge(&story, &world, &calm, 0).await;
}
