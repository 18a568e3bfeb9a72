//! What is done beside the day and must never delay it: trying targets, ringing bells.

use std::sync::Arc;

use tokio::task::JoinError;

use super::Engine;
use crate::casework::plans::preview::{all_of, blobs};
use crate::casework::plans::release::try_targets;
use crate::domain::deed::Actor;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{PlanId, StepId};
use crate::domain::manifest::Manifest;
use crate::store::StoreError;

/// What an errand brought back.
pub(super) enum Errand {
    /// The targets of a plan were tried; `None` when the pinned bytes could not be read.
    Tried(PlanId, Option<Vec<Finding>>),
    /// A bell was rung, or not.
    Rung(PlanId, bool),
}

impl Engine {
    /// Tells a person, once for each cause: a log line that is safe to paste, and a Bell.
    pub(super) fn page(&mut self, plan: PlanId, code: &'static str, step: Option<StepId>) {
        if !self.paged.insert((plan, code, step)) {
            return;
        }
        match step {
            Some(step) => tracing::error!(plan = %plan, step = %step, code, "a person is needed"),
            None => tracing::error!(plan = %plan, code, "a person is needed"),
        }
        let house = Arc::clone(&self.house);
        self.errands.spawn(async move {
            Errand::Rung(plan, house.bells.ring_team(code, plan, step).await.is_ok())
        });
    }

    pub(super) fn try_targets_of(&mut self, plan: PlanId, manifest: Manifest) {
        let house = Arc::clone(&self.house);
        self.errands.spawn(async move {
            match blobs(&house, plan, all_of(&manifest)).await {
                Ok(pinned) => {
                    Errand::Tried(plan, Some(try_targets(&house, &manifest.steps, &pinned).await))
                }
                Err(_) => Errand::Tried(plan, None),
            }
        });
    }

    pub(super) async fn come_back(&mut self, done: Result<Errand, JoinError>) {
        match done {
            Ok(Errand::Tried(plan, Some(findings))) => self.tried(plan, &findings).await,
            Ok(Errand::Tried(plan, None)) => self.page(plan, "pinned-bytes-damaged", None),
            Ok(Errand::Rung(_, true)) => {}
            Ok(Errand::Rung(plan, false)) => {
                tracing::error!(plan = %plan, "the team's bell could not be rung");
            }
            Err(_) => tracing::error!("an errand ended badly"),
        }
    }

    /// What was red is recorded and said; nothing is ever disarmed by itself.
    async fn tried(&mut self, plan: PlanId, findings: &[Finding]) {
        let red = findings.iter().filter(|f| f.severity != Severity::Note).count();
        let detail = serde_json::to_string(findings).unwrap_or_default();
        let deed =
            self.house.deed(Actor::Engine(self.lead.holder), "preflight", plan).detail(detail);
        if self.store.write(&deed, |_| Ok::<_, StoreError>(())).await.is_err() {
            tracing::error!(plan = %plan, "a preflight could not be recorded");
        }
        tracing::info!(plan = %plan, red, "preflight");
        if red > 0 {
            self.page(plan, "preflight-red", None);
        }
    }
}
