//! What happened, on its way to the database. An outcome is kept until it is committed: a
//! database that is away for a moment must not make a finished effect forgotten.

use std::collections::VecDeque;

use crate::domain::deed::{Actor, Deed};
use crate::domain::event::StepEvent;
use crate::domain::ids::{HolderId, PlanId};
use crate::domain::receipt::Repeat;
use crate::domain::run::Progress;
use crate::store::{Store, StoreError};

/// What one engine has to write down.
pub struct Journal {
    store: Store,
    holder: HolderId,
    epoch: i64,
    waiting: VecDeque<(PlanId, StepEvent)>,
}

impl Journal {
    /// Of the engine that leads by that epoch.
    pub const fn new(store: Store, holder: HolderId, epoch: i64) -> Self {
        Self { store, holder, epoch, waiting: VecDeque::new() }
    }

    /// Whether everything is committed.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// An outcome to be committed.
    pub fn add(&mut self, plan: PlanId, event: StepEvent) {
        self.waiting.push_back((plan, event));
    }

    /// The oldest that waits.
    pub fn next(&self) -> Option<(PlanId, StepEvent)> {
        self.waiting.front().cloned()
    }

    /// The oldest is committed, or will never be.
    pub fn pop(&mut self) {
        self.waiting.pop_front();
    }

    /// Commits one event with the cached columns it leads to. An earlier commit whose answer
    /// was lost counts: the event's id says so.
    pub async fn commit(
        &self,
        plan: PlanId,
        event: &StepEvent,
        cache: Option<(Progress, Repeat)>,
    ) -> Result<(), StoreError> {
        let mut deed = Deed::new(Actor::Engine(self.holder), "step-event", event.step, event.at);
        deed = deed.detail(event.happened.word());
        let (epoch, stored) = (self.epoch, event.clone());
        self.store
            .write(&deed, move |tx| {
                tx.still_leads(epoch)?;
                let happened = &stored.happened;
                let of = (plan, stored.step);
                tx.add_step_event(stored.id, of, epoch, happened.word(), happened)?;
                if let Some((progress, repeat)) = cache {
                    tx.cache_step(stored.step, &progress, repeat)?;
                }
                Ok::<_, StoreError>(())
            })
            .await
    }
}
