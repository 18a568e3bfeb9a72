//! Looking and acting: outside I/O in tasks of its own, outcomes as events.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::{Engine, EngineError};
use crate::casework::plans::preview::blobs;
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::deed::Actor;
use crate::domain::effect::{Effect, Intended};
use crate::domain::event::Happened;
use crate::domain::ids::{PlanId, StepId};
use crate::domain::plan::Step;
use crate::domain::receipt::{OutletError, Seen};
use crate::outlets::Outlet;
use crate::store::StoreError;

/// A step with its final bytes, and where it goes.
type Ready = (Intended, Arc<dyn Outlet>);

/// What a task brought back.
pub(super) struct Outcome {
    plan: PlanId,
    step: StepId,
    happened: Happened,
}

impl Engine {
    /// An ended task's outcome becomes an event. A task that panicked leaves its step busy
    /// and `Intended`: a restart finds it lost.
    pub(super) fn take_in(&mut self, done: Result<Outcome, JoinError>) {
        match done {
            Ok(outcome) => {
                let event = self.event(outcome.step, outcome.happened);
                self.journal.add(outcome.plan, event);
            }
            Err(_) => tracing::error!("an outlet's task ended badly"),
        }
    }

    pub(super) async fn begin_look(
        &mut self,
        plan: PlanId,
        step: StepId,
    ) -> Result<(), EngineError> {
        if self.busy.contains(&step) || !self.has_room() {
            return Ok(());
        }
        let Some((intended, outlet)) = self.prepare(plan, step, false).await? else {
            return Ok(());
        };
        self.busy.insert(step);
        self.tasks.spawn(async move {
            // A panic inside a library must not take the answer with it.
            let looked = alone(async move { outlet.look(&intended).await }).await;
            let seen = looked.unwrap_or(Seen::CannotTell);
            Outcome { plan, step, happened: Happened::Looked { seen } }
        });
        Ok(())
    }

    pub(super) async fn begin_act(
        &mut self,
        plan: PlanId,
        step: StepId,
    ) -> Result<(), EngineError> {
        if self.busy.contains(&step) || !self.has_room() {
            return Ok(());
        }
        let Some((intended, outlet)) = self.ready(plan, step, true).await? else { return Ok(()) };
        let Some(day) = self.days.get(&plan) else { return Ok(()) };
        let sealed = day.manifest.steps.iter().any(|s| s.id == step && s.sealing.is_some());
        let claim = day.claim(self.lead.epoch);
        self.journal.spend()?;
        let event = self.event(step, Happened::Intended);
        let (id, deed) =
            (event.id, self.house.deed(Actor::Engine(self.lead.holder), "step-intend", step));
        let permit = match self.store.write(&deed, move |tx| tx.intend(&claim, step, id)).await {
            Ok(permit) => permit,
            // Held, aborted or voided since it was decided: nothing leaves.
            Err(StoreError::NotPermitted(_)) => {
                self.seen_revision = -1;
                return Ok(());
            }
            Err(e) => return Err(e.into()),
        };
        self.fold(plan, &event);
        let effect = match Effect::new(intended, sealed, permit) {
            Ok(effect) => effect,
            Err(_) => {
                self.fail(
                    plan,
                    step,
                    OutletError::never("not-permitted", "the permit does not cover it"),
                );
                return self.flush().await;
            }
        };
        self.busy.insert(step);
        self.tasks.spawn(async move {
            let acted = alone(async move { outlet.act(&effect).await }).await;
            let happened = match acted {
                Some(Ok(receipt)) => Happened::Acted { receipt },
                Some(Err(error)) => Happened::Failed { error },
                // It died in the act: it may have happened.
                None => Happened::Failed { error: OutletError::unknown("outlet-died", "") },
            };
            Outcome { plan, step, happened }
        });
        Ok(())
    }

    fn fail(&mut self, plan: PlanId, step: StepId, error: OutletError) {
        let event = self.event(step, Happened::Failed { error });
        self.journal.add(plan, event);
    }

    /// The step with its final bytes, or an event that says why not: bytes that cannot be
    /// read are this step's own trouble, nobody else's.
    async fn ready(
        &mut self,
        plan: PlanId,
        step: StepId,
        to_act: bool,
    ) -> Result<Option<Ready>, EngineError> {
        let prepared = match self.prepare(plan, step, to_act).await {
            Err(EngineError::Case(_)) => {
                let error =
                    OutletError::never("cannot-be-prepared", "the pinned bytes cannot be read");
                self.fail(plan, step, error);
                None
            }
            other => other?,
        };
        if prepared.is_none() {
            self.flush().await?;
        }
        Ok(prepared)
    }

    /// The step with its final bytes, and its outlet. `None` when an event was written
    /// instead, or the plan is gone.
    async fn prepare(
        &mut self,
        plan: PlanId,
        step: StepId,
        to_act: bool,
    ) -> Result<Option<Ready>, EngineError> {
        let Some(day) = self.days.get(&plan) else { return Ok(None) };
        let Some(found) = day.manifest.steps.iter().find(|s| s.id == step).cloned() else {
            return Ok(None);
        };
        let Some(outlet) = self.house.outlets.get(&found.outlet).cloned() else {
            self.fail(plan, step, OutletError::ask_human("outlet-missing", "it is not configured"));
            return Ok(None);
        };
        let detoured = day.run.progress(step).is_some_and(|p| p.detoured);
        let action = redirected(&found, detoured);
        if found.sealing.is_some() {
            let mail = if to_act { self.sealed_mail(plan, &found).await? } else { Ok(vec![]) };
            return match mail {
                Ok(bytes) => {
                    let blobs = vec![Blob::new("sealed.eml", bytes, vec![])];
                    Ok(Some((Intended { step, action, blobs }, outlet)))
                }
                Err(error) => {
                    self.fail(plan, step, error);
                    Ok(None)
                }
            };
        }
        let at = day.slot_time();
        let wanted = action.blobs().into_iter().cloned().collect();
        let mut filled = Vec::new();
        for blob in blobs(&self.house, plan, wanted).await? {
            let bytes =
                blob.filled(at).map_err(|_| EngineError::Store(StoreError::Conflict("blob")))?;
            filled.push(Blob { about: blob.about, bytes });
        }
        Ok(Some((Intended { step, action, blobs: filled }, outlet)))
    }
}

/// Runs something in a task of its own, so that a panic inside a library ends only that:
/// then there is no answer. Whoever drops this ends it too.
async fn alone<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let mut task = JoinSet::new();
    task.spawn(work);
    task.join_next().await?.ok()
}

/// A push that leaves a moved branch alone goes to `security/NAME` instead.
fn redirected(step: &Step, detoured: bool) -> Action {
    match &step.action {
        Action::Push { repository, refs, pack } if detoured => Action::Push {
            repository: repository.clone(),
            refs: Step::detour(refs),
            pack: pack.clone(),
        },
        action => action.clone(),
    }
}
