//! Real gpg in a throw-away home: what a distributor or a maintainer with nothing of ours has.
//!
//! Its clock is set to the town's, so that signatures of that day are neither old nor early.

use std::path::{Path, PathBuf};

use daybreak::clock::SystemClock;
use daybreak::domain::time::At;
use daybreak::exec::{Output, Process};
use daybreak::pgp::{Certificate, TeamKey};
use tempfile::TempDir;

/// A home; its agent ends with it.
pub struct Gpg {
    home: TempDir,
    now: At,
}

/// Whether gpg is there; says so when it is not.
async fn there() -> bool {
    let version = Process::new("gpg").arg("--version").run(&SystemClock::new()).await;
    if version.is_ok_and(|v| v.ok()) {
        return true;
    }
    let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
    assert!(!required, "gpg is required and was not found");
    eprintln!("not run: no gpg");
    false
}

impl Gpg {
    /// An empty home whose clock shows `now`. `None`, said aloud, when there is no gpg.
    pub async fn at(now: At) -> Option<Self> {
        // A short path: sockets of the agent lie in it.
        use std::os::unix::fs::PermissionsExt as _;
        let closed = std::fs::Permissions::from_mode(0o700);
        let mut home = tempfile::Builder::new();
        let home = home.prefix("dbg").permissions(closed).tempdir_in("/tmp").unwrap();
        there().await.then_some(Self { home, now })
    }

    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn options(&self) -> Vec<String> {
        let home = self.path().to_str().unwrap();
        let now = self.now.secs().to_string();
        let fixed = ["--homedir", home, "--faked-system-time", &now];
        let quiet = ["--batch", "--yes", "--no-tty", "--quiet", "--trust-model", "always"];
        fixed.into_iter().chain(quiet).map(str::to_owned).collect()
    }

    /// gpg with `args`; status lines go to stderr.
    pub async fn run(&self, args: &[&str], stdin: &[u8]) -> Output {
        Process::new("gpg")
            .args(self.options())
            .args(["--status-fd", "2", "--pinentry-mode", "loopback", "--passphrase", ""])
            .args(args)
            .env("LC_ALL", "C")
            .folder(self.path())
            .stdin(stdin)
            .limit(64 << 20)
            .run(&SystemClock::new())
            .await
            .unwrap()
    }

    /// The same, which must succeed.
    pub async fn ok(&self, args: &[&str], stdin: &[u8]) -> Output {
        let out = self.run(args, stdin).await;
        assert!(out.ok(), "gpg {args:?}: {}", out.complaint());
        out
    }

    pub async fn import(&self, certificate: &Certificate) {
        self.ok(&["--import"], certificate.armored().as_bytes()).await;
    }

    pub async fn import_secret(&self, key: &TeamKey) {
        self.ok(&["--import"], &key.secret).await;
    }

    /// A program that is this gpg, for others to call.
    pub fn program(&self) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let line = format!("#!/bin/sh\nexec gpg {} \"$@\"\n", self.options().join(" "));
        let path = self.file("gpg.sh", line.as_bytes());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path
    }
}

impl Drop for Gpg {
    #[expect(clippy::disallowed_methods, reason = "a drop cannot wait for an async process")]
    fn drop(&mut self) {
        let mut kill = std::process::Command::new("gpgconf");
        let _best_effort = kill.arg("--homedir").arg(self.path()).args(["--kill", "all"]).output();
    }
}

/// Whether a status line with this word came.
pub fn says(output: &Output, word: &str) -> bool {
    said(output, word).is_some()
}

/// What stands behind that word in the status lines.
pub fn said(output: &Output, word: &str) -> Option<String> {
    let wanted = format!("[GNUPG:] {word}");
    output
        .complaint()
        .lines()
        .find_map(|l| l.strip_prefix(&wanted).filter(|r| r.is_empty() || r.starts_with(' ')))
        .map(|rest| rest.trim().to_owned())
}

/// Any other program, run to its end.
pub async fn program(name: &str, args: &[&str], folder: &Path) -> Output {
    Process::new(name)
        .args(args)
        .folder(folder)
        .env("LC_ALL", "C")
        .run(&SystemClock::new())
        .await
        .unwrap()
}

/// git as somebody with no settings of their own has it; it must succeed.
pub async fn git(args: &[&str], folder: &Path) -> String {
    let out = Process::new("git")
        .args(["-c", "user.name=Reader", "-c", "user.email=reader@larch.example"])
        .args(args)
        .folder(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .run(&SystemClock::new())
        .await
        .unwrap();
    assert!(out.ok(), "git {args:?}: {}", out.complaint());
    // `verify-tag` speaks on the error stream.
    out.text() + &out.complaint()
}
