//! What is done beside the day and must never delay it: trying targets, ringing bells.

use std::sync::Arc;

use tokio::task::JoinError;

use super::alarms::{Cause, Saying};
use super::{Engine, EngineError};
use crate::casework::challenges::Round;
use crate::casework::covers;
use crate::casework::ledger::Worry;
use crate::casework::plans::preview::{all_of, blobs};
use crate::casework::plans::public::try_targets;
use crate::domain::deed::{Actor, Subject};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{PlanId, StepId};
use crate::domain::manifest::Manifest;

/// Said of every step that asks a person; no target is red because of it.
const NOT_RED: &str = "no-deputy";

/// What an errand brought back.
pub(super) enum Errand {
    /// The targets of a plan were tried; `None` when the pinned bytes could not be read.
    Tried(PlanId, Option<Vec<Finding>>),
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
    /// Mail was looked after: whether the room for mail of nobody ends.
    Mailbox(bool),
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

    pub(super) fn try_targets_of(&mut self, plan: PlanId, manifest: Manifest) {
        let house = Arc::clone(&self.house);
        self.errands.spawn(async move {
            match blobs(&house, plan, all_of(&manifest)).await {
                Ok(pinned) => {
                    let found = try_targets(&house, &manifest.steps, &pinned).await;
                    Errand::Tried(plan, Some(found))
                }
                Err(_) => Errand::Tried(plan, None),
            }
        });
    }

    pub(super) async fn come_back(&mut self, done: Result<Errand, JoinError>) {
        match done {
            Ok(Errand::Tried(plan, Some(findings))) => self.tried(plan, &findings).await,
            Ok(Errand::Tried(plan, None)) => self.page(plan, "pinned-bytes-damaged", None),
            Ok(Errand::Delivered(worries)) => self.delivered(&worries),
            Ok(Errand::Rung(_, true) | Errand::Mailbox(false) | Errand::Minded) => {}
            Ok(Errand::Said(cause, tier, saying)) => self.came_of(&cause, tier, saying),
            Ok(Errand::Mailbox(true)) => self.room_is_scarce(),
            Ok(Errand::Asked(Some(round))) => self.asked(&round),
            Ok(Errand::Covered(round)) => self.covered(round.as_ref()),
            Ok(Errand::Asked(None)) => tracing::warn!("nobody could be asked for a proof"),
            Ok(Errand::Kept(Ok(rung))) => tracing::info!(rung, "nightly round"),
            Ok(Errand::Kept(Err(_))) => tracing::warn!("the nightly round was broken off"),
            Ok(Errand::Rung(cause, false)) => {
                tracing::error!(code = cause.code, "the team's bell could not be rung");
                self.alarms.failed(&cause, self.house.clock.mono());
            }
            Err(_) => tracing::error!("an errand ended badly"),
        }
    }

    /// What was red is recorded and said; nothing is ever disarmed by itself.
    async fn tried(&mut self, plan: PlanId, findings: &[Finding]) {
        let is_red = |f: &&Finding| f.severity != Severity::Note && f.code != NOT_RED;
        let red: Vec<&str> = findings.iter().filter(is_red).map(|f| f.code.as_str()).collect();
        let detail = serde_json::to_string(findings).unwrap_or_default();
        let actor = Actor::Engine(self.lead.holder);
        let deed = self.house.deed(actor, "preflight", plan).detail(detail);
        let epoch = self.lead.epoch;
        if self.store.write(&deed, move |tx| tx.still_leads(epoch)).await.is_err() {
            tracing::error!(plan = %plan, "a preflight could not be recorded");
        }
        tracing::info!(plan = %plan, red = red.len(), "preflight");
        if !red.is_empty() {
            let (subject, which) = (Subject::from(plan), red.join(" "));
            self.alarm(Cause { subject, code: "preflight-red", step: None, which });
        }
    }
}
