//! What is done beside the day and must never delay it: trying targets, ringing bells.

use std::sync::Arc;

use tokio::task::JoinError;

use super::alarms::{Cause, Saying};
use super::{Engine, EngineError};
use crate::casework::Case;
use crate::casework::challenges::Round;
use crate::casework::covers;
use crate::casework::hands::Wanted;
use crate::casework::ledger::Worry;
use crate::domain::deed::Subject;
use crate::domain::ids::{PlanId, StepId};
use crate::domain::preflight::Report;

/// What an errand brought back.
pub(super) enum Errand {
    /// A plan was looked ahead to, or nobody could tell.
    LookedAhead(PlanId, Case<Box<Report>>),
    /// The team was told that nothing stands in a plan's way, or not.
    Summarised(PlanId, bool),
    /// Contacts were asked for a proof; `None` when the database was away.
    Asked(Option<Round>),
    /// Cover mails were looked after; `None` when they could not be.
    Covered(Option<covers::Round>),
    /// A bell was rung, or not.
    Rung(Cause, bool),
    /// An urgent bell was said for the nth time, or need not be.
    Said(Cause, usize, Saying),
    /// What was owed to a way of calling, or to the audit, was seen to.
    Minded,
    /// Deliveries were looked after: those that a person must hear of.
    Delivered(Vec<Worry>),
    /// Deputies to be called, and calls to the team that were answered.
    Deputies(Vec<Wanted>, Vec<String>),
    /// Mail was looked after: whether the room for mail of nobody ends.
    Mailbox(bool),
    /// Branches were looked at: how many bells were taken.
    Branches(Result<u32, EngineError>),
    /// A plan was rehearsed: codes of what was red, or why it could not be played.
    Rehearsed(PlanId, Case<Vec<String>>),
    /// The nightly round is over: how many bells were taken.
    Kept(Result<u32, EngineError>),
}

impl Engine {
    /// Tells a person, once for each cause: a log line that is safe to paste, and a Bell.
    pub(super) fn page(
        &mut self,
        subject: impl Into<Subject>,
        code: &'static str,
        step: Option<StepId>,
    ) {
        self.alarm(Cause { subject: subject.into(), code, step, which: String::new() });
    }

    pub(super) fn alarm(&mut self, cause: Cause) {
        let urgent = self.is_urgent(&cause);
        let now = self.house.clock.mono();
        let Some(ring) = self.alarms.raise(&cause, urgent, now) else { return };
        if ring.first {
            let Cause { subject, code, .. } = &cause;
            self.deputies.called(subject, self.house.now());
            match cause.step {
                Some(step) => tracing::error!(%subject, %step, code, "a person is needed"),
                None => tracing::error!(%subject, code, "a person is needed"),
            }
        }
        if let Some(rung) = ring.urgent {
            self.insist(cause, rung);
            return;
        }
        let house = Arc::clone(&self.house);
        self.errands.spawn(async move {
            let rung = house.bells.ring_team(cause.code, cause.subject.clone(), cause.step).await;
            Errand::Rung(cause, rung.is_ok())
        });
    }

    pub(super) async fn come_back(&mut self, done: Result<Errand, JoinError>) {
        match done {
            Ok(Errand::LookedAhead(plan, report)) => self.looked_ahead(plan, report).await,
            Ok(Errand::Summarised(plan, heard)) => self.summarised(plan, heard),
            Ok(Errand::Delivered(worries)) => self.delivered(&worries),
            Ok(Errand::Rung(_, true) | Errand::Mailbox(false) | Errand::Minded) => {}
            Ok(Errand::Said(cause, tier, saying)) => self.came_of(&cause, tier, saying),
            Ok(Errand::Mailbox(true)) => self.room_is_scarce(),
            Ok(Errand::Deputies(wanted, answered)) => self.call_deputies(wanted, &answered),
            Ok(Errand::Asked(Some(round))) => self.asked(&round),
            Ok(Errand::Covered(round)) => self.covered(round.as_ref()),
            Ok(Errand::Rehearsed(plan, ended)) => self.rehearsed(plan, ended),
            Ok(Errand::Asked(None)) => tracing::warn!("nobody could be asked for a proof"),
            Ok(Errand::Branches(Ok(rung))) => tracing::debug!(rung, "branches were looked at"),
            Ok(Errand::Branches(Err(_))) => tracing::warn!("branches could not be looked at"),
            Ok(Errand::Kept(Ok(rung))) => tracing::info!(rung, "nightly round"),
            Ok(Errand::Kept(Err(_))) => tracing::warn!("the nightly round was broken off"),
            Ok(Errand::Rung(cause, false)) => {
                tracing::error!(code = cause.code, "the team's bell could not be rung");
                self.alarms.failed(&cause, self.house.clock.mono());
            }
            Err(_) => tracing::error!("an errand ended badly"),
        }
    }
}
