//! Our side: the same calls as the engine's.

use std::sync::Arc;

use anyhow::Context as _;
use clap::ValueEnum;
use serde::Serialize;
use tokio::task::JoinSet;

use super::super::cpu::{self, Spent};
use super::super::ring::Ring;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::time::At;
use crate::pgp::press::cores;
use crate::pgp::{Certificate, Press, ResidentSigner, SignedBody, Signer};

/// Whose key signs, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Ed25519, every copy signed for its recipient.
    Full,
    /// RSA 4096 with `shared_body`: signed once.
    Shared,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::Full, Self::Shared];

    pub const fn words(self) -> &'static str {
        match self {
            Self::Full => "Ed25519, signed for each",
            Self::Shared => "RSA 4096, signed once (shared_body)",
        }
    }
}

pub struct Ours {
    pub way: Way,
    signer: Arc<dyn Signer>,
    press: Press,
    at: At,
}

impl Ours {
    pub fn new(way: Way, ring: &Ring, at: At) -> anyhow::Result<Self> {
        let key = match way {
            Way::Full => &ring.ed25519,
            Way::Shared => &ring.rsa4096,
        };
        let signer = Arc::new(ResidentSigner::new(key)?);
        Ok(Self { way, signer, press: Press::default(), at })
    }

    /// The armored message to one certificate.
    pub async fn one(&self, to: &Certificate, body: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (to, signer) = (vec![to.clone()], Arc::clone(&self.signer));
        let sealed = match self.way {
            Way::Full => self.press.seal(body.to_vec(), to, signer, self.at).await?,
            Way::Shared => {
                let body = SignedBody::sign(body, self.signer.as_ref(), self.at).await?;
                self.press.seal_body(body, to, self.at).await?
            }
        };
        Ok(sealed.armored)
    }

    /// Everybody once: certificates read anew, as after a start of the engine.
    pub async fn round(&self, ring: &Ring, body: &[u8], recipients: u32) -> anyhow::Result<Spent> {
        let armored: Vec<String> = ring.keys().map(|key| key.certificate.armored()).collect();
        let clock = SystemClock::new();
        let start = clock.mono();
        let before = cpu::own();
        let read = |text: &String| Certificate::import(text.as_bytes());
        let certificates: Vec<Certificate> = armored.iter().map(read).collect::<Result<_, _>>()?;
        let shared = match self.way {
            Way::Shared => Some(SignedBody::sign(body, self.signer.as_ref(), self.at).await?),
            Way::Full => None,
        };
        let mut sealing = JoinSet::new();
        for certificate in certificates.iter().cycle().take(recipients as usize) {
            // One waits for each that is worked on: no core is idle, and memory is bounded.
            if sealing.len() >= cores().saturating_mul(2) {
                sealing.join_next().await.context("nothing is being sealed")???;
            }
            let (press, at, to) = (self.press.clone(), self.at, vec![certificate.clone()]);
            let (signer, shared) = (Arc::clone(&self.signer), shared.clone());
            let own = if shared.is_none() { body.to_vec() } else { Vec::new() };
            sealing.spawn(async move {
                let sealed = match shared {
                    Some(body) => press.seal_body(body, to, at).await,
                    None => press.seal(own, to, signer, at).await,
                };
                sealed.map(|sealed| sealed.armored.len())
            });
        }
        while let Some(done) = sealing.join_next().await {
            done??;
        }
        let wall_ms = clock.mono().since(start).as_millis();
        Ok(Spent { cpu_ms: cpu::own() - before, wall_ms: wall_ms as f64 })
    }
}
