//! Branches that somebody pushes to between approval and T0: looked at every hour, and said once
//! for each new tip, so that there is time to stage again.
//!
//! What must stay true: it is an errand that no step waits for; it only asks where refs stand,
//! as anybody may; what was rung is in the audit, so that a restart rings nothing twice, and a
//! bell that was not taken is rung an hour later.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::AbortHandle;

use super::errands::Errand;
use super::{Engine, EngineError};
use crate::casework::House;
use crate::casework::branches::{self, Noted, Tip};
use crate::domain::deed::{Actor, Subject};
use crate::domain::ids::{HolderId, PlanId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::PlanKind;
use crate::domain::secret::Reason;
use crate::domain::time::{At, Mono, Span};

/// How often.
const EVERY: Span = Span::hours(1);
/// The bell, and the audit's word for one that was taken.
const MOVED: &str = "branch-moved";

/// When each plan's branches were looked at.
#[derive(Default)]
pub(super) struct Branches {
    looked: BTreeMap<PlanId, Mono>,
    underway: BTreeMap<PlanId, AbortHandle>,
}

impl Engine {
    /// Looks beside the day, when it is time: as soon as a Release plan is taken on, and then
    /// every hour until its T0.
    pub(super) fn watch_branches(&mut self, now: At, mono: Mono) {
        let waits = |kind, go: bool, t0: At| kind == PlanKind::Release && !go && now < t0;
        let days = &self.days;
        let open = |id: &PlanId| {
            let day = days.get(id);
            day.is_some_and(|d| waits(d.plan.kind, d.facts.go.is_some(), d.plan.t0))
        };
        self.branches.looked.retain(|id, _| open(id));
        self.branches.underway.retain(|_, errand| !errand.is_finished());
        let due = |id: &&PlanId| {
            let looked = self.branches.looked.get(*id);
            open(id)
                && looked.is_none_or(|at| mono.since(*at) >= EVERY)
                && !self.branches.underway.contains_key(*id)
        };
        let due: Vec<PlanId> = self.days.keys().filter(due).copied().collect();
        for plan in due {
            let Some(day) = self.days.get(&plan) else { continue };
            let watch = Watch {
                house: Arc::clone(&self.house),
                holder: self.lead.holder,
                epoch: self.lead.epoch,
                plan,
                manifest: day.manifest.clone(),
            };
            let errand = self.errands.spawn(async move { Errand::Branches(watch.look().await) });
            self.branches.looked.insert(plan, mono);
            self.branches.underway.insert(plan, errand);
        }
    }
}

struct Watch {
    house: Arc<House>,
    holder: HolderId,
    epoch: i64,
    plan: PlanId,
    manifest: Manifest,
}

impl Watch {
    /// How many bells were taken.
    async fn look(self) -> Result<u32, EngineError> {
        let tips = branches::tips(&self.house, &self.manifest).await;
        let mut rung = 0_u32;
        for tip in tips.iter().filter(|t| t.moved()) {
            rung = rung.saturating_add(u32::from(self.say(tip).await?));
        }
        Ok(rung)
    }

    /// Says it once for this branch and this tip.
    async fn say(&self, tip: &Tip) -> Result<bool, EngineError> {
        let subject = Subject::from(self.plan);
        let noted = Noted::of(tip);
        let lines = self.house.store.read(move |r| r.audit_of(&subject)).await?;
        let known = lines.iter().filter(|l| l.verb == MOVED).any(|line| {
            let said = serde_json::from_str::<Noted>(line.detail.open(Reason::Judging));
            said.is_ok_and(|said| said == noted)
        });
        if known {
            return Ok(false);
        }
        self.house.bells.ring_team(MOVED, Subject::from(self.plan), Some(tip.step)).await?;
        let detail = serde_json::to_string(&noted).unwrap_or_default();
        let actor = Actor::Engine(self.holder);
        let deed = self.house.deed(actor, MOVED, self.plan).detail(detail);
        let epoch = self.epoch;
        self.house.store.write(&deed, move |tx| tx.still_leads(epoch)).await?;
        tracing::warn!(plan = %self.plan, step = %tip.step, code = MOVED, "a branch moved");
        Ok(true)
    }
}
