//! A restored, copied or moved database sends nothing until the team looked, and nothing twice
//! afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daybreak::casework::identity::{self, HOUSE_ID, Standing};
use daybreak::casework::rearm::{Found, Rearmed, rearm};
use daybreak::casework::restore::{Keys, restore};
use daybreak::casework::{audits, backup, challenges, controls, opening};
use daybreak::clock::{Clock, Generator};
use daybreak::domain::deed::Actor;
use daybreak::domain::ids::{MemberId, PlanId};
use daybreak::domain::plan::{PlanState, Step};
use daybreak::domain::quarantine::Doubt;
use daybreak::domain::receipt::OutletError;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::engine::{Engine, EngineError};
use daybreak::pgp;
use daybreak::store::{Place, Verdict, copy_into_file};
use daybreak::town::faults::Fault;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use rstest::rstest;

use crate::ground::Db;
use crate::postgres;
use crate::story::{Point, Story};
use crate::world::WorldView;

fn file(story: &Story) -> PathBuf {
    story.town.dir().join("daybreak.sqlite")
}

/// A consistent copy beside the database.
fn snapshot(story: &Story) -> PathBuf {
    let copy = story.town.dir().join("copy.sqlite");
    copy_into_file(&Place::Sqlite(file(story)), &copy).unwrap();
    copy
}

/// Puts a copy in the place of the database, as somebody who restores one does.
fn put_back(story: &Story, copy: &PathBuf) {
    for beside in ["daybreak.sqlite-wal", "daybreak.sqlite-shm"] {
        let _may_not_be = std::fs::remove_file(story.town.dir().join(beside));
    }
    std::fs::rename(copy, file(story)).unwrap();
}

async fn members(story: &Story) -> Vec<MemberId> {
    story.town.house.store.read(|r| r.members()).await.unwrap().iter().map(|m| m.id).collect()
}

/// Both maintainers look and let it act again.
async fn rearmed(story: &Story) -> (Vec<Found>, Vec<PlanId>) {
    let (house, both) = (&story.town.house, members(story).await);
    let first = rearm(house, both[0], "the other one is gone").await.unwrap();
    assert!(matches!(first, Rearmed::Waits { given: 1, needed: 2 }));
    let again = rearm(house, both[0], "still").await.unwrap();
    assert!(matches!(again, Rearmed::Waits { given: 1, .. }), "one person is one yes");
    match rearm(house, both[1], "I saw it").await.unwrap() {
        Rearmed::Done { found, held } => (found, held),
        Rearmed::Waits { given, needed } => panic!("{given} of {needed}"),
    }
}

async fn stands(story: &Story) -> Standing {
    identity::stands(&story.town.house.store, &story.town.house.dir).await.unwrap()
}

/// How often each address was written to.
fn heard(story: &Story) -> BTreeMap<Vec<String>, usize> {
    let mut all = BTreeMap::new();
    story.letters().into_iter().for_each(|m| *all.entry(m.to).or_default() += 1);
    all
}

/// Notices leave after the backup was made. The restored house does not know it, and must not
/// send them once more.
#[tokio::test]
async fn an_older_copy_put_back_sends_nothing_and_after_rearming_nothing_twice() {
    let mut story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let copy = snapshot(&story);
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(6)]).await;
    let told = heard(&story);
    assert!(!told.is_empty());

    put_back(&story, &copy);
    let mut engine = story.after_crash(engine).await;
    story.pass(&mut engine, &[Span::secs(6), Span::hours(24)]).await;
    assert_eq!(stands(&story).await, Standing::Doubted(Doubt::SetBack));
    assert_eq!(heard(&story), told, "a copy sent something");
    let bells = story.bells().iter().filter(|b| *b == "quarantine-set-back").count();
    assert_eq!(bells, 1, "{:?}", story.bells());
    let list = story.town.house.store.read(|r| r.distributors()).await.unwrap();
    let asked = challenges::challenge(&story.town.house, Actor::Operator, &list[0], None).await;
    assert!(asked.is_err_and(|e| e.to_string().contains("quarantine")), "a proof was asked for");

    let (found, held) = rearmed(&story).await;
    assert_eq!(held, [story.notice.id], "what is still ahead waits for a look");
    let unsure = found.iter().filter(|f| f.asks).count();
    assert!(unsure >= told.len(), "{unsure} of {}", told.len());
    story.pass(&mut engine, &[Span::secs(6)]).await;
    assert_eq!(heard(&story), told);
    let house = &story.town.house;
    controls::resume(house, Actor::Operator, &story.notice, "looked at").await.unwrap();
    story.pass(&mut engine, &[Span::secs(6), Span::mins(20)]).await;
    assert_eq!(heard(&story), told, "what nobody can tell was done again");
    story.hand.advance_to(story.t0.days_before(3));
    engine.settle().await.unwrap();
    let all = heard(&story);
    assert!(all.len() > told.len(), "whoever had not heard hears now");
    assert!(all.values().all(|n| *n == 1), "{all:?}");
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    assert!(matches!(stands(&story).await, Standing::Known(_)));
    story.is_recorded().await;
}

#[tokio::test]
async fn a_copied_file_and_a_strange_word_are_noticed() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let engine = story.engine().await;
    engine.end().await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert!(matches!(stands(&story).await, Standing::Known(_)));
    engine.end().await.unwrap();

    let word = std::fs::read_to_string(story.town.dir().join(HOUSE_ID)).unwrap();
    let say = |text: &str| std::fs::write(story.town.dir().join(HOUSE_ID), text).unwrap();
    std::fs::remove_file(story.town.dir().join(HOUSE_ID)).unwrap();
    assert_eq!(stands(&story).await, Standing::Doubted(Doubt::NoWord));
    say("nonsense");
    assert_eq!(stands(&story).await, Standing::Doubted(Doubt::OtherHouse));
    let line = word.lines().last().unwrap();
    say(&word.replace(line, &format!("line {}", "0".repeat(64))));
    assert_eq!(stands(&story).await, Standing::Doubted(Doubt::OtherPast));
    say(&word);
    assert!(matches!(stands(&story).await, Standing::Known(_)));

    // The same bytes in another file.
    let copy = snapshot(&story);
    put_back(&story, &copy);
    story.town.reopen().unwrap();
    assert_eq!(stands(&story).await, Standing::Doubted(Doubt::Moved));
    let before = WorldView::of(&story.town).await;
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    story.pass(&mut engine, &[Span::secs(6), Span::mins(10)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    assert!(story.rang("quarantine-moved"), "{:?}", story.bells());
}

/// After T0 distributors go public by themselves: what is not in doubt goes on at once, and of
/// what nobody can see a person is asked. An older database does not know whether T0 has come.
#[rstest]
#[case(Db::Sqlite, Doubt::Restored)]
#[case(Db::Postgres, Doubt::Restored)]
#[case(Db::Sqlite, Doubt::Moved)]
#[tokio::test]
async fn a_quarantine_over_t0_holds_everything_and_ends_forward(
    #[case] db: Db,
    #[case] doubt: Doubt,
) {
    let Some(story) = Story::at(db, Point::Told).await else { return };
    let told = story.letters().len();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let before = WorldView::of(&story.town).await;
    story.hand.advance_to(story.t0.at.plus(Span::secs(-2)));
    identity::quarantine(&story.town.house, Actor::Operator, doubt).await.unwrap();
    story.pass(&mut engine, &[Span::secs(2), Span::secs(1), Span::mins(4)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    assert_eq!(story.stage().await, Stage::Embargoed);
    assert!(story.rang(doubt.code()));

    let (found, held) = rearmed(&story).await;
    if doubt == Doubt::Restored {
        assert_eq!(held, [story.release().id], "it may have been moved since the backup");
        story.pass(&mut engine, &[Span::secs(1), Span::mins(1)]).await;
        assert_eq!(WorldView::of(&story.town).await, before);
        let house = &story.town.house;
        controls::resume(house, Actor::Operator, story.release(), "nobody moved it").await.unwrap();
    } else {
        assert!(held.is_empty(), "T0 has passed: {held:?}");
    }
    assert_eq!(found.iter().filter(|f| f.asks).count(), 2, "two posts: {found:?}");
    story.pass(&mut engine, &[Span::secs(1), Span::mins(16), Span::mins(1)]).await;
    let now = WorldView::of(&story.town).await;
    assert!(now.refs != before.refs && now.published.len() == 1, "{now:?}");
    assert_eq!(story.letters().len(), told, "a post of which nobody can tell");
    let house = &story.town.house;
    for step in story.standing(story.release()).await.run.blocked() {
        let (plan, why) = (story.release(), "no list has it");
        controls::retry(house, Actor::Operator, "ada", plan, step, why).await.unwrap();
    }
    story.pass(&mut engine, &[Span::secs(1), Span::mins(1)]).await;
    assert_eq!(story.letters().len(), told + 2);
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
    story.is_recorded().await;
}

/// The same rows on a server, in tables of their own: a dump that was restored.
#[tokio::test]
async fn a_restored_dump_is_noticed_and_a_machine_without_a_word_does_not_lead() {
    let Some(mut story) = Story::at(Db::Postgres, Point::Told).await else { return };
    let engine = story.engine().await;
    engine.end().await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    engine.end().await.unwrap();
    let word = std::fs::read(story.town.dir().join(HOUSE_ID)).unwrap();
    std::fs::remove_file(story.town.dir().join(HOUSE_ID)).unwrap();
    assert!(matches!(story.try_engine().await, Err(EngineError::Stranger(Doubt::NoWord))));
    std::fs::write(story.town.dir().join(HOUSE_ID), word).unwrap();
    drop(story.engine().await);

    let config = story.town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let address = text.lines().next().unwrap().split('"').nth(1).unwrap();
    let copy = postgres::copy_of(address);
    std::fs::write(&config, text.replace(address, &copy)).unwrap();
    story.town.reopen().unwrap();
    assert_eq!(stands(&story).await, Standing::Doubted(Doubt::Moved));
    let before = WorldView::of(&story.town).await;
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    assert_eq!(story.stage().await, Stage::Embargoed);
}

/// A backup of a day in progress, restored elsewhere while the house itself goes on.
#[tokio::test]
async fn a_backup_restored_elsewhere_is_whole_and_sends_nothing() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let made = backup::backup(&story.town.house, Actor::Operator).await.unwrap();
    assert_eq!(made.members, 2);
    for key in [&story.town.people.ada.key, &story.town.people.bea.key] {
        let opened = pgp::open(&made.sealed, std::slice::from_ref(key), &[], story.hand.wall());
        assert!(opened.is_ok_and(|o| !o.bytes.is_empty()));
    }
    let team = story.town.team_certificate().clone();
    let key = story.town.people.ada.key.clone();
    let tar = pgp::open(&made.sealed, &[key], &[team], story.hand.wall()).unwrap().bytes;
    let secret = std::fs::read(story.town.dir().join("vault.key")).unwrap();
    assert!(!tar.windows(secret.len()).any(|w| w == secret), "the key is in it");

    let ground = tempfile::tempdir().unwrap();
    let (dir, now) = (ground.path().join("restored"), story.hand.wall());
    let key = |name: &str| story.town.dir().join(name);
    let keys = Keys { vault: key("vault.key"), team: Some(key("team.key")) };
    let wrong = Keys { vault: key("team.key"), team: None };
    assert!(restore(&tar, &dir, &wrong, None, now).await.is_err());
    assert!(!dir.exists(), "something was left behind");
    assert!(restore(b"no tar at all", &dir, &keys, None, now).await.is_err());
    let restored = restore(&tar, &dir, &keys, None, now).await.unwrap();
    assert_eq!((restored.lines, restored.head), (made.lines, made.head));
    assert!(restore(&tar, &dir, &keys, None, now).await.is_err(), "it was written over");

    story.hand.advance_to(story.t0.days_before(7));
    let clock = Arc::clone(&story.hand) as Arc<dyn Clock>;
    let rng = Arc::new(Generator::from_seed([7; 32]));
    let mut other = opening::open(&dir, clock, rng).unwrap();
    other.witnesses = story.town.voices.all();
    let mut copy = Engine::start(Arc::new(other)).await.unwrap();
    copy.settle().await.unwrap();
    assert_eq!(heard(&story), BTreeMap::new(), "the copy sent something");
    assert!(story.rang("quarantine-restored"), "{:?}", story.bells());
    engine.settle().await.unwrap();
    let told = heard(&story);
    assert!(!told.is_empty(), "the house itself goes on");
    copy.settle().await.unwrap();
    assert_eq!(heard(&story), told);
}

/// Every row of a server's tables, as text, but for what restoring itself writes.
fn rows(address: &str, lines: i64) -> BTreeMap<String, Vec<String>> {
    let schema = include_str!("../../src/store/schema.rs");
    let tables = schema.lines().filter_map(|l| l.strip_suffix(" {")?.trim().split_once(" ("));
    let mut conn = PgConnection::establish(address).unwrap();
    let mut all = BTreeMap::new();
    for (table, _) in tables {
        let but = match table {
            "audit" => format!("WHERE seq <= {lines}"),
            "house" => "WHERE key <> 'quarantine'".to_owned(),
            "revision" => "WHERE n < 0".to_owned(),
            _ => String::new(),
        };
        let sql = format!("SELECT t::text AS v FROM {table} t {but} ORDER BY 1");
        let found: Vec<Cell> = diesel::sql_query(sql).load(&mut conn).unwrap();
        all.insert(table.to_owned(), found.into_iter().map(|c| c.v).collect());
    }
    assert!(all.len() > 20, "{:?}", all.keys());
    all
}

#[derive(diesel::QueryableByName)]
struct Cell {
    #[diesel(sql_type = diesel::sql_types::Text)]
    v: String,
}

fn address_in(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("daybreak.toml")).unwrap();
    text.lines().next().unwrap().split('"').nth(1).unwrap().to_owned()
}

/// A server's house goes into a backup without any program of the server's, and out of it into a
/// file or onto a server again, every row as it was, in quarantine.
#[tokio::test]
async fn a_servers_house_is_backed_up_and_restored_either_way() {
    let Some(story) = Story::at(Db::Postgres, Point::Told).await else { return };
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let source = address_in(&story.town.dir());
    let made = backup::backup(&story.town.house, Actor::Operator).await.unwrap();
    let before = rows(&source, made.lines);
    assert!(!before["chunks"].is_empty() && !before["step_events"].is_empty());
    let team = story.town.team_certificate().clone();
    let key = story.town.people.ada.key.clone();
    let tar = pgp::open(&made.sealed, &[key], &[team], story.hand.wall()).unwrap().bytes;
    let ground = tempfile::tempdir().unwrap();
    let key = |name: &str| story.town.dir().join(name);
    let keys = Keys { vault: key("vault.key"), team: Some(key("team.key")) };
    let now = story.hand.wall();

    let file = ground.path().join("file");
    let restored = restore(&tar, &file, &keys, None, now).await.unwrap();
    assert_eq!((restored.lines, restored.head), (made.lines, made.head));
    assert_eq!(address_in(&file), "sqlite:daybreak.sqlite");

    let other = postgres::fresh_schema().unwrap();
    let server = ground.path().join("server");
    let wrong = restore(&tar, &server, &keys, Some("sqlite:x"), now).await;
    assert!(wrong.is_err() && !server.exists());
    let restored = restore(&tar, &server, &keys, Some(&other), now).await.unwrap();
    assert_eq!((restored.lines, restored.head), (made.lines, made.head));
    assert_eq!(address_in(&server), other);
    assert!(!server.join("daybreak.sqlite").exists(), "the unpacked file stayed");
    assert_eq!(rows(&other, made.lines), before);
    let again = ground.path().join("again");
    let taken = restore(&tar, &again, &keys, Some(&other), now).await;
    assert!(taken.is_err_and(|e| e.to_string().contains("holds a house already")));
    assert!(!again.exists() && rows(&other, made.lines) == before);

    for dir in [&file, &server] {
        let clock = Arc::clone(&story.hand) as Arc<dyn Clock>;
        let rng = Arc::new(Generator::from_seed([7; 32]));
        let mut house = opening::open(dir, clock, rng).unwrap();
        house.witnesses = story.town.voices.all();
        let verdict = audits::verify(&house).await.unwrap();
        assert!(matches!(verdict, Verdict::Intact { lines, .. } if lines == made.lines + 1));
        let quarantine = house.store.read(|r| r.quarantine()).await.unwrap().unwrap();
        assert_eq!(quarantine.doubt, Doubt::Restored);
    }
}

/// A full disk or a spoilt file beside the vault key: nothing new begins, and what GO opened goes
/// on to its end.
#[tokio::test]
async fn a_house_id_that_cannot_be_used_begins_nothing_and_leaves_no_day_half_way() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(6)]).await;
    let before = WorldView::of(&story.town).await;
    let file = story.town.dir().join(HOUSE_ID);
    let spoil = || {
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
    };
    spoil();
    story.hand.advance_to(story.t0.at.plus(Span::secs(-7)));
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(7), Span::secs(6)]).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    assert_eq!(story.stage().await, Stage::Embargoed);
    assert!(story.rang("house-id-unusable"), "{:?}", story.bells());

    let script = story.town.script("git").unwrap();
    script.then(&Fault::Fail(OutletError::later("away", "")), 3);
    std::fs::remove_dir(&file).unwrap();
    story.pass(&mut engine, &[Span::secs(6)]).await;
    assert_eq!(story.stage().await, Stage::Releasing);
    assert!(file.is_file(), "the engine knows its house and writes it down again");
    spoil();
    story.pass(&mut engine, &[Span::secs(6), Span::secs(6), Span::mins(2), Span::mins(2)]).await;
    assert_eq!(story.state(story.release()).await, PlanState::Finished);
}

/// What was made ready before a quarantine is neither done in it nor at once after it, and the
/// engine rests meanwhile.
#[tokio::test]
async fn a_step_made_ready_is_dropped_by_a_quarantine() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let before = WorldView::of(&story.town).await;
    story.hand.advance_to(story.t0.at);
    let clear = async || {
        let standing = story.standing(story.release()).await;
        let of = |s: &Step| standing.run.progress(s.id).unwrap().status.word() == "clear";
        standing.manifest.steps.iter().any(of)
    };
    while !clear().await {
        tokio::task::yield_now().await;
        engine.turn().await.unwrap();
    }
    identity::quarantine(&story.town.house, Actor::Operator, Doubt::Restored).await.unwrap();
    engine.settle().await.unwrap();
    assert!(engine.is_at_rest());
    assert_eq!(WorldView::of(&story.town).await, before);
}

/// Whoever re-arms ahead of T0 asks no archive and no index for what is not out yet.
#[tokio::test]
async fn nobody_outside_is_asked_ahead_for_what_is_to_come() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    identity::quarantine(&story.town.house, Actor::Operator, Doubt::Restored).await.unwrap();
    let looks = || ["mail", "command:index"].map(|o| story.town.script(o).unwrap().looks());
    let before = looks();
    let (found, held) = rearmed(&story).await;
    assert!(held.contains(&story.release().id));
    assert!(found.iter().any(|f| f.outlet == "git"), "our own place is looked at");
    // The notices that left are asked of our own relay.
    let asked = found.iter().filter(|f| f.outlet == "mail" && f.plan == story.release().id).count();
    assert_eq!((asked, looks()[1]), (0, before[1]));
}
