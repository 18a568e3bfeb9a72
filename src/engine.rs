//! Floor 6: the clock-driven shell around the pure step machine.
//!
//! It commits an event, then applies it, then executes commands; state is always the fold
//! of stored events, so it may be killed at any moment. Nothing is held open during outside
//! I/O. Before T0 an error stops; after T0 it shouts and goes on.

mod alarms;
mod barred;
mod branches;
mod brink;
mod covers;
mod day;
mod deliveries;
mod deputies;
mod errands;
mod escalation;
mod fuse;
mod heartbeat;
mod housekeeping;
mod identity;
pub mod journal;
mod lead;
mod mailbox;
mod maker;
mod pace;
mod perform;
mod places;
mod preflight;
mod press_room;
mod readability;
mod refusals;
pub mod rehearsal;
mod seal;
mod troubled;
mod unarmed;
mod vouched;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::{Notify, watch as signal};
use tokio::task::{AbortHandle, JoinSet};

use crate::casework::{CaseError, House};
use crate::clock::{sleep, within};
use crate::domain::effect::Intended;
use crate::domain::ids::{HolderId, PlanId, StepId};
use crate::domain::quarantine::Doubt;
use crate::domain::run::Command;
use crate::domain::time::{At, Mono, Span};
use crate::store::{Awaited, Lane, Store, StoreError};

use alarms::Alarms;
use branches::Branches;
use covers::Covers;
use day::Day;
use deputies::Deputies;
use errands::Errand;
use fuse::Fuse;
use heartbeat::Heart;
use housekeeping::Rounds;
use identity::Known;
use journal::Journal;
use lead::Leadership;
use mailbox::Mailbox;
use perform::Outcome;
use places::Places;
use press_room::PressRoom;
use refusals::Refusals;
use rehearsal::Rehearsals;
use troubled::Trouble;
use unarmed::Armed;
use watch::{ClockWatch, Suspicion};

/// Why an engine cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another engine leads this database.
    #[error(
        "another engine runs on this database; one is enough. A SQLite file takes one engine only: end the other one, or use PostgreSQL, where others stand by. `daybreak doctor` shows who leads"
    )]
    Taken,
    /// This machine does not know the house that the database server holds.
    #[error(
        "{}; copy house.id from the machine that leads, or let the team look first: `daybreak house rearm`",
        .0.words()
    )]
    Stranger(Doubt),
    /// The test that drives it asked it to stop here.
    #[error("halted where a test asked for it")]
    Halted,
    /// The machine failed it.
    #[error("the engine could not {doing}: {kind}")]
    Machine {
        /// What it was doing.
        doing: &'static str,
        /// How it failed.
        kind: std::io::ErrorKind,
    },
    /// The database failed it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A verb failed it.
    #[error(transparent)]
    Case(CaseError),
}

impl EngineError {
    /// Whether the engine itself cannot go on now; everything else is one plan's trouble.
    const fn is_fatal(&self) -> bool {
        match self {
            Self::Taken | Self::Stranger(_) | Self::Halted | Self::Machine { .. } => true,
            Self::Store(e) => e.is_away(),
            Self::Case(_) => false,
        }
    }
}

impl From<CaseError> for EngineError {
    /// A database that is away is the engine's trouble, not a plan's.
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::Store(e) if e.is_away() => Self::Store(e),
            other => Self::Case(other),
        }
    }
}

/// Longest sleep when nothing is due: other processes write to the same database.
const NAP: Span = Span::secs(1);
/// How long an engine that ends waits for what is done beside the day.
const FAREWELL: Span = Span::secs(5);
/// How often the leader shows that it lives.
const BEAT: Span = Span::secs(5);

/// One engine.
pub struct Engine {
    house: Arc<House>,
    store: Store,
    lead: Leadership,
    journal: Journal,
    clock: ClockWatch,
    days: BTreeMap<PlanId, Day>,
    tasks: JoinSet<Outcome>,
    /// Checks and bells: never waited for by a step.
    errands: JoinSet<Errand>,
    busy: BTreeSet<StepId>,
    places: Places,
    refusals: Refusals,
    trouble: Trouble,
    /// Steps whose bytes are ready: their intents are next.
    ready: VecDeque<(PlanId, Intended)>,
    /// Disclosures whose instant is set and whose GO is not written.
    awaited: Vec<Awaited>,
    /// When deliveries were looked after.
    deliveries_at: Option<Mono>,
    mailbox: Mailbox,
    alarms: Alarms,
    branches: Branches,
    deputies: Deputies,
    rounds: Rounds,
    covers: Covers,
    rehearsals: Rehearsals,
    fuse: Fuse,
    heart: Heart,
    press_room: PressRoom,
    /// Which house this is, and whether it may act.
    known: Known,
    halted: bool,
    seen_revision: i64,
    beaten_at: Option<Mono>,
    /// When it was last looked who must be asked for a proof.
    asked_at: Option<Mono>,
    /// Who is still at it.
    asking: Option<AbortHandle>,
    /// Whether this turn changed something that the next one must look at.
    moved: bool,
    /// Rung by whoever changed something in the same process.
    pub poke: Arc<Notify>,
}

impl Engine {
    /// Takes the lead of the house's database; waits for a dead leader where it must.
    pub async fn start(house: Arc<House>) -> Result<Self, EngineError> {
        let store = house.store.lane(Lane::Engine);
        identity::refuse_a_stranger(&house).await?;
        let holder = house.fresh(HolderId::new);
        let lead = Leadership::take(&house, &store, holder).await?;
        let high_water = store.read(|r| r.high_water()).await?;
        let journal = Journal::new(store.clone(), holder, lead.epoch);
        let press_room = PressRoom::new(store.threads());
        let places = Places::new(&house.config.mail);
        let heeds = house.config.clock.clone();
        tracing::info!(holder = %holder, epoch = lead.epoch, "engine leads");
        Ok(Self {
            house,
            store,
            lead,
            journal,
            clock: ClockWatch::new(high_water, heeds),
            days: BTreeMap::new(),
            tasks: JoinSet::new(),
            errands: JoinSet::new(),
            busy: BTreeSet::new(),
            places,
            refusals: Refusals::default(),
            trouble: Trouble::default(),
            ready: VecDeque::new(),
            awaited: Vec::new(),
            deliveries_at: None,
            mailbox: Mailbox::default(),
            alarms: Alarms::default(),
            branches: Branches::default(),
            deputies: Deputies::default(),
            rounds: Rounds::default(),
            covers: Covers::default(),
            rehearsals: Rehearsals::default(),
            fuse: Fuse::default(),
            heart: Heart::default(),
            press_room,
            known: Known::default(),
            halted: false,
            seen_revision: -1,
            beaten_at: None,
            asked_at: None,
            asking: None,
            moved: false,
            poke: Arc::new(Notify::new()),
        })
    }

    /// For tests and simulations: die instead of committing the write after the next `writes`:
    /// an event, a sealed mail, GO, the word that all is public, the end of a plan.
    pub fn halt_after(&mut self, writes: u32) {
        self.fuse.set(writes);
    }

    /// Runs until told to stop. A database that is away for a while is waited for; only
    /// being deposed ends it.
    pub async fn run(mut self, mut stop: signal::Receiver<bool>) -> Result<(), EngineError> {
        let poke = Arc::clone(&self.poke);
        while !*stop.borrow() {
            let nap = match self.turn().await {
                Ok(()) => self.nap(),
                Err(EngineError::Store(StoreError::Deposed)) => return Err(EngineError::Taken),
                Err(e @ (EngineError::Halted | EngineError::Taken | EngineError::Stranger(_))) => {
                    return Err(e);
                }
                Err(_) => {
                    tracing::error!("a turn failed; trying again");
                    // The database may be another one when it comes back.
                    self.beaten_at = None;
                    NAP
                }
            };
            let clock = Arc::clone(&self.house.clock);
            tokio::select! {
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => self.take_in(done),
                Some(done) = self.errands.join_next(), if !self.errands.is_empty() => self.come_back(done).await,
                () = sleep(clock.as_ref(), nap) => {}
                () = poke.notified() => {}
                _ = stop.changed() => {}
            }
        }
        self.end().await
    }

    /// Finishes what is under way and gives the lead back.
    pub async fn end(mut self) -> Result<(), EngineError> {
        while let Some(done) = self.tasks.join_next().await {
            self.take_in(done);
        }
        // What happened is written down before anything else is waited for.
        self.flush().await?;
        let clock = Arc::clone(&self.house.clock);
        let errands = async {
            while let Some(done) = self.errands.join_next().await {
                self.come_back(done).await;
            }
        };
        // Bells and rounds come again after a restart; a relay that does not answer must not
        // keep the next engine from the lead.
        let _unheard = within(clock.as_ref(), FAREWELL, errands).await;
        self.flush().await?;
        self.lead.give_back(&self.house, &self.store).await
    }

    /// Does everything that can be done at this instant, outside effects included. The
    /// clock does not move by itself here: for tests, simulations and the demo.
    pub async fn settle(&mut self) -> Result<(), EngineError> {
        loop {
            self.turn().await?;
            if let Some(done) = self.tasks.join_next().await {
                self.take_in(done);
                continue;
            }
            match self.errands.join_next().await {
                Some(done) => self.come_back(done).await,
                None if self.journal.is_empty() && self.ready.is_empty() && !self.moved => {
                    return Ok(());
                }
                None => {}
            }
        }
    }

    async fn turn_once(&mut self) -> Result<(), EngineError> {
        self.moved = false;
        self.alarms.sweep(self.house.clock.mono());
        while let Some(done) = self.tasks.try_join_next() {
            self.take_in(done);
        }
        if self.halted {
            return Err(EngineError::Halted);
        }
        let beats = self.beaten_at.is_none_or(|at| self.house.clock.mono().since(at) >= BEAT);
        if beats {
            self.ask_the_time().await;
        }
        let (wall, mono) = (self.house.clock.wall(), self.house.clock.mono());
        let suspicion = self.clock.observe(wall, mono);
        self.days.values_mut().for_each(|day| day.run.tick(wall, mono));
        if beats {
            self.store.beat(self.lead.epoch, self.clock.high_water()).await?;
            self.know_the_house().await?;
            self.beaten_at = Some(mono);
        }
        self.flush().await?;
        self.sync().await?;
        if self.is_quarantined() {
            return Ok(());
        }
        self.intend_all().await?;
        self.say_of_the_clock(suspicion, wall);
        self.watch_unarmed(wall, Armed::ByPlan);
        self.watch_branches(wall, mono);
        self.watch_deliveries(mono);
        self.watch_deputies(mono);
        self.watch_mailbox(mono);
        self.keep_house(wall);
        self.ask_for_proofs(mono);
        self.send_cover_mails(wall, mono);
        // What is public comes first: notices have days.
        let mut ids: Vec<PlanId> = self.days.keys().copied().collect();
        ids.sort_by_key(|id| self.days.get(id).is_none_or(|d| !d.plan.kind.is_public()));
        for id in ids {
            self.work_on(id, suspicion).await?;
        }
        self.mind_bells();
        Ok(())
    }

    /// Hears every witness of the time. One that does not answer within the patience of its
    /// own house is silent.
    async fn ask_the_time(&mut self) {
        for witness in self.house.witnesses.clone() {
            let asked = self.house.clock.wall();
            let said = witness.testify().await;
            self.clock.hear(said, (asked, self.house.clock.wall()));
        }
    }

    /// One plan's commands. What goes wrong with one is said, and the others go on.
    async fn work_on(
        &mut self,
        id: PlanId,
        suspicion: Option<Suspicion>,
    ) -> Result<(), EngineError> {
        let now = self.house.clock.wall();
        let sure = self.known.is_sure();
        let Some(day) = self.days.get_mut(&id) else { return Ok(()) };
        let barred = !sure || suspicion.is_some_and(|s| s.bars(day.facts.lifted));
        let commands = day.run.decide(now, !barred);
        self.say_if_barred(id, suspicion, now);
        self.preflight(id, now);
        let unsure = self.look_at_vouched(id, now);
        self.rehearse_ahead(id, now);
        for command in commands {
            let done = match command {
                Command::Look(step) => {
                    self.begin_look(id, step);
                    Ok(())
                }
                Command::Act(step) => {
                    self.begin_act(id, step);
                    Ok(())
                }
                Command::Go => self.go(id).await,
                Command::Finish if unsure => Ok(()),
                Command::Finish => self.finish(id).await,
                Command::Page { code, step } => {
                    self.page(id, code, step);
                    Ok(())
                }
            };
            self.or_page(id, done)?;
        }
        let announced = self.announce(id).await;
        self.or_page(id, announced)
    }

    /// One plan's trouble is said; the engine's own ends the turn.
    fn or_page(&mut self, id: PlanId, done: Result<(), EngineError>) -> Result<(), EngineError> {
        match done {
            Err(e) if !e.is_fatal() => {
                self.page(id, "plan-troubled", None);
                Ok(())
            }
            other => other,
        }
    }

    /// How long until something may be due.
    fn nap(&self) -> Span {
        if !self.is_at_rest() {
            return Span::ZERO;
        }
        let now = self.house.clock.wall();
        let next = self.next_due().map_or(NAP, |at| at.since(now));
        next.max(Span::ZERO).min(NAP)
    }

    /// Whether another turn at this instant would have nothing of its own to do. What is under
    /// way in the world may still come back.
    pub fn is_at_rest(&self) -> bool {
        !self.moved && self.ready.is_empty()
    }

    /// When a plan may have something to do next, by the wall.
    pub fn next_due(&self) -> Option<At> {
        let now = self.house.clock.wall();
        let dues = self.days.values().filter_map(|d| d.run.next_due(now));
        let looks = self.days.values().filter_map(|d| d.vouched.next_due()).filter(|at| *at > now);
        let turn = self.places.wait(self.house.clock.mono());
        dues.chain(looks).chain((turn > Span::ZERO).then(|| now.plus(turn))).min()
    }
}
