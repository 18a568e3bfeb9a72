//! When a plan is looked ahead to: as soon as it is taken on, a day, an hour and ten minutes
//! before its hour. What is red is said to people until a bell is heard; once, from a day
//! ahead, they hear that nothing is.
//!
//! What must stay true: no step waits for any of it, and nothing is disarmed by it.

use std::sync::Arc;

use super::Engine;
use super::alarms::Cause;
use super::errands::Errand;
use crate::casework::preflight::{self, Leader};
use crate::casework::{Case, CaseError};
use crate::domain::deed::{Actor, Subject};
use crate::domain::finding::Severity;
use crate::domain::ids::PlanId;
use crate::domain::plan::PlanKind;
use crate::domain::preflight::{ALL_CLEAR, Family, Report};
use crate::domain::time::{At, Mono, Span};
use crate::store::StoreError;

/// Minutes before T0, farthest first.
const AHEAD: [i64; 3] = [24 * 60, 60, 10];
/// How long after a look that told nothing.
const AGAIN: Span = Span::secs(60);
/// Too close to T0 to begin.
const CLOSE: Span = Span::secs(1);

/// How far one plan was looked ahead to.
#[derive(Default)]
pub(super) struct Ahead {
    /// The marks that were looked at, by minutes before T0.
    marks: Vec<i64>,
    /// Nobody could tell what stands in the way: it is looked again, not before.
    again: Option<Mono>,
    /// What was red last: to be said until a bell is heard.
    reds: Vec<(Family, String)>,
    /// The green summary that the team has not heard yet.
    owed: Option<Report>,
    /// Whether they heard it since this engine took the plan on; the record knows of others.
    told: bool,
}

impl Ahead {
    /// Whether a mark was reached that was not looked at: the smallest window that has begun.
    /// Being taken on late counts as its check.
    fn is_due(&mut self, ahead: Span, now: Mono) -> bool {
        let begun = AHEAD.iter().rev().find(|m| ahead <= Span::mins(**m)).copied();
        let begun = begun.unwrap_or(i64::MAX);
        let wait = self.again.is_some_and(|again| now < again);
        let due = ahead > CLOSE && !wait && !self.marks.contains(&begun);
        if due {
            self.marks.push(begun);
            self.again = None;
        }
        due
    }

    /// The last look told nothing.
    fn look_again(&mut self, now: Mono) {
        self.marks.pop();
        self.again = Some(now.plus(AGAIN));
    }
}

impl Engine {
    /// Begins what is due, and says what is to be said of what was found.
    pub(super) fn preflight(&mut self, id: PlanId, now: At) {
        let Some(day) = self.days.get_mut(&id) else { return };
        if !day.plan.kind.is_public() || day.facts.go.is_some() {
            return;
        }
        if day.ahead.is_due(day.plan.t0.since(now), self.house.clock.mono()) {
            let (house, plan) = (Arc::clone(&self.house), day.plan.clone());
            self.errands.spawn(async move {
                let report = preflight::of(&house, &plan).await;
                Errand::LookedAhead(plan.id, report.map(Box::new))
            });
        }
        let (reds, owed) = (day.ahead.reds.clone(), day.ahead.owed.clone());
        for (family, which) in reds {
            self.alarm(Cause { subject: id.into(), code: family.code(), step: None, which });
        }
        if let Some(report) = owed {
            self.summarise(report);
        }
    }

    /// What was found is recorded; what was red before and is no more may be said anew.
    pub(super) async fn looked_ahead(&mut self, plan: PlanId, looked: Case<Box<Report>>) {
        let report = match looked {
            Ok(report) => report,
            Err(why) => return self.saw_nothing(plan, &why),
        };
        if preflight::record(&self.house, self.leader(), &report).await.is_err() {
            tracing::error!(plan = %plan, "a preflight could not be recorded");
        }
        let (red, warned) = (report.count(Severity::Stop), report.count(Severity::Warn));
        tracing::info!(plan = %plan, red, warned, "preflight");
        let reds = report.reds();
        for family in Family::ALL.iter().filter(|f| !reds.iter().any(|(red, _)| red == *f)) {
            self.alarms.pass(&Subject::from(plan), family.code());
        }
        let Some(day) = self.days.get_mut(&plan) else { return };
        day.ahead.reds = reds;
        let summary = day.plan.kind == PlanKind::Release && report.is_summary() && !day.ahead.told;
        day.ahead.owed = summary.then_some(*report);
        self.moved = true;
    }

    /// It is looked again after a while; what will not pass by itself is said.
    fn saw_nothing(&mut self, plan: PlanId, why: &CaseError) {
        tracing::warn!(plan = %plan, "a plan could not be looked ahead to");
        let now = self.house.clock.mono();
        self.days.get_mut(&plan).into_iter().for_each(|day| day.ahead.look_again(now));
        match why {
            // It was aborted, or its GO written, meanwhile; or the database is away, which the
            // engine says itself.
            CaseError::NotNow { .. }
            | CaseError::Store(StoreError::Unavailable(_) | StoreError::Full) => {}
            _ => self.page(plan, Family::Plan.code(), None),
        }
    }

    fn summarise(&mut self, report: Report) {
        let cause = Self::green(report.plan);
        if self.alarms.raise(&cause, false, self.house.clock.mono()).is_none() {
            return;
        }
        let (house, leader) = (Arc::clone(&self.house), self.leader());
        self.errands.spawn(async move {
            let told = preflight::summarise(&house, leader, &report).await;
            Errand::Summarised(report.plan, told.is_ok())
        });
    }

    /// A summary that was not heard is said again after a while.
    pub(super) fn summarised(&mut self, plan: PlanId, heard: bool) {
        let cause = Self::green(plan);
        match self.days.get_mut(&plan) {
            Some(day) if heard => (day.ahead.owed, day.ahead.told) = (None, true),
            _ if !heard => {
                tracing::error!(code = cause.code, "the team's bell could not be rung");
                self.alarms.failed(&cause, self.house.clock.mono());
            }
            _ => {}
        }
    }

    fn leader(&self) -> Leader {
        Leader { actor: Actor::Engine(self.lead.holder), epoch: self.lead.epoch }
    }

    fn green(plan: PlanId) -> Cause {
        let subject = Subject::from(plan);
        Cause { subject, code: ALL_CLEAR, step: None, which: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_looked_at_once_and_a_late_start_skips_what_passed() {
        let mut ahead = Ahead::default();
        let start = Mono::from_millis(0);
        let mut due = |span| ahead.is_due(span, start);
        assert!(due(Span::days(3)), "as soon as it is taken on");
        assert!(!due(Span::hours(25)));
        assert!(due(Span::hours(24)) && !due(Span::hours(2)));
        assert!(due(Span::mins(60)) && !due(Span::mins(11)));
        assert!(due(Span::mins(10)) && !due(Span::secs(2)));
        let mut late = Ahead::default();
        assert!(late.is_due(Span::mins(5), start) && !late.is_due(Span::mins(4), start));
        assert!(!Ahead::default().is_due(Span::secs(1), start), "too close to begin");
        late.look_again(start);
        assert!(!late.is_due(Span::mins(4), start.plus(Span::secs(59))));
        assert!(late.is_due(Span::mins(3), start.plus(AGAIN)));
    }
}
