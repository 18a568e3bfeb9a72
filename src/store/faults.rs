//! For tests and simulations: which call of the database fails, and how. Nothing else sets one.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StoreError;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The database cannot be reached; nothing was done.
    Away,
    /// The disk is full; nothing was written. Reading goes on.
    Full,
    /// It was done, but the answer did not come back.
    AnswerLost,
}

/// What is to go wrong.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Script>);

#[derive(Debug, Default)]
struct Script {
    calls: u64,
    struck: u64,
    some: Option<(Range<u64>, Fault)>,
    lasting: Option<Fault>,
}

impl Faults {
    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.script().calls
    }

    /// How many calls something was done to.
    pub fn struck(&self) -> u64 {
        self.script().struck
    }

    /// The call after the next `calls` ones fails, and none after it.
    pub fn after(&self, calls: u64, fault: Fault) {
        self.some(calls, 1, fault);
    }

    /// As many calls as `many` fail after the next `calls` ones, and none after them.
    pub fn some(&self, calls: u64, many: u64, fault: Fault) {
        let mut script = self.script();
        let from = script.calls.saturating_add(calls);
        script.some = Some((from..from.saturating_add(many), fault));
    }

    /// Every call fails until this is said again with `None`.
    pub fn lasting(&self, fault: Option<Fault>) {
        self.script().lasting = fault;
    }

    /// Nothing fails any more.
    pub fn clear(&self) {
        let mut script = self.script();
        (script.some, script.lasting) = (None, None);
    }

    /// Counts a call: an error when nothing shall be done, and the answer to give when it was.
    pub(super) fn strike(&self, writes: bool) -> Result<Result<(), StoreError>, StoreError> {
        let mut script = self.script();
        let number = script.calls;
        script.calls = number.saturating_add(1);
        let some = script.some.as_ref().filter(|(which, _)| which.contains(&number));
        let fault = some.map(|(_, fault)| *fault).or(script.lasting);
        let harmless = fault.is_none() || (fault == Some(Fault::Full) && !writes);
        script.struck = script.struck.saturating_add(u64::from(!harmless));
        match fault {
            Some(Fault::Away) => Err(StoreError::Unavailable("a test took it away")),
            Some(Fault::Full) if writes => Err(StoreError::Full),
            Some(Fault::AnswerLost) => Ok(Err(StoreError::Unavailable("a test lost its answer"))),
            Some(Fault::Full) | None => Ok(Ok(())),
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_fails_and_a_full_disk_can_be_read() {
        let faults = Faults::default();
        faults.after(1, Fault::Away);
        assert!(faults.strike(true).is_ok());
        assert!(faults.strike(false).is_err());
        assert!(faults.strike(true).is_ok());
        faults.lasting(Some(Fault::Full));
        assert!(matches!(faults.strike(true), Err(StoreError::Full)));
        assert!(matches!(faults.strike(false), Ok(Ok(()))));
        faults.lasting(Some(Fault::AnswerLost));
        assert!(matches!(faults.strike(true), Ok(Err(StoreError::Unavailable(_)))));
        faults.lasting(None);
        assert!(matches!(faults.strike(true), Ok(Ok(()))));
        assert_eq!((faults.calls(), faults.struck()), (7, 3));
        faults.lasting(None);
        faults.some(1, 2, Fault::Away);
        let failed: Vec<bool> = (0..4).map(|_| faults.strike(false).is_err()).collect();
        assert_eq!(failed, [false, true, true, false]);
    }
}
