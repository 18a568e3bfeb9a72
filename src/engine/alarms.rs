//! Which alarms were raised, and whether their bell was heard.
//!
//! An alarm is raised once for each cause. A bell that could not be rung is rung again after a
//! while; an alarm whose cause is over may be raised anew.

use std::collections::BTreeMap;

use crate::domain::deed::Subject;
use crate::domain::ids::StepId;
use crate::domain::time::{Mono, Span};

/// How long after a bell that failed.
const AGAIN: Span = Span::secs(60);

/// What an alarm is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    /// A plan or a disclosure.
    pub subject: Subject,
    /// Why.
    pub code: &'static str,
    /// Which step, if one.
    pub step: Option<StepId>,
    /// What tells it from the same code before: for a preflight, what was red.
    pub which: String,
}

impl Cause {
    fn key(&self) -> String {
        let step = self.step.map(|s| s.to_string()).unwrap_or_default();
        format!("{} {} {step} {}", self.subject, self.code, self.which)
    }
}

/// Whether somebody heard.
enum Bell {
    /// On its way, or heard.
    Rung,
    /// Not heard; again not before.
    Failed(Mono),
}

#[derive(Default)]
pub(super) struct Alarms(BTreeMap<String, Bell>);

impl Alarms {
    /// Whether to ring for this cause now; `first` says that nobody was told before.
    pub fn raise(&mut self, cause: &Cause, now: Mono) -> Option<First> {
        let first = match self.0.get(&cause.key()) {
            Some(Bell::Rung) => return None,
            Some(Bell::Failed(again)) if now < *again => return None,
            Some(Bell::Failed(_)) => First(false),
            None => First(true),
        };
        self.0.insert(cause.key(), Bell::Rung);
        Some(first)
    }

    /// The bell was not heard.
    pub fn failed(&mut self, cause: &Cause, now: Mono) {
        self.0.insert(cause.key(), Bell::Failed(now.plus(AGAIN)));
    }

    /// Nothing whose code begins so is wrong with `subject` any more: should it come again, it is
    /// news. What else is wrong with it was told, and is not told again because of this.
    pub fn pass(&mut self, subject: &Subject, family: &str) {
        let word = format!("{subject} {family}");
        self.0.retain(|key, _| !key.starts_with(&word));
    }

    /// The step no longer waits: its next trouble is news.
    pub fn over(&mut self, step: StepId) {
        let word = format!(" {step} ");
        self.0.retain(|key, _| !key.contains(&word));
    }
}

/// Whether it is the first time this cause is told.
pub(super) struct First(pub bool);

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(which: &str) -> Cause {
        Cause { subject: Subject::house(), code: "preflight-red", step: None, which: which.into() }
    }

    #[test]
    fn an_alarm_rings_once_and_again_when_nobody_heard() {
        let (mut alarms, start) = (Alarms::default(), Mono::from_millis(0));
        assert!(alarms.raise(&cause("a"), start).is_some());
        assert!(alarms.raise(&cause("a"), start).is_none());
        assert!(alarms.raise(&cause("b"), start).is_some(), "another red is news");
        alarms.failed(&cause("a"), start);
        assert!(alarms.raise(&cause("a"), start.plus(Span::secs(59))).is_none());
        assert!(alarms.raise(&cause("a"), start.plus(Span::secs(60))).is_some());
        alarms.pass(&Subject::house(), "clock-");
        assert!(alarms.raise(&cause("a"), start).is_none(), "something else had passed");
        alarms.pass(&Subject::house(), "preflight-");
        assert!(alarms.raise(&cause("a"), start).is_some(), "it had passed");
    }
}
