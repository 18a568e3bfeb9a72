//! What a rehearsal found: for each step what was approved beside what would have gone out, in
//! what order and when, and everything that is red.

use serde::Serialize;

use crate::domain::blob::Sha256;
use crate::domain::finding::Finding;
use crate::domain::ids::{PlanId, StepId};
use crate::domain::plan::{Phase, PlanKind};
use crate::domain::time::At;

/// One thing that was approved, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// File, header, ref or address.
    pub name: String,
    /// What was approved: a SHA-256, an object id or a short text.
    pub approved: String,
    /// What would have gone out; nothing when it did not.
    pub went_out: Option<String>,
    /// Whether the two are equal, outside slots.
    pub same: bool,
    /// Where they first differ.
    pub differs: Option<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// 1, 2, … in the plan's order.
    pub number: usize,
    /// Which.
    pub id: StepId,
    /// Its phase.
    pub phase: Phase,
    /// What it does, in a few words.
    pub what: String,
    /// When it would begin; nothing when it does not act.
    pub at: Option<At>,
    /// Milliseconds after the plan's instant.
    pub after_ms: Option<i64>,
    /// How it stood at the end.
    pub status: String,
    /// What was compared.
    pub pieces: Vec<Piece>,
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of which plan.
    pub plan: PlanId,
    /// Its number.
    pub number: i64,
    /// Its kind.
    pub kind: PlanKind,
    /// Digest of the MANIFEST that was played.
    pub digest: Sha256,
    /// When it was rehearsed.
    pub rehearsed_at: At,
    /// The plan's instant, at which it was played.
    pub t0: At,
    /// Whether people who exist in the rehearsal only stood in for the approvers.
    pub stand_ins: bool,
    /// Whether nothing is red.
    pub green: bool,
    /// Each step, in the order in which it would act.
    pub steps: Vec<StepReport>,
    /// What is red, and what to know.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Codes of what is red, each once.
    pub fn red(&self) -> Vec<String> {
        let mut codes: Vec<String> = self
            .findings
            .iter()
            .filter(|f| f.severity == crate::domain::finding::Severity::Stop)
            .map(|f| f.code.clone())
            .collect();
        codes.sort();
        codes.dedup();
        codes
    }

    /// For people.
    pub fn as_text(&self) -> String {
        let mut text = format!(
            "Rehearsal of plan {} ({}) of {}\nMANIFEST sha256 {}\nplayed at {}{}\n\n",
            self.number,
            self.kind,
            self.rehearsed_at,
            self.digest,
            self.t0,
            if self.stand_ins { ", approved by stand-ins: it waits for its approvals" } else { "" },
        );
        for step in &self.steps {
            let when = step.after_ms.map_or_else(
                || "        --".to_owned(),
                |ms| format!("{}{:>8} ms", if ms < 0 { "-" } else { "+" }, ms.unsigned_abs()),
            );
            text.push_str(&format!("{when}  {:>3}  {}: {}\n", step.number, step.what, step.status));
            for piece in &step.pieces {
                let said = match (&piece.went_out, piece.same) {
                    (_, true) => "as approved".to_owned(),
                    (None, false) => "DID NOT GO OUT".to_owned(),
                    (Some(_), false) => {
                        format!("DIFFERS {}", piece.differs.as_deref().unwrap_or_default())
                    }
                };
                text.push_str(&format!("                    {}: {said}\n", piece.name));
            }
        }
        text.push('\n');
        for finding in &self.findings {
            text.push_str(&format!(
                "{} {} ({}): {}\n",
                finding.severity, finding.code, finding.place, finding.message
            ));
        }
        text.push_str(if self.green {
            "GREEN: what would have gone out is what was approved, and nothing else moved.\n"
        } else {
            "RED: this plan must not be approved as it is.\n"
        });
        text
    }
}
