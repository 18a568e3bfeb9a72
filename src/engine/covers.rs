//! When cover mails are looked after: every hour, and in the second one is due. Beside the day
//! and never in its way; nothing here knows of any disclosure.

use std::sync::Arc;

use tokio::task::AbortHandle;

use super::Engine;
use super::errands::Errand;
use crate::casework::covers::{self, Round};
use crate::domain::deed::Actor;
use crate::domain::time::{At, Mono, Span};

/// How often it is looked whether somebody else asked for them.
const EVERY: Span = Span::hours(1);

/// When it was looked, and when the next one is due.
#[derive(Default)]
pub(super) struct Covers {
    looked: Option<Mono>,
    next: Option<At>,
    underway: Option<AbortHandle>,
}

impl Engine {
    pub(super) fn send_cover_mails(&mut self, wall: At, mono: Mono) {
        let covers = &mut self.covers;
        let fresh = covers.looked.is_some_and(|at| mono.since(at) < EVERY);
        let due = covers.next.is_some_and(|at| at <= wall);
        let busy = covers.underway.as_ref().is_some_and(|task| !task.is_finished());
        if busy || (fresh && !due) {
            return;
        }
        (covers.looked, covers.next) = (Some(mono), None);
        let (house, actor) = (Arc::clone(&self.house), Actor::Engine(self.lead.holder));
        let epoch = self.lead.epoch;
        covers.underway = Some(self.errands.spawn(async move {
            Errand::Covered(covers::send_due(&house, actor, epoch).await.ok())
        }));
    }

    /// A round that failed is made again within the hour.
    pub(super) fn covered(&mut self, round: Option<&Round>) {
        let Some(round) = round else {
            tracing::warn!("cover mails could not be looked after");
            return;
        };
        self.covers.next = round.next;
        if round.sent > 0 || round.failed > 0 || round.blocked > 0 {
            let (sent, failed, blocked) = (round.sent, round.failed, round.blocked);
            tracing::info!(sent, failed, blocked, "cover mails");
        }
    }
}
