//! From one plan's steps and events to its deliveries.

use super::{Delivery, DeliveryState, PLAN_VOID, TOO_LATE, silent_after};
use crate::domain::action::Action;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::had::Had;
use crate::domain::plan::{Plan, Step};
use crate::domain::receipt::Evidence;
use crate::domain::run::{NOBODY_CAN_TELL, Progress, Run, Status};
use crate::domain::time::At;

/// A Notice plan that was approved, and what happened to it.
pub struct Sent<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Which revision of the notice it tells; a resend tells that of the plan it repeats.
    pub revision: i64,
    /// How far its steps are: every event folded.
    pub run: &'a Run,
    /// The same events, in the log's order.
    pub events: &'a [StepEvent],
}

/// What is known, since when, by which code, in whose words.
struct Known {
    state: DeliveryState,
    since: At,
    code: String,
    detail: String,
}

impl Known {
    fn new(state: DeliveryState, since: At, detail: impl Into<String>) -> Self {
        Self { state, since, code: String::new(), detail: detail.into() }
    }

    fn coded(mut self, code: &str) -> Self {
        code.clone_into(&mut self.code);
        self
    }
}

/// One delivery for each sealed mail of the plan, as it is known at `now`.
pub fn deliveries(sent: &Sent<'_>, now: At) -> Vec<Delivery> {
    let delivery = |step: &Step| {
        let (Action::Mail { to, .. }, Some(sealing)) = (&step.action, &step.sealing) else {
            return None;
        };
        let Known { state, since, code, detail } = known(sent, step, now)?;
        Some(Delivery {
            plan: sent.plan.id,
            number: sent.plan.number,
            revision: sent.revision,
            step: step.id,
            recipient: sealing.recipient.clone(),
            address: to.clone(),
            state,
            since,
            code,
            detail,
            fingerprints: sealing.fingerprints.clone(),
        })
    };
    sent.run.steps().iter().filter_map(delivery).collect()
}

fn known(sent: &Sent<'_>, step: &Step, now: At) -> Option<Known> {
    let log: Vec<&StepEvent> = sent.events.iter().filter(|e| e.step == step.id).collect();
    let ours = ours(sent, step, sent.run.progress(step.id)?, &log, now);
    let mut known = heard(ours, &log);
    let silent_at = known.since.plus(silent_after(known.since, sent.plan.t0));
    if known.state == DeliveryState::HandedOver && now >= silent_at {
        known.state = DeliveryState::Silent;
    }
    Some(known)
}

/// What our own side of it says.
fn ours(sent: &Sent<'_>, step: &Step, progress: &Progress, log: &[&StepEvent], now: At) -> Known {
    let plan = sent.plan;
    let changed = log.last().map_or(plan.made_at, |e| e.at);
    let why = progress.last_error.as_ref();
    let said = why.map(|e| format!("{}: {}", e.code, e.message)).unwrap_or_default();
    let blocked = |code: &str| Known::new(DeliveryState::Blocked, changed, &said).coded(code);
    let unsent =
        matches!(progress.status, Status::Waiting | Status::Clear { .. } | Status::Retry { .. });
    match &progress.status {
        _ if unsent && !plan.state.is_live() => blocked(PLAN_VOID),
        _ if unsent && now >= plan.t0 && !outlives(step) => blocked(TOO_LATE),
        Status::Retry { at } => {
            let code = why.map(|e| e.code.as_str()).unwrap_or_default();
            let detail = format!("{said}; again at {}", at.rfc3339());
            Known::new(DeliveryState::Queued, changed, detail).coded(code)
        }
        Status::Waiting | Status::Clear { .. } => {
            let held = if plan.held { "held; " } else { "" };
            let detail = format!("{held}goes at {}", step.not_before.rfc3339());
            Known::new(DeliveryState::Queued, plan.made_at, detail)
        }
        Status::Intended { at } => Known::new(DeliveryState::Unknown, *at, "being handed over"),
        Status::Unknown { since } => Known::new(DeliveryState::Unknown, *since, said),
        Status::Blocked { code } if code == NOBODY_CAN_TELL => {
            Known::new(DeliveryState::Unknown, changed, said).coded(code)
        }
        Status::Blocked { code } => blocked(code),
        Status::Done | Status::Skipped => settled(progress, changed),
    }
}

fn outlives(step: &Step) -> bool {
    step.sealing.as_ref().is_some_and(|s| s.notice.outlives_t0())
}

fn settled(progress: &Progress, changed: At) -> Known {
    let since = progress.settled_at.unwrap_or(changed);
    let receipt = progress.receipt.as_ref();
    let by_hand = receipt.is_some_and(|r| r.evidence == Evidence::ByHand);
    let state = match progress.status {
        Status::Skipped => DeliveryState::Skipped,
        _ if by_hand => DeliveryState::ByHand,
        _ => DeliveryState::HandedOver,
    };
    Known::new(state, since, receipt.map(|r| r.detail.clone()).unwrap_or_default())
}

/// What was heard since, in the order it was heard. Who has read it has it for good; a person's
/// word stands until then; a bounce is the relay's last word. Later reports of a lower rank
/// came late and change nothing.
fn heard(ours: Known, log: &[&StepEvent]) -> Known {
    use DeliveryState::{Acknowledged, Bounced, ByHand, Delayed, Skipped};
    let rank = |state| match state {
        Acknowledged => 4,
        ByHand => 3,
        // Nobody shall hear: what a relay says of an earlier try is no news.
        Skipped => 2,
        Bounced => 2,
        Delayed => 1,
        _ => 0,
    };
    let (mut known, mut had) = (ours, Had::default());
    for event in log {
        had.fold(event);
        let (state, code, detail) = match &event.happened {
            Happened::Delayed { code, said } => (Delayed, code.as_str(), said.clone()),
            Happened::Bounced { code, said } => (Bounced, code.as_str(), said.clone()),
            Happened::Acknowledged { by, how } => (Acknowledged, "", format!("{by}: {how}")),
            Happened::ByHand { by, evidence } => (ByHand, "", format!("{by}: {evidence}")),
            _ => continue,
        };
        let news = rank(state) > rank(known.state) || (state == Delayed && known.state == Delayed);
        // Of a mail that never left only a person can tell anything.
        if had.since().is_some() && news {
            known = Known::new(state, event.at, detail).coded(code);
        }
    }
    known
}
