//! A newcomer at their machine: an empty home, a repository of their own, one bash that is
//! typed into, and eyes of their own to look at what came of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use assert_cmd::Command;
use daybreak::domain::time::At;
use tempfile::TempDir;

/// Takes names of files and types each one's content, then says so.
const DRIVER: &str = r#"
set -euo pipefail
while IFS= read -r block; do
    . "$block" < /dev/null
    printf '\n%s\n' "typed: $block"
done
"#;

pub use crate::cli::bench::have;

pub struct Reader {
    home: TempDir,
    site: u16,
    bash: Child,
    keyboard: ChildStdin,
    screen: BufReader<ChildStdout>,
    typed: usize,
}

impl Reader {
    /// A machine with nothing but a repository with a branch `trunk` and a release on it.
    pub fn new(version: &str, id: &str, database: Option<&str>) -> Self {
        // Short: the sockets of gpg's agents lie in it.
        let home = tempfile::Builder::new().prefix("dbt").tempdir_in("/tmp").unwrap();
        let repository = home.path().join("my src/bulrush");
        std::fs::create_dir_all(&repository).unwrap();
        let git =
            |args: &[&str]| run(bare(home.path(), "git").arg("-C").arg(&repository).args(args));
        git(&["init", "--quiet", "-b", "trunk"]);
        for (name, text) in
            [("bulrush.c", "int main(void) { return 0; }\n"), ("VERSION", "7.4.0\n")]
        {
            std::fs::write(repository.join(name), text).unwrap();
            git(&["add", name]);
            let me = ["-c", "user.name=Wen Li", "-c", "user.email=wen@bulrush.example"];
            git(&[&me[..], &["commit", "--quiet", "-m", &format!("Add {name}")]].concat());
        }
        git(&["tag", "7.4.0"]);

        let (site, mail) = free_ports();
        let driver = home.path().join("driver");
        std::fs::write(&driver, DRIVER).unwrap();
        let mut bash = start(home.path(), |command| {
            command
                .args(["--kill-after=5", "180", "bash"])
                .arg(&driver)
                .env("REPO", &repository)
                .env("LAB", home.path().join("a lab"))
                .env("LEAD", "40 seconds")
                .env("VERSION", version)
                .env("ID", id)
                .env("SITE_PORT", site.to_string())
                .env("MAIL_PORT", mail.to_string());
            if let Some(url) = database {
                command.env("DATABASE", url);
            }
        });
        let keyboard = bash.stdin.take().unwrap();
        let screen = BufReader::new(bash.stdout.take().unwrap());
        Self { home, site, bash, keyboard, screen, typed: 0 }
    }

    /// Types one block and waits for its end; what it printed.
    pub fn types(&mut self, block: &str) -> String {
        self.typed += 1;
        let file = self.home.path().join(format!("block-{}", self.typed));
        // What a block says on stderr is read, too.
        std::fs::write(&file, format!("exec 2>&1\n{block}\n")).unwrap();
        writeln!(self.keyboard, "{}", file.display()).unwrap();
        let (mut said, end) = (String::new(), format!("typed: {}\n", file.display()));
        loop {
            let mut line = Vec::new();
            let read = self.screen.read_until(b'\n', &mut line).unwrap();
            let line = String::from_utf8_lossy(&line);
            if line == end {
                return said;
            }
            said.push_str(&line);
            assert!(read > 0, "bash ended inside\n{block}\n\nhaving said\n{said}\n{}", self.log());
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.lab("serve.log")).unwrap_or_default()
    }

    pub fn lab(&self, name: &str) -> PathBuf {
        self.home.path().join("a lab").join(name)
    }

    pub fn repository(&self) -> PathBuf {
        self.home.path().join("my src/bulrush")
    }

    pub fn git(&self, folder: &Path, args: &[&str]) -> String {
        let mut git = bare(self.home.path(), "git");
        // `verify-tag --raw` answers on stderr.
        let done = git.arg("-C").arg(folder).args(args).env("GNUPGHOME", self.lab("keys")).output();
        let done = done.unwrap();
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(done.status.success(), "git {args:?}: {said}");
        said
    }

    pub fn refs(&self, repository: &Path) -> String {
        self.git(repository, &["for-each-ref", "--format=%(objectname) %(refname)"])
    }

    /// What gpg reads out of a file with the keys of that folder, and what it says of it.
    pub fn gpg(&self, keys: &str, args: &[&str], file: &Path) -> (String, String) {
        let done = bare(self.home.path(), "gpg")
            .arg("--homedir")
            .arg(self.lab(keys))
            .args(["--batch", "--status-fd", "2"])
            .args(args)
            .arg(file)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(done.stdout), text(done.stderr))
    }

    pub fn daybreak(&self, args: &[&str]) -> String {
        run(bare(self.home.path(), daybreak()).env("DAYBREAK_DIR", self.lab("house")).args(args))
    }

    /// T0 as the approvers read it.
    pub fn t0(&self) -> At {
        let text = std::fs::read_to_string(self.lab("plan-2/APPROVAL.txt")).unwrap();
        let t0 = text.lines().find_map(|l| l.strip_prefix("t0 ")).unwrap();
        At::parse_rfc3339(t0).unwrap()
    }

    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.lab(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What the catcher caught for an address.
    pub fn mails(&self, to: &str) -> Vec<PathBuf> {
        let end = format!("-{to}.eml");
        let names = self.names("mail").into_iter().filter(|n| n.ends_with(&end));
        names.map(|n| self.lab("mail").join(n)).collect()
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.site)
    }

    pub fn get(&self, path: &str) -> String {
        run(bare(self.home.path(), "curl").args(["--fail", "--silent"]).arg(self.url(path)))
    }

    pub fn status(&self, path: &str) -> u16 {
        let mut curl = bare(self.home.path(), "curl");
        curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        run(curl.arg(self.url(path))).parse().unwrap()
    }

    /// Programs of ours that still run for this reader.
    pub fn running(&self) -> Vec<String> {
        let home = self.home.path().to_str().unwrap();
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|e| e.path());
        let read = |path: PathBuf| {
            String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).replace('\0', " ")
        };
        processes
            .filter(|p| read(p.join("comm")).trim() == "daybreak")
            .filter(|p| read(p.join("environ")).contains(home))
            .map(|p| read(p.join("cmdline")))
            .collect()
    }
}

impl Drop for Reader {
    /// A test that failed half-way leaves nothing running. `timeout` leads the whole group.
    fn drop(&mut self) {
        let group = format!("kill -KILL -- -{}", self.bash.id());
        let _ended_already = Command::new("bash").args(["-c", &group]).output();
        let _reaped = self.bash.wait();
        for keys in ["keys", "distributor-keys"] {
            let mut agent = bare(self.home.path(), "gpgconf");
            let _none = agent.arg("--homedir").arg(self.lab(keys)).args(["--kill", "all"]).output();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a shell that lives as long as its reader")]
fn start(home: &Path, prepare: impl FnOnce(&mut std::process::Command)) -> Child {
    let mut command = std::process::Command::new("timeout");
    command.env_clear().envs(environment(home)).current_dir(home);
    prepare(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn daybreak() -> &'static str {
    env!("CARGO_BIN_EXE_daybreak")
}

/// A newcomer's: nothing of ours, and the program of this build found first.
fn environment(home: &Path) -> Vec<(&'static str, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let ours = Path::new(daybreak()).parent().unwrap();
    vec![
        ("PATH", format!("{}:{path}", ours.display())),
        ("HOME", home.display().to_string()),
        ("LANG", "C.UTF-8".to_owned()),
    ]
}

fn bare(home: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment(home)).current_dir(home);
    command
}

fn run(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn free_ports() -> (u16, u16) {
    // Both are held while they are chosen, so that they differ.
    let bound = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, two) = (bound(), bound());
    let port = |l: &TcpListener| l.local_addr().unwrap().port();
    (port(&one), port(&two))
}
