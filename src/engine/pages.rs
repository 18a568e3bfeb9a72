//! Telling a person, once for each cause: a log line that is safe to paste, and a Bell to
//! the team.

use super::Engine;
use crate::domain::ids::{PlanId, StepId};

impl Engine {
    pub(super) async fn page(&mut self, plan: PlanId, code: &'static str, step: Option<StepId>) {
        if !self.paged.insert((plan, code, step)) {
            return;
        }
        match step {
            Some(step) => tracing::error!(plan = %plan, step = %step, code, "a person is needed"),
            None => tracing::error!(plan = %plan, code, "a person is needed"),
        }
        if self.house.bells.ring_team(code, plan, step).await.is_err() {
            tracing::error!(plan = %plan, code, "the team's bell could not be rung");
        }
    }
}
