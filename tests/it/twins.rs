//! The two databases' migrations are twins: same names, both can be taken down and put up
//! again, and what they make is what the queries believe in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rstest::rstest;

use crate::ground::{Db, Ground};

const SCHEMA: &str = include_str!("../../src/store/schema.rs");
const CARRY: &str = include_str!("../../src/store/carry.rs");

/// Table, column, whether it may be null.
type Columns = BTreeMap<(String, String), bool>;

fn folder(db: Db) -> &'static Path {
    match db {
        Db::Sqlite => Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite")),
        Db::Postgres => Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres")),
    }
}

fn names(db: Db) -> Vec<String> {
    let entries = std::fs::read_dir(folder(db)).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What `schema.rs` says.
fn believed() -> Columns {
    let (mut columns, mut table) = (Columns::new(), String::new());
    for line in SCHEMA.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with('{')) {
            table = name.to_owned();
        } else if let Some((column, kind)) = line.split_once(" -> ") {
            columns.insert((table.clone(), column.to_owned()), kind.starts_with("Nullable<"));
        }
    }
    columns
}

/// What the database has.
fn real(ground: &Ground) -> Columns {
    let sql = match ground.db {
        Db::Sqlite => {
            "SELECT m.name || ' ' || c.name || ' ' || (c.\"notnull\" = 0) AS v
             FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE '%diesel%'"
        }
        Db::Postgres => {
            "SELECT table_name || ' ' || column_name || ' '
                || CASE is_nullable WHEN 'YES' THEN '1' ELSE '0' END AS v
             FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name NOT LIKE '%diesel%'"
        }
    };
    let split = |line: String| {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        ((words[0].clone(), words[1].clone()), words[2] == "1")
    };
    ground.ask::<String>(sql).into_iter().map(split).collect()
}

#[test]
fn twins_have_the_same_names() {
    assert_eq!(names(Db::Sqlite), names(Db::Postgres));
    assert!(!names(Db::Sqlite).is_empty());
}

#[rstest]
fn up_down_up(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    let run = |name: &str, which: &str| {
        let sql = std::fs::read_to_string(folder(db).join(name).join(which)).unwrap();
        ground.meddle(&sql);
    };
    names(db).iter().for_each(|name| run(name, "up.sql"));
    let first = real(&ground);
    names(db).iter().rev().for_each(|name| run(name, "down.sql"));
    assert_eq!(real(&ground), Columns::new());
    names(db).iter().for_each(|name| run(name, "up.sql"));
    assert_eq!(real(&ground), first);
}

/// Cargo does not see a new folder of migrations by itself: a program built before it would
/// not have it.
#[rstest]
fn what_is_compiled_in_is_what_is_in_the_folder(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    drop(ground.store());
    let sql = "SELECT version AS v FROM __diesel_schema_migrations ORDER BY version";
    let numbers: Vec<_> =
        names(db).iter().filter_map(|n| n.split('_').next().map(str::to_owned)).collect();
    assert_eq!(ground.ask::<String>(sql), numbers, "touch src/store/migrate.rs and build again");
}

#[rstest]
fn what_queries_believe_is_what_there_is(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(ground) = Ground::new(db) else { return };
    drop(ground.store());
    assert!(believed().len() > 100);
    assert_eq!(real(&ground), believed());
}

/// What is carried from one database to another: a backup of a server must miss nothing.
#[test]
fn every_column_is_carried() {
    let mut carried = BTreeSet::new();
    for call in CARRY.split("carry!(from, into,").skip(1) {
        let (head, rest) = call.split_once('[').unwrap();
        let table = head.split(',').nth(1).unwrap().split_whitespace().next().unwrap();
        let (columns, _) = rest.split_once(']').unwrap();
        for column in columns.split(',') {
            let column = column.split(':').next().unwrap().trim();
            carried.insert((table.to_owned(), column.to_owned()));
        }
    }
    let believed: BTreeSet<_> = believed().into_keys().collect();
    assert_eq!(carried, believed, "carry what a migration added in src/store/carry.rs");
}
