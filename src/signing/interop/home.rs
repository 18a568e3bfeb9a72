//! A throw-away GnuPG home: short path (sockets), mode 0700, its agent ended afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{Clock as _, SystemClock};
use crate::domain::time::At;
use crate::exec::{Output, Process};
use crate::pgp::{Certificate, Fingerprint, ImportError};

pub struct Home {
    folder: tempfile::TempDir,
    pub clock: Arc<SystemClock>,
}

/// Runs `test` in a fresh home and ends the agent, whatever the test did.
pub async fn with_gpg<F, T>(test: F)
where
    F: FnOnce(Arc<Home>) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let folder = tempfile::Builder::new().prefix("dbg").tempdir_in("/tmp").unwrap();
    let home = Arc::new(Home { folder, clock: Arc::new(SystemClock::new()) });
    let version = Process::new("gpg").arg("--version").run(home.clock.as_ref()).await;
    if !version.is_ok_and(|v| v.ok()) {
        let required = std::env::var_os("DAYBREAK_TEST_REQUIRE").is_some_and(|v| v == "all");
        assert!(!required, "gpg is required and not installed");
        eprintln!("not run: no gpg");
        return;
    }
    let result = tokio::spawn(test(Arc::clone(&home))).await;
    let kill = Process::new("gpgconf").arg("--homedir").arg(home.path()).args(["--kill", "all"]);
    let _ended = kill.run(home.clock.as_ref()).await;
    if let Err(failed) = result {
        std::panic::resume_unwind(failed.into_panic());
    }
}

impl Home {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn now(&self) -> At {
        self.clock.wall()
    }

    /// gpg with `args`, reading `stdin`; status lines go to stderr.
    pub async fn try_gpg(&self, args: &[&str], stdin: &[u8]) -> Output {
        let always = ["--batch", "--yes", "--no-tty", "--quiet", "--status-fd", "2"];
        let unlocked = ["--pinentry-mode", "loopback", "--passphrase", ""];
        Process::new("gpg")
            .arg("--homedir")
            .arg(self.path())
            .args(always)
            .args(unlocked)
            .args(["--trust-model", "always"])
            .args(args)
            .env("LC_ALL", "C")
            .stdin(stdin)
            .run(self.clock.as_ref())
            .await
            .unwrap()
    }

    /// The same, which must succeed.
    pub async fn gpg(&self, args: &[&str], stdin: &[u8]) -> Output {
        let output = self.try_gpg(args, stdin).await;
        assert!(output.ok(), "gpg {args:?}: {}", output.complaint());
        output
    }

    /// A new key; the fingerprint comes from the status lines. `extra` goes before the command.
    pub async fn generate(
        &self,
        user: &str,
        algo: &str,
        usage: &str,
        expiry: &str,
        extra: &[&str],
    ) -> Fingerprint {
        let command = ["--quick-generate-key", user, algo, usage, expiry];
        let output = self.gpg(&[extra, &command].concat(), b"").await;
        let text = output.complaint();
        let line = text.lines().find(|l| l.contains("KEY_CREATED")).unwrap();
        line.split(' ').next_back().unwrap().parse().unwrap()
    }

    /// Ed25519 and Cv25519, as most people have it.
    pub async fn ordinary(&self, user: &str) -> Fingerprint {
        self.generate(user, "future-default", "default", "never", &[]).await
    }

    pub async fn add_subkey(&self, fpr: &Fingerprint, algo: &str, usage: &str, extra: &[&str]) {
        let command = ["--quick-add-key", fpr.as_str(), algo, usage, "never"];
        self.gpg(&[extra, &command].concat(), b"").await;
    }

    pub async fn export(&self, fpr: &Fingerprint) -> Vec<u8> {
        self.gpg(&["--armor", "--export", fpr.as_str()], b"").await.stdout
    }

    pub async fn certificate(&self, fpr: &Fingerprint) -> Certificate {
        self.try_certificate(fpr).await.unwrap()
    }

    pub async fn try_certificate(&self, fpr: &Fingerprint) -> Result<Certificate, ImportError> {
        Certificate::import(&self.export(fpr).await)
    }

    pub async fn import(&self, certificate: &Certificate) {
        self.gpg(&["--import"], certificate.armored().as_bytes()).await;
    }

    /// A file in the home.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// Whether a status line with this word came.
pub fn says(output: &Output, word: &str) -> bool {
    let wanted = format!("[GNUPG:] {word}");
    output.complaint().lines().any(|l| l == wanted || l.starts_with(&format!("{wanted} ")))
}
