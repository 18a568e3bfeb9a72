//! gpg with a home of its own, as a peer or as the one who opens samples.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::clock::SystemClock;
use crate::exec::{Output, Process};
use crate::pgp::Fingerprint;

/// A throw-away folder with a short path (sockets lie in it), mode 0700.
pub fn ground() -> anyhow::Result<TempDir> {
    let closed = std::fs::Permissions::from_mode(0o700);
    let made = tempfile::Builder::new().prefix("dbf").permissions(closed).tempdir_in("/tmp");
    made.context("cannot make a folder for gpg")
}

/// A throw-away GNUPGHOME.
pub struct Home {
    path: PathBuf,
    _own: Option<TempDir>,
}

impl Home {
    pub fn new() -> anyhow::Result<Self> {
        let own = ground()?;
        Ok(Self { path: own.path().to_owned(), _own: Some(own) })
    }

    /// In a folder of somebody else's, who removes it.
    pub fn at(path: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&path).context("cannot make a folder for gpg")?;
        let closed = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&path, closed).context("cannot close a folder for gpg")?;
        Ok(Self { path, _own: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub async fn gpg(&self, args: &[&str], stdin: &[u8]) -> anyhow::Result<Output> {
        let room = (stdin.len() as u64).saturating_mul(2).saturating_add(1 << 20);
        let gpg = Process::new("gpg").arg("--homedir").arg(self.path());
        let gpg = gpg.args(["--batch", "--no-tty", "--trust-model", "always"]).args(args);
        Ok(gpg.stdin(stdin).limit(room).run(&SystemClock::new()).await?)
    }

    pub async fn import(&self, keys: &[u8]) -> anyhow::Result<()> {
        let out = self.gpg(&["--quiet", "--import"], keys).await?;
        ensure!(out.ok(), "gpg does not take a key: {}", out.complaint());
        Ok(())
    }

    /// What is inside, when gpg says that all of it is good and that this key signed it.
    pub async fn open(&self, sealed: &[u8], signer: &Fingerprint) -> anyhow::Result<Vec<u8>> {
        let out = self.gpg(&["--status-fd", "2", "--decrypt"], sealed).await?;
        let said = out.complaint();
        let good = ["DECRYPTION_OKAY", "GOODMDC", "GOODSIG", &format!("VALIDSIG {signer}")]
            .iter()
            .all(|word| said.contains(&format!("[GNUPG:] {word}")));
        ensure!(out.ok() && good, "gpg refuses a sample");
        Ok(out.stdout)
    }

    /// The process id of its agent, which makes the signatures.
    pub async fn agent(&self) -> anyhow::Result<String> {
        let ask = Process::new("gpg-connect-agent").arg("--homedir").arg(self.path());
        let out = ask.args(["getinfo pid", "/bye"]).run(&SystemClock::new()).await?;
        let text = out.text();
        let pid = text.lines().find_map(|l| l.strip_prefix("D "));
        Ok(pid.context("gpg's agent does not answer")?.trim().to_owned())
    }
}

impl Drop for Home {
    /// The agent sees that its folder is gone and ends by itself; this only hurries it.
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(self.path().join("S.gpg-agent"));
    }
}
