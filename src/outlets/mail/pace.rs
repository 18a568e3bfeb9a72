//! Not more than so many notices a minute, evenly spaced: some relays ask for it.
//!
//! A mail takes its turn before it takes a connection, so that waiting costs nobody one.

use std::sync::{Mutex, PoisonError};

use crate::clock::Clock;
use crate::domain::time::{Mono, Span};

/// Who may go when.
pub(super) struct Pace {
    gap: Span,
    next: Mutex<Mono>,
}

impl Pace {
    /// `per_minute` is at least 1.
    pub(super) fn new(per_minute: u32) -> Self {
        let gap = 60_000_i64.checked_div(i64::from(per_minute)).unwrap_or(0);
        Self { gap: Span::millis(gap), next: Mutex::new(Mono::from_millis(0)) }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self, clock: &dyn Clock) {
        let turn = self.take(clock.mono());
        clock.sleep_until(turn).await;
    }

    /// The next free turn, which is taken by asking.
    fn take(&self, now: Mono) -> Mono {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = now.max(*next);
        *next = turn.plus(self.gap);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_spaced_and_a_rest_earns_no_burst() {
        let pace = Pace::new(60);
        let at = |millis| pace.take(Mono::from_millis(millis)).millis();
        assert_eq!([at(5_000), at(5_000), at(5_200)], [5_000, 6_000, 7_000]);
        assert_eq!([at(60_000), at(60_000)], [60_000, 61_000]);
    }
}
