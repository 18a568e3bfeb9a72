//! Nobody may find out at T0 that nothing was armed: distributors publish then, and we would
//! not. An embargo without an approved, unheld Release plan is said a day, an hour and ten
//! minutes ahead, and at T0.

use super::Engine;
use crate::domain::plan::PlanKind;
use crate::domain::time::{At, Span};

/// How long ahead, and under which code.
const AHEAD: [(Span, &str); 4] = [
    (Span::ZERO, "not-armed-at-t0"),
    (Span::mins(10), "not-armed-ten-minutes-ahead"),
    (Span::hours(1), "not-armed-an-hour-ahead"),
    (Span::hours(24), "not-armed-a-day-ahead"),
];

impl Engine {
    pub(super) fn watch_unarmed(&mut self, now: At) {
        let armed: Vec<_> = self
            .days
            .values()
            .filter(|d| d.plan.kind == PlanKind::Release && !d.facts.held)
            .map(|d| d.plan.disclosure)
            .collect();
        let mut due = Vec::new();
        for (disclosure, t0) in &self.embargoed {
            let ahead = t0.since(now);
            let code = AHEAD.iter().find(|(span, _)| ahead <= *span).map(|(_, code)| *code);
            if let (Some(code), false) = (code, armed.contains(disclosure)) {
                due.push((*disclosure, code));
            }
        }
        for (disclosure, code) in due {
            self.page(disclosure, code, None);
        }
    }
}
