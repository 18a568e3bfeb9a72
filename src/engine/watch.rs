//! Whether the wall clock can be trusted with a GO.
//!
//! Wall and monotonic time that drift apart by more than two seconds between two readings, or
//! within a minute, mean that somebody set the clock or the machine slept: no GO until it has
//! been steady for a minute. A wall clock behind what the database has already seen is never
//! trusted, nor one that nobody keeps right, nor one that the database's own contradicts.

use crate::clock::witness::Testimony;
use crate::config;
use crate::domain::time::{At, Mono, Span};

/// Largest difference between two clocks.
const APART: Span = Span::secs(2);
/// How long it must be steady again.
const STEADY: Span = Span::secs(60);

/// Why the wall clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// It was set, or the machine slept.
    Jumped,
    /// It shows less than an engine of this house has seen.
    Behind,
    /// The kernel says that nobody keeps it right.
    Unsynchronised,
    /// The database's clock shows something else.
    Disagrees,
}

impl Suspicion {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Jumped, Self::Behind, Self::Unsynchronised, Self::Disagrees];

    /// What a Bell and the log call it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Jumped => "clock-jumped",
            Self::Behind => "clock-behind",
            Self::Unsynchronised => "clock-unsynchronised",
            Self::Disagrees => "clock-disagrees",
        }
    }

    /// Whether it lasts until somebody does something: then people hear of it ahead of time.
    pub const fn lasts(self) -> bool {
        !matches!(self, Self::Jumped)
    }

    /// Whether even those who wish to start at once must wait: they decide when, but a clock
    /// known to be wrong must not be written into what is published.
    const fn bars_everybody(self) -> bool {
        matches!(self, Self::Jumped | Self::Behind)
    }

    /// Whether it forbids a GO; `lifted` when enough people asked for it to come at once.
    pub const fn bars(self, lifted: bool) -> bool {
        !lifted || self.bars_everybody()
    }
}

/// Remembers the last readings, and what the witnesses said last.
pub struct ClockWatch {
    heeds: config::Clock,
    last: Option<(At, Mono)>,
    /// A reading up to a minute old: many small steps are a large one.
    anchor: Option<(At, Mono)>,
    steady_since: Mono,
    jumped: bool,
    /// Whether it ever jumped since the engine began.
    has_jumped: bool,
    /// Whether a witness says that it is right.
    vouched: bool,
    unsynchronised: bool,
    disagrees: bool,
    high_water: At,
}

impl ClockWatch {
    /// `high_water` is the latest wall time the database has seen.
    pub const fn new(high_water: At, heeds: config::Clock) -> Self {
        Self {
            heeds,
            last: None,
            anchor: None,
            steady_since: Mono::from_millis(0),
            jumped: false,
            has_jumped: false,
            vouched: false,
            unsynchronised: false,
            disagrees: false,
            high_water,
        }
    }

    /// Takes in what a witness said between two readings of the wall.
    pub fn hear(&mut self, said: Testimony, (asked, answered): (At, At)) {
        match said {
            Testimony::Silent => {}
            Testimony::Synchronised { .. } => (self.vouched, self.unsynchronised) = (true, false),
            Testimony::Unsynchronised => {
                (self.vouched, self.unsynchronised) = (false, self.heeds.require_sync);
            }
            Testimony::Shows(at) => {
                let apart = asked.since(at).max(at.since(answered));
                self.disagrees = self.heeds.ask_database && apart > APART;
                self.vouched = apart <= APART;
            }
        }
    }

    /// Takes a reading; says why the wall clock cannot be trusted, if so.
    pub fn observe(&mut self, wall: At, mono: Mono) -> Option<Suspicion> {
        if self.last.is_none() {
            self.steady_since = mono;
        }
        if self.last.is_some_and(|last| is_apart(last, wall, mono))
            || self.anchor.is_some_and(|anchor| is_apart(anchor, wall, mono))
        {
            (self.jumped, self.has_jumped, self.vouched) = (true, true, false);
            (self.steady_since, self.anchor) = (mono, None);
        }
        self.last = Some((wall, mono));
        if self.anchor.is_none_or(|(_, at)| mono.since(at) >= STEADY) {
            self.anchor = self.last;
        }
        let steady = mono.since(self.steady_since) >= STEADY;
        if steady {
            self.jumped = false;
        }
        let suspicion = self.suspicion(wall);
        if steady && suspicion.is_none() && (self.vouched || !self.has_jumped) {
            // Only a clock that is steady and that nobody set, or that a witness vouches for,
            // raises the mark: a wrong one must not forbid GO for as long as it was ahead.
            self.high_water = self.high_water.max(wall);
        }
        suspicion
    }

    fn suspicion(&self, wall: At) -> Option<Suspicion> {
        let behind = wall < self.high_water.plus(Span::millis(-APART.as_millis()));
        match () {
            () if self.jumped => Some(Suspicion::Jumped),
            () if behind => Some(Suspicion::Behind),
            () if self.unsynchronised => Some(Suspicion::Unsynchronised),
            () if self.disagrees => Some(Suspicion::Disagrees),
            () => None,
        }
    }

    /// The latest wall time that was trusted.
    pub const fn high_water(&self) -> At {
        self.high_water
    }
}

/// Whether wall and monotonic time went different ways since an earlier reading.
fn is_apart((wall, mono): (At, Mono), now_wall: At, now_mono: Mono) -> bool {
    let drift = now_wall.since(wall).as_millis() - now_mono.since(mono).as_millis();
    drift.abs() > APART.as_millis()
}

#[cfg(test)]
mod tests;
