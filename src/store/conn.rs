//! Connections: opened by hand for either backend (the derived way hides why one failed),
//! set up the same way every time, kept in pools.
//!
//! SQLite: one connection that writes, several that only read. PostgreSQL: the same pools of
//! equal connections. The engine has its own two, so that people cannot starve it.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{ManageConnection, NopErrorHandler, Pool, PooledConnection, R2D2Connection};
use diesel::{Connection as _, ConnectionError, PgConnection, SqliteConnection};

use super::{Absent, Lane, Place, StoreError};

/// A connection to either backend.
#[derive(diesel::MultiConnection)]
pub(super) enum Conn {
    /// SQLite.
    Sqlite(SqliteConnection),
    /// PostgreSQL.
    Postgres(PgConnection),
}

/// How long somebody waits for a connection, and a connection for a lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// `secure_delete` and `temp_store` keep what little is clear from lingering on the disk.
const SQLITE: &str = "
    PRAGMA busy_timeout = 10000;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;";

/// A server set to lose the last commits in a crash is not followed in that.
const POSTGRES: &str = "
    SET client_min_messages = error;
    SET application_name = 'daybreak';
    SET lock_timeout = '10s';
    SET statement_timeout = '60s';
    SET idle_in_transaction_session_timeout = '60s';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';";

/// Opens one connection.
pub(super) fn connect(place: &Place, absent: Absent) -> Result<Conn, StoreError> {
    match place {
        Place::Sqlite(file) => {
            keep_private(file, absent)?;
            let name = file.to_str().ok_or(StoreError::BadPlace("is not valid text"))?;
            let mut conn = SqliteConnection::establish(name)
                .map_err(|_| StoreError::Unavailable("its file cannot be opened"))?;
            conn.batch_execute(SQLITE)?;
            write_ahead(&mut conn)?;
            Ok(Conn::Sqlite(conn))
        }
        Place::Memory(name) => {
            let mut conn = SqliteConnection::establish(&in_memory(name))
                .map_err(|_| StoreError::Unavailable("there is no memory for it"))?;
            conn.batch_execute(SQLITE)?;
            Ok(Conn::Sqlite(conn))
        }
        Place::Postgres(address) => {
            let mut conn = PgConnection::establish(&bounded(address)).map_err(|e| refused(&e))?;
            conn.batch_execute(POSTGRES)?;
            Ok(Conn::Postgres(conn))
        }
    }
}

/// The name under which every connection of this process finds the same database
/// (sqlite.org/c3ref/c_deserialize_freeonclose.html, "memdb"). Ours, so that no quoting is needed.
fn in_memory(name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("file:/{plain}?vfs=memdb")
}

/// Copies an SQLite database as it stands into one in memory that is still empty.
pub(super) fn copy_into_memory(from: &mut Conn, name: &str) -> Result<(), StoreError> {
    let Conn::Sqlite(from) = from else {
        return Err(StoreError::BadPlace("is a server's: only a file is copied into memory"));
    };
    Ok(from.batch_execute(&format!("VACUUM INTO '{}'", in_memory(name)))?)
}

/// What bounds the wait for a server that vanished, where the address does not say otherwise:
/// seconds, and milliseconds for the last (libpq, "Database Connection Control Functions").
/// Without them a dead host is noticed after a quarter of an hour.
const BOUNDS: [(&str, &str); 6] = [
    ("connect_timeout", "10"),
    ("keepalives", "1"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "30000"),
];

/// The address with every bound that it does not set itself.
fn bounded(address: &str) -> String {
    let query = query_of(address);
    let said =
        |key: &str| query.is_some_and(|q| q.split('&').any(|p| p.split('=').next() == Some(key)));
    let more: Vec<String> =
        BOUNDS.iter().filter(|(k, _)| !said(k)).map(|(k, v)| format!("{k}={v}")).collect();
    let joint = match query {
        _ if more.is_empty() => "",
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{}", more.join("&"))
}

/// What stands behind the `?`. A user or password may hold one of its own.
fn query_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let rest = match rest.split_once('@') {
        Some((user, host)) if !user.contains('/') => host,
        _ => rest,
    };
    rest.split_once('?').map(|(_, query)| query)
}

/// Keeps other programs from setting up the same file at the same time, until dropped:
/// SQLite does not wait for its turn where it goes over to a write-ahead log.
pub(super) fn alone(place: &Place, absent: Absent) -> Result<Option<File>, StoreError> {
    let Place::Sqlite(file) = place else { return Ok(None) };
    let folder = File::open(folder_of(file)).map_err(|e| no_file(&e, absent))?;
    match folder.lock() {
        Err(e) if e.kind() != ErrorKind::Unsupported => Err(no_file(&e, absent)),
        _ => Ok(Some(folder)),
    }
}

/// Makes the file, or an existing one, its owner's alone; SQLite gives the files beside it
/// the same mode. It must never be opened here: closing it would drop the locks that this
/// process's connections hold on it.
fn keep_private(file: &Path, absent: Absent) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| no_file(&e, absent);
    let mut rights = match std::fs::metadata(file) {
        Err(e) if e.kind() == ErrorKind::NotFound && absent == Absent::Make => {
            // Made under another name, mode 0600, and closed before it gets its own.
            let made = tempfile::NamedTempFile::new_in(folder_of(file)).map_err(failed)?;
            return match made.into_temp_path().persist_noclobber(file) {
                Err(e) if e.error.kind() != ErrorKind::AlreadyExists => Err(failed(e.error)),
                _ => Ok(()),
            };
        }
        found => found.map_err(failed)?.permissions(),
    };
    if rights.mode() & 0o077 != 0 {
        rights.set_mode(0o600);
        std::fs::set_permissions(file, rights).map_err(failed)?;
    }
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn no_file(error: &std::io::Error, absent: Absent) -> StoreError {
    match error.kind() {
        ErrorKind::NotFound if absent == Absent::Refuse => StoreError::NoDatabase,
        ErrorKind::NotFound => StoreError::Unavailable("the folder of its file does not exist"),
        ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Unavailable("its file cannot be made or is not ours"),
    }
}

/// Readers must not block the writer; a file system that cannot do it is refused.
fn write_ahead(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    use diesel::{RunQueryDsl as _, dsl::sql, sql_types::Text};
    let mode: String = sql::<Text>("PRAGMA journal_mode = WAL").get_result(conn)?;
    if mode == "wal" {
        return Ok(());
    }
    Err(StoreError::Unavailable("its file system has no shared memory (a network drive?)"))
}

/// Why a server did not let us in, told by its text, which goes no further.
fn refused(error: &ConnectionError) -> StoreError {
    let text = error.to_string();
    let why = match () {
        () if text.contains("authentication failed") => "the server refuses the user or password",
        () if text.contains("does not exist") => "the server has no such database or user",
        () if text.contains("too many") => "the server has no free connections",
        () => "the server cannot be reached",
    };
    StoreError::Unavailable(why)
}

/// What opens pooled connections.
pub(super) struct Opener {
    place: Place,
    writes: bool,
}

impl ManageConnection for Opener {
    type Connection = Conn;
    type Error = StoreError;

    fn connect(&self) -> Result<Conn, StoreError> {
        let mut conn = connect(&self.place, Absent::Refuse)?;
        if let (Conn::Sqlite(sqlite), false) = (&mut conn, self.writes) {
            sqlite.batch_execute("PRAGMA query_only = ON")?;
        }
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), StoreError> {
        Ok(conn.ping()?)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

type Taken = PooledConnection<Opener>;

/// The pools of one store.
pub(super) struct Pools {
    people: Pool<Opener>,
    engine: Pool<Opener>,
    /// SQLite's one writer; PostgreSQL's writers queue in the server.
    writer: Option<Pool<Opener>>,
}

impl Pools {
    /// Opens nothing yet.
    pub(super) fn new(place: &Place, connections: u32) -> Self {
        let pool = |size: u32, writes: bool| {
            Pool::builder()
                .max_size(size.max(1))
                .min_idle(Some(0))
                .connection_timeout(PATIENCE)
                // The default one logs the library's text.
                .error_handler(Box::new(NopErrorHandler))
                .build_unchecked(Opener { place: place.clone(), writes })
        };
        let sqlite = !matches!(place, Place::Postgres(_));
        Self {
            people: pool(connections, !sqlite),
            engine: pool(2, !sqlite),
            writer: sqlite.then(|| pool(1, true)),
        }
    }

    /// A connection to read with.
    pub(super) fn reader(&self, lane: Lane) -> Result<Taken, StoreError> {
        take(match lane {
            Lane::People => &self.people,
            Lane::Engine => &self.engine,
        })
    }

    /// A connection to write with.
    pub(super) fn writer(&self, lane: Lane) -> Result<Taken, StoreError> {
        self.writer.as_ref().map_or_else(|| self.reader(lane), take)
    }
}

fn take(pool: &Pool<Opener>) -> Result<Taken, StoreError> {
    pool.get().map_err(|_| StoreError::Unavailable("no connection could be had in time"))
}

/// Makes the running transaction one unchanging state that cannot be written.
pub(super) fn only_read(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        // Its transactions are snapshots, its readers `query_only`.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(pg) => {
            Ok(pg.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?)
        }
    }
}

/// Runs `work` in one transaction: an error of it rolls back.
pub(super) fn transact<T, E: From<StoreError>>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    /// Diesel wants its own error to convert; the caller's stays what it is.
    enum Ended<E> {
        Database(diesel::result::Error),
        Work(E),
    }
    impl<E> From<diesel::result::Error> for Ended<E> {
        fn from(error: diesel::result::Error) -> Self {
            Self::Database(error)
        }
    }
    conn.transaction(|conn| work(conn).map_err(Ended::Work)).map_err(|ended| match ended {
        Ended::Database(error) => StoreError::from(error).into(),
        Ended::Work(error) => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "connect_timeout=10&keepalives=1&keepalives_idle=10&\
        keepalives_interval=5&keepalives_count=3&tcp_user_timeout=30000";

    #[test]
    fn the_wait_for_a_vanished_server_is_bounded() {
        for (given, joint) in [
            ("postgres://u@h/d", "?"),
            ("postgresql://u:p?w@h:5432/d", "?"),
            ("postgres://u@[::1]", "?"),
            ("postgres://u@h/d?", ""),
            ("postgres://u@h/d?options=-csearch_path%3Dt1", "&"),
            ("postgres:///d?host=/run/pg&user=a@b", "&"),
        ] {
            assert_eq!(bounded(given), format!("{given}{joint}{ALL}"));
        }
    }

    #[test]
    fn what_the_address_says_itself_stays() {
        let given = "postgres://u@h/d?tcp_user_timeout=5&sslmode=require&connect_timeout=60";
        assert_eq!(
            bounded(given),
            format!(
                "{given}&keepalives=1&keepalives_idle=10&keepalives_interval=5&keepalives_count=3"
            )
        );
        let all = format!("postgres://u@h/d?{ALL}");
        assert_eq!(bounded(&all), all);
        // A like-named part of another value is no such setting.
        assert!(bounded("postgres://u@h/d?options=-cx%3Dkeepalives").contains("&keepalives=1&"));
    }
}
