//! Steps that the machine proposes and the database refuses.
//!
//! Once is a race: a person held, voided or settled something meanwhile, and after reading it
//! the step is not proposed again. Twice is a disagreement that no haste ends: a person hears of
//! it, and the step waits longer each time.

use std::collections::BTreeMap;

use crate::domain::ids::StepId;
use crate::domain::time::{Mono, Span};

/// Waits after the second, third, ... refusal; then the last one.
const WAITS: [Span; 5] =
    [Span::secs(1), Span::secs(5), Span::secs(15), Span::secs(30), Span::secs(60)];
/// A refusal this long ago has nothing to do with the next.
const FORGOTTEN: Span = Span::mins(5);

#[derive(Default)]
pub(super) struct Refusals(BTreeMap<StepId, Refusal>);

struct Refusal {
    count: usize,
    at: Mono,
    again: Mono,
}

impl Refusals {
    /// One more; whether a person must hear of it.
    pub fn refused(&mut self, step: StepId, now: Mono) -> bool {
        let before = self.0.get(&step).filter(|r| now.since(r.at) < FORGOTTEN);
        let count = before.map_or(0, |r| r.count).saturating_add(1);
        let wait = match count.checked_sub(2) {
            None => Span::ZERO,
            Some(n) => WAITS.get(n).or(WAITS.last()).copied().unwrap_or(Span::ZERO),
        };
        self.0.insert(step, Refusal { count, at: now, again: now.plus(wait) });
        count > 1
    }

    /// It cannot be begun for a moment; nobody need hear of that.
    pub fn not_now(&mut self, step: StepId, now: Mono) {
        let again = now.plus(Span::secs(1));
        self.0.entry(step).or_insert(Refusal { count: 0, at: now, again }).again = again;
    }

    /// Whether it must wait still.
    pub fn waits(&self, step: StepId, now: Mono) -> bool {
        self.0.get(&step).is_some_and(|r| now < r.again)
    }

    /// It was let.
    pub fn over(&mut self, step: StepId) {
        self.0.remove(&step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::At;

    #[test]
    fn a_race_costs_nothing_and_a_disagreement_is_said_and_waits() {
        let step = StepId::new(At::from_secs(1), [1; 10]);
        let mut refusals = Refusals::default();
        let mut now = Mono::from_millis(0);
        assert!(!refusals.refused(step, now) && !refusals.waits(step, now));
        for secs in [1, 5, 15, 30, 60, 60] {
            assert!(refusals.refused(step, now));
            assert!(refusals.waits(step, now.plus(Span::millis(secs * 1000 - 1))), "{secs}");
            now = now.plus(Span::secs(secs));
            assert!(!refusals.waits(step, now), "{secs}");
        }
        refusals.over(step);
        assert!(!refusals.refused(step, now), "it was let in between");
        assert!(!refusals.refused(step, now.plus(Span::mins(5))), "long ago");
        refusals.not_now(step, now);
        assert!(refusals.waits(step, now) && !refusals.waits(step, now.plus(Span::secs(1))));
    }
}
