//! Everything that is left to chance in one simulated day. One seed, one fate: the same days
//! come out, to the byte of their trace.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::domain::time::Span;

/// A source of decisions.
pub struct Fate(StdRng);

impl Fate {
    /// Of that seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(StdRng::from_seed(seed))
    }

    /// A number below `n`; 0 when there is none.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64().checked_rem(n).unwrap_or(0)
    }

    /// True in `per_mille` of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A span from `least` to below `most`.
    pub fn between(&mut self, least: Span, most: Span) -> Span {
        let width = most.as_millis().saturating_sub(least.as_millis());
        let more = self.below(u64::try_from(width).unwrap_or(0));
        Span::millis(least.as_millis().saturating_add(i64::try_from(more).unwrap_or(0)))
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let place = self.below(u64::try_from(of.len()).unwrap_or(0));
        of.get(usize::try_from(place).unwrap_or(0))
    }
}
