//! The peer: gpg, once a recipient, with its agent, in a home of its own.

use anyhow::{Context as _, ensure};

use super::super::cpu::{self, Spent};
use super::super::gpg::Home;
use super::super::ring::Ring;
use super::ours::Way;
use crate::clock::{Clock as _, SystemClock};
use crate::pgp::{Fingerprint, TeamKey};

/// gpg as the team would have it, and gpg as each kind of recipient has it.
pub struct Peer {
    team: Home,
    readers: Home,
    /// Full fingerprints, in the order of the ring.
    recipients: Vec<String>,
    signers: [Fingerprint; 2],
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
        let name = |key: &TeamKey| key.certificate.fingerprint();
        Ok(Self {
            team,
            readers,
            recipients: ring.keys().map(|key| name(key).to_string()).collect(),
            signers: signers.map(name),
        })
    }

    const fn signer(&self, way: Way) -> &Fingerprint {
        let [ed25519, rsa4096] = &self.signers;
        match way {
            Way::Full => ed25519,
            Way::Shared => rsa4096,
        }
    }

    /// What a reader gets, when gpg says that all of it is good.
    pub async fn open(&self, key: &TeamKey, way: Way, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        let opened = self.readers.open(sealed, self.signer(way)).await;
        opened.with_context(|| format!("sealed to {}", key.certificate.fingerprint()))
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
        let signer = self.signer(way).to_string();
        let clock = SystemClock::new();
        let start = clock.mono();
        let before = cpu::children()? + cpu::of(&agent)?;
        for to in self.recipients.iter().cycle().take(recipients as usize) {
            let args = ["--armor", "-u", &signer, "--sign", "--encrypt", "-z", "0", "-r", to];
            let out = self.team.gpg(&args, body).await?;
            ensure!(out.ok(), "gpg does not encrypt: {}", out.complaint());
        }
        let wall_ms = clock.mono().since(start).as_millis() as f64;
        Ok(Spent { cpu_ms: cpu::children()? + cpu::of(&agent)? - before, wall_ms })
    }
}
