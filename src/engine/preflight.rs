//! Trying every target before T0: when a Release plan is taken on, a day, an hour and ten
//! minutes ahead. What is red is said; nothing is ever disarmed by itself.

use super::Engine;
use crate::casework::plans::preview::{all_of, blobs};
use crate::casework::plans::release::try_targets;
use crate::domain::deed::Actor;
use crate::domain::finding::Severity;
use crate::domain::ids::PlanId;
use crate::domain::plan::PlanKind;
use crate::domain::time::{At, Span};

/// Minutes before T0, farthest first.
const AHEAD: [i64; 3] = [24 * 60, 60, 10];
/// Too close to T0 to begin a check.
const CLOSE: Span = Span::secs(30);

impl Engine {
    pub(super) async fn preflight(&mut self, id: PlanId, now: At) {
        let Some(day) = self.days.get_mut(&id) else { return };
        let waiting = day.plan.kind == PlanKind::Release && day.facts.go.is_none();
        let ahead = day.plan.t0.since(now);
        if !waiting || ahead <= CLOSE {
            return;
        }
        // The smallest window that has begun; being taken on late counts as its check.
        let begun =
            AHEAD.iter().rev().find(|m| ahead <= Span::mins(**m)).copied().unwrap_or(i64::MAX);
        if day.checked.contains(&begun) {
            return;
        }
        day.checked.push(begun);
        let manifest = day.manifest.clone();
        let Ok(pinned) = blobs(&self.house, id, all_of(&manifest)).await else {
            self.page(id, "pinned-bytes-damaged", None).await;
            return;
        };
        let findings = try_targets(&self.house, &manifest.steps, &pinned).await;
        let red = findings.iter().filter(|f| f.severity != Severity::Note).count();
        let detail = serde_json::to_string(&findings).unwrap_or_default();
        let deed = self.house.deed(Actor::Engine(self.lead.holder), "preflight", id).detail(detail);
        if self.store.write(&deed, |_| Ok::<_, crate::store::StoreError>(())).await.is_err() {
            tracing::error!(plan = %id, "a preflight could not be recorded");
        }
        tracing::info!(plan = %id, red, "preflight");
        if red > 0 {
            self.page(id, "preflight-red", None).await;
        }
    }
}
