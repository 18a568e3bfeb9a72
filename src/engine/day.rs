//! One live plan in the engine's hands, and keeping it in step with the database.

use std::collections::BTreeSet;

use super::brink::Brink;
use super::preflight::Ahead;
use super::{Engine, EngineError};
use crate::casework::approvals::recheck;
use crate::casework::plans::{events_after, facts, facts_of, manifest_of};
use crate::domain::deed::Actor;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::{EventId, PlanId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::receipt::Repeat;
use crate::domain::run::{GoRow, PlanFacts, Progress, Run};
use crate::domain::stage::{Move, Stage};
use crate::domain::time::{At, Mono, Span};
use crate::domain::vouched::Vouched;
use crate::store::{Claim, StoreError};

/// A plan that is worked on is opened anew, and seen to be damaged if it is, no more often than
/// this. GO and every intent open it in any case.
const OPENED_FOR: Span = Span::secs(60);

/// One live plan.
pub(super) struct Day {
    pub plan: Plan,
    pub manifest: Manifest,
    pub run: Run,
    pub facts: PlanFacts,
    /// Events already folded whose line in the log has not been read yet.
    pub folded: BTreeSet<EventId>,
    /// The last line of the log that was read.
    pub read_to: i64,
    /// When its MANIFEST was last opened and found to be what was approved.
    pub opened_at: Mono,
    /// What people vouched for, and whether the world shows it.
    pub vouched: Vouched,
    /// What was looked at ahead of its hour, and is still to be said.
    pub ahead: Ahead,
}

impl Day {
    pub fn claim(&self, epoch: i64) -> Claim {
        Claim {
            plan: self.plan.id,
            digest: self.plan.digest,
            threshold: self.manifest.threshold,
            early_lift: self.manifest.early_lift,
            announces: self.manifest.announces,
            epoch,
        }
    }

    /// Whether a GO would be written now if the clock could be trusted.
    pub fn is_due(&self, now: At) -> bool {
        self.plan.kind.is_public() && self.facts.go.is_none() && now >= self.plan.t0
    }

    /// Whether something of it still goes by the wall clock: a GO, or what is told ahead.
    pub fn waits_for_the_clock(&self) -> bool {
        self.facts.go.is_none() && !self.facts.held && !self.run.is_settled()
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
        self.notice_quarantine(revision).await?;
        let (live, awaited) = self
            .store
            .read(|r| {
                let live = r.live_plans()?;
                match r.awaited() {
                    Err(e) if e.is_away() => Err(e),
                    awaited => Ok((live, awaited)),
                }
            })
            .await?;
        match awaited {
            Ok(awaited) => self.awaited = awaited,
            // Who watches must not keep the plans from their day.
            Err(_) => tracing::error!("what is awaited cannot be read: what was read before holds"),
        }
        self.days.retain(|id, _| live.contains(id));
        for id in live {
            let taken = match self.days.contains_key(&id) {
                true => self.catch_up(id).await,
                false => self.take_on(id).await,
            };
            match taken {
                // One plan that cannot be read must not keep the others from their day.
                Err(e) if !e.is_fatal() => {
                    self.page(id, "plan-unreadable", None);
                    // Before GO doubt means nothing leaves; after it the day goes on with
                    // what was read before.
                    if !self.days.get(&id).is_some_and(|d| matches!(d.facts.go, Some(GoRow::Go(_))))
                    {
                        self.days.remove(&id);
                    }
                }
                other => other?,
            }
        }
        self.seen_revision = revision;
        Ok(())
    }

    async fn take_on(&mut self, id: PlanId) -> Result<(), EngineError> {
        let plan = self.store.read(move |r| r.plan(id)).await?;
        let manifest = manifest_of(&plan)?;
        let people = self.people_behind(&plan).await?;
        let early_lift = manifest.early_lift;
        let (plan, facts, pauses, log) = self
            .store
            .read(move |r| {
                let facts = facts(r, &plan, early_lift)?;
                let log = events_after(r, id, 0)?;
                Ok::<_, StoreError>((plan, facts, r.pauses(id)?, log))
            })
            .await?;
        if people < manifest.threshold.max(1) {
            self.page(id, "approvals-do-not-verify", None);
            // They verified when GO was written, and half a day is worse than none.
            if !matches!(facts.go, Some(GoRow::Go(_))) {
                return Ok(());
            }
        }
        let mut run = Run::new(&manifest, facts, self.house.outlets.repeats());
        run.heed(&pauses);
        log.iter().for_each(|(_, e)| run.apply(e));
        let mut vouched = Vouched::new(&manifest.steps, &self.house.outlets.repeats());
        log.iter().for_each(|(_, e)| vouched.fold(e));
        let read_to = log.last().map_or(0, |(n, _)| *n);
        let (folded, ahead) = (BTreeSet::new(), Ahead::default());
        let opened_at = self.house.clock.mono();
        let day = Day { plan, manifest, run, facts, folded, read_to, opened_at, vouched, ahead };
        self.days.insert(id, day);
        self.find_lost(id);
        self.flush().await
    }

    async fn catch_up(&mut self, id: PlanId) -> Result<(), EngineError> {
        let now = self.house.clock.mono();
        let Some(day) = self.days.get(&id) else { return Ok(()) };
        let (early_lift, read_to) = (day.manifest.early_lift, day.read_to);
        let whole = now.since(day.opened_at) >= OPENED_FOR;
        let (facts, pauses, log) = self
            .store
            .read(move |r| {
                let stands = match whole {
                    true => r.plan(id).map(|plan| (plan.state, plan.held))?,
                    false => r.plan_stands(id)?,
                };
                let facts = facts_of(r, id, stands, early_lift)?;
                Ok::<_, StoreError>((facts, r.pauses(id)?, events_after(r, id, read_to)?))
            })
            .await?;
        if let Some(day) = self.days.get_mut(&id) {
            for (number, event) in &log {
                if !day.folded.remove(&event.id) {
                    day.run.apply(event);
                    day.vouched.fold(event);
                    // A person steered: whatever was said of the step may be said anew.
                    if !event.happened.is_heard() {
                        self.alarms.over(event.step);
                    }
                }
                day.read_to = *number;
            }
            day.run.learn(facts);
            day.run.heed(&pauses);
            (day.facts, day.plan.state, day.plan.held) = (facts, facts.state, facts.held);
            if whole {
                day.opened_at = now;
            }
        }
        self.find_lost(id);
        Ok(())
    }

    /// An intent without an end that none of our tasks is at: whoever made it died, or its
    /// commit's answer was lost. Nobody knows, so the world is asked.
    fn find_lost(&mut self, id: PlanId) {
        let Some(day) = self.days.get(&id) else { return };
        let lost: Vec<_> =
            day.run.in_act().into_iter().filter(|s| !self.busy.contains(s)).collect();
        for step in lost {
            // Busy until it is committed: it is lost once.
            self.busy.insert(step);
            let event = self.event(step, Happened::Lost);
            self.journal.add(id, event);
        }
    }

    /// How far a step would be after one more event.
    pub(super) fn preview(&self, plan: PlanId, event: &StepEvent) -> Option<(Progress, Repeat)> {
        self.days.get(&plan)?.run.preview(event)
    }

    /// Commits every waiting event and folds it.
    pub(super) async fn flush(&mut self) -> Result<(), EngineError> {
        while let Some((plan, event)) = self.journal.next() {
            self.fuse.spend()?;
            let cache = self.preview(plan, &event);
            match self.journal.commit(plan, &event, cache).await {
                Ok(()) => {
                    if matches!(event.happened, Happened::Acted { .. }) {
                        self.cross(Brink::AfterRecord, plan, event.step);
                    }
                    self.fold(plan, &event);
                }
                Err(e) => {
                    let e = EngineError::from(e);
                    if e.is_fatal() {
                        return Err(e);
                    }
                    // It can never be written; the others must be.
                    self.page(plan, "event-not-recorded", Some(event.step));
                }
            }
            self.journal.pop();
            self.busy.remove(&event.step);
            self.moved = true;
        }
        Ok(())
    }

    /// Folds an event that is committed. What people wrote meanwhile is folded by `sync`.
    pub(super) fn fold(&mut self, plan: PlanId, event: &StepEvent) {
        if let Some(day) = self.days.get_mut(&plan) {
            let was_blocked = day.run.blocked().contains(&event.step);
            day.run.apply(event);
            day.vouched.fold(event);
            day.folded.insert(event.id);
            if was_blocked && !day.run.blocked().contains(&event.step) {
                self.alarms.over(event.step);
            }
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

    /// How many of today's members really approved a plan; nobody when that cannot be read.
    async fn people_behind(&self, plan: &Plan) -> Result<u32, EngineError> {
        match recheck(&self.store, plan).await.map_err(EngineError::from) {
            Ok(people) => Ok(u32::try_from(people.len()).unwrap_or(0)),
            Err(e) if e.is_fatal() => Err(e),
            Err(_) => Ok(0),
        }
    }

    /// Writes GO, after reading every signature once more.
    pub(super) async fn go(&mut self, id: PlanId) -> Result<(), EngineError> {
        let Some(day) = self.days.get(&id) else { return Ok(()) };
        let people = self.people_behind(&day.plan).await?;
        if people < day.manifest.threshold.max(1) {
            self.page(id, "approvals-do-not-verify", None);
            return Ok(());
        }
        let claim = day.claim(self.lead.epoch);
        self.fuse.spend()?;
        let deed = self.house.deed(Actor::Engine(self.lead.holder), "go", id);
        match self.store.write(&deed, move |tx| tx.write_go(&claim)).await {
            Ok(()) => {
                tracing::info!(plan = %id, "GO");
                self.moved = true;
                self.gone(id);
            }
            // Somebody was quicker, or it may not go now: the next look at the database says.
            Err(StoreError::AlreadyDecided | StoreError::NotPermitted(_)) => {}
            Err(e) => return Err(e.into()),
        }
        self.seen_revision = -1;
        self.sync().await?;
        // Refused without a reason that the database shows: it must not pass in silence.
        if self.days.get(&id).is_some_and(|d| d.facts.go.is_none() && !d.facts.held) {
            self.page(id, "go-refused", None);
        }
        Ok(())
    }

    /// Once everything that tells the world is done, the disclosure is public.
    pub(super) async fn announce(&mut self, id: PlanId) -> Result<(), EngineError> {
        let Some(day) = self.days.get(&id) else { return Ok(()) };
        let told = day.plan.kind == PlanKind::Release && matches!(day.facts.go, Some(GoRow::Go(_)));
        if !told || !day.run.is_announced() {
            return Ok(());
        }
        let (disclosure, epoch) = (day.plan.disclosure, self.lead.epoch);
        if self.store.read(move |r| r.disclosure_stands(disclosure)).await?.0 != Stage::Releasing {
            return Ok(());
        }
        self.fuse.spend()?;
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
        self.fuse.spend()?;
        let epoch = self.lead.epoch;
        let deed = self.house.deed(Actor::Engine(self.lead.holder), "plan-finish", id);
        match self.store.write(&deed, move |tx| tx.finish_plan(id, epoch)).await {
            Ok(()) => tracing::info!(plan = %id, "plan finished"),
            // Aborted in the same moment.
            Err(StoreError::NotPermitted(_)) => {}
            Err(e) => return Err(e.into()),
        }
        self.days.remove(&id);
        Ok(())
    }
}
