//! Floor 4: the database, SQLite or PostgreSQL by the configured address.
//!
//! What must stay true: nobody outside sees a connection, a row or a database error; every
//! write first raises the revision row, so that SQLite takes its write lock at once and
//! PostgreSQL's writers queue, and ends with an audit line in the same transaction, so that
//! nobody can forget either; no transaction is ever held during outside I/O.

mod advisories;
mod approvals;
mod audit;
mod blobs;
mod carry;
mod challenges;
mod conn;
mod copy;
mod disclosures;
mod distributors;
mod draws;
mod error;
mod faults;
mod house;
mod identity;
mod intents;
mod lease;
mod members;
mod messages;
mod migrate;
mod pauses;
mod place;
mod plans;
mod publications;
mod schema;
mod steps;
mod time;
mod tx;

use std::sync::{Arc, Mutex};

use diesel::prelude::*;

use crate::domain::deed::{Deed, Subject};
use crate::domain::ids::{PlanId, StepId};
use crate::vault::Vault;
use conn::{Conn, Pools};
use schema::revision;

pub use advisories::AdvisoryRevision;
pub use audit::{AuditLine, Break, Verdict, verify_without_key};
pub use blobs::CHUNK;
pub use copy::{copy_from_file, copy_into_file};
pub use disclosures::Awaited;
pub use error::StoreError;
pub use faults::{Fault, Faults};
pub use intents::Claim;
pub use lease::Lease;
pub use place::Place;
pub use publications::{Decided, Decision, Publication, StoredDocument};
pub use steps::{StepRow, StoredEvent};
pub use time::DatabaseClock;
pub use tx::{Reader, Tx};

/// Whose connections are used, so that people cannot starve the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The web and the command line.
    People,
    /// The engine: two connections of its own.
    Engine,
}

/// Where the blocking work of the database is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Threads {
    /// On tokio's threads for blocking work.
    #[default]
    Spawned,
    /// On the caller's own, for tests and simulations that must not depend on scheduling.
    Inline,
}

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it is.
    pub place: Place,
    /// Connections for people, at least 1; two more are the engine's.
    pub connections: u32,
    /// Where the work is done.
    pub threads: Threads,
}

impl Options {
    /// Four connections, spawned threads.
    pub const fn new(place: Place) -> Self {
        Self { place, connections: 4, threads: Threads::Spawned }
    }
}

/// What to do about a database that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    Make,
    Refuse,
}

/// An open database. Cloning shares it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    lane: Lane,
    faults: Arc<Faults>,
}

struct Shared {
    place: Place,
    pools: Pools,
    vault: Arc<Vault>,
    threads: Threads,
    /// What is in memory lasts as long as somebody has it open.
    _kept: Option<Mutex<Conn>>,
}

/// What a piece of work does to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Read,
    Write,
}

impl Store {
    /// Opens a database that is there: connects, brings the tables up to date, makes sure
    /// that `vault` is its own. `NoDatabase` rather than an empty one, in which nothing would
    /// ever come due. Blocks: call it at start only.
    pub fn open(options: &Options, vault: Vault) -> Result<Self, StoreError> {
        Self::make(options, vault, Absent::Refuse)
    }

    /// The same, but makes the database when there is none.
    pub fn create(options: &Options, vault: Vault) -> Result<Self, StoreError> {
        Self::make(options, vault, Absent::Make)
    }

    fn make(options: &Options, vault: Vault, absent: Absent) -> Result<Self, StoreError> {
        let alone = conn::alone(&options.place, absent)?;
        let mut conn = conn::connect(&options.place, absent)?;
        migrate::bring_up_to_date(&mut conn, absent)?;
        house::check_key(&mut conn, &vault)?;
        drop((conn, alone));
        let pools = Pools::new(&options.place, options.connections);
        let vault = Arc::new(vault);
        let (place, threads) = (options.place.clone(), options.threads);
        Ok(Self::of(Shared { place, pools, vault, threads, _kept: None }))
    }

    /// For simulations: this database as it stands, copied into memory under a name that nobody
    /// else of this process uses, worked on by the caller's own thread.
    pub fn imagine(&self, name: &str) -> Result<Self, StoreError> {
        let place = Place::Memory(name.to_owned());
        let kept = conn::connect(&place, Absent::Make)?;
        conn::copy_into_memory(&mut *self.shared.pools.writer(self.lane)?, name)?;
        Ok(self.imagined(place, kept))
    }

    /// For rehearsals: what plan `plan` stands on, with the bytes that it and `more` own, copied
    /// into memory; worked on by the caller's own thread. Nothing is ever carried back. Blocks.
    pub fn imagine_plan(
        &self,
        name: &str,
        plan: PlanId,
        more: &[StepId],
    ) -> Result<Self, StoreError> {
        let place = Place::Memory(name.to_owned());
        let kept = conn::connect(&place, Absent::Make)?;
        let mut owners = vec![Subject::from(plan).to_string()];
        owners.extend(more.iter().map(|step| Subject::from(*step).to_string()));
        let mut from = self.shared.pools.reader(self.lane)?;
        carry::carry_to(&mut from, &place, carry::Load::Plan(&owners))?;
        Ok(self.imagined(place, kept))
    }

    fn imagined(&self, place: Place, kept: Conn) -> Self {
        let shared = Shared {
            pools: Pools::new(&place, 1),
            place,
            vault: Arc::clone(&self.shared.vault),
            threads: Threads::Inline,
            _kept: Some(Mutex::new(kept)),
        };
        Self::of(shared)
    }

    fn of(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), lane: Lane::People, faults: Arc::default() }
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.shared.place
    }

    /// What a test or a simulation wants to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The same database for whoever watches a test or a simulation: nothing goes wrong for them,
    /// and nothing they ask counts.
    #[must_use]
    pub fn spared(&self) -> Self {
        Self { faults: Arc::default(), ..self.clone() }
    }

    /// Where the blocking work is done: whoever must not depend on scheduling asks.
    pub fn threads(&self) -> Threads {
        self.shared.threads
    }

    /// The same database through the connections of `lane`.
    #[must_use]
    pub fn lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Looks at one consistent state. Nothing can be changed.
    pub async fn read<T, E>(
        &self,
        look: impl FnOnce(&mut Reader<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.work(Work::Read, move |shared, lane| {
            let mut conn = shared.pools.reader(lane)?;
            conn::transact(&mut conn, |conn| {
                conn::only_read(conn)?;
                look(&mut Reader::new(conn, &shared.vault))
            })
        })
        .await
    }

    /// Changes the database in one transaction: revision, `change`, audit line, commit. An
    /// error of `change` leaves nothing behind, no audit line either. `Unavailable` may mean
    /// that the commit's answer was lost: look before doing it again.
    pub async fn write<T, E>(
        &self,
        deed: &Deed,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let deed = deed.clone();
        self.work(Work::Write, move |shared, lane| {
            let mut conn = shared.pools.writer(lane)?;
            conn::transact(&mut conn, |conn| {
                let seq = raise_revision(conn)?;
                let mut tx = Tx::new(conn, &shared.vault, &deed);
                let done = change(&mut tx)?;
                tx.sound()?;
                audit::append(conn, &shared.vault, seq, &deed)?;
                Ok(done)
            })
        })
        .await
    }

    /// How many writes there were.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        self.read(|reader| reader.revision()).await
    }

    async fn work<T, E>(
        &self,
        kind: Work,
        work: impl FnOnce(&Shared, Lane) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (shared, lane) = (Arc::clone(&self.shared), self.lane);
        let answer = self.faults.strike(kind == Work::Write)?;
        let work = move |shared: &Shared, lane| {
            let done = work(shared, lane)?;
            answer.map(|()| done).map_err(E::from)
        };
        match shared.threads {
            Threads::Inline => work(&shared, lane),
            Threads::Spawned => {
                match tokio::task::spawn_blocking(move || work(&shared, lane)).await {
                    Ok(done) => done,
                    Err(ended) => match ended.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(_) => Err(StoreError::Unavailable("the program is ending").into()),
                    },
                }
            }
        }
    }
}

/// Must be the first statement of every write; gives the number of this write.
fn raise_revision(conn: &mut Conn) -> Result<i64, StoreError> {
    let raised = diesel::update(revision::table.find(1))
        .set(revision::n.eq(revision::n + 1))
        .returning(revision::n)
        .get_result(conn)?;
    Ok(raised)
}

impl Reader<'_> {
    /// How many writes there were.
    pub fn revision(&mut self) -> Result<i64, StoreError> {
        Ok(revision::table.find(1).select(revision::n).first(self.conn)?)
    }
}
