//! A PostgreSQL server of our own for one run of the tests: found, started once, ended when
//! this process ends, however it ends. Each test gets its own schema in it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

/// Starts a cluster in a folder of its own, says where, and takes both away again once its
/// input ends: the kernel closes the pipe even when the test process is killed.
const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d /tmp/daybreak-pg-XXXXXX)
trap '"$BIN/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
"$BIN/initdb" -D "$dir/data" -U daybreak -A trust -E UTF8 --no-locale --no-sync >/dev/null
"$BIN/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -o "-F -p $PORT -k $dir \
    -c listen_addresses=127.0.0.1 -c max_connections=200" start >/dev/null
echo "$dir"
cat >/dev/null
"#;

struct Server {
    /// Its standard input must stay open as long as we live.
    _watch: Child,
    socket: String,
    port: u16,
}

/// The address of a fresh schema; `None`, said aloud, when there is no PostgreSQL.
pub fn fresh_schema() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let Some(server) = SERVER.get_or_init(start) else {
        let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
        assert!(!required, "PostgreSQL is required and was not found or did not start");
        eprintln!("not run: no postgres");
        return None;
    };
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let address = |schema: &str| {
        format!(
            "postgres://daybreak@/postgres?host={}&port={}&options=-csearch_path%3D{schema}",
            server.socket, server.port
        )
    };
    let mut conn = PgConnection::establish(&address("public")).unwrap();
    conn.batch_execute(&format!("CREATE SCHEMA {name}")).unwrap();
    Some(address(&name))
}

fn start() -> Option<Server> {
    let bin = programs()?;
    // Somebody else may take the port between the look and the start.
    (0..3).find_map(|_| start_once(&bin))
}

#[expect(clippy::disallowed_methods, reason = "a server that lives as long as the tests")]
fn start_once(bin: &Path) -> Option<Server> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    // PostgreSQL refuses to run as root.
    let mut command = match user() {
        None => Command::new("sh"),
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--", "sh"]);
            command
        }
    };
    let mut child = command
        .args(["-c", SCRIPT])
        .env("BIN", bin)
        .env("PORT", port.to_string())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut socket = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut socket).ok()?;
    let socket = socket.trim().to_owned();
    (!socket.is_empty()).then_some(Server { _watch: child, socket, port })
}

/// The folder with all the programs we need: where `PATH` leads, or Debian's.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .filter_map(|dir| dir.join("initdb").canonicalize().ok())
        .filter_map(|real| real.parent().map(Path::to_owned));
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.filter_map(|v| v.ok().map(|v| v.path().join("bin")));
    on_path
        .chain(debian)
        .find(|dir| ["initdb", "pg_ctl", "postgres"].iter().all(|p| dir.join(p).is_file()))
}

/// Whom to become when we are root.
fn user() -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = |name: &str| users.lines().any(|l| l.split(':').next() == Some(name));
    root.then(|| if known("postgres") { "postgres" } else { "nobody" })
}

/// A copy of a schema as it stands, rows, keys and indexes, without the references between
/// tables.
pub fn copy_of(address: &str) -> String {
    let copy = fresh_schema().unwrap();
    let schema = |a: &str| a.rsplit_once("%3D").unwrap().1.to_owned();
    let (from, to) = (schema(address), schema(&copy));
    let sql = format!(
        "DO $$ DECLARE t text; BEGIN
           FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '{from}' LOOP
             EXECUTE format('CREATE TABLE {to}.%1$I (LIKE {from}.%1$I INCLUDING ALL)', t);
             EXECUTE format('INSERT INTO {to}.%1$I SELECT * FROM {from}.%1$I', t);
           END LOOP;
         END $$"
    );
    PgConnection::establish(&copy).unwrap().batch_execute(&sql).unwrap();
    copy
}
