//! Opening a database: only one's own, only with its key, never a newer one, never an empty
//! one by mistake.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use daybreak::store::{Options, Place, Store, StoreError};
use daybreak::vault::Vault;
use rstest::rstest;

use super::made::{furnish, member};
use crate::ground::{Db, Ground, deed};

#[rstest]
#[tokio::test]
async fn what_was_written_is_there_after_opening_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    furnish(&ground.store()).await;
    let again = Store::open(&ground.options(), ground.vault()).unwrap();
    let found = again.read(|r| r.member(member(1).id)).await;
    assert_eq!(found, Ok(member(1)));
    assert_eq!(again.revision().await, Ok(1));
}

#[rstest]
fn an_absent_database_is_not_made_by_opening_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    for _ in 0..2 {
        let opened = Store::open(&ground.options(), ground.vault());
        assert_eq!(opened.err(), Some(StoreError::NoDatabase));
    }
}

#[rstest]
fn another_key_is_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    drop(ground.store());
    let other = Vault::create(&ground.dir.path().join("other.key")).unwrap();
    let opened = Store::create(&ground.options(), other);
    assert_eq!(opened.err(), Some(StoreError::WrongKey));
}

#[rstest]
fn a_newer_database_is_left_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    drop(ground.store());
    ground.meddle("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    assert_eq!(ground.try_store().err(), Some(StoreError::TooNew("9999".to_owned())));
}

#[rstest]
#[tokio::test]
async fn a_canary_that_vanished_from_a_database_in_use_is_noticed(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(ground) = Ground::new(db) else { return };
    ground.store().write(&deed(), |_| Ok::<_, StoreError>(())).await.unwrap();
    ground.meddle("DELETE FROM house");
    assert!(matches!(ground.try_store().err(), Some(StoreError::Inconsistent { .. })));
}

#[rstest]
fn several_programs_may_make_the_same_database_at_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    std::thread::scope(|s| {
        let openings: Vec<_> = (0..4).map(|_| s.spawn(|| ground.try_store().err())).collect();
        for opening in openings {
            assert_eq!(opening.join().unwrap(), None);
        }
    });
}

#[tokio::test]
async fn sqlite_files_are_their_owners_alone() {
    let ground = Ground::new(Db::Sqlite).unwrap();
    std::fs::write(ground.dir.path().join("house.sqlite"), b"").unwrap();
    let store = ground.store();
    furnish(&store).await;
    for name in ["house.sqlite", "house.sqlite-wal", "house.sqlite-shm"] {
        let mode = std::fs::metadata(ground.dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_server_that_is_not_there_is_said_so_without_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::create(&dir.path().join("vault.key")).unwrap();
    let place = Place::parse("postgres://u:hunter2@127.0.0.1:1/none", Path::new(".")).unwrap();
    let error = Store::open(&Options::new(place), vault).err().unwrap();
    assert_eq!(error, StoreError::Unavailable("the server cannot be reached"));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let ground = Ground::new(Db::Sqlite).unwrap();
    let file = ground.dir.path().join("house.sqlite");
    let letter = b"dear diary, this is no database, and it is longer than a header ".repeat(20);
    std::fs::write(&file, &letter).unwrap();
    assert!(matches!(ground.try_store().err(), Some(StoreError::Unavailable(_))));
    assert_eq!(std::fs::read(&file).unwrap(), letter);
}
