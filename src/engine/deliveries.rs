//! What became of notices: who bounced, who has been silent for too long, and what will not go
//! by itself, because its plan is void or its time is over.
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
use crate::domain::ledger::{DeliveryState, PLAN_VOID, TOO_LATE};
use crate::domain::time::{Mono, Span};
use crate::store::StoreError;

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
        let since = house.now().plus(LATER);
        self.errands.spawn(async move {
            // Drafts too: an approved notice may have become void before anybody was told.
            let all = house.store.read(move |r| {
                let mut all = r.open_disclosures()?;
                all.extend(r.cancelled(since)?);
                Ok::<_, StoreError>(all)
            });
            let disclosures = all.await.unwrap_or_default();
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
        for Worry { state, code, since, plan, step } in worries {
            let (code, step) = match state {
                DeliveryState::Silent => {
                    let latest = silent.entry(*plan).or_insert(since.hours());
                    *latest = since.hours().max(*latest);
                    continue;
                }
                DeliveryState::Bounced => ("notice-bounced", *step),
                // Once for the plan, however many it would have told.
                _ if code == PLAN_VOID => ("notice-void", None),
                _ if code == TOO_LATE => ("notice-too-late", None),
                // Of a live plan it is said by the plan itself, and only once.
                _ => ("step-blocked", *step),
            };
            self.alarm(Cause { subject: Subject::from(*plan), code, step, which: String::new() });
        }
        for (plan, latest) in silent {
            let (subject, which) = (Subject::from(plan), latest.to_string());
            self.alarm(Cause { subject, code: "notice-silent", step: None, which });
        }
    }
}
