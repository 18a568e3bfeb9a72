//! The peer: gpg, once a recipient, with its agent, in a home of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use super::cpu::{self, Spent};
use super::ours::Way;
use super::ring::Ring;
use crate::clock::{Clock as _, SystemClock};
use crate::exec::{Output, Process};
use crate::pgp::TeamKey;

/// gpg as the team would have it, and gpg as each kind of recipient has it.
pub struct Peer {
    team: Home,
    readers: Home,
    /// Full fingerprints, in the order of the ring.
    recipients: Vec<String>,
    signers: [String; 2],
}

impl Peer {
    pub async fn furnish(ring: &Ring) -> anyhow::Result<Self> {
        let (team, readers) = (Home::new()?, Home::new()?);
        let signers = [&ring.ed25519, &ring.rsa4096];
        for key in signers {
            team.import(&key.secret).await?;
            readers.import(key.certificate.armored().as_bytes()).await?;
        }
        let public: String = ring.keys().map(|key| key.certificate.armored()).collect();
        team.import(public.as_bytes()).await?;
        for key in ring.one_of_each_kind() {
            readers.import(&key.secret).await?;
        }
        let name = |key: &TeamKey| key.certificate.fingerprint().to_string();
        Ok(Self {
            team,
            readers,
            recipients: ring.keys().map(name).collect(),
            signers: signers.map(name),
        })
    }

    const fn signer(&self, way: Way) -> &String {
        let [ed25519, rsa4096] = &self.signers;
        match way {
            Way::Full => ed25519,
            Way::Shared => rsa4096,
        }
    }

    /// What a reader gets, when gpg says that all of it is good.
    pub async fn open(&self, key: &TeamKey, way: Way, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        let status = ["--status-fd", "2", "--decrypt"];
        let out = self.readers.gpg(&status, sealed).await?;
        let said = out.complaint();
        let fingerprint = self.signer(way);
        let good = ["DECRYPTION_OKAY", "GOODMDC", "GOODSIG", &format!("VALIDSIG {fingerprint}")]
            .iter()
            .all(|word| said.contains(&format!("[GNUPG:] {word}")));
        ensure!(out.ok() && good, "gpg refuses a sample to {}", key.certificate.fingerprint());
        Ok(out.stdout)
    }

    /// Everybody once.
    pub async fn round(
        &self,
        way: Way,
        ring: &Ring,
        body: &[u8],
        recipients: u32,
    ) -> anyhow::Result<Spent> {
        ensure!(ring.keys().count() == self.recipients.len(), "the ring was changed");
        let agent = self.team.agent().await?;
        let clock = SystemClock::new();
        let start = clock.mono();
        let before = cpu::children()? + cpu::of(&agent)?;
        for to in self.recipients.iter().cycle().take(recipients as usize) {
            let args =
                ["--armor", "-u", self.signer(way), "--sign", "--encrypt", "-z", "0", "-r", to];
            let out = self.team.gpg(&args, body).await?;
            ensure!(out.ok(), "gpg does not encrypt: {}", out.complaint());
        }
        let wall_ms = clock.mono().since(start).as_millis() as f64;
        Ok(Spent { cpu_ms: cpu::children()? + cpu::of(&agent)? - before, wall_ms })
    }
}

/// A throw-away GNUPGHOME: short path (sockets), mode 0700.
struct Home(TempDir);

impl Home {
    fn new() -> anyhow::Result<Self> {
        let closed = std::fs::Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix("dbf").permissions(closed).tempdir_in("/tmp");
        Ok(Self(made.context("cannot make a folder for gpg")?))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    async fn gpg(&self, args: &[&str], stdin: &[u8]) -> anyhow::Result<Output> {
        let room = (stdin.len() as u64).saturating_mul(2).saturating_add(1 << 20);
        let gpg = Process::new("gpg").arg("--homedir").arg(self.path());
        let gpg = gpg.args(["--batch", "--no-tty", "--trust-model", "always"]).args(args);
        Ok(gpg.stdin(stdin).limit(room).run(&SystemClock::new()).await?)
    }

    async fn import(&self, keys: &[u8]) -> anyhow::Result<()> {
        let out = self.gpg(&["--quiet", "--import"], keys).await?;
        ensure!(out.ok(), "gpg does not take a key: {}", out.complaint());
        Ok(())
    }

    /// The process id of its agent, which makes the signatures.
    async fn agent(&self) -> anyhow::Result<String> {
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
