//! One machine: a clock of its own, which may be wrong, and an engine that lives, stands by or is
//! dead.

use std::sync::Arc;

use tokio::task::{JoinSet, yield_now};

use super::fate::Fate;
use super::place::is_right;
use crate::casework::House;
use crate::clock::Clock as _;
use crate::domain::time::{At, Mono, Span};
use crate::engine::{Engine, EngineError};
use crate::store::StoreError;
use crate::town::clock::HandClock;

/// How often others get a turn between two of the engine's own: a look passes through this many
/// hands at most.
const HANDS: u32 = 8;
/// Turns after which an engine that still moves is left for the next instant.
const TURNS: u32 = 80;

/// What runs on it.
enum Process {
    /// Nothing, until then.
    Dead(At),
    /// An engine that waits for the lead.
    Waiting(JoinSet<Result<Engine, EngineError>>),
    /// An engine that leads.
    Leading(Box<Engine>),
}

/// A machine.
pub struct Machine {
    house: Arc<House>,
    /// Its clock.
    pub clock: Arc<HandClock>,
    process: Process,
    /// Nothing on it runs until then, by the true clock.
    frozen: Option<At>,
    /// Its monotonic clock stands still meanwhile.
    suspended: bool,
    /// Its wall is wrong until then.
    wrong: Option<At>,
}

impl Machine {
    /// One on which an engine is about to start.
    pub const fn new(house: Arc<House>, clock: Arc<HandClock>, starts: At) -> Self {
        let process = Process::Dead(starts);
        Self { house, clock, process, frozen: None, suspended: false, wrong: None }
    }

    /// Whether an engine leads on it.
    pub const fn leads(&self) -> bool {
        matches!(self.process, Process::Leading(_))
    }

    /// The process dies, and is started again at `until`.
    pub fn crash(&mut self, until: At) {
        self.process = Process::Dead(until);
    }

    /// The process dies before it commits the write after the next `writes` ones.
    pub fn die_after(&mut self, writes: u32) {
        if let Process::Leading(engine) = &mut self.process {
            engine.halt_after(writes);
        }
    }

    /// Nothing runs on it for a while; `suspended` says that its monotonic clock stops too.
    pub fn freeze(&mut self, until: At, suspended: bool) {
        (self.frozen, self.suspended) = (Some(until), suspended);
    }

    /// Somebody sets its wall; not so little that a time server would still call it right.
    pub fn set_wrong(&mut self, by: Span, (now, until): (At, At)) {
        let wall = self.clock.wall().plus(by);
        if is_right(wall, now) {
            return;
        }
        self.clock.set_wall(wall);
        self.wrong = Some(until);
    }

    /// Whether its wall is wrong: its kernel knows.
    pub const fn is_wrong(&self) -> bool {
        self.wrong.is_some()
    }

    /// Everything about it is as it should be, from now on.
    pub fn mend(&mut self, now: At) {
        (self.frozen, self.wrong, self.suspended) = (None, None, false);
        self.clock.set_wall(now);
    }

    /// Time passes, of which it notices what its state allows; `now` is the true time after it.
    pub fn pass(&mut self, span: Span, now: At) {
        if self.suspended {
            self.clock.set_wall(self.clock.wall().plus(span));
        } else {
            self.clock.advance(span);
        }
        if self.frozen.is_some_and(|until| until <= now) {
            (self.frozen, self.suspended) = (None, false);
        }
        if self.wrong.is_some_and(|until| until <= now) {
            self.wrong = None;
            self.clock.set_wall(now);
        }
    }

    /// When something of its own comes next, by the true clock.
    pub fn next(&self, now: At) -> Option<At> {
        let wake = self.clock.next_wake().map(|m| now.plus(m.since(self.mono())));
        let own = match &self.process {
            Process::Dead(until) => Some(*until),
            Process::Waiting(_) => None,
            Process::Leading(engine) => {
                engine.next_due().map(|at| now.plus(at.since(self.clock.wall())))
            }
        };
        match self.frozen {
            Some(until) => Some(until),
            None => [wake, own, self.wrong].into_iter().flatten().filter(|at| *at > now).min(),
        }
    }

    fn mono(&self) -> Mono {
        self.clock.mono()
    }

    /// Does everything that it can at this instant.
    pub async fn work(&mut self, now: At, fate: &mut Fate) {
        if self.frozen.is_some() {
            return;
        }
        match &mut self.process {
            Process::Dead(until) if *until <= now => {
                let mut waiting = JoinSet::new();
                waiting.spawn(Engine::start(Arc::clone(&self.house)));
                self.process = Process::Waiting(waiting);
                self.stand_by(now).await;
            }
            Process::Dead(_) => {}
            Process::Waiting(_) => self.stand_by(now).await,
            Process::Leading(_) => {}
        }
        if self.lead().await {
            // It died or was deposed: whoever runs it starts it again.
            self.process = Process::Dead(now.plus(fate.between(Span::millis(100), Span::secs(20))));
        }
    }

    async fn stand_by(&mut self, now: At) {
        for _ in 0..HANDS {
            yield_now().await;
        }
        let Process::Waiting(waiting) = &mut self.process else { return };
        let Some(done) = waiting.try_join_next() else { return };
        self.process = match done {
            Ok(Ok(engine)) => Process::Leading(Box::new(engine)),
            // Refused, or the database was away: whoever runs it starts it again.
            _ => Process::Dead(now.plus(Span::secs(2))),
        };
    }

    /// Whether the engine is at its end.
    async fn lead(&mut self) -> bool {
        let Process::Leading(engine) = &mut self.process else { return false };
        let mut quiet = 0;
        for _ in 0..TURNS {
            match engine.turn().await {
                Ok(()) => {}
                Err(
                    EngineError::Halted
                    | EngineError::Taken
                    | EngineError::Store(StoreError::Deposed),
                ) => return true,
                // As `run` does: again at the next instant.
                Err(_) => return false,
            }
            for _ in 0..HANDS {
                yield_now().await;
            }
            quiet = if engine.is_at_rest() { quiet + 1 } else { 0 };
            if quiet > 2 {
                return false;
            }
        }
        false
    }
}
