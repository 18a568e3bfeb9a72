//! Time that only goes on, for what a run waits between two events of its own.
//!
//! A wall clock may be set back, and then a wait counted by it would last as much longer. So
//! waits are counted here: never behind the wall, never behind the log, and on with the
//! monotonic clock whatever the wall shows. Instants that people chose (T0, not-before) are the
//! wall's and are not asked of this.
//!
//! Whoever only reads the log must come to what the engine came to that wrote it: between two of
//! its lines as much time went on as their walls say, and none where a wall went back.

use crate::domain::time::{At, Mono, Span};

/// The last reading.
#[derive(Debug, Clone)]
pub(super) struct Steady {
    /// The latest instant the log knows.
    log: At,
    /// When an engine wrote the last line.
    line: Option<At>,
    /// By how much walls went back between lines.
    back: Span,
    read: Option<(Mono, At)>,
}

impl Default for Steady {
    fn default() -> Self {
        Self { log: At::from_millis(i64::MIN), line: None, back: Span::ZERO, read: None }
    }
}

impl Steady {
    /// Takes a reading of both clocks.
    pub fn tick(&mut self, wall: At, mono: Mono) {
        let went_on = match self.read {
            Some((then, at)) => at.plus(mono.since(then)),
            None => self.log,
        };
        self.read = Some((mono, went_on.max(wall)));
    }

    /// The steady instant when the wall shows `wall`, as exact as the last reading.
    pub fn now(&self, wall: At) -> At {
        wall.max(self.read.map_or(self.log, |(_, at)| at))
    }

    /// When an event with that time happened; `by_engine` says that one engine after the other
    /// wrote it, and not a person on a machine of their own, whose clock moves nothing here.
    pub fn heard(&mut self, at: At, by_engine: bool) -> At {
        let own = at.plus(self.back);
        match (self.read, self.line) {
            (Some((_, now)), _) => at.max(now),
            (None, line) if !by_engine => line.unwrap_or(at),
            (None, line) => {
                let steady = line.map_or(own, |line| line.max(own));
                self.back = self.back.plus(steady.since(own));
                (self.line, self.log) = (Some(steady), self.log.max(steady));
                steady
            }
        }
    }

    /// When GO with that time was written: no line of the log, and no earlier than its newest.
    pub fn opened(&mut self, at: At) -> At {
        self.log = self.log.max(at);
        self.read.map_or(at, |(_, now)| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: At = At::from_secs(1_796_137_200);

    fn mono(secs: u64) -> Mono {
        Mono::from_millis(secs * 1000)
    }

    #[test]
    fn a_wall_set_back_neither_stops_nor_turns_it() {
        let mut steady = Steady::default();
        steady.tick(T, mono(10));
        let back = T.plus(Span::hours(-1));
        steady.tick(back, mono(15));
        assert_eq!(steady.now(back), T.plus(Span::secs(5)));
        assert_eq!(steady.heard(back, true), T.plus(Span::secs(5)));
        let later = T.plus(Span::secs(90));
        steady.tick(later, mono(20));
        assert_eq!(steady.now(later), later, "the wall went ahead: a machine that slept");
    }

    #[test]
    fn after_a_restart_it_begins_no_earlier_than_the_log() {
        let mut steady = Steady::default();
        assert_eq!(steady.heard(T, true), T);
        assert_eq!(steady.heard(T.plus(Span::secs(-9)), true), T, "a wall that went back");
        let back = T.plus(Span::hours(-1));
        assert_eq!(steady.now(back), T);
        steady.tick(back, mono(3));
        assert_eq!(steady.now(back), T);
        steady.tick(back, mono(7));
        assert_eq!(steady.now(back), T.plus(Span::secs(4)));
    }

    #[test]
    fn a_line_of_a_wrong_clock_stops_no_time_after_it() {
        let mut steady = Steady::default();
        steady.heard(T, true);
        let wrong = steady.heard(T.plus(Span::days(2)), true);
        let right = steady.heard(T.plus(Span::secs(20)), true);
        assert_eq!(right, wrong, "it went back, and no further");
        assert_eq!(steady.heard(T.plus(Span::secs(140)), true).since(right), Span::secs(120));
    }

    #[test]
    fn what_happened_before_go_and_what_people_wrote_lengthen_nothing_after_it() {
        let mut steady = Steady::default();
        let go = steady.opened(T);
        steady.heard(T.plus(Span::days(-2)), true);
        steady.heard(T.plus(Span::hours(1)), false);
        steady.heard(T.plus(Span::hours(-1)), false);
        assert_eq!(steady.heard(T.plus(Span::secs(3)), true).since(go), Span::secs(3));
        assert_eq!(steady.now(T).since(go), Span::secs(3));
    }
}
