//! One leader per database.
//!
//! A lease has no time in it. On SQLite a file lock proves that no other engine lives, so
//! the lease is taken at once; on PostgreSQL the same epoch and beat must be seen for thirty
//! seconds of our own monotonic clock before it is taken from a silent holder. Until then, and
//! after every race that is lost, a machine stands by.

use std::fs::File;
use std::sync::Arc;

use tokio::sync::watch as signal;

use super::{BEAT, Engine, EngineError};
use crate::casework::{House, opening};
use crate::clock::{SystemClock, sleep};
use crate::domain::deed::{Actor, Subject};
use crate::domain::ids::HolderId;
use crate::domain::time::Span;
use crate::store::{Lease, Place, Store, StoreError};

/// How long a holder must be silent.
const SILENCE: Span = Span::secs(30);
/// How often we look.
const LOOK: Span = Span::secs(2);
/// How often a lock is tried, a fiftieth of a second apart.
const LOCK_TRIES: u32 = 50;
/// The lock beside a SQLite database.
const LOCK: &str = "engine.lock";

/// The lead, once taken.
pub(super) struct Leadership {
    pub holder: HolderId,
    pub epoch: i64,
    /// Held as long as this lives.
    lock: Option<File>,
}

impl Drop for Leadership {
    /// Closing alone is not enough: a child that another thread is just starting has the file
    /// open too, for a moment, and with it the lock.
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            let _the_kernel_does = lock.unlock();
        }
    }
}

impl Leadership {
    pub async fn take(
        house: &Arc<House>,
        store: &Store,
        holder: HolderId,
    ) -> Result<Self, EngineError> {
        let lock = match store.place() {
            Place::Sqlite(_) => Some(lock(house).await?),
            Place::Memory(_) | Place::Postgres(_) => None,
        };
        loop {
            let mut seen = store.read(|r| r.lease()).await?;
            if lock.is_none() {
                wait_for_silence(house, store, &mut seen).await?;
            }
            let deed = house.deed(Actor::Engine(holder), "engine-lead", Subject::house());
            let taken = store.write(&deed, move |tx| tx.take_lease(holder, &seen)).await;
            match taken {
                Ok(epoch) => return Ok(Self { holder, epoch, lock }),
                // Another machine was quicker, or the silent one came back: wait again.
                Err(StoreError::Conflict(_)) if lock.is_none() => {}
                Err(StoreError::Conflict(_)) => return Err(EngineError::Taken),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// An orderly end: the next engine need not wait.
    pub async fn give_back(&self, house: &House, store: &Store) -> Result<(), EngineError> {
        let epoch = self.epoch;
        let deed = house.deed(Actor::Engine(self.holder), "engine-end", Subject::house());
        Ok(store.write(&deed, move |tx| tx.release_lease(epoch)).await?)
    }
}

/// A child process holds a copy of every lock between its fork and its exec, so a lock that
/// was just let go may seem taken for a moment. That moment is the machine's, whatever clock
/// the house runs on.
async fn lock(house: &House) -> Result<File, EngineError> {
    let machine =
        |e: std::io::Error| EngineError::Machine { doing: "lock its database", kind: e.kind() };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(house.dir.join(LOCK))
        .map_err(machine)?;
    let clock = SystemClock::new();
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => sleep(&clock, Span::millis(20)).await,
            Err(std::fs::TryLockError::Error(e)) => return Err(machine(e)),
        }
    }
    Err(EngineError::Taken)
}

async fn wait_for_silence(
    house: &House,
    store: &Store,
    seen: &mut Lease,
) -> Result<(), EngineError> {
    let mut since = house.clock.mono();
    if let Some(holder) = seen.holder {
        tracing::info!(%holder, epoch = seen.epoch, "another engine leads; standing by");
    }
    while seen.holder.is_some() && house.clock.mono().since(since) < SILENCE {
        sleep(house.clock.as_ref(), LOOK).await;
        let now = match store.read(|r| r.lease()).await {
            Ok(now) => now,
            // A database that is away says nothing of whether its leader lives.
            Err(StoreError::Unavailable(_)) => {
                since = house.clock.mono();
                continue;
            }
            Err(e) => return Err(e.into()),
        };
        if now != *seen {
            *seen = now;
            since = house.clock.mono();
        }
    }
    Ok(())
}

impl Engine {
    /// What `daybreak serve` runs: leads, and stands by whenever another machine does. On SQLite
    /// there is no standing by: a second engine is refused.
    pub async fn serve(
        house: Arc<House>,
        mut stop: signal::Receiver<bool>,
    ) -> Result<(), EngineError> {
        loop {
            let started = tokio::select! {
                started = Self::start(Arc::clone(&house)) => started,
                _ = stop.wait_for(|stopped| *stopped) => return Ok(()),
            };
            let engine = match started {
                // Whoever stands by outlives a database that is away for a while.
                Err(EngineError::Store(StoreError::Unavailable(_))) => {
                    tracing::error!("the lead cannot be asked for; trying again");
                    tokio::select! {
                        () = sleep(house.clock.as_ref(), BEAT) => continue,
                        _ = stop.wait_for(|stopped| *stopped) => return Ok(()),
                    }
                }
                started => started?,
            };
            // Only now: before, files of the one that led lay there. What is left lying about
            // keeps no day from happening.
            if opening::wipe_work(&house.dir, house.now()).is_err() {
                tracing::warn!("old work folders could not be wiped");
            }
            match engine.run(stop.clone()).await {
                // Another machine took the lead while this one was silent: it wrote nothing
                // since, and what is in its hands comes back to nobody.
                Err(EngineError::Taken) => tracing::warn!("deposed; standing by"),
                ended => return ended,
            }
        }
    }
}
