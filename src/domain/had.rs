//! Whether somebody may have a mail, and since when: the one answer to that, folded from the log
//! of the mail's step. Windows, the next notice and the ledger all ask it here.
//!
//! Doubt counts as yes: who may know the old date must hear the new one, and an embargo lasts
//! from the first moment at which anybody may know. Only a plain no, before any word that it
//! arrived, is a no.

use super::event::{Happened, StepEvent};
use super::receipt::{Retry, Seen};
use super::time::At;

/// What the log of one step says of its mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Had {
    /// When it was first tried.
    first: Option<At>,
    /// When it was tried last.
    begun: Option<At>,
    /// Whether that try has no end yet.
    open: bool,
    /// Since when the recipient may have it, if no plain no can follow.
    since: Option<At>,
}

impl Had {
    /// The events of one step, in the log's order.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a StepEvent>) -> Self {
        let mut had = Self::default();
        events.into_iter().for_each(|e| had.fold(e));
        had
    }

    /// One event more.
    pub fn fold(&mut self, event: &StepEvent) {
        let at = event.at;
        match &event.happened {
            Happened::Intended => {
                self.first = self.first.or(Some(at));
                (self.begun, self.open) = (Some(at), true);
            }
            Happened::Acted { .. }
            | Happened::Lost
            | Happened::ByHand { .. }
            | Happened::Looked { seen: Seen::Present(_), .. } => self.may_be_there(at),
            Happened::Failed { error } => match error.retry {
                Retry::Unknown => self.may_be_there(at),
                Retry::Later | Retry::Never | Retry::AskHuman => self.open = false,
            },
            // Whoever writes of a mail has had it, whatever our relay said. That it bounced for
            // one mailbox is no no: behind a role address others may have it.
            Happened::Delayed { .. } | Happened::Bounced { .. } | Happened::Acknowledged { .. } => {
                if let Some(begun) = self.begun {
                    self.open = true;
                    self.may_be_there(begun);
                }
            }
            // A person decided in the middle of a try: how that ends need not be heard any more.
            Happened::Skipped { .. } | Happened::Released { .. } if self.open => {
                self.may_be_there(at);
            }
            Happened::Skipped { .. } | Happened::Released { .. } | Happened::Looked { .. } => {}
        }
    }

    /// The try that began last has left its mail there, or nobody can tell.
    fn may_be_there(&mut self, at: At) {
        let from = self.begun.filter(|_| self.open).unwrap_or(at);
        self.since = self.since.or(Some(from));
        self.open = false;
    }

    /// Since when they may have it; `None` when they certainly do not.
    pub fn since(&self) -> Option<At> {
        self.since.or(self.begun.filter(|_| self.open))
    }

    /// When it was first tried: nothing can be heard of a mail that never was.
    pub const fn first_try(&self) -> Option<At> {
        self.first
    }

    /// Whether a try is under way, so that the answer may still become a no.
    pub const fn is_under_way(&self) -> bool {
        self.open && self.since.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{EventId, StepId};
    use crate::domain::receipt::{OutletError, Receipt};

    fn go() -> Happened {
        Happened::Intended
    }
    fn acted() -> Happened {
        Happened::Acted { receipt: Receipt::handed_over("250") }
    }
    fn failed(error: fn(&str, &'static str) -> OutletError) -> Happened {
        Happened::Failed { error: error("x", "") }
    }
    fn later() -> Happened {
        failed(OutletError::later)
    }
    fn never() -> Happened {
        failed(OutletError::never)
    }
    fn ask() -> Happened {
        failed(OutletError::ask_human)
    }
    fn unknown() -> Happened {
        failed(OutletError::unknown)
    }
    fn lost() -> Happened {
        Happened::Lost
    }
    fn bounced() -> Happened {
        Happened::Bounced { code: "5.1.1".into(), said: String::new() }
    }
    fn read() -> Happened {
        Happened::Acknowledged { by: "X".into(), how: "a call".into() }
    }
    fn told() -> Happened {
        Happened::ByHand { by: "Ada".into(), evidence: "a call".into() }
    }
    fn skipped() -> Happened {
        Happened::Skipped { by: "Ada".into(), reason: "left".into() }
    }
    fn released() -> Happened {
        Happened::Released { by: "Ada".into(), reason: "mended".into() }
    }
    fn looked(seen: Seen) -> Happened {
        Happened::looked(seen)
    }

    /// The fold of what happened, a second apart.
    fn had(log: &[Happened]) -> Had {
        let event = |(happened, n): (&Happened, i64)| {
            let (id, step) =
                (EventId::new(At::from_secs(n), [0; 10]), StepId::new(At::from_secs(0), [0; 10]));
            StepEvent { id, step, at: At::from_secs(n), epoch: 1, happened: happened.clone() }
        };
        let events: Vec<_> = log.iter().zip(0..).map(event).collect();
        Had::of(&events)
    }

    #[test]
    fn doubt_counts_as_had_and_a_plain_no_does_not() {
        for (log, since) in [
            (vec![], None),
            (vec![looked(Seen::CannotTell)], None),
            (vec![go()], Some(0)),
            (vec![go(), acted()], Some(0)),
            (vec![go(), later()], None),
            (vec![go(), later(), go()], Some(2)),
            (vec![go(), later(), go(), acted()], Some(2)),
            (vec![go(), never()], None),
            (vec![go(), ask()], None),
            (vec![go(), unknown()], Some(0)),
            (vec![go(), unknown(), go(), never()], Some(0)),
            (vec![go(), lost()], Some(0)),
            (vec![go(), lost(), go(), never()], Some(0)),
            (vec![go(), lost(), looked(Seen::CannotTell), go(), later()], Some(0)),
            (vec![looked(Seen::Present(Receipt::seen("")))], Some(0)),
            (vec![go(), acted(), bounced()], Some(0)),
            (vec![go(), acted(), read(), bounced()], Some(0)),
            // By the first moment at which it may have been.
            (vec![go(), later(), go(), acted(), read()], Some(2)),
            // A word from further on is worth more than our own relay's no.
            (vec![go(), never(), bounced()], Some(0)),
            (vec![go(), later(), go(), later(), read()], Some(2)),
            (vec![bounced()], None),
            (vec![read()], None),
            // What people say and decide.
            (vec![told()], Some(0)),
            (vec![go(), never(), told()], Some(2)),
            (vec![skipped()], None),
            (vec![go(), later(), skipped()], None),
            (vec![go(), skipped(), never()], Some(0)),
            (vec![go(), released(), go(), never()], Some(0)),
        ] {
            assert_eq!(had(&log).since(), since.map(At::from_secs), "{log:?}");
        }
    }

    #[test]
    fn a_try_is_under_way_until_it_ends_or_no_longer_matters() {
        for (log, under_way) in [
            (vec![], false),
            (vec![go()], true),
            (vec![go(), acted()], false),
            (vec![go(), later(), go()], true),
            (vec![go(), lost()], false),
            (vec![go(), lost(), go()], false),
            (vec![go(), read()], false),
            (vec![go(), skipped()], false),
        ] {
            assert_eq!(had(&log).is_under_way(), under_way, "{log:?}");
        }
        assert_eq!(had(&[]).first_try(), None);
        assert_eq!(had(&[told(), go(), later(), go()]).first_try(), Some(At::from_secs(1)));
    }
}
