//! Whether the wall clock can be trusted with a GO.
//!
//! Wall and monotonic time that drift apart by more than two seconds between two readings
//! mean that somebody set the clock or the machine slept: no GO until it has been steady
//! for a minute. A wall clock behind what the database has already seen is never trusted.

use crate::domain::time::{At, Mono, Span};

/// Largest difference between the two clocks from one reading to the next.
const APART: Span = Span::secs(2);
/// How long it must be steady again.
const STEADY: Span = Span::secs(60);

/// Remembers the last reading.
pub struct ClockWatch {
    last: Option<(At, Mono)>,
    steady_since: Mono,
    suspect: bool,
    high_water: At,
}

impl ClockWatch {
    /// `high_water` is the latest wall time the database has seen.
    pub const fn new(high_water: At) -> Self {
        Self { last: None, steady_since: Mono::from_millis(0), suspect: false, high_water }
    }

    /// Takes a reading; `true` when the wall clock can be trusted.
    pub fn observe(&mut self, wall: At, mono: Mono) -> bool {
        match self.last {
            None => self.steady_since = mono,
            Some((last_wall, last_mono)) => {
                let drift = wall.since(last_wall).as_millis() - mono.since(last_mono).as_millis();
                if drift.abs() > APART.as_millis() {
                    (self.suspect, self.steady_since) = (true, mono);
                }
            }
        }
        self.last = Some((wall, mono));
        let steady = mono.since(self.steady_since) >= STEADY;
        if steady {
            self.suspect = false;
            // Only a steady clock raises the mark: one wrong reading must not forbid GO for
            // as long as it was ahead.
            self.high_water = self.high_water.max(wall);
        }
        let behind = wall < self.high_water.plus(Span::millis(-APART.as_millis()));
        !self.suspect && !behind
    }

    /// The latest wall time that was steady.
    pub const fn high_water(&self) -> At {
        self.high_water
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> At {
        At::from_secs(1_000_000 + secs)
    }

    fn mono(secs: u64) -> Mono {
        Mono::from_millis(secs * 1000)
    }

    #[test]
    fn steady_clocks_are_trusted() {
        let mut watch = ClockWatch::new(at(0));
        for s in 0..100 {
            assert!(watch.observe(at(s), mono(s as u64)));
        }
    }

    #[test]
    fn a_jump_either_way_is_suspect_until_steady_for_a_minute() {
        for jump in [86_400, -86_400, 3, -3] {
            let mut watch = ClockWatch::new(at(-200_000));
            assert!(watch.observe(at(0), mono(0)));
            assert!(!watch.observe(at(1 + jump), mono(1)));
            assert!(!watch.observe(at(60 + jump), mono(60)));
            assert!(watch.observe(at(61 + jump), mono(61)));
        }
    }

    #[test]
    fn one_wrong_reading_forbids_nothing_for_longer_than_a_minute() {
        let mut watch = ClockWatch::new(at(0));
        assert!(watch.observe(at(0), mono(0)));
        assert!(!watch.observe(at(72_000), mono(1)));
        assert!(!watch.observe(at(2), mono(2)));
        assert_eq!(watch.high_water(), at(0));
        assert!(watch.observe(at(62), mono(62)));
        assert_eq!(watch.high_water(), at(62));
    }

    #[test]
    fn a_clock_behind_the_database_is_not_trusted() {
        let mut watch = ClockWatch::new(at(100));
        assert!(!watch.observe(at(0), mono(0)));
        assert!(watch.observe(at(99), mono(99)));
    }
}
