//! What time the database has. A server has a clock of its own, and so is a witness of ours; a
//! file has none and says nothing.

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::conn::Conn;
use super::{Reader, Store, StoreError};
use crate::clock::witness::{Testimony, TimeWitness};
use crate::domain::time::At;

/// The clock itself: `now()` would stand still for as long as a transaction lasts.
const ASK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

impl Reader<'_> {
    /// What the database server's clock shows; `None` when there is no server.
    pub fn server_time(&mut self) -> Result<Option<At>, StoreError> {
        match &mut self.conn {
            Conn::Sqlite(_) => Ok(None),
            Conn::Postgres(pg) => {
                let millis: i64 = sql::<BigInt>(ASK).get_result(pg)?;
                Ok(Some(At::from_millis(millis)))
            }
        }
    }
}

/// The database's clock as a witness.
pub struct DatabaseClock(Store);

impl DatabaseClock {
    /// Of that database.
    pub const fn new(store: Store) -> Self {
        Self(store)
    }
}

#[async_trait]
impl TimeWitness for DatabaseClock {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn testify(&self) -> Testimony {
        // One that does not answer is noticed elsewhere, and nothing goes without it.
        match self.0.read(|r| r.server_time()).await {
            Ok(Some(at)) => Testimony::Shows(at),
            Ok(None) | Err(_) => Testimony::Silent,
        }
    }
}
