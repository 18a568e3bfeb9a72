//! Which alarms were raised, whether their bell was heard, and whether it is to be said again.
//!
//! An alarm is raised once for each cause. A bell that could not be rung is rung again after a
//! while; an alarm whose cause is over may be raised anew. An urgent one is said again, for as
//! long as its cause is raised at every turn and no person answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::deed::Subject;
use crate::domain::escalation::{Call, State, due};
use crate::domain::ids::StepId;
use crate::domain::time::{At, Mono, Span};

/// How long after a bell that failed.
const AGAIN: Span = Span::secs(60);
/// A cause that nobody raised for so long had passed.
const GONE: Span = Span::mins(30);

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
    /// To be said again until a person answers.
    Urgent(Ladder),
}

/// How far an urgent alarm is.
struct Ladder {
    cause: Cause,
    /// The code by which it is answered, once it was said.
    call: Option<String>,
    /// How long it had lasted at an instant.
    lasted: (Span, Mono),
    /// The tier that comes next.
    next: usize,
    /// When its cause was raised last.
    raised: Mono,
    /// Not heard; again not before.
    not_before: Option<Mono>,
    underway: bool,
    answered: bool,
}

impl Ladder {
    fn new(cause: &Cause, now: Mono) -> Self {
        Self {
            cause: cause.clone(),
            call: None,
            lasted: (Span::ZERO, now),
            next: 0,
            raised: now,
            not_before: None,
            underway: false,
            answered: false,
        }
    }

    fn elapsed(&self, now: Mono) -> Span {
        let (lasted, since) = self.lasted;
        Span::millis(lasted.as_millis().saturating_add(now.since(since).as_millis()))
    }

    /// What is to be said now.
    fn raise(&mut self, now: Mono, inherits: bool) -> Option<Ring> {
        self.raised = now;
        let waits = self.not_before.is_some_and(|at| now < at);
        if self.underway || self.answered || waits {
            return None;
        }
        let elapsed = self.elapsed(now);
        let tier = due(elapsed, self.next)?;
        self.underway = true;
        let first = self.call.is_none() && self.not_before.is_none();
        let call = self.call.clone();
        Some(Ring { first, urgent: Some(Rung { tier, call, elapsed, inherits }) })
    }
}

/// What is to be rung.
pub(super) struct Ring {
    /// Whether it is the first time this cause is told.
    pub first: bool,
    /// How often it was said, when it is urgent.
    pub urgent: Option<Rung>,
}

/// One saying of an urgent alarm.
pub(super) struct Rung {
    /// Which time it is.
    pub tier: usize,
    /// The code it was said under before.
    pub call: Option<String>,
    /// How long after the first time.
    pub elapsed: Span,
    /// Whether an engine before this one may have said it.
    pub inherits: bool,
}

/// What became of one saying.
pub(super) enum Saying {
    /// Another engine said it before.
    Stands(Call),
    /// A person is at it.
    Answered,
    /// It was heard, under that code.
    Heard(String),
    /// Nobody heard it.
    Unheard,
}

#[derive(Default)]
pub(super) struct Alarms {
    bells: BTreeMap<String, Bell>,
    /// Urgent causes of this engine's own time.
    own: BTreeSet<String>,
    /// Calls whose cause is over, and that is not written down yet.
    ended: Vec<(Subject, String)>,
}

impl Alarms {
    /// Whether to ring for this cause now.
    pub fn raise(&mut self, cause: &Cause, urgent: bool, now: Mono) -> Option<Ring> {
        let key = cause.key();
        let first = match self.bells.get_mut(&key) {
            Some(Bell::Urgent(ladder)) => return ladder.raise(now, false),
            Some(Bell::Rung) => return None,
            Some(Bell::Failed(again)) if now < *again => return None,
            Some(Bell::Failed(_)) => false,
            None => true,
        };
        if !urgent {
            self.bells.insert(key, Bell::Rung);
            return Some(Ring { first, urgent: None });
        }
        let mut ladder = Ladder::new(cause, now);
        let ring = ladder.raise(now, self.own.insert(key.clone()));
        self.bells.insert(key, Bell::Urgent(ladder));
        ring
    }

    /// The bell was not heard.
    pub fn failed(&mut self, cause: &Cause, now: Mono) {
        self.bells.insert(cause.key(), Bell::Failed(now.plus(AGAIN)));
    }

    /// One saying came back.
    pub fn said(&mut self, cause: &Cause, tier: usize, saying: Saying, (wall, now): (At, Mono)) {
        let Some(Bell::Urgent(ladder)) = self.bells.get_mut(&cause.key()) else {
            // It was over before it was heard.
            if let Saying::Heard(call) = saying {
                self.ended.push((cause.subject.clone(), call));
            }
            return;
        };
        ladder.underway = false;
        match saying {
            Saying::Heard(call) => {
                (ladder.call, ladder.not_before) = (Some(call), None);
                ladder.next = tier.saturating_add(1);
            }
            Saying::Unheard => ladder.not_before = Some(now.plus(AGAIN)),
            Saying::Answered => ladder.answered = true,
            Saying::Stands(call) => {
                // Whatever the wall says, it was said before now.
                let lasted = wall.since(call.said.first).max(Span::ZERO);
                (ladder.lasted, ladder.next) = ((lasted, now), call.next());
                ladder.answered = call.state == State::Answered;
                ladder.call = Some(call.said.call);
            }
        }
    }

    /// What `code` says of `subject` has passed: should it come again, it is news.
    pub fn pass(&mut self, subject: &Subject, code: &str) {
        let word = format!("{subject} {code} ");
        self.end(|key| key.starts_with(&word));
    }

    /// The step no longer waits: its next trouble is news.
    pub fn over(&mut self, step: StepId) {
        let word = format!(" {step} ");
        self.end(|key| key.contains(&word));
    }

    fn end(&mut self, ends: impl Fn(&str) -> bool) {
        self.bells.retain(|key, bell| {
            let over = ends(key);
            if let (true, Bell::Urgent(Ladder { cause, call: Some(call), .. })) = (over, bell) {
                self.ended.push((cause.subject.clone(), call.clone()));
            }
            !over
        });
    }

    /// Forgets urgent causes that nobody raised for long. To be asked before any is raised.
    pub fn sweep(&mut self, now: Mono) {
        let gone = |bell: &Bell| match bell {
            Bell::Urgent(l) => !l.underway && now.since(l.raised) >= GONE,
            Bell::Rung | Bell::Failed(_) => false,
        };
        let old: BTreeSet<String> =
            self.bells.iter().filter(|(_, b)| gone(b)).map(|(k, _)| k.clone()).collect();
        if !old.is_empty() {
            self.end(|key| old.contains(key));
        }
    }

    /// Calls that are over since it was asked last.
    pub fn take_ended(&mut self) -> Vec<(Subject, String)> {
        std::mem::take(&mut self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(which: &str) -> Cause {
        Cause { subject: Subject::house(), code: "preflight-red", step: None, which: which.into() }
    }

    #[test]
    fn an_alarm_rings_once_and_again_when_nobody_heard() {
        let (mut alarms, start) = (Alarms::default(), Mono::from_millis(0));
        assert!(alarms.raise(&cause("a"), false, start).is_some());
        assert!(alarms.raise(&cause("a"), false, start).is_none());
        assert!(alarms.raise(&cause("b"), false, start).is_some(), "another red is news");
        alarms.failed(&cause("a"), start);
        assert!(alarms.raise(&cause("a"), false, start.plus(Span::secs(59))).is_none());
        assert!(alarms.raise(&cause("a"), false, start.plus(Span::secs(60))).is_some());
        alarms.pass(&Subject::house(), "clock-jumped");
        assert!(alarms.raise(&cause("a"), false, start).is_none(), "only the clock's had passed");
        alarms.pass(&Subject::house(), "preflight-red");
        assert!(alarms.raise(&cause("a"), false, start).is_some(), "it had passed");
        assert_eq!(alarms.take_ended(), []);
    }

    /// Raised every ten seconds; when it rang, in seconds.
    fn rings(alarms: &mut Alarms, seconds: std::ops::Range<u64>, unheard: &[u64]) -> Vec<u64> {
        let mut rang = Vec::new();
        for second in seconds.step_by(10) {
            let now = Mono::from_millis(second * 1000);
            alarms.sweep(now);
            let Some(ring) = alarms.raise(&cause("a"), true, now) else { continue };
            let heard = !unheard.contains(&second);
            let saying = if heard { Saying::Heard("c".to_owned()) } else { Saying::Unheard };
            let tier = ring.urgent.unwrap().tier;
            alarms.said(&cause("a"), tier, saying, (At::from_secs(0), now));
            rang.push(second);
        }
        rang
    }

    #[test]
    fn an_urgent_alarm_is_said_four_times_and_again_when_it_was_over() {
        let mut alarms = Alarms::default();
        assert_eq!(rings(&mut alarms, 0..9000, &[]), [0, 300, 600, 1200]);
        alarms.pass(&Subject::house(), "preflight-red");
        assert_eq!(alarms.take_ended(), [(Subject::house(), "c".to_owned())]);
        assert_eq!(rings(&mut alarms, 9000..9010, &[]), [9000]);
        assert_eq!(rings(&mut alarms, 11_000..11_010, &[]), [11_000], "half an hour of silence");
    }

    #[test]
    fn what_nobody_heard_is_said_again_and_what_was_answered_is_not() {
        let mut alarms = Alarms::default();
        let rang = rings(&mut alarms, 0..580, &[0, 60, 300]);
        assert_eq!(rang, [0, 60, 120, 300, 360]);
        let now = Mono::from_millis(600_000);
        let ring = alarms.raise(&cause("a"), true, now).unwrap();
        let tier = ring.urgent.unwrap().tier;
        alarms.said(&cause("a"), tier, Saying::Answered, (At::from_secs(0), now));
        assert_eq!(rings(&mut alarms, 600..1500, &[]), [] as [u64; 0]);
    }
}
