//! What happened, on its way to the database. An outcome is kept until it is committed: a
//! database that is away for a moment must not make a finished effect forgotten.

use std::collections::VecDeque;

use super::EngineError;
use crate::domain::deed::{Actor, Deed};
use crate::domain::event::StepEvent;
use crate::domain::ids::{HolderId, PlanId};
use crate::store::{Store, StoreError};

pub(super) struct Journal {
    store: Store,
    holder: HolderId,
    epoch: i64,
    waiting: VecDeque<(PlanId, StepEvent)>,
    /// Writes that may still be committed before a test wants us dead.
    left: Option<u32>,
}

impl Journal {
    pub const fn new(store: Store, holder: HolderId, epoch: i64) -> Self {
        Self { store, holder, epoch, waiting: VecDeque::new(), left: None }
    }

    pub const fn halt_after(&mut self, writes: u32) {
        self.left = Some(writes);
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// An outcome to be committed.
    pub fn add(&mut self, plan: PlanId, event: StepEvent) {
        self.waiting.push_back((plan, event));
    }

    /// Counts one write that another transaction commits; refuses when a test wants us dead.
    pub fn spend(&mut self) -> Result<(), EngineError> {
        match &mut self.left {
            None => Ok(()),
            Some(0) => Err(EngineError::Halted),
            Some(left) => {
                *left = left.saturating_sub(1);
                Ok(())
            }
        }
    }

    /// Commits the oldest waiting event; `None` when nothing waits.
    pub async fn commit_next(&mut self) -> Result<Option<(PlanId, StepEvent)>, EngineError> {
        let Some((plan, event)) = self.waiting.front().cloned() else { return Ok(None) };
        self.spend()?;
        let mut deed = Deed::new(Actor::Engine(self.holder), "step-event", event.step, event.at);
        deed = deed.detail(event.happened.word());
        let (epoch, stored) = (self.epoch, event.clone());
        self.store
            .write(&deed, move |tx| {
                tx.still_leads(epoch)?;
                let happened = &stored.happened;
                tx.add_step_event(
                    stored.id,
                    (plan, stored.step),
                    epoch,
                    happened.word(),
                    happened,
                )?;
                Ok::<_, StoreError>(())
            })
            .await?;
        self.waiting.pop_front();
        Ok(Some((plan, event)))
    }
}
