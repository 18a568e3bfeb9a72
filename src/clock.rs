//! The clock and the randomness of the house, as traits, with the system's implementations.
//!
//! This is the only file that reads the system's time; everything else is handed a `Clock`.
//! The system's random source for keys is the vault's and Sequoia's own affair; `Rng` makes
//! ids, salts and tokens.

pub mod witness;

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::domain::time::{At, Mono, Span};

/// Where time comes from.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The wall's time: may jump.
    fn wall(&self) -> At;
    /// Time that only grows; stands still while the machine is suspended.
    fn mono(&self) -> Mono;
    /// Returns once `mono()` has reached `until`, never earlier.
    async fn sleep_until(&self, until: Mono);
}

/// Where ids, salts and tokens get their random bytes.
pub trait Rng: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// A fixed number of random bytes.
pub fn random<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}

/// Puts `items` into an order that tells nothing: every order is as likely as any other.
pub fn shuffle<T>(rng: &dyn Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        // 64 random bits against a few hundred places: the bias is beyond measuring.
        let places = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let place = u64::from_le_bytes(random(rng)).checked_rem(places).unwrap_or(0);
        items.swap(last, usize::try_from(place).unwrap_or(last));
    }
}

/// Waits `span` on `clock`.
pub async fn sleep(clock: &dyn Clock, span: Span) {
    clock.sleep_until(clock.mono().plus(span)).await;
}

/// Runs `work` for at most `span`; `None` when it took longer and was dropped.
pub async fn within<T>(clock: &dyn Clock, span: Span, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = sleep(clock, span) => None,
    }
}

/// The machine's own clocks.
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// Starts the monotonic reading at zero.
    #[expect(clippy::disallowed_methods, reason = "the one home of the system's clocks")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one home of the system's clocks")]
    fn wall(&self) -> At {
        let since_1970 = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        At::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }

    fn mono(&self) -> Mono {
        Mono::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one home of the system's clocks")]
    async fn sleep_until(&self, until: Mono) {
        loop {
            let left = until.since(self.mono()).as_millis();
            match u64::try_from(left) {
                Ok(millis) if millis > 0 => tokio::time::sleep(Duration::from_millis(millis)).await,
                _ => return,
            }
        }
    }
}

/// A cryptographic generator seeded once; the seed of a test makes its ids repeatable.
pub struct Generator(Mutex<StdRng>);

impl Generator {
    /// Seeded by the system. Errors when the system has no randomness to give.
    pub fn from_system() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self::from_seed(seed))
    }

    /// Seeded by the caller, for tests and simulations only.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Mutex::new(StdRng::from_seed(seed)))
    }
}

impl Rng for Generator {
    fn fill(&self, bytes: &mut [u8]) {
        // A poisoned lock still guards a usable generator: it holds no invariant a panic can break.
        let mut rng = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rng.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn within_gives_up_and_sleep_is_never_early() {
        let clock = SystemClock::new();
        let before = clock.mono();
        let never = std::future::pending::<()>();
        assert_eq!(within(&clock, Span::millis(20), never).await, None);
        assert!(clock.mono().since(before) >= Span::millis(20));
    }

    #[test]
    fn a_shuffle_keeps_everything_and_favours_no_place() {
        let rng = Generator::from_seed([2; 32]);
        let mut first = [0_u32; 4];
        for _ in 0..4000 {
            let mut items = [0_usize, 1, 2, 3];
            shuffle(&rng, &mut items);
            first[items[0]] += 1;
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3]);
        }
        assert!(first.iter().all(|n| (850..1150).contains(n)), "{first:?}");
        shuffle::<u8>(&rng, &mut []);
    }

    #[test]
    fn seeds_repeat() {
        let (a, b) = (Generator::from_seed([1; 32]), Generator::from_seed([1; 32]));
        assert_eq!(random::<16>(&a), random::<16>(&b));
    }
}
