//! One line more in the log of a delivery, made ready before and written within whatever
//! transaction brings it: a person's mark, or the mail that said it.
//!
//! What must stay true: the cached columns are what the whole log amounts to at that moment,
//! for the engine may have written since it was read.

use super::folded;
use crate::casework::plans::{self, manifest_of};
use crate::casework::{Case, CaseError, House};
use crate::domain::event::{Happened, StepEvent};
use crate::domain::had::Had;
use crate::domain::ids::{EventId, PlanId, StepId};
use crate::domain::plan::PlanState;
use crate::domain::run::Run;
use crate::store::{Reader, StoreError, Tx};

/// A later word on a delivery.
pub(in crate::casework) struct Heard {
    plan: PlanId,
    event: StepEvent,
    /// The plan's machine before its first event.
    fresh: Run,
}

impl Heard {
    /// `None` when this event was written before.
    pub(in crate::casework) async fn of(
        house: &House,
        plan: PlanId,
        step: StepId,
        event: EventId,
        happened: Happened,
    ) -> Case<Option<Self>> {
        let read = house.store.read(move |r: &mut Reader<'_>| {
            Ok::<_, StoreError>((r.plan(plan)?, plans::events(r, plan)?))
        });
        let (plan, known) = read.await?;
        if known.iter().any(|e| e.id == event) {
            return Ok(None);
        }
        let manifest = manifest_of(&plan)?;
        let ours = manifest.steps.iter().any(|s| s.id == step && s.sealing.is_some());
        if !ours || plan.state == PlanState::Made {
            return Err(CaseError::unknown(
                "delivery",
                step.to_string(),
                "it is no notice of an approved plan; see `daybreak notice status`",
            ));
        }
        let had = Had::of(known.iter().filter(|e| e.step == step));
        if !matches!(happened, Happened::ByHand { .. }) && had.first_try().is_none() {
            return Err(CaseError::not_now(
                "this notice never left",
                "nothing can have been heard of it",
            ));
        }
        let event = StepEvent { id: event, step, at: house.now(), epoch: 0, happened };
        Ok(Some(Self { plan: plan.id, fresh: folded(house, &plan, &manifest, &[]), event }))
    }

    /// The word in the log.
    pub(in crate::casework) const fn word(&self) -> &'static str {
        self.event.happened.word()
    }

    /// Writes it.
    pub(in crate::casework) fn write(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Self { plan, event, fresh: mut run } = self;
        let (step, happened) = (event.step, &event.happened);
        tx.add_step_event(event.id, (plan, step), 0, happened.word(), happened)?;
        plans::events(tx, plan)?.iter().for_each(|e| run.apply(e));
        if let Some((progress, repeat)) = run.stands(step) {
            tx.cache_step(step, &progress, repeat)?;
        }
        Ok(())
    }
}
