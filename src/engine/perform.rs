//! Looking and acting: every read, seal and outside call in a task of its own, outcomes as
//! events. Only the intent is committed here, between making ready and acting.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::brink::Brink;
use super::maker::{Maker, Unready};
use super::places::Lane;
use super::{Engine, EngineError};
use crate::domain::deed::Actor;
use crate::domain::effect::{Effect, Intended};
use crate::domain::event::Happened;
use crate::domain::ids::{PlanId, StepId};
use crate::domain::plan::Step;
use crate::domain::receipt::{OutletError, Seen};
use crate::domain::time::{At, Span};
use crate::outlets::Outlet;
use crate::store::StoreError;

/// What a task brought back.
pub(super) enum Outcome {
    /// Something happened to the step.
    Happened(PlanId, StepId, Happened),
    /// Its bytes are ready; now the intent may be committed.
    Ready(PlanId, Box<Intended>),
    /// Nothing is known; the next turn tries again.
    Again(StepId),
    /// A test wants the engine dead.
    Halted,
}

/// A step and where it goes.
struct Errand {
    step: Step,
    outlet: Arc<dyn Outlet>,
    lane: Lane,
    detoured: bool,
    slots_at: At,
}

impl Engine {
    /// An ended task's outcome becomes an event, or a step that is ready to begin.
    pub(super) fn take_in(&mut self, done: Result<Outcome, JoinError>) {
        match done {
            Ok(Outcome::Happened(plan, step, happened)) => {
                self.places.leave(step);
                let mut event = self.event(step, happened);
                if let (Happened::Looked { proves, .. }, Some(day)) =
                    (&mut event.happened, self.days.get(&plan))
                {
                    *proves = Some(day.run.proves(step, event.at));
                }
                self.journal.add(plan, event);
            }
            Ok(Outcome::Ready(plan, intended)) => {
                let intended = *intended;
                self.places.leave(intended.step);
                self.ready.push_back((plan, intended));
            }
            Ok(Outcome::Again(step)) => {
                self.places.leave(step);
                self.busy.remove(&step);
                self.refusals.not_now(step, self.house.clock.mono());
            }
            Ok(Outcome::Halted) => self.halted = true,
            Err(_) => tracing::error!("an outlet's task ended badly"),
        }
    }

    pub(super) fn begin_look(&mut self, plan: PlanId, step: StepId) {
        let Some(errand) = self.errand(plan, step) else { return };
        let maker = self.maker();
        self.busy.insert(step);
        self.tasks.spawn(async move {
            let Errand { step, outlet, detoured, slots_at, .. } = errand;
            let id = step.id;
            let made = made_ready(maker, plan, step, (detoured, slots_at), false).await;
            let intended = match made {
                Ok(intended) => intended,
                Err(why) => return unready(plan, id, why),
            };
            let looked = alone(async move { outlet.look(&intended).await }).await;
            let seen = looked.unwrap_or(Seen::CannotTell);
            Outcome::Happened(plan, id, Happened::looked(seen))
        });
    }

    pub(super) fn begin_act(&mut self, plan: PlanId, step: StepId) {
        let Some(errand) = self.errand(plan, step) else { return };
        if errand.lane == Lane::Notice && errand.step.sealing.is_some() {
            let at_most = self.patience_of(plan);
            let now = self.house.clock.mono();
            self.places.take_turn(now, at_most, self.house.rng.as_ref());
        }
        let maker = self.maker();
        self.busy.insert(step);
        self.tasks.spawn(async move {
            let Errand { step, detoured, slots_at, .. } = errand;
            let id = step.id;
            match made_ready(maker, plan, step, (detoured, slots_at), true).await {
                Ok(intended) => Outcome::Ready(plan, Box::new(intended)),
                Err(why) => unready(plan, id, why),
            }
        });
    }

    /// Commits the intent of every step that is ready, and lets it act.
    pub(super) async fn intend_all(&mut self) -> Result<(), EngineError> {
        while let Some((plan, intended)) = self.ready.pop_front() {
            let step = intended.step;
            match self.intend(plan, intended).await {
                Err(e) if e.is_fatal() => {
                    self.busy.remove(&step);
                    return Err(e);
                }
                Err(_) => {
                    self.busy.remove(&step);
                    let now = self.house.clock.mono();
                    if !self.refusals.refused(step, now) {
                        self.refusals.not_now(step, now);
                    }
                    self.page(plan, "step-troubled", Some(step));
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Leave was refused: held, aborted, voided or settled by a person since it was decided. If
    /// the database, read anew, does not say why, a person must.
    async fn refused(&mut self, plan: PlanId, step: StepId) -> Result<(), EngineError> {
        self.busy.remove(&step);
        if self.refusals.refused(step, self.house.clock.mono()) {
            // Once for the plan: what is refused to one step is mostly refused to all.
            self.page(plan, "intent-refused", None);
        }
        self.seen_revision = -1;
        self.sync().await
    }

    async fn intend(&mut self, plan: PlanId, intended: Intended) -> Result<(), EngineError> {
        let step = intended.step;
        let found = self.days.get(&plan).and_then(|day| {
            let step = day.manifest.steps.iter().find(|s| s.id == step)?;
            let outlet = self.house.outlets.get(&step.outlet).cloned()?;
            let lane = Lane::of(day.plan.kind, step.phase);
            let how = (step.sealing.is_some(), lane, step.outlet.clone());
            Some((day.claim(self.lead.epoch), how, outlet))
        });
        let bytes = intended.blobs.iter().map(|b| b.bytes.len()).sum();
        let Some((claim, (sealed, lane, name), outlet)) = found else {
            self.busy.remove(&step);
            return Ok(());
        };
        self.fuse.spend()?;
        self.cross(Brink::BeforeIntent, plan, step);
        let event = self.event(step, Happened::Intended);
        let deed = self.house.deed(Actor::Engine(self.lead.holder), "step-intend", step);
        let (id, cache) = (event.id, self.preview(plan, &event));
        let written = self.store.write(&deed, move |tx| {
            let permit = tx.intend(&claim, step, id)?;
            if let Some((progress, repeat)) = cache {
                tx.cache_step(step, &progress, repeat)?;
            }
            Ok::<_, StoreError>(permit)
        });
        let permit = match written.await {
            Ok(permit) => permit,
            Err(StoreError::NotPermitted(_)) => return self.refused(plan, step).await,
            Err(e) => return Err(e.into()),
        };
        self.refusals.over(step);
        self.cross(Brink::AfterIntent, plan, step);
        self.fold(plan, &event);
        self.moved = true;
        let Ok(effect) = Effect::new(intended, sealed, permit) else {
            let error = OutletError::never("not-permitted", "the permit does not cover it");
            let event = self.event(step, Happened::Failed { error });
            self.journal.add(plan, event);
            return Ok(());
        };
        self.places.take(step, lane, bytes, self.house.clock.mono());
        self.tasks.spawn(async move {
            let acted = alone(async move { outlet.act(&effect).await }).await;
            Brink::AfterAct.cross(&name);
            let happened = match acted {
                Some(Ok(receipt)) => Happened::Acted { receipt },
                Some(Err(error)) => Happened::Failed { error },
                // It died in the act: it may have happened.
                None => Happened::Failed { error: OutletError::unknown("outlet-died", "") },
            };
            Outcome::Happened(plan, step, happened)
        });
        Ok(())
    }

    /// What a task needs of a step, which has its place then; `None` when it is busy or must
    /// wait, there is no room, the plan is gone, or an event says why it cannot be.
    fn errand(&mut self, plan: PlanId, step: StepId) -> Option<Errand> {
        let day = self.days.get(&plan)?;
        let now = self.house.clock.mono();
        let waits = self.busy.contains(&step) || self.refusals.waits(step, now);
        // Asked before the step is searched for: of a thousand notices nearly all wait.
        let crowded = !day.plan.kind.is_public() && !self.places.has_room(Lane::Notice, now);
        if waits || crowded {
            return None;
        }
        let found = day.manifest.steps.iter().find(|s| s.id == step)?;
        let lane = Lane::of(day.plan.kind, found.phase);
        if !self.places.has_room(lane, now) {
            return None;
        }
        let found = found.clone();
        let detoured = day.run.progress(step).is_some_and(|p| p.detoured);
        let slots_at = day.slot_time();
        let Some(outlet) = self.house.outlets.get(&found.outlet).cloned() else {
            let error = OutletError::ask_human("outlet-missing", "it is not configured");
            let event = self.event(step, Happened::Failed { error });
            self.journal.add(plan, event);
            return None;
        };
        self.places.take(step, lane, 0, now);
        Some(Errand { step: found, outlet, lane, detoured, slots_at })
    }

    /// How long each notice of a plan may wait by chance so that all leave before T0.
    fn patience_of(&self, plan: PlanId) -> Span {
        let Some(day) = self.days.get(&plan) else { return Span::ZERO };
        let left = day.plan.t0.since(self.house.clock.wall()).max(Span::ZERO);
        let to_come = day.manifest.steps.len().saturating_add(1);
        let share = left.as_millis().checked_div(i64::try_from(to_come).unwrap_or(i64::MAX));
        Span::millis(share.unwrap_or(0))
    }

    pub(super) fn maker(&self) -> Maker {
        Maker {
            house: Arc::clone(&self.house),
            store: self.store.clone(),
            holder: self.lead.holder,
            epoch: self.lead.epoch,
            fuse: self.fuse.clone(),
            press_room: self.press_room.clone(),
        }
    }
}

fn unready(plan: PlanId, step: StepId, why: Unready) -> Outcome {
    match why {
        Unready::Step(error) => Outcome::Happened(plan, step, Happened::Failed { error }),
        Unready::Later => Outcome::Again(step),
        Unready::Halted => Outcome::Halted,
    }
}

/// The bytes of a step. A panic inside a library is a failure of this step, tried again and
/// said; it must not leave the step busy for ever.
async fn made_ready(
    maker: Maker,
    plan: PlanId,
    step: Step,
    (detoured, slots_at): (bool, At),
    for_act: bool,
) -> Result<Intended, Unready> {
    let made = alone(async move { maker.ready(plan, &step, detoured, slots_at, for_act).await });
    made.await.unwrap_or_else(|| Err(Unready::Step(OutletError::later("making-it-failed", ""))))
}

/// Runs something in a task of its own, so that a panic inside a library ends only that:
/// then there is no answer. Whoever drops this ends it too.
async fn alone<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let mut task = JoinSet::new();
    task.spawn(work);
    task.join_next().await?.ok()
}
