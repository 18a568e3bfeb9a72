//! The clock of a rehearsal: it runs as fast as the machine's, so that what hangs is noticed,
//! shows another time, and is moved on over what nobody need wait for. Both hands move together.

use async_trait::async_trait;
use tokio::sync::watch;

use crate::clock::{Clock, SystemClock, sleep};
use crate::domain::time::{At, Mono, Span};

/// A clock that begins at an instant of one's choice.
pub(super) struct StageClock {
    machine: SystemClock,
    began: At,
    skipped: watch::Sender<Span>,
}

impl StageClock {
    /// Shows `began` now.
    pub fn new(began: At) -> Self {
        Self { machine: SystemClock::new(), began, skipped: watch::Sender::new(Span::ZERO) }
    }

    /// Moves it on to `at`; never back.
    pub fn skip_to(&self, at: At) {
        let left = at.since(self.wall());
        if left > Span::ZERO {
            self.skipped.send_modify(|skipped| {
                *skipped = Span::millis(skipped.as_millis().saturating_add(left.as_millis()));
            });
        }
    }
}

#[async_trait]
impl Clock for StageClock {
    fn wall(&self) -> At {
        self.began.plus(self.mono().since(Mono::from_millis(0)))
    }

    fn mono(&self) -> Mono {
        self.machine.mono().plus(*self.skipped.borrow())
    }

    async fn sleep_until(&self, until: Mono) {
        let mut skips = self.skipped.subscribe();
        loop {
            let left = until.since(self.mono());
            if left <= Span::ZERO {
                return;
            }
            tokio::select! {
                () = sleep(&self.machine, left) => {}
                _ = skips.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn it_begins_where_told_and_sleepers_wake_when_it_is_moved_on() {
        let start = At::from_secs(1_796_137_200);
        let clock = Arc::new(StageClock::new(start));
        assert!(clock.wall() >= start && clock.wall() < start.plus(Span::hours(1)));
        let sleeper = Arc::clone(&clock);
        let nap = tokio::spawn(async move { sleep(sleeper.as_ref(), Span::days(3)).await });
        tokio::task::yield_now().await;
        clock.skip_to(start.plus(Span::days(4)));
        nap.await.unwrap();
        clock.skip_to(start);
        assert!(clock.wall() >= start.plus(Span::days(4)), "never back");
    }
}
