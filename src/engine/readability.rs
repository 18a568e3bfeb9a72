//! Asking contacts to show that they can read us, in time: when they join, and two weeks
//! before a notice's T0. Looked at every hour, beside the day and never in its way.

use std::sync::Arc;

use super::Engine;
use super::errands::Errand;
use crate::casework::challenges::{self, Round};
use crate::domain::deed::Actor;
use crate::domain::time::{Mono, Span};

/// How often it is looked who must be asked.
const EVERY: Span = Span::hours(1);

impl Engine {
    pub(super) fn ask_for_proofs(&mut self, now: Mono) {
        // A relay that hangs may make a round last longer than that: no second one beside it, or
        // whoever was not reached yet is asked twice.
        let busy = self.asking.as_ref().is_some_and(|task| !task.is_finished());
        if busy || self.asked_at.is_some_and(|at| now.since(at) < EVERY) {
            return;
        }
        self.asked_at = Some(now);
        let (house, actor) = (Arc::clone(&self.house), Actor::Engine(self.lead.holder));
        let epoch = self.lead.epoch;
        self.asking = Some(self.errands.spawn(async move {
            let asked = challenges::ask_due(&house, actor, epoch).await;
            Errand::Asked(asked.ok())
        }));
    }

    /// A person hears, once, of whoever could not be asked in all the tries there are.
    pub(super) fn asked(&mut self, round: &Round) {
        if round.failed > 0 {
            tracing::warn!(count = round.failed, "contacts could not be asked for a proof");
        }
        for contact in &round.given_up {
            self.page(*contact, "contact-not-asked", None);
        }
    }
}
