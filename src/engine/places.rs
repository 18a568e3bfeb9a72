//! How many outside effects are under way at once.
//!
//! What is public has its own places, which no notice takes. A notice that hangs gives its place
//! back after a while, so that a few recipients who never answer delay nobody else for long;
//! it goes on all the same.

use std::collections::BTreeMap;

use crate::domain::ids::StepId;
use crate::domain::time::{Mono, Span};

/// Public effects at once.
const PUBLIC: usize = 8;
/// Notices at once that are not slow.
const NOTICES: usize = 4;
/// Notices at once, slow ones too: each has its mail in memory and a connection open.
const ALL_NOTICES: usize = 24;
/// A notice that is under way for so long is slow. A relay takes a mail in far less.
const SLOW: Span = Span::secs(15);

/// Who has a place.
pub(super) struct Places {
    taken: BTreeMap<StepId, Place>,
    /// Notices at once, slow ones too.
    notices: usize,
}

struct Place {
    public: bool,
    since: Mono,
}

impl Places {
    /// None is taken. Where notices are `paced` they wait for their turn after their intent: no
    /// more of them than without slow ones, or a hold would come too late for two dozen.
    pub fn new(paced: bool) -> Self {
        Self { taken: BTreeMap::new(), notices: if paced { NOTICES } else { ALL_NOTICES } }
    }

    /// Whether one more may begin now.
    pub fn has_room(&self, public: bool, now: Mono) -> bool {
        let of = self.taken.values().filter(|p| p.public == public);
        if public {
            return of.count() < PUBLIC;
        }
        let quick = of.clone().filter(|p| now.since(p.since) < SLOW).count();
        quick < NOTICES && of.count() < self.notices
    }

    /// It begins.
    pub fn take(&mut self, step: StepId, public: bool, now: Mono) {
        self.taken.insert(step, Place { public, since: now });
    }

    /// It ended.
    pub fn leave(&mut self, step: StepId) {
        self.taken.remove(&step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::At;

    fn id(n: u8) -> StepId {
        StepId::new(At::from_secs(1), [n; 10])
    }

    #[test]
    fn slow_notices_give_their_places_back_and_the_public_has_its_own() {
        let mut places = Places::new(false);
        let at = |secs: u64| Mono::from_millis(secs * 1000);
        for n in 0..24 {
            let now = at(u64::from(n / 4) * 15);
            assert!(places.has_room(false, now), "{n}");
            places.take(id(n), false, now);
            assert_eq!(places.has_room(false, now), n % 4 != 3);
        }
        assert!(!places.has_room(false, at(1_000)), "there is an end to it");
        for n in 24..32 {
            assert!(places.has_room(true, at(1_000)));
            places.take(id(n), true, at(1_000));
        }
        assert!(!places.has_room(true, at(9_999)), "what is public keeps its places");
        places.leave(id(3));
        places.leave(id(30));
        assert!(places.has_room(false, at(1_000)) && places.has_room(true, at(1_000)));
        let mut paced = Places::new(true);
        (0..4).for_each(|n| paced.take(id(n), false, at(0)));
        assert!(!paced.has_room(false, at(1_000)), "what waits for its turn is not slow");
    }
}
