//! Law 4 after an act: what the act said and what the world shows, made into one answer.
//!
//! The world's word counts for more: a lost answer whose effect can be seen is a success,
//! and a failure is certain only when the effect is certainly absent.

use crate::domain::receipt::{OutletError, Receipt, Retry, Seen};
use crate::domain::time::Span;

/// How an act itself ended, before looking.
pub(super) enum Ended {
    /// It says it worked; the text says how.
    Well(String),
    /// It says it failed; the error holds if the world does not show the effect.
    Badly(OutletError),
    /// It broke off: code and text.
    BrokeOff(&'static str, String),
}

/// The answer to give. `late` is how long the world may not show what was done: unless it is
/// none, an absence right after the act proves nothing.
pub(super) fn settle(ended: Ended, seen: Seen, late: Span) -> Result<Receipt, OutletError> {
    match (ended, seen) {
        (_, Seen::Present(receipt)) => Ok(receipt),
        (_, Seen::Conflict(why)) => Err(OutletError::ask_human("conflict", why)),
        (Ended::Well(detail), _) => Ok(Receipt::handed_over(detail)),
        (Ended::Badly(error), Seen::Absent) if late == Span::ZERO => Err(error),
        (Ended::Badly(error), Seen::Absent) if error.retry != Retry::Later => Err(error),
        (Ended::Badly(error), _) => Err(OutletError::unknown(&error.code, error.message)),
        // What was cut short may still arrive, whatever is seen now.
        (Ended::BrokeOff(code, message), _) => Err(OutletError::unknown(code, message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::Retry;

    #[test]
    fn the_world_has_the_last_word() {
        let later = || Ended::Badly(OutletError::later("failed", ""));
        let cut = || Ended::BrokeOff("slow", String::new());
        let there = || Seen::Present(Receipt::seen(""));
        assert!(settle(later(), there(), Span::ZERO).is_ok());
        assert!(settle(cut(), there(), Span::ZERO).is_ok());
        let retry = |ended, seen| settle(ended, seen, Span::ZERO).unwrap_err().retry;
        assert_eq!(retry(later(), Seen::Absent), Retry::Later);
        assert_eq!(retry(later(), Seen::CannotTell), Retry::Unknown);
        assert_eq!(retry(cut(), Seen::Absent), Retry::Unknown);
        let conflict = Seen::Conflict(String::new());
        assert_eq!(retry(Ended::Well(String::new()), conflict), Retry::AskHuman);
        assert!(settle(Ended::Well(String::new()), Seen::Absent, Span::ZERO).is_ok());
        let late = settle(later(), Seen::Absent, Span::secs(1)).unwrap_err();
        assert_eq!(late.retry, Retry::Unknown, "what is late is not absent yet");
    }
}
