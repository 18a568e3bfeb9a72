//! A clock that only moves when it is told to: tests of months take milliseconds, and nothing
//! in them happens by itself.
//!
//! Whoever sleeps wakes when the time is reached, never because real time passed. Bounds on
//! processes and connections are sleeps too: move the clock far only while nothing is at work.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::domain::time::{At, Mono, Span};

/// What both hands show.
#[derive(Debug, Clone, Copy)]
struct Hands {
    wall: At,
    mono: Mono,
}

/// Who sleeps until when.
#[derive(Default)]
struct Beds {
    next: u64,
    taken: BTreeMap<u64, Sleeper>,
}

struct Sleeper {
    until: Mono,
    waker: Option<Waker>,
}

/// A clock moved by hand.
pub struct HandClock {
    hands: Mutex<Hands>,
    beds: Mutex<Beds>,
    sleepers: watch::Sender<usize>,
}

impl HandClock {
    /// Shows `start`; its monotonic reading begins at zero.
    pub fn new(start: At) -> Self {
        let hands = Hands { wall: start, mono: Mono::from_millis(0) };
        Self { hands: Mutex::new(hands), beds: Mutex::default(), sleepers: watch::Sender::new(0) }
    }

    /// Time passes, on both hands.
    pub fn advance(&self, span: Span) {
        {
            let mut hands = self.hands();
            hands.wall = hands.wall.plus(span);
            hands.mono = hands.mono.plus(span);
        }
        let (now, beds) = (self.mono(), self.beds());
        // In the order in which they lay down, so that the same days are the same.
        let due = beds.taken.values().filter(|s| s.until <= now);
        due.filter_map(|s| s.waker.as_ref()).for_each(Waker::wake_by_ref);
    }

    /// Time passes until the wall shows `at`; nothing happens when it has already.
    pub fn advance_to(&self, at: At) {
        let span = at.since(self.wall());
        if span > Span::ZERO {
            self.advance(span);
        }
    }

    /// Somebody sets the wall's clock, or the machine slept: the monotonic hand stays.
    pub fn set_wall(&self, at: At) {
        self.hands().wall = at;
    }

    /// The earliest instant at which a sleeper wakes.
    pub fn next_wake(&self) -> Option<Mono> {
        self.beds().taken.values().map(|s| s.until).min()
    }

    /// How many sleep now.
    pub fn sleepers(&self) -> usize {
        *self.sleepers.borrow()
    }

    /// Waits, in real time, until at least `n` sleep.
    pub async fn wait_for_sleepers(&self, n: usize) {
        let mut sleepers = self.sleepers.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        let _never_closed = sleepers.wait_for(|now| *now >= n).await.is_ok();
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beds(&self) -> MutexGuard<'_, Beds> {
        self.beds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lie_down(&self, until: Mono) -> Bed<'_> {
        let mut beds = self.beds();
        let number = beds.next;
        beds.next = number.saturating_add(1);
        beds.taken.insert(number, Sleeper { until, waker: None });
        self.sleepers.send_replace(beds.taken.len());
        Bed { clock: self, number }
    }
}

/// One sleeper; up again when dropped, however the sleep ended.
struct Bed<'a> {
    clock: &'a HandClock,
    number: u64,
}

impl Bed<'_> {
    /// Looks at the clock with the beds in hand: whoever moves it meanwhile wakes this one.
    fn look_up(&self, cx: &Context<'_>, until: Mono) -> Poll<()> {
        let mut beds = self.clock.beds();
        if self.clock.mono() >= until {
            return Poll::Ready(());
        }
        if let Some(sleeper) = beds.taken.get_mut(&self.number) {
            sleeper.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Bed<'_> {
    fn drop(&mut self) {
        let mut beds = self.clock.beds();
        beds.taken.remove(&self.number);
        self.clock.sleepers.send_replace(beds.taken.len());
    }
}

#[async_trait]
impl Clock for HandClock {
    fn wall(&self) -> At {
        self.hands().wall
    }

    fn mono(&self) -> Mono {
        self.hands().mono
    }

    async fn sleep_until(&self, until: Mono) {
        let bed = self.lie_down(until);
        poll_fn(|cx| bed.look_up(cx, until)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{sleep, within};

    const START: At = At::from_secs(1_796_137_200);

    #[tokio::test]
    async fn sleepers_wake_when_told_and_never_before() {
        let clock = Arc::new(HandClock::new(START));
        let sleeper = Arc::clone(&clock);
        let nap = tokio::spawn(async move {
            sleep(sleeper.as_ref(), Span::days(7)).await;
            sleeper.wall()
        });
        clock.wait_for_sleepers(1).await;
        assert_eq!(clock.next_wake(), Some(Mono::from_millis(7 * 86_400_000)));
        clock.advance(Span::millis(7 * 86_400_000 - 1));
        tokio::task::yield_now().await;
        assert!(!nap.is_finished());
        clock.advance(Span::millis(1));
        assert_eq!(nap.await.unwrap(), START.plus(Span::days(7)));
        assert_eq!((clock.sleepers(), clock.next_wake()), (0, None));
    }

    #[tokio::test]
    async fn a_set_wall_wakes_nobody_and_a_dropped_sleep_leaves_its_bed() {
        let clock = HandClock::new(START);
        let impatient = within(&clock, Span::secs(5), async { clock.set_wall(START) }).await;
        assert_eq!((impatient, clock.sleepers()), (Some(()), 0));
        clock.set_wall(START.plus(Span::days(1)));
        assert_eq!(clock.mono(), Mono::from_millis(0));
        clock.advance_to(START);
        assert_eq!(clock.wall(), START.plus(Span::days(1)), "time never runs back");
    }
}
