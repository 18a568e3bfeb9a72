//! Looking ahead to a plan's hour: everything that would stand in its way, and every finding of
//! it, never only the first.
//!
//! What must stay true: nothing is sent, nothing of the plan is named to anybody who does not
//! know it, and nothing is decided. A report is for people; whatever it says, the plan stays as
//! they left it.

pub mod clock;
mod disk;
mod keys;
mod posts;
mod targets;
mod tokens;

use super::plans::{self, preview};
use super::{Case, CaseError, House, approvals, publications};
use crate::domain::blob::Blob;
use crate::domain::deed::{Actor, Subject};
use crate::domain::finding::{Finding, Severity};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanState};
use crate::domain::preflight::{ALL_CLEAR, Checked, Family, Report};
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::store::StoreError;

/// What the audit calls a preflight, with its report for particulars.
const DONE: &str = "preflight";

/// Looks at everything that a Release or a Headsup needs. Errors when there is nothing to look
/// ahead to.
pub async fn of(house: &House, plan: &Plan) -> Case<Report> {
    let (id, kind) = (plan.id, plan.kind);
    if !kind.is_public() {
        return Err(CaseError::not_now(
            format!("plan {} is a {kind} plan", plan.number),
            "a notice is looked at with `daybreak distributor check`",
        ));
    }
    let begun = house.store.read(move |r| r.decided(id)).await?.is_some();
    if begun || matches!(plan.state, PlanState::Finished | PlanState::Void) {
        return Err(CaseError::not_now(
            format!(
                "plan {} is {}: there is nothing left to look ahead to",
                plan.number, plan.state
            ),
            "daybreak plan show says how far it is",
        ));
    }
    let manifest = plans::manifest_of(plan)?;
    let now = house.now();
    let mut found = Vec::new();
    let mut say = |family, all: Vec<Finding>| {
        found.extend(all.into_iter().map(|finding| Checked { family, finding }));
    };
    say(Family::Plan, standing(house, plan, &manifest).await?);
    let blobs: Vec<Blob> = match preview::blobs(house, id, preview::all_of(&manifest)).await {
        Ok(blobs) => blobs,
        // A database that is away says nothing of the plan.
        Err(CaseError::Store(e @ (StoreError::Unavailable(_) | StoreError::Full))) => {
            return Err(e.into());
        }
        Err(e) => {
            say(Family::Plan, vec![damaged(&e)]);
            Vec::new()
        }
    };
    say(Family::Posts, posts::findings(house, &manifest.steps, &blobs));
    say(Family::Keys, keys::findings(house, now, manifest.t0.at).await?);
    say(Family::Tokens, tokens::findings(&house.config, &manifest.steps, now, manifest.t0.at));
    say(Family::Disk, disk::findings(house, &manifest));
    say(Family::Clock, clock::findings(house).await?);
    // No day waits for it, and the next publication takes its page off the site.
    let spoiled = publications::findings(&house.store).await?;
    let mild = |finding| Finding { severity: Severity::Warn, ..finding };
    say(Family::Targets, spoiled.into_iter().map(mild).collect());
    // Without its bytes every target would only say so again.
    let mut tried = 0;
    if !found.iter().any(|c| c.finding.code == DAMAGED) {
        tried = u32::try_from(manifest.steps.len()).unwrap_or(u32::MAX);
        found.extend(targets::findings(house, &manifest.steps, &blobs).await);
    }
    let report = Report { plan: id, at: now, t0: manifest.t0.at, tried, held: plan.held, found };
    Ok(report.sorted())
}

const DAMAGED: &str = "pinned-bytes-damaged";

fn damaged(error: &CaseError) -> Finding {
    Finding::stop(DAMAGED, "plan", error.to_string())
        .cure("restore a backup, or make the plan again")
}

/// Whether enough of today's members stand behind it, as GO asks.
async fn standing(house: &House, plan: &Plan, manifest: &Manifest) -> Case<Vec<Finding>> {
    let people = approvals::recheck(&house.store, plan).await?.len();
    let needed = usize::try_from(manifest.threshold).unwrap_or(usize::MAX).max(1);
    let mut findings = Vec::new();
    if people < needed {
        let message = format!("{people} of {needed} approvals hold");
        findings.push(match plan.state {
            PlanState::Made => Finding::note("not-approved", "approvals", message)
                .cure("daybreak plan export PLAN --to-team FILE"),
            _ => Finding::stop("approvals-do-not-verify", "approvals", message)
                .cure("make the plan again and have it approved"),
        });
    }
    if plan.held {
        findings.push(
            Finding::warn("plan-held", "plan", "it is held: nothing goes until it is resumed")
                .cure("daybreak plan resume PLAN"),
        );
    }
    Ok(findings)
}

/// The engine that looks, and the epoch in which it leads: one that was replaced writes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Leader {
    /// Who.
    pub actor: Actor,
    /// Its epoch.
    pub epoch: i64,
}

/// Writes a report into the record, where [`last`] finds it.
pub async fn record(house: &House, leader: Leader, report: &Report) -> Case<()> {
    let detail = serde_json::to_string(report)
        .map_err(|e| CaseError::machine("recording a preflight", e))?;
    let deed = house.deed(leader.actor, DONE, report.plan).detail(detail);
    Ok(house.store.write(&deed, move |tx| tx.still_leads(leader.epoch)).await?)
}

/// The report that was recorded last.
pub async fn last(house: &House, plan: &Plan) -> Case<Option<Report>> {
    let subject = Subject::from(plan.id);
    let lines = house.store.read(move |r| r.audit_of(&subject)).await?;
    let mut done = lines.iter().rev().filter(|l| l.verb == DONE);
    Ok(done.find_map(|l| serde_json::from_str(l.detail.open(Reason::Review)).ok()))
}

/// Tells the team, once for each plan, that nothing stands in its way. That it was told is in
/// the record, so that no restart tells it again; whoever dies between the bell and the record
/// tells it twice, because a summary that never comes means trouble.
pub async fn summarise(house: &House, leader: Leader, report: &Report) -> Case<()> {
    let subject = Subject::from(report.plan);
    let about = subject.clone();
    let lines = house.store.read(move |r| r.audit_of(&subject)).await?;
    if lines.iter().any(|l| l.verb == ALL_CLEAR) {
        return Ok(());
    }
    house.bells.ring_summary(about, report.tried).await?;
    let deed = house.deed(leader.actor, ALL_CLEAR, report.plan);
    // They heard it: what cannot be written down is no reason to say it again every minute.
    if house.store.write(&deed, move |tx| tx.still_leads(leader.epoch)).await.is_err() {
        tracing::error!(plan = %report.plan, "a summary could not be recorded");
    }
    Ok(())
}

/// How long after its hour something must still hold: the day goes on, and people look at it.
const DAY_AFTER: Span = Span::days(1);
/// What ends within so long afterwards is said.
const SOON: Span = Span::days(14);

/// How something that ends stands to a plan's hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// It is over, or will be when it is needed.
    TooEarly,
    /// It lasts for the day and not much longer.
    Soon,
    /// It need not be spoken of.
    Late,
}

impl Ends {
    fn judge(ends: At, now: At, t0: At) -> Self {
        let needed = t0.max(now);
        match ends {
            _ if ends < needed.plus(DAY_AFTER) => Self::TooEarly,
            _ if ends < needed.plus(SOON) => Self::Soon,
            _ => Self::Late,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_judged_by_when_it_is_needed() {
        let t0 = At::from_secs(1_796_137_200);
        let week_before = t0.plus(Span::days(-7));
        let at = |days, now| Ends::judge(t0.plus(Span::days(days)), now, t0);
        assert_eq!(at(-1, week_before), Ends::TooEarly);
        assert_eq!(at(0, week_before), Ends::TooEarly);
        assert_eq!(at(1, week_before), Ends::Soon);
        assert_eq!(at(13, week_before), Ends::Soon);
        assert_eq!(at(14, week_before), Ends::Late);
        assert_eq!(at(1, t0.plus(Span::days(1))), Ends::TooEarly, "a late day counts from now");
    }
}
