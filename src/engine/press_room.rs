//! What sealing remembers for as long as the engine lives: parsed certificates, and bodies
//! that are signed once for many. Nothing here is needed after a restart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::blob::Sha256;
use crate::domain::time::At;
use crate::pgp::{Certificate, Press, SealError, SealedMessage, SignedBody, Signer};
use crate::store::Threads;

/// Bodies kept: one for distributors, one for each reporter of the notice that is going out.
const BODIES: usize = 4;
/// Certificates kept; a list is never so long.
const CERTIFICATES: usize = 4096;

/// The inside of one mail.
pub(super) struct Entity {
    pub bytes: Vec<u8>,
    /// Whether the plan pinned it whole, the same for all: whoever composed it knows.
    pub shared: bool,
}

/// Shared by all tasks of an engine.
#[derive(Clone, Default)]
pub(super) struct PressRoom {
    press: Press,
    /// Oldest first. The lock is held while signing: the others wait for that signature.
    bodies: Arc<tokio::sync::Mutex<Vec<(Sha256, SignedBody)>>>,
    certificates: Arc<Mutex<BTreeMap<Sha256, Certificate>>>,
}

impl PressRoom {
    /// One that works where `threads` says.
    pub fn new(threads: Threads) -> Self {
        match threads {
            Threads::Spawned => Self::default(),
            Threads::Inline => Self { press: Press::inline(), ..Self::default() },
        }
    }

    /// A certificate of the list; parsed and verified once. `None` when it is none.
    pub(super) fn certificate(&self, armored: &str) -> Option<Certificate> {
        let digest = Sha256::of(armored.as_bytes());
        let known = || self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&digest) {
            return Some(found.clone());
        }
        // Not under the lock: parsing takes its time.
        let certificate = Certificate::import(armored.as_bytes()).ok()?;
        let mut known = known();
        if known.len() >= CERTIFICATES {
            known.clear();
        }
        known.insert(digest, certificate.clone());
        Some(certificate)
    }

    /// Signs and seals one mail's inside: for this contact alone, or, when the plan pinned a
    /// shared one, with the one signature of all.
    pub(super) async fn seal(
        &self,
        entity: Entity,
        recipients: Vec<Certificate>,
        signer: &Arc<dyn Signer>,
        at: At,
    ) -> Result<SealedMessage, SealError> {
        let Entity { bytes: entity, shared } = entity;
        if shared {
            let body = self.signed(&entity, signer.as_ref(), at).await?;
            return self.press.seal_body(body, recipients, at).await;
        }
        self.press.seal(entity, recipients, Arc::clone(signer), at).await
    }

    async fn signed(
        &self,
        entity: &[u8],
        signer: &dyn Signer,
        at: At,
    ) -> Result<SignedBody, SealError> {
        let digest = Sha256::of(entity);
        let mut bodies = self.bodies.lock().await;
        if let Some((_, body)) = bodies.iter().find(|(known, _)| *known == digest) {
            return Ok(body.clone());
        }
        let body = SignedBody::sign(entity, signer, at).await?;
        if bodies.len() >= BODIES {
            bodies.remove(0);
        }
        bodies.push((digest, body.clone()));
        Ok(body)
    }
}
