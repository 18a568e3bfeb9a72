//! A notice that is put off, over and over: tried again with growing waits, until a person must
//! know that this recipient does not hear.
//!
//! What counts is the time in which it was really tried: the tries, and between them no more
//! than the wait that was meant. A night in which a person held the plan, or no engine ran, is
//! not held against the recipient's relay.

use super::Status;
use crate::domain::time::{At, Span};

/// The code of a notice that was put off for too long.
pub const GAVE_UP: &str = "gave-up";

/// How long a relay is tried. One that is mended within a day is not worth a person's night, and
/// six days of a week's lead are left to reach the recipient otherwise.
const LONGEST: Span = Span::days(1);
/// How much of the time before T0 is a person's, for a telephone call.
const BEFORE_T0: Span = Span::hours(-1);
/// How long it is tried in any case: who puts off strangers (greylisting) takes the second or
/// third try.
const SHORTEST: Span = Span::mins(15);

/// The time that was spent on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PutOff {
    /// Since the first time it was put off.
    tried: Span,
    /// When it was put off last, and how long it was to wait then.
    last: Option<(At, Span)>,
}

impl PutOff {
    /// A try that began at `begun` was put off at `at`, the `failures`th in a row. `ends` is when
    /// the notice is of no use any more, if ever.
    pub fn again(&mut self, begun: At, at: At, failures: u32, ends: Option<At>) -> Status {
        if let Some((then, wait)) = self.last {
            let waited = begun.since(then).max(Span::ZERO).min(wait);
            self.tried = self.tried.plus(waited).plus(at.since(begun).max(Span::ZERO));
        }
        let left = self.left(at, ends);
        if left <= Span::ZERO {
            return Status::Blocked { code: GAVE_UP.to_owned() };
        }
        // The last try is made when the time is over, not a quarter of an hour before.
        let wait = unhurried(failures).min(left);
        self.last = Some((at, wait));
        Status::Retry { at: at.plus(wait) }
    }

    /// How much longer it is tried.
    fn left(&self, at: At, ends: Option<At>) -> Span {
        let of = |whole: Span| whole.minus(self.tried);
        let until_t0 = ends.map_or(LONGEST, |t0| t0.plus(BEFORE_T0).since(at));
        of(LONGEST).min(until_t0).max(of(SHORTEST))
    }
}

/// A notice has days: 10 and 30 seconds, 1 and 5 minutes, then every quarter of an hour.
fn unhurried(failures: u32) -> Span {
    match failures {
        0 | 1 => Span::secs(10),
        2 => Span::secs(30),
        3 => Span::mins(1),
        4 => Span::mins(5),
        _ => Span::mins(15),
    }
}
