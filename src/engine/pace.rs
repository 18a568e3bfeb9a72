//! When the next notice may begin: some relays ask for a pace, and some teams want their notices
//! at uneven distances.
//!
//! A notice waits for its turn before its intent: it can be held, and nothing is unknown of it.
//! Only notices wait; what is public never does.

use crate::clock::{Rng, random};
use crate::config::Relay;
use crate::domain::time::{Mono, Span};

/// Who may go when.
pub(super) struct Pace {
    /// Between any two.
    gap: Span,
    /// At most this much more, by chance.
    jitter: Span,
    next: Mono,
}

impl Pace {
    /// As the configuration asks for; nobody waits unless it does.
    pub fn of(relay: &Relay) -> Self {
        let gap = relay.per_minute.map_or(0, |n| 60_000_i64.checked_div(i64::from(n)).unwrap_or(0));
        Self {
            gap: Span::millis(gap),
            jitter: Span::secs(i64::from(relay.jitter)),
            next: Mono::from_millis(0),
        }
    }

    /// How long until the next turn; nothing once it has come.
    pub fn wait(&self, now: Mono) -> Span {
        self.next.since(now).max(Span::ZERO)
    }

    /// Takes the turn. Chance adds no more than `at_most`, so that it makes nobody late.
    pub fn take(&mut self, now: Mono, at_most: Span, rng: &dyn Rng) {
        let jitter = self.jitter.min(at_most).max(Span::ZERO);
        self.next = now.plus(self.gap).plus(drawn(jitter, rng));
    }
}

/// From nothing to `most`, each millisecond as likely as any other.
fn drawn(most: Span, rng: &dyn Rng) -> Span {
    let Some(places) = u64::try_from(most.as_millis()).ok().filter(|n| *n > 0) else {
        return Span::ZERO;
    };
    // 64 random bits against minutes: the bias is beyond measuring.
    let drawn = u64::from_le_bytes(random(rng)).checked_rem(places.saturating_add(1)).unwrap_or(0);
    Span::millis(i64::try_from(drawn).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Generator;

    fn pace(more: &str) -> Pace {
        let relay = format!("host = \"127.0.0.1\"\nport = 25\ntls = \"none\"\n{more}");
        Pace::of(&toml::from_str(&relay).unwrap())
    }

    /// The distances of ten turns, each taken as soon as it comes.
    fn distances(mut pace: Pace, at_most: Span) -> Vec<i64> {
        let rng = Generator::from_seed([9; 32]);
        let mut now = Mono::from_millis(5_000);
        (0..10)
            .map(|_| {
                pace.take(now, at_most, &rng);
                let wait = pace.wait(now);
                now = now.plus(wait);
                assert_eq!(pace.wait(now), Span::ZERO);
                wait.as_millis()
            })
            .collect()
    }

    #[test]
    fn nobody_waits_unless_it_is_configured() {
        assert_eq!(distances(pace(""), Span::days(1)), [0; 10]);
    }

    #[test]
    fn turns_are_evenly_spaced_and_a_rest_earns_no_burst() {
        assert_eq!(distances(pace("per_minute = 60"), Span::days(1)), [1_000; 10]);
        let (mut pace, rng) = (pace("per_minute = 60"), Generator::from_seed([9; 32]));
        for now in [0, 60_000] {
            let now = Mono::from_millis(now);
            assert_eq!(pace.wait(now), Span::ZERO);
            pace.take(now, Span::ZERO, &rng);
            assert_eq!(pace.wait(now), Span::secs(1));
        }
    }

    #[test]
    fn chance_adds_up_to_its_bound_and_makes_nobody_late() {
        let uneven = distances(pace("per_minute = 60\njitter = 10"), Span::days(1));
        assert!(uneven.iter().all(|d| (1_000..=11_000).contains(d)), "{uneven:?}");
        let mut different = uneven.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 10, "{uneven:?}");
        let late = distances(pace("jitter = 10"), Span::millis(7));
        assert!(late.iter().all(|d| (0..=7).contains(d)), "{late:?}");
        assert_eq!(distances(pace("jitter = 10"), Span::secs(-1)), [0; 10]);
    }
}
