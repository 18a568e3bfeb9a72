//! One live plan in the engine's hands, and keeping it in step with the database.

use std::collections::BTreeSet;

use super::{Engine, EngineError};
use crate::casework::approvals::recheck;
use crate::casework::plans::{events, facts, manifest_of, repeats};
use crate::domain::deed::Actor;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::{EventId, PlanId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::run::{GoRow, PlanFacts, Run};
use crate::domain::stage::{Move, Stage};
use crate::domain::time::At;
use crate::store::{Claim, StoreError};

/// One live plan.
pub(super) struct Day {
    pub plan: Plan,
    pub manifest: Manifest,
    pub run: Run,
    pub facts: PlanFacts,
    /// Events of the log already folded.
    pub folded: BTreeSet<EventId>,
    /// Checks of the targets already made, by minutes before T0.
    pub checked: Vec<i64>,
}

impl Day {
    pub fn claim(&self, epoch: i64) -> Claim {
        Claim {
            plan: self.plan.id,
            digest: self.plan.digest,
            threshold: self.manifest.threshold,
            early_lift: self.manifest.early_lift,
            epoch,
        }
    }

    /// Whether a GO would be written now if the clock could be trusted.
    pub fn is_due(&self, now: At) -> bool {
        self.plan.kind.is_public() && self.facts.go.is_none() && now >= self.plan.t0
    }

    /// When slots are filled: GO's own time, so that a repeat fills the same bytes.
    pub fn slot_time(&self) -> At {
        match self.facts.go {
            Some(GoRow::Go(at)) => at,
            _ => self.plan.t0,
        }
    }
}

impl Engine {
    /// Takes in live plans, what people wrote into their logs, and what was decided.
    pub(super) async fn sync(&mut self) -> Result<(), EngineError> {
        let revision = self.store.revision().await?;
        if revision == self.seen_revision {
            return Ok(());
        }
        let live = self.store.read(|r| r.live_plans()).await?;
        self.days.retain(|id, _| live.iter().any(|p| p.id == *id));
        for plan in live {
            let id = plan.id;
            let taken = match self.days.contains_key(&id) {
                true => self.catch_up(plan).await,
                false => self.take_on(plan).await,
            };
            match taken {
                // One plan that cannot be read must not keep the others from their day.
                Err(EngineError::Case(_)) => self.page(id, "plan-unreadable", None),
                other => other?,
            }
        }
        self.seen_revision = revision;
        Ok(())
    }

    async fn take_on(&mut self, plan: Plan) -> Result<(), EngineError> {
        let manifest = manifest_of(&plan)?;
        let people = recheck(&self.house, &plan).await?.len();
        if u32::try_from(people).unwrap_or(0) < manifest.threshold.max(1) {
            self.page(plan.id, "approvals-do-not-verify", None);
            return Ok(());
        }
        let early_lift = manifest.early_lift;
        let (read, facts, log) = self
            .store
            .read(move |r| {
                let facts = facts(r, &plan, early_lift)?;
                let log = events(r, &plan)?;
                Ok::<_, StoreError>((plan, facts, log))
            })
            .await?;
        let mut run = Run::new(&manifest, facts, repeats(&self.house, &manifest));
        log.iter().for_each(|e| run.apply(e));
        let lost: Vec<_> = run.in_act().into_iter().filter(|s| !self.busy.contains(s)).collect();
        let (id, folded) = (read.id, log.iter().map(|e| e.id).collect());
        let day = Day { plan: read, manifest, run, facts, folded, checked: vec![] };
        self.days.insert(id, day);
        // Whoever intended these died in between: nobody knows, so the world is asked.
        for step in lost {
            let event = self.event(step, Happened::Lost);
            self.journal.add(id, event);
        }
        self.flush().await
    }

    async fn catch_up(&mut self, plan: Plan) -> Result<(), EngineError> {
        let id = plan.id;
        let Some(early_lift) = self.days.get(&id).map(|d| d.manifest.early_lift) else {
            return Ok(());
        };
        let (plan, facts, log) = self
            .store
            .read(move |r| {
                let facts = facts(r, &plan, early_lift)?;
                let log = events(r, &plan)?;
                Ok::<_, StoreError>((plan, facts, log))
            })
            .await?;
        if let Some(day) = self.days.get_mut(&id) {
            for event in log.iter().filter(|e| !day.folded.contains(&e.id)) {
                day.run.apply(event);
            }
            day.folded = log.iter().map(|e| e.id).collect();
            day.run.learn(facts);
            day.facts = facts;
            day.plan = plan;
        }
        Ok(())
    }

    /// Commits every waiting event and folds it.
    pub(super) async fn flush(&mut self) -> Result<(), EngineError> {
        while let Some((plan, event)) = self.journal.commit_next().await? {
            self.busy.remove(&event.step);
            self.fold(plan, &event);
            self.moved = true;
        }
        Ok(())
    }

    /// Folds an event that is committed. What people wrote meanwhile is folded by `sync`.
    pub(super) fn fold(&mut self, plan: PlanId, event: &StepEvent) {
        if let Some(day) = self.days.get_mut(&plan) {
            day.run.apply(event);
            day.folded.insert(event.id);
        }
    }

    pub(super) fn event(&self, step: crate::domain::ids::StepId, happened: Happened) -> StepEvent {
        StepEvent {
            id: self.house.fresh(EventId::new),
            step,
            at: self.house.now(),
            epoch: self.lead.epoch,
            happened,
        }
    }

    /// Writes GO, after reading every signature once more.
    pub(super) async fn go(&mut self, id: PlanId) -> Result<(), EngineError> {
        let Some(day) = self.days.get(&id) else { return Ok(()) };
        let people = u32::try_from(recheck(&self.house, &day.plan).await?.len()).unwrap_or(0);
        if people < day.manifest.threshold.max(1) {
            self.page(id, "approvals-do-not-verify", None);
            return Ok(());
        }
        let claim = day.claim(self.lead.epoch);
        self.journal.spend()?;
        let deed = self.house.deed(Actor::Engine(self.lead.holder), "go", id);
        match self.store.write(&deed, move |tx| tx.write_go(&claim)).await {
            Ok(()) => tracing::info!(plan = %id, "GO"),
            // Somebody was quicker, or it may not go now: the next look at the database says.
            Err(StoreError::AlreadyDecided | StoreError::NotPermitted(_)) => {}
            Err(e) => return Err(e.into()),
        }
        self.moved = true;
        self.seen_revision = -1;
        self.sync().await
    }

    /// Once everything that tells the world is done, the disclosure is public.
    pub(super) async fn announce(&mut self, id: PlanId) -> Result<(), EngineError> {
        let Some(day) = self.days.get(&id) else { return Ok(()) };
        let told = day.plan.kind == PlanKind::Release && matches!(day.facts.go, Some(GoRow::Go(_)));
        if !told || !day.run.is_announced() {
            return Ok(());
        }
        let (disclosure, epoch) = (day.plan.disclosure, self.lead.epoch);
        if self.store.read(move |r| r.disclosure(disclosure)).await?.stage != Stage::Releasing {
            return Ok(());
        }
        self.journal.spend()?;
        let deed =
            self.house.deed(Actor::Engine(self.lead.holder), "disclosure-public", disclosure);
        self.store
            .write(&deed, move |tx| {
                tx.still_leads(epoch)?;
                tx.move_stage(disclosure, Move::Announced)
            })
            .await?;
        Ok(())
    }

    pub(super) async fn finish(&mut self, id: PlanId) -> Result<(), EngineError> {
        self.announce(id).await?;
        self.journal.spend()?;
        let epoch = self.lead.epoch;
        let deed = self.house.deed(Actor::Engine(self.lead.holder), "plan-finish", id);
        self.store.write(&deed, move |tx| tx.finish_plan(id, epoch)).await?;
        tracing::info!(plan = %id, "plan finished");
        self.days.remove(&id);
        Ok(())
    }
}
