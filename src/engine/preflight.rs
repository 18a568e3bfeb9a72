//! When targets are tried before T0: as soon as a Release plan is taken on, a day, an hour
//! and ten minutes ahead.

use super::Engine;
use crate::domain::ids::PlanId;
use crate::domain::plan::PlanKind;
use crate::domain::time::{At, Span};

/// Minutes before T0, farthest first.
const AHEAD: [i64; 3] = [24 * 60, 60, 10];
/// Too close to T0 to begin.
const CLOSE: Span = Span::secs(1);

impl Engine {
    pub(super) fn preflight(&mut self, id: PlanId, now: At) {
        let Some(day) = self.days.get_mut(&id) else { return };
        let waiting = day.plan.kind == PlanKind::Release && day.facts.go.is_none();
        let ahead = day.plan.t0.since(now);
        if !waiting || ahead <= CLOSE {
            return;
        }
        // The smallest window that has begun; being taken on late counts as its check.
        let begun = AHEAD.iter().rev().find(|m| ahead <= Span::mins(**m)).copied();
        let begun = begun.unwrap_or(i64::MAX);
        if day.checked.contains(&begun) {
            return;
        }
        day.checked.push(begun);
        let manifest = day.manifest.clone();
        self.try_targets_of(id, manifest);
    }
}
