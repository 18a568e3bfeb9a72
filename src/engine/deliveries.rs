//! What became of notices that have left: who bounced, and who has been silent for too long.
//! Finished plans too: a bounce comes when the relay has long taken the mail. As long as the
//! embargo lasts the team is called, and after a cancellation for as long as somebody may count on
//! the old date; then there is nothing left to tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::alarms::Cause;
use super::errands::Errand;
use crate::casework::ledger::{Worry, worries};
use crate::domain::deed::Subject;
use crate::domain::ids::PlanId;
use crate::domain::ledger::DeliveryState;
use crate::domain::time::{Mono, Span};

/// How long after the instant of a cancelled disclosure its mails are still looked after.
const LATER: Span = Span::days(-3);
/// How often it is looked.
const EVERY: Span = Span::mins(1);

impl Engine {
    /// Looks beside the day, when it is time.
    pub(super) fn watch_deliveries(&mut self, now: Mono) {
        let looked = self.deliveries_at.is_some_and(|at| now.since(at) < EVERY);
        if looked {
            return;
        }
        self.deliveries_at = Some(now);
        let house = Arc::clone(&self.house);
        let disclosures: Vec<_> = self.embargoed.iter().map(|(id, _)| *id).collect();
        let since = house.now().plus(LATER);
        self.errands.spawn(async move {
            let mut disclosures = disclosures;
            let off = house.store.read(move |r| r.cancelled(since)).await;
            disclosures.extend(off.unwrap_or_default());
            let mut all = Vec::new();
            for disclosure in disclosures {
                // What cannot be read is said by whoever works on the plan.
                all.extend(worries(&house, disclosure).await.unwrap_or_default());
            }
            Errand::Delivered(all)
        });
    }

    /// Says it once for each bounce. Silence is said once for a plan, and again when more fall
    /// silent whose mail left later.
    pub(super) fn delivered(&mut self, worries: &[Worry]) {
        let mut silent: BTreeMap<PlanId, i64> = BTreeMap::new();
        for Worry { state, since, plan, step } in worries {
            if *state == DeliveryState::Silent {
                let latest = silent.entry(*plan).or_insert(since.hours());
                *latest = since.hours().max(*latest);
                continue;
            }
            let (subject, which) = (Subject::from(*plan), String::new());
            self.alarm(Cause { subject, code: "notice-bounced", step: Some(*step), which });
        }
        for (plan, latest) in silent {
            let (subject, which) = (Subject::from(plan), latest.to_string());
            self.alarm(Cause { subject, code: "notice-silent", step: None, which });
        }
    }
}
