//! Debian's Postfix on a loopback port of its own, with its own configuration and queue in a
//! temporary folder. It ends when this process ends, however that ends; nothing of it touches
//! the system's own mail.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

/// The name it gives itself.
pub const NAME: &str = "relay.meadow.example";

/// Obeys one word a line, and takes everything away once its input ends: the kernel closes
/// the pipe even when the test process is killed.
const SCRIPT: &str = r#"
postfix() { command postfix -c "$DIR/conf" "$@" >/dev/null 2>&1; }
trap 'postfix abort; rm -rf "$DIR"' EXIT
while read -r word rest; do
    case $word in
        start) postfix start ;;
        kill) kill -9 $rest ;;
    esac && echo well || echo badly
done
"#;

/// The services it needs, none of them in a chroot.
const SERVICES: [&str; 15] = [
    "pickup unix n - n 60 1 pickup",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce",
    "verify unix - - n - 1 verify",
    "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap",
    "smtp unix - - n - - smtp",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "anvil unix - - n - 1 anvil",
    "postlog unix-dgram n - n - 1 postlogd",
];

struct Keeper {
    child: Child,
    /// Its input must stay open as long as we live.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A running Postfix.
pub struct Postfix {
    pub port: u16,
    /// Its keeper removes it.
    folder: PathBuf,
    keeper: Mutex<Keeper>,
}

impl Postfix {
    /// Hands everything on to `next` on this machine; asks `policy`, if there is one, about
    /// every recipient, after `refused`. `None`, said aloud, when there is no Postfix.
    pub fn start(next: u16, policy: Option<u16>, refused: &[&str]) -> Option<Self> {
        if !is_here() {
            let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
            assert!(!required, "Postfix is required and was not found, or this is not root");
            eprintln!("not run: no postfix");
            return None;
        }
        // Somebody else may take the port between the look and the start.
        let started = (0..3).find_map(|_| Self::start_once(next, policy, refused));
        assert!(started.is_some(), "Postfix did not start");
        started
    }

    fn start_once(next: u16, policy: Option<u16>, refused: &[&str]) -> Option<Self> {
        let folder = TempDir::with_prefix("daybreak-postfix-").unwrap().keep();
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        lay_out(&folder, port, next, policy, refused);
        let keeper = Mutex::new(keep(&folder));
        let postfix = Self { port, folder, keeper };
        postfix.obeyed("start").then_some(postfix)
    }

    /// Starts again after a kill, on the same port.
    pub fn restart(&self) {
        assert!(self.obeyed("start"), "{}", self.log());
    }

    /// Kills it and all its processes, by their numbers, without a chance to finish anything.
    pub fn kill(&self) {
        let master = fs::read_to_string(self.folder.join("queue/pid/master.pid")).unwrap();
        let master = master.trim().to_owned();
        let mut doomed = vec![master.clone()];
        doomed.extend(children_of(&master));
        assert!(self.obeyed(&format!("kill {}", doomed.join(" "))));
        // A port that is still held would keep the next one from starting.
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {}
    }

    /// What it wrote down.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Whether nothing is on its way any more.
    pub fn is_empty(&self) -> bool {
        ["incoming", "active", "deferred", "maildrop"]
            .iter()
            .all(|queue| mails_in(&self.folder.join("queue").join(queue)) == 0)
    }

    fn obeyed(&self, order: &str) -> bool {
        let mut keeper = self.keeper.lock().unwrap();
        writeln!(keeper.orders.as_mut().unwrap(), "{order}").unwrap();
        let mut answer = String::new();
        keeper.answers.read_line(&mut answer).unwrap();
        answer.trim() == "well"
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let Ok(keeper) = self.keeper.get_mut() else { return };
        keeper.orders.take();
        let _gone = keeper.child.wait();
    }
}

fn is_here() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    root && Path::new("/usr/sbin/postfix").is_file()
}

fn lay_out(folder: &Path, port: u16, next: u16, policy: Option<u16>, refused: &[&str]) {
    let dir = folder.to_str().unwrap();
    // Its processes run as another user and must get through.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["conf", "queue", "data"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let owner = user_of("postfix");
    std::os::unix::fs::chown(folder.join("data"), Some(owner), None).unwrap();
    let access: String =
        refused.iter().map(|a| format!("{a} 550 5.1.1 nobody of that name here\n")).collect();
    fs::write(folder.join("conf/refused"), access).unwrap();
    let policy = policy.map(|p| format!("check_policy_service inet:127.0.0.1:{p},"));
    let settings = format!(
        "compatibility_level = 3.6\n\
         queue_directory = {dir}/queue\n\
         data_directory = {dir}/data\n\
         maillog_file = {dir}/log\n\
         maillog_file_prefixes = {dir}\n\
         myhostname = {NAME}\n\
         mydestination =\n\
         inet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\n\
         mynetworks = 127.0.0.0/8\n\
         relayhost = [127.0.0.1]:{next}\n\
         alias_maps =\n\
         alias_database =\n\
         local_recipient_maps =\n\
         local_header_rewrite_clients =\n\
         notify_classes =\n\
         smtpd_error_sleep_time = 0\n\
         smtpd_recipient_restrictions = check_recipient_access texthash:{dir}/conf/refused,\n \
            {} permit_mynetworks, reject\n",
        policy.unwrap_or_default()
    );
    fs::write(folder.join("conf/main.cf"), settings).unwrap();
    let services = format!("127.0.0.1:{port} inet n - n - - smtpd\n{}\n", SERVICES.join("\n"));
    fs::write(folder.join("conf/master.cf"), services).unwrap();
}

fn user_of(name: &str) -> u32 {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|l| l.split(':').next() == Some(name)).unwrap();
    line.split(':').nth(2).unwrap().parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a server that lives as long as its test")]
fn keep(folder: &Path) -> Keeper {
    let mut child = Command::new("sh")
        .args(["-c", SCRIPT])
        .env("DIR", folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let orders = child.stdin.take();
    let answers = BufReader::new(child.stdout.take().unwrap());
    Keeper { child, orders, answers }
}

/// Processes whose parent is `parent`.
fn children_of(parent: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let numbers = processes.filter_map(|p| p.file_name().into_string().ok());
    numbers
        .filter(|n| n.bytes().all(|b| b.is_ascii_digit()))
        .filter(|n| {
            let about = fs::read_to_string(format!("/proc/{n}/stat")).unwrap_or_default();
            // pid (name) state ppid ...
            let after = about.rsplit(") ").next().unwrap_or_default().to_owned();
            after.split(' ').nth(1) == Some(parent)
        })
        .collect()
}

/// Mails that were taken: Postfix marks a whole one as executable, and leaves what was cut
/// off to be swept up later.
fn mails_in(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let whole = |path: &Path| fs::metadata(path).is_ok_and(|m| m.mode() & 0o100 != 0);
    entries
        .map(|e| e.path())
        .map(|path| if path.is_dir() { mails_in(&path) } else { usize::from(whole(&path)) })
        .sum()
}
