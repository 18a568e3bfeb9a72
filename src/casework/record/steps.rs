//! What each plan pinned and what became of its steps.

use serde::Serialize;

use super::{Names, When};
use crate::casework::audits::spoken;
use crate::casework::plans::Standing;
use crate::domain::deed::Actor;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::plan::Step;
use crate::domain::receipt::Evidence;
use crate::domain::run::{GoRow, Status};
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::store::{Decided, Decision};

/// One plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanRecord {
    /// Its id.
    pub id: String,
    /// 1, 2, … within the disclosure.
    pub number: i64,
    /// What for.
    pub kind: &'static str,
    /// How far.
    pub state: &'static str,
    /// SHA-256 of the MANIFEST that was approved.
    pub digest: String,
    /// When it was made.
    pub made_at: When,
    /// The instant it was pinned to.
    pub t0: When,
    /// How many people had to approve it.
    pub needed: u32,
    /// Who did.
    pub approvals: Vec<Yes>,
    /// GO or ABORT, if its effects are public and it was decided.
    pub go: Option<GoLine>,
    /// Its steps, in its order.
    pub steps: Vec<StepRecord>,
}

/// One person's yes.
#[derive(Debug, Clone, Serialize)]
pub struct Yes {
    /// Whose.
    pub who: String,
    /// When it was taken in.
    pub at: When,
}

/// The one word on a plan with public effects.
#[derive(Debug, Clone, Serialize)]
pub struct GoLine {
    /// `GO` or `ABORT`.
    pub word: &'static str,
    /// When.
    pub at: When,
    /// After T0, in milliseconds; before it when people started it early.
    pub late_ms: i64,
    /// Why.
    pub reason: String,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct StepRecord {
    /// 1, 2, … within the plan.
    pub number: usize,
    /// Its id.
    pub id: String,
    /// When within the day.
    pub phase: &'static str,
    /// Where it goes.
    pub outlet: String,
    /// What it does.
    pub what: String,
    /// When it was due.
    pub planned: When,
    /// When it was begun, looks left out.
    pub began: Option<When>,
    /// When it was settled.
    pub settled: Option<When>,
    /// From due to settled, in milliseconds.
    pub late_ms: Option<i64>,
    /// Where it stands.
    pub status: &'static str,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it failed or was lost sight of.
    pub failures: usize,
    /// `seen`, `handed-over` or `by-hand`.
    pub evidence: Option<&'static str>,
    /// What shows it, or why it is not done.
    pub detail: String,
    /// The person who settled it, if one did.
    pub by: Option<String>,
}

impl PlanRecord {
    pub(super) fn of(standing: &Standing, go: Option<&Decided>, names: &Names) -> Self {
        let Standing { plan, manifest, approvals, .. } = standing;
        let yes = |a: &crate::domain::approval::Approval| Yes {
            who: names.of(Actor::Member(a.member)),
            at: When(a.at),
        };
        let steps = manifest.steps.iter().enumerate();
        Self {
            id: plan.id.to_string(),
            number: plan.number,
            kind: plan.kind.word(),
            state: plan.state.word(),
            digest: plan.digest.to_string(),
            made_at: When(plan.made_at),
            t0: When(plan.t0),
            needed: manifest.threshold,
            approvals: approvals.iter().map(yes).collect(),
            go: go.map(|d| GoLine {
                word: match d.decision {
                    Decision::Go => "GO",
                    Decision::Abort => "ABORT",
                },
                at: When(d.at),
                late_ms: d.at.since(plan.t0).as_millis(),
                reason: d.reason.open(Reason::Review).clone(),
            }),
            steps: steps.map(|(n, s)| StepRecord::of(standing, n, s)).collect(),
        }
    }
}

impl StepRecord {
    fn of(standing: &Standing, n: usize, step: &Step) -> Self {
        let log: Vec<&StepEvent> = standing.events.iter().filter(|e| e.step == step.id).collect();
        let progress = standing.run.progress(step.id);
        let settled = progress.and_then(|p| p.settled_at);
        let planned = planned(standing, step);
        let receipt = progress.and_then(|p| p.receipt.as_ref());
        let error = progress.and_then(|p| p.last_error.as_ref());
        let detail = match (receipt, error, log.iter().rev().find_map(|e| said_by(&e.happened))) {
            (_, _, Some((_, word))) => word.to_owned(),
            (Some(receipt), _, _) => receipt.detail.clone(),
            (None, Some(error), _) => format!("{}: {}", error.code, error.message),
            (None, None, None) => String::new(),
        };
        let trouble =
            |e: &&&StepEvent| matches!(e.happened, Happened::Failed { .. } | Happened::Lost);
        let begun = log.iter().find(|e| e.happened == Happened::Intended);
        let settler = log.iter().rev().find_map(|e| said_by(&e.happened));
        Self {
            number: n.saturating_add(1),
            id: step.id.to_string(),
            phase: step.phase.word(),
            outlet: step.outlet.clone(),
            what: spoken(step),
            planned: When(planned),
            began: begun.map(|e| When(e.at)),
            settled: settled.map(When),
            late_ms: settled.map(|at| at.since(planned).as_millis()),
            status: progress.map_or(Status::Waiting.word(), |p| p.status.word()),
            attempts: progress.map_or(0, |p| p.attempts),
            failures: log.iter().filter(trouble).count(),
            evidence: receipt.map(|r| match r.evidence {
                Evidence::HandedOver => "handed-over",
                Evidence::Seen => "seen",
                Evidence::ByHand => "by-hand",
            }),
            detail,
            by: settler.map(|(by, _)| by.to_owned()),
        }
    }
}

/// When a step was due: as much earlier as its plan was started early.
pub(super) fn planned(standing: &Standing, step: &Step) -> At {
    match standing.facts.go {
        Some(GoRow::Go(go)) if go < standing.plan.t0 => {
            step.not_before.plus(go.since(standing.plan.t0))
        }
        _ => step.not_before,
    }
}

/// Who settled a step by their word, and the word.
fn said_by(happened: &Happened) -> Option<(&str, &str)> {
    match happened {
        Happened::ByHand { by, evidence } => Some((by, evidence)),
        Happened::Skipped { by, reason } => Some((by, reason)),
        _ => None,
    }
}

/// The person behind an event, if one is.
pub(super) fn by(happened: &Happened) -> Option<&str> {
    match happened {
        Happened::Released { by, .. } => Some(by),
        other => said_by(other).map(|(by, _)| by),
    }
}
