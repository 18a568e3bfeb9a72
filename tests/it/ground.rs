//! Where a store test stands: a fresh database of either kind, its key, and a way around the
//! store to its raw rows, as an intruder would have.

use std::path::Path;
use std::str::FromStr;

use daybreak::domain::deed::{Actor, Deed, Subject};
use daybreak::domain::time::At;
use daybreak::store::{Options, Place, Store, StoreError};
use daybreak::vault::Vault;
use diesel::connection::SimpleConnection as _;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _, SqliteConnection};
use tempfile::TempDir;

use crate::postgres;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Db {
    Sqlite,
    Postgres,
}

/// A fresh database.
pub struct Ground {
    pub db: Db,
    pub dir: TempDir,
    address: String,
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    v: String,
}

impl Ground {
    /// `None`, said aloud, when there is no such database here.
    pub fn new(db: Db) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let address = match db {
            Db::Sqlite => "sqlite:house.sqlite".to_owned(),
            Db::Postgres => postgres::fresh_schema()?,
        };
        Vault::create(&dir.path().join("vault.key")).unwrap();
        Some(Self { db, dir, address })
    }

    pub fn options(&self) -> Options {
        Options::new(Place::parse(&self.address, self.dir.path()).unwrap())
    }

    pub fn vault(&self) -> Vault {
        Vault::load(&self.dir.path().join("vault.key")).unwrap()
    }

    /// Opens it, making it if need be.
    pub fn store(&self) -> Store {
        self.try_store().unwrap()
    }

    pub fn try_store(&self) -> Result<Store, StoreError> {
        Store::create(&self.options(), self.vault())
    }

    fn file(&self) -> String {
        self.dir.path().join("house.sqlite").to_str().unwrap().to_owned()
    }

    /// Changes rows behind the store's back.
    pub fn meddle(&self, sql: &str) {
        match self.db {
            Db::Sqlite => {
                let mut conn = SqliteConnection::establish(&self.file()).unwrap();
                conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; {sql}")).unwrap();
            }
            Db::Postgres => {
                PgConnection::establish(&self.address).unwrap().batch_execute(sql).unwrap();
            }
        }
    }

    /// Every value of the column `v`, read past the store.
    pub fn ask<T: FromStr<Err: std::fmt::Debug>>(&self, sql: &str) -> Vec<T> {
        let query = diesel::sql_query(sql);
        let cells: Vec<Cell> = match self.db {
            Db::Sqlite => query.load(&mut SqliteConnection::establish(&self.file()).unwrap()),
            Db::Postgres => query.load(&mut PgConnection::establish(&self.address).unwrap()),
        }
        .unwrap();
        cells.into_iter().map(|c| c.v.parse().unwrap()).collect()
    }

    /// Rows of a table.
    pub fn count(&self, table: &str) -> i64 {
        self.ask(&format!("SELECT CAST(count(*) AS TEXT) AS v FROM {table}"))[0]
    }

    /// Everything the database keeps on disk, SQLite only.
    pub fn raw_bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(self.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if is_database_file(&path) {
                all.extend(std::fs::read(path).unwrap());
            }
        }
        all
    }
}

fn is_database_file(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with("house.sqlite")
}

/// An instant: `n` seconds after 2026-11-20.
pub fn at(n: i64) -> At {
    At::from_secs(1_795_132_800 + n)
}

/// The operator does something to the house.
pub fn deed() -> Deed {
    Deed::new(Actor::Operator, "test", Subject::house(), at(0))
}
