//! When the coordinator is silent: a call to the team that nobody of it answered, or a day that is
//! near without the deputy's word that they are ready. The deputy then hears a bell of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::alarms::Cause;
use super::errands::Errand;
use crate::casework::hands::{Wanted, silent};
use crate::domain::deed::Subject;
use crate::domain::time::{At, Mono, Span};

/// How often it is looked.
const EVERY: Span = Span::mins(1);

/// Which calls wait for an answer.
#[derive(Default)]
pub(super) struct Deputies {
    looked_at: Option<Mono>,
    paged: BTreeMap<String, At>,
}

impl Deputies {
    /// The team was called. What waits already waits since then.
    pub fn called(&mut self, subject: &Subject, now: At) {
        self.paged.entry(subject.to_string()).or_insert(now);
    }
}

impl Engine {
    /// Looks beside the day, when it is time.
    pub(super) fn watch_deputies(&mut self, now: Mono) {
        if self.deputies.looked_at.is_some_and(|at| now.since(at) < EVERY) {
            return;
        }
        self.deputies.looked_at = Some(now);
        let (house, paged) = (Arc::clone(&self.house), self.deputies.paged.clone());
        self.errands.spawn(async move {
            let (wanted, answered) = match silent(&house, paged).await {
                Ok(found) => found,
                // It is looked again in a minute.
                Err(_) => {
                    tracing::warn!("it could not be seen whether a deputy must be called");
                    (Vec::new(), Vec::new())
                }
            };
            Errand::Deputies(wanted, answered)
        });
    }

    /// Calls each deputy once for each cause.
    pub(super) fn call_deputies(&mut self, wanted: Vec<Wanted>, answered: &[String]) {
        self.deputies.paged.retain(|subject, _| !answered.contains(subject));
        for Wanted { disclosure, address, which } in wanted {
            let subject = Subject::from(disclosure);
            let cause = Cause { subject, code: "deputy-wanted", step: None, which };
            if self.alarms.raise(&cause, false, self.house.clock.mono()).is_none() {
                continue;
            }
            tracing::error!(%disclosure, code = "deputy-wanted", "a deputy is called");
            let house = Arc::clone(&self.house);
            self.errands.spawn(async move {
                let bells = &house.bells;
                let rung = bells.ring_member(cause.code, cause.subject.clone(), &address).await;
                Errand::Rung(cause, rung.is_ok())
            });
        }
    }
}
