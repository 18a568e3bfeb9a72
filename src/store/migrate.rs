//! Bringing a database up to date: each backend has its own steps under the same names, both
//! compiled in. A database that knows steps this program does not is left alone.
//!
//! Cargo notices a changed step but not a new one: touch this file whenever you add it
//! (`tests/it/twins.rs` notices too).

use std::collections::BTreeSet;

use diesel::migration::MigrationSource;
use diesel::{Connection as _, connection::SimpleConnection as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::Conn;
use super::{Absent, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number will do, as long as no other program locks it in the same database.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7246892355)";

/// Runs the missing steps, all or none, one program at a time.
pub(super) fn bring_up_to_date(conn: &mut Conn, absent: Absent) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(conn) => conn.immediate_transaction(|conn| run(conn, SQLITE, absent)),
        Conn::Postgres(conn) => conn.transaction(|conn| {
            conn.batch_execute(LOCK)?;
            run(conn, POSTGRES, absent)
        }),
    }
}

fn run<DB, C>(conn: &mut C, ours: EmbeddedMigrations, absent: Absent) -> Result<(), StoreError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let broken = |_| StoreError::Unavailable("its tables cannot be brought up to date");
    let applied = conn.applied_migrations().map_err(broken)?;
    if applied.is_empty() && absent == Absent::Refuse {
        return Err(StoreError::NoDatabase);
    }
    let known: BTreeSet<String> = MigrationSource::<DB>::migrations(&ours)
        .map_err(broken)?
        .iter()
        .map(|m| m.name().version().to_string())
        .collect();
    if let Some(newer) = applied.iter().map(ToString::to_string).find(|v| !known.contains(v)) {
        return Err(StoreError::TooNew(newer));
    }
    conn.run_pending_migrations(ours).map_err(broken)?;
    Ok(())
}
