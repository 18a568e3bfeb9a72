//! The connections to one relay: a few, used again and again.
//!
//! A kept connection that turns out to be gone before a message began is replaced by a fresh
//! one, once and silently: nothing was sent. After a message's first byte nothing is repeated
//! here, whatever happens. A conversation that hangs gives its place back after a while and goes
//! on: nobody waits for it any longer. What is public waits for no place at all; its sender
//! bounds how much of it there is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::session::{Door, Failed, Session};
use super::{Letter, Urgency, grace};
use crate::clock::within;
use crate::domain::time::{Mono, Span};

/// A session that waits for its next message, and since when.
struct Idle {
    session: Session,
    since: Mono,
}

/// The connections to one relay.
pub(super) struct Pool {
    door: Arc<Door>,
    places: Semaphore,
    idle: Mutex<Vec<Idle>>,
    keep: Span,
}

impl Pool {
    /// At most `most` connections that do not hang, each used again unless it was idle for longer
    /// than `keep`.
    pub(super) fn new(door: Door, most: u32, keep: Span) -> Self {
        let most = usize::try_from(most).unwrap_or(1).max(1);
        Self { door: Arc::new(door), places: Semaphore::new(most), idle: Mutex::default(), keep }
    }

    pub(super) fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// Hands one message over and gives the relay's reply.
    pub(super) async fn hand_over(
        &self,
        letter: &Letter<'_>,
        urgency: Urgency,
    ) -> Result<String, Failed> {
        let place = match urgency {
            Urgency::MayWait => self.places.acquire().await.ok(),
            Urgency::AtOnce => None,
        };
        let sending = self.converse(letter);
        tokio::pin!(sending);
        let clock = self.door.clock.as_ref();
        if let Some(done) = within(clock, grace(letter.bytes.len()), &mut sending).await {
            return done;
        }
        // It hangs: whoever waits has its place.
        drop(place);
        sending.await
    }

    async fn converse(&self, letter: &Letter<'_>) -> Result<String, Failed> {
        if let Some(session) = self.kept() {
            match self.with(session, letter).await {
                Err(failed) if failed.gone && !failed.begun => {}
                done => return done,
            }
        }
        let fresh = Session::open(&self.door).await.map_err(Failed::before)?;
        self.with(fresh, letter).await
    }

    async fn with(&self, mut session: Session, letter: &Letter<'_>) -> Result<String, Failed> {
        let done = session.hand_over(letter).await;
        if !done.as_ref().is_err_and(|failed| failed.gone) {
            self.idle().push(Idle { session, since: self.door.clock.mono() });
        }
        done
    }

    /// The session that was used last, unless it has been idle for too long; older ones with it.
    fn kept(&self) -> Option<Session> {
        let now = self.door.clock.mono();
        let mut idle = self.idle();
        idle.retain(|i| now.since(i.since) < self.keep);
        idle.pop().map(|i| i.session)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
