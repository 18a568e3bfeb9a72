//! Time that only goes on, for what a run waits between two events of its own.
//!
//! A wall clock may be set back, and then a wait counted by it would last as much longer. So
//! waits are counted here: never behind the wall, never behind the log, and on with the
//! monotonic clock whatever the wall shows. Instants that people chose (T0, not-before) are the
//! wall's and are not asked of this.

use crate::domain::time::{At, Mono};

/// The last reading.
#[derive(Debug, Clone)]
pub(super) struct Steady {
    /// The latest instant the log knows.
    log: At,
    read: Option<(Mono, At)>,
}

impl Default for Steady {
    fn default() -> Self {
        Self { log: At::from_millis(i64::MIN), read: None }
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

    /// When an event with that time happened.
    pub fn heard(&mut self, at: At) -> At {
        match self.read {
            Some((_, now)) => at.max(now),
            None => {
                self.log = self.log.max(at);
                at
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

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
        assert_eq!(steady.heard(back), T.plus(Span::secs(5)));
        let later = T.plus(Span::secs(90));
        steady.tick(later, mono(20));
        assert_eq!(steady.now(later), later, "the wall went ahead: a machine that slept");
    }

    #[test]
    fn after_a_restart_it_begins_no_earlier_than_the_log() {
        let mut steady = Steady::default();
        assert_eq!(steady.heard(T), T);
        assert_eq!(steady.heard(T.plus(Span::secs(-9))), T.plus(Span::secs(-9)));
        let back = T.plus(Span::hours(-1));
        assert_eq!(steady.now(back), T);
        steady.tick(back, mono(3));
        assert_eq!(steady.now(back), T);
        steady.tick(back, mono(7));
        assert_eq!(steady.now(back), T.plus(Span::secs(4)));
    }
}
