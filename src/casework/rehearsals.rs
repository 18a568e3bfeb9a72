//! What rehearsals of a plan said, as the audit keeps it, and what follows from the newest.
//!
//! What must stay true: a plan whose newest rehearsal is red is neither approved nor, before its
//! T0, let go on; one that was never rehearsed, or long ago, is warned of. After T0 nothing here
//! stands in anybody's way: the fix gets out.

use serde::{Deserialize, Serialize};

use super::{Case, CaseError, House};
use crate::domain::blob::Sha256;
use crate::domain::deed::{Actor, Subject};
use crate::domain::finding::Finding;
use crate::domain::plan::Plan;
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::store::StoreError;

/// The audit's word for a rehearsal.
pub(super) const VERB: &str = "plan-rehearse";
/// An older one says little of the day.
const STALE: Span = Span::hours(48);

/// What the audit keeps of one.
#[derive(Serialize, Deserialize)]
struct Kept {
    digest: Sha256,
    red: Vec<String>,
}

/// How a rehearsal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// When it was made.
    pub at: At,
    /// Codes of what was red; none when it was green.
    pub red: Vec<String>,
}

/// Writes down how one ended.
pub async fn record(house: &House, actor: Actor, plan: &Plan, red: Vec<String>) -> Case<()> {
    let kept = Kept { digest: plan.digest, red };
    let detail =
        serde_json::to_string(&kept).map_err(|e| CaseError::machine("recording a rehearsal", e))?;
    let deed = house.deed(actor, VERB, plan.id).detail(detail);
    Ok(house.store.write(&deed, |_| Ok::<_, StoreError>(())).await?)
}

/// The newest rehearsal of exactly this plan's bytes.
pub async fn newest(house: &House, plan: &Plan) -> Case<Option<Rehearsed>> {
    let subject = Subject::from(plan.id);
    let lines = house.store.read(move |r| r.audit_of(&subject)).await?;
    let of = |line: &crate::store::AuditLine| {
        let kept: Kept = serde_json::from_str(line.detail.open(Reason::Judging)).ok()?;
        (kept.digest == plan.digest).then_some(Rehearsed { at: line.at, red: kept.red })
    };
    Ok(lines.iter().rev().filter(|l| l.verb == VERB).find_map(of))
}

/// What the newest rehearsal says at `now`; nothing when it was green and is fresh.
pub fn finding(newest: Option<&Rehearsed>, now: At) -> Option<Finding> {
    let cure = "daybreak plan rehearse PLAN";
    match newest {
        Some(last) if !last.red.is_empty() => {
            let message = format!("its rehearsal of {} was red: {}", last.at, last.red.join(", "));
            let cure =
                "cure what it says, or make the plan again, then: daybreak plan rehearse PLAN";
            Some(Finding::stop("rehearsal-red", "rehearsal", message).cure(cure))
        }
        Some(last) if now.since(last.at) > STALE => {
            let message = format!("its last rehearsal is of {}: more than two days ago", last.at);
            Some(Finding::warn("rehearsal-stale", "rehearsal", message).cure(cure))
        }
        Some(_) => None,
        None => {
            let message = "it was never rehearsed";
            Some(Finding::warn("not-rehearsed", "rehearsal", message).cure(cure))
        }
    }
}

/// Refuses, with the finding, a plan whose newest rehearsal was red.
pub async fn refuse_red(house: &House, plan: &Plan) -> Case<()> {
    let newest = newest(house, plan).await?;
    match newest.as_ref().filter(|last| !last.red.is_empty()) {
        None => Ok(()),
        red => Err(CaseError::Blocked(finding(red, house.now()).into_iter().collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::Severity;

    #[test]
    fn red_stops_old_or_none_warns_and_fresh_green_is_silent() {
        let at = At::from_secs(1_796_137_200);
        let one = |red: &[&str]| Rehearsed { at, red: red.iter().map(|r| (*r).into()).collect() };
        let said = |last: Option<Rehearsed>, hours| {
            finding(last.as_ref(), at.plus(Span::hours(hours))).map(|f| (f.code, f.severity))
        };
        assert_eq!(said(Some(one(&[])), 48), None);
        assert_eq!(said(Some(one(&[])), 49), Some(("rehearsal-stale".into(), Severity::Warn)));
        assert_eq!(said(None, 0), Some(("not-rehearsed".into(), Severity::Warn)));
        for hours in [0, 99] {
            let red = said(Some(one(&["differs"])), hours);
            assert_eq!(red, Some(("rehearsal-red".into(), Severity::Stop)));
        }
    }
}
