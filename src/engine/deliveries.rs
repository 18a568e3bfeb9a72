//! What became of notices that have left: who bounced, and who has been silent for too long.
//! Finished plans too: a bounce comes when the relay has long taken the mail. As long as the
//! embargo lasts the team is called; afterwards there is nothing left to tell in advance.

use std::sync::Arc;

use super::Engine;
use super::alarms::Cause;
use super::errands::Errand;
use crate::casework::ledger;
use crate::domain::ledger::DeliveryState;
use crate::domain::time::{Mono, Span};

/// How often it is looked.
const EVERY: Span = Span::mins(1);

impl Engine {
    /// Looks beside the day, when it is time.
    pub(super) fn watch_deliveries(&mut self, now: Mono) {
        let looked = self.deliveries_at.is_some_and(|at| now.since(at) < EVERY);
        if looked || self.embargoed.is_empty() {
            return;
        }
        self.deliveries_at = Some(now);
        let house = Arc::clone(&self.house);
        let disclosures: Vec<_> = self.embargoed.iter().map(|(id, _)| *id).collect();
        self.errands.spawn(async move {
            let mut worries = Vec::new();
            for disclosure in disclosures {
                // What cannot be read is said by whoever works on the plan.
                worries.extend(ledger::worries(&house, disclosure).await.unwrap_or_default());
            }
            Errand::Delivered(worries)
        });
    }

    /// Says it once for each bounce, and once for all who have been silent since the same hour.
    pub(super) fn delivered(&mut self, worries: &[ledger::Worry]) {
        for worry in worries {
            let (code, step, which) = match worry.state {
                DeliveryState::Silent => ("notice-silent", None, worry.since.hours().to_string()),
                _ => ("notice-bounced", Some(worry.step), String::new()),
            };
            self.alarm(Cause { subject: worry.plan.into(), code, step, which });
        }
    }
}
