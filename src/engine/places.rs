//! How many outside effects are under way at once, and whose turn it is.
//!
//! What is public has its own places, which no notice takes, and what announces has its own
//! again, which no gate takes: a push or an upload that hangs delays no post. A notice that hangs
//! gives its place back after a while, so that a few recipients who never answer delay nobody
//! else for long; it goes on all the same. A notice has its place at the relay, and its turn,
//! before its intent: one that waits can still be held.

use std::collections::BTreeMap;

use super::pace::Pace;
use crate::clock::Rng;
use crate::config::Relay;
use crate::domain::ids::StepId;
use crate::domain::plan::{Phase, PlanKind};
use crate::domain::time::{Mono, Span};
use crate::outlets::mail::grace;

/// Gates, and what follows the announcements, at once.
const GATES: usize = 8;
/// Announcements at once that are not slow. All of them are few, and none may wait for long.
const ANNOUNCEMENTS: usize = 8;
/// Slow notices at once: each has its mail in memory and a connection open.
const SLOW_NOTICES: usize = 20;

/// Which places a step takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Mail of a Notice plan.
    Notice,
    /// What must be public before it is told, and what follows.
    Gate,
    /// What tells the world.
    Announcement,
}

impl Lane {
    /// The lane of a step.
    pub const fn of(kind: PlanKind, phase: Phase) -> Self {
        match phase {
            _ if !kind.is_public() => Self::Notice,
            Phase::Announce => Self::Announcement,
            Phase::Prepare | Phase::Gate | Phase::FollowUp => Self::Gate,
        }
    }
}

/// Who has a place.
pub(super) struct Places {
    taken: BTreeMap<StepId, Place>,
    /// Notices at once that are not slow: the relay's connections.
    notices: usize,
    pace: Pace,
}

struct Place {
    lane: Lane,
    /// From when on it is slow.
    slow_from: Mono,
}

impl Places {
    /// None is taken.
    pub fn new(relay: &Relay) -> Self {
        let notices = usize::try_from(relay.connections).unwrap_or(1).max(1);
        Self { taken: BTreeMap::new(), notices, pace: Pace::of(relay) }
    }

    /// Whether one more may begin now.
    pub fn has_room(&self, lane: Lane, now: Mono) -> bool {
        let of = self.taken.values().filter(|p| p.lane == lane);
        let quick = of.clone().filter(|p| now < p.slow_from).count();
        match lane {
            Lane::Gate => of.count() < GATES,
            Lane::Announcement => quick < ANNOUNCEMENTS,
            Lane::Notice => {
                quick < self.notices
                    && of.count() < self.notices.saturating_add(SLOW_NOTICES)
                    && self.pace.wait(now) == Span::ZERO
            }
        }
    }

    /// It begins, with so many bytes to hand over.
    pub fn take(&mut self, step: StepId, lane: Lane, bytes: usize, now: Mono) {
        self.taken.insert(step, Place { lane, slow_from: now.plus(grace(bytes)) });
    }

    /// A notice begins: the next one waits for its turn, by chance no longer than `at_most`.
    pub fn take_turn(&mut self, now: Mono, at_most: Span, rng: &dyn Rng) {
        self.pace.take(now, at_most, rng);
    }

    /// How long until the next notice's turn.
    pub fn wait(&self, now: Mono) -> Span {
        self.pace.wait(now)
    }

    /// It ended.
    pub fn leave(&mut self, step: StepId) {
        self.taken.remove(&step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Generator;
    use crate::domain::time::At;

    fn id(n: u8) -> StepId {
        StepId::new(At::from_secs(1), [n; 10])
    }

    fn places(more: &str) -> Places {
        let relay = format!("host = \"127.0.0.1\"\nport = 25\ntls = \"none\"\n{more}");
        Places::new(&toml::from_str(&relay).unwrap())
    }

    fn at(secs: u64) -> Mono {
        Mono::from_millis(secs * 1000)
    }

    /// How many more find room at once.
    fn fill(places: &mut Places, lane: Lane, now: Mono) -> usize {
        let first = u8::try_from(places.taken.len()).unwrap();
        let more = (first..100).take_while(|n| {
            let room = places.has_room(lane, now);
            if room {
                places.take(id(*n), lane, 0, now);
            }
            room
        });
        more.count()
    }

    #[test]
    fn slow_notices_give_their_places_back_and_there_is_an_end_to_it() {
        let mut places = places("");
        for batch in 0..6 {
            assert_eq!(fill(&mut places, Lane::Notice, at(batch * 15)), 4, "{batch}");
            assert_eq!(fill(&mut places, Lane::Notice, at(batch * 15 + 14)), 0, "{batch}");
        }
        assert_eq!(fill(&mut places, Lane::Notice, at(9_999)), 0);
        places.leave(id(23));
        assert_eq!(fill(&mut places, Lane::Notice, at(9_999)), 1);
    }

    #[test]
    fn no_more_notices_begin_than_the_relay_has_connections() {
        assert_eq!(fill(&mut places("connections = 2"), Lane::Notice, at(0)), 2);
        assert_eq!(fill(&mut places("connections = 9"), Lane::Notice, at(0)), 9);
    }

    #[test]
    fn a_large_mail_is_not_slow_as_soon_as_a_small_one() {
        let mut places = places("connections = 1");
        places.take(id(1), Lane::Notice, 2 * 1024 * 1024, at(0));
        assert!(!places.has_room(Lane::Notice, at(30)));
        assert!(places.has_room(Lane::Notice, at(31)));
    }

    #[test]
    fn gates_that_hang_leave_the_announcements_their_places() {
        let mut places = places("");
        assert_eq!(fill(&mut places, Lane::Gate, at(0)), 8);
        assert_eq!(fill(&mut places, Lane::Gate, at(9_999)), 0);
        assert_eq!(fill(&mut places, Lane::Announcement, at(0)), 8);
        assert_eq!(fill(&mut places, Lane::Announcement, at(15)), 8, "slow ones stop no other");
        assert_eq!(fill(&mut places, Lane::Notice, at(0)), 4);
    }

    #[test]
    fn a_notice_has_no_room_before_its_turn_and_nothing_else_waits_for_one() {
        let (mut places, rng) = (places("per_minute = 6"), Generator::from_seed([1; 32]));
        places.take_turn(at(0), Span::ZERO, &rng);
        assert!(!places.has_room(Lane::Notice, at(9)));
        assert!(places.has_room(Lane::Notice, at(10)));
        assert!(places.has_room(Lane::Gate, at(0)) && places.has_room(Lane::Announcement, at(0)));
    }
}
