//! Nobody may find out at T0 that nothing was armed: distributors publish then, and we would
//! not. A disclosure with an instant and without an approved, unheld Release plan is said a day,
//! an hour and ten minutes ahead, and at T0; a draft of which nobody was told yet too, as long as
//! its day is not long past.

use super::Engine;
use crate::domain::ids::DisclosureId;
use crate::domain::plan::PlanKind;
use crate::domain::time::{At, Span};

/// How long ahead, and under which code.
const AHEAD: [(Span, &str); 4] = [
    (Span::ZERO, "not-armed-at-t0"),
    (Span::mins(10), "not-armed-ten-minutes-ahead"),
    (Span::hours(1), "not-armed-an-hour-ahead"),
    (Span::hours(24), "not-armed-a-day-ahead"),
];
/// A draft whose instant passed longer ago was given up, or forgotten by people.
const PAST: Span = Span::hours(-24);

/// What counts as armed.
pub(super) enum Armed {
    /// A live Release plan that is not held.
    ByPlan,
    /// Nothing but these: a house in quarantine writes no GO. Of these more is said already.
    Only(Vec<DisclosureId>),
}

impl Engine {
    pub(super) fn watch_unarmed(&mut self, now: At, armed: Armed) {
        let armed: Vec<_> = match armed {
            Armed::Only(these) => these,
            Armed::ByPlan => self
                .days
                .values()
                .filter(|d| d.plan.kind == PlanKind::Release && !d.facts.held)
                .map(|d| d.plan.disclosure)
                .collect(),
        };
        let mut due = Vec::new();
        for awaited in &self.awaited {
            let ahead = awaited.t0.since(now);
            let code = AHEAD.iter().find(|(span, _)| ahead <= *span).map(|(_, code)| *code);
            let forgotten = !awaited.told && ahead < PAST;
            if let (Some(code), false) = (code, forgotten || armed.contains(&awaited.disclosure)) {
                due.push((awaited.disclosure, code));
            }
        }
        for (disclosure, code) in due {
            self.page(disclosure, code, None);
        }
    }
}
