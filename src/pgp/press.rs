//! Sealing beside the loop, on as many cores as there are.
//!
//! Encryption never waits for anything, so it must not sit where others wait; and no more
//! messages are under way at once than can be worked on, so that a long list needs no more
//! memory than a short one.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::certificate::Certificate;
use super::seal::{Recipients, SealError, SealedMessage, SignedBody, seal_resident, seal_signed};
use super::signer::Signer;
use crate::domain::time::At;

/// Seals in parallel. Cheap to clone: clones share the same places.
#[derive(Clone)]
pub struct Press {
    places: Arc<Semaphore>,
    inline: bool,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[press]")
    }
}

impl Default for Press {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(cores())), inline: false }
    }
}

/// How many messages are sealed at once.
pub fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

impl Press {
    /// One that works on the caller's own thread: for simulations, which must not depend on
    /// scheduling.
    pub fn inline() -> Self {
        Self { inline: true, ..Self::default() }
    }

    /// As [`super::seal()`]: signed for these recipients, sealed to them.
    pub async fn seal(
        &self,
        entity: Vec<u8>,
        recipients: Vec<Certificate>,
        signer: Arc<dyn Signer>,
        at: At,
    ) -> Result<SealedMessage, SealError> {
        if signer.resident().is_some() {
            return self
                .work(move || {
                    let to = Recipients::of(&recipients, at)?;
                    let resident = signer.resident().ok_or(SealError::Failed)?;
                    seal_resident(&entity, &to, resident, at)
                })
                .await;
        }
        // Another program signs: no core of ours is busy meanwhile.
        let to = Recipients::of(&recipients, at)?;
        let signed = signer.sign_message(&entity, &recipients, at).await?;
        self.work(move || seal_signed(&signed, &to)).await
    }

    /// Seals what was signed once for many.
    pub async fn seal_body(
        &self,
        body: SignedBody,
        recipients: Vec<Certificate>,
        at: At,
    ) -> Result<SealedMessage, SealError> {
        self.work(move || body.seal(&Recipients::of(&recipients, at)?)).await
    }

    async fn work(
        &self,
        work: impl FnOnce() -> Result<SealedMessage, SealError> + Send + 'static,
    ) -> Result<SealedMessage, SealError> {
        if self.inline {
            return work();
        }
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| SealError::Failed)?;
        let done = spawn_blocking(move || {
            let sealed = work();
            drop(place);
            sealed
        });
        done.await.map_err(|_| SealError::Failed)?
    }
}
