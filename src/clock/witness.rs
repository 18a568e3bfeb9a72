//! Who else knows what time it is. A wall clock alone cannot tell that it is wrong: a witness
//! is somebody apart from it who can.
//!
//! What must stay true: a witness never guesses. Where it cannot know it is silent, and a
//! silent witness neither stops a GO nor permits one.

use async_trait::async_trait;

use crate::domain::time::{At, Span};

/// Somebody who can speak about the wall clock.
#[async_trait]
pub trait TimeWitness: Send + Sync {
    /// What `daybreak doctor` calls it.
    fn name(&self) -> &'static str;
    /// What it has to say now.
    async fn testify(&self) -> Testimony;
}

/// What a witness says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Testimony {
    /// It cannot tell.
    Silent,
    /// Something keeps the wall clock right; it is wrong by `within` at most.
    Synchronised {
        /// The estimate of whoever keeps it.
        within: Span,
    },
    /// Nothing keeps the wall clock right: it was never set since the machine started, or
    /// whoever set it has been silent for hours.
    Unsynchronised,
    /// It has a clock of its own, which shows this.
    Shows(At),
}

/// The kernel, which programs that keep the time (chrony, ntpd, systemd-timesyncd) report to;
/// adjtimex(2). A container asks its host's kernel.
pub struct Kernel;

#[async_trait]
impl TimeWitness for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
    }

    async fn testify(&self) -> Testimony {
        ask_kernel()
    }
}

/// STA_UNSYNC of adjtimex(2): also set by the kernel itself once the estimated error has grown
/// to 16 s, about nine hours after the last word of a time server.
#[cfg(target_os = "linux")]
const UNSYNC: i32 = 0x40;

#[cfg(target_os = "linux")]
fn ask_kernel() -> Testimony {
    use rtime_clock::adjtime::{Timex, adjtimex};
    // Every mode bit is zero: it only reads.
    let mut state = Timex::new();
    match adjtimex(&mut state) {
        // A sandbox may forbid the question.
        Err(_) => Testimony::Silent,
        Ok(_) if state.0.status & UNSYNC != 0 => Testimony::Unsynchronised,
        Ok(_) => {
            // Microseconds; narrower than 64 bits on small machines.
            let micros = i64::try_from(i128::from(state.0.maxerror)).unwrap_or(i64::MAX);
            Testimony::Synchronised { within: Span::millis(micros.div_euclid(1000)) }
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_kernel() -> Testimony {
    Testimony::Silent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_answers_and_is_only_asked() {
        let first = Kernel.testify().await;
        assert!(!matches!(first, Testimony::Shows(_)));
        // Asking twice changes nothing.
        let again = Kernel.testify().await;
        assert_eq!(std::mem::discriminant(&first), std::mem::discriminant(&again));
    }
}
