//! Which plan takes the place of which of its kind, and when.
//!
//! A draft stops nothing: a plan that was approved stands until another one is approved. The
//! transaction that brings the last approval ends the others, so that no mail of the old plan
//! begins after it, and whoever waited in them waits in the new one. What the new plan pins was
//! chosen by who had been told what when it was made: when that is no longer so it is refused,
//! not sent, or somebody would hear the same twice, or the wrong thing, or nothing.

use std::collections::BTreeMap;

use super::events;
use super::notice::Past;
use crate::casework::{Case, CaseError, House};
use crate::domain::had::Had;
use crate::domain::manifest::Manifest;
use crate::domain::news::NoticeKind;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::receipt::Habit;
use crate::domain::secret::Reason;
use crate::store::{Reader, StoreError, Tx};

/// A plan that would take the place of others.
pub(in crate::casework) struct Succession {
    manifest: Manifest,
    repeats: BTreeMap<String, Habit>,
}

impl Succession {
    pub(in crate::casework) fn of(house: &House, manifest: Manifest) -> Self {
        Self { manifest, repeats: house.outlets.repeats() }
    }

    /// Whether everybody has been told what the plan counts on; of any other kind nobody asks.
    pub(in crate::casework) fn holds(&self, r: &mut Reader<'_>) -> Case<bool> {
        let new = &self.manifest;
        if new.kind != PlanKind::Notice {
            return Ok(true);
        }
        if let Some(base) = new.resends
            && !has_begun(&r.plan(base)?)
        {
            return Ok(false);
        }
        let past = Past::of(r, new.disclosure, &self.repeats)?;
        Ok(new.past == Some(past.basis(&new.steps, new.resends)))
    }

    /// Ends what an approved plan takes the place of. News ends also what is still being sent:
    /// nobody may hear the old after the new.
    pub(in crate::casework) fn take_over(&self, tx: &mut Tx<'_>) -> Case<()> {
        let new = &self.manifest;
        if new.kind != PlanKind::Notice {
            return take_the_day(tx, new);
        }
        let news = new.notice().is_some_and(|n| n > NoticeKind::First) && new.resends.is_none();
        for old in tx.plans(new.disclosure)? {
            let others = old.kind == PlanKind::Notice && old.id != new.plan;
            let running = old.state == PlanState::Running;
            let ends = old.state.is_voidable() || (news && running);
            if !others || !ends || !replaces(new, &old) {
                continue;
            }
            if running {
                ended_between_mails(tx, &old)?;
            }
            tx.move_plan(old.id, old.state, PlanState::Void)?;
        }
        Ok(())
    }
}

/// Nobody can tell yet what the recipient of a mail under way must hear.
fn ended_between_mails(tx: &mut Tx<'_>, plan: &Plan) -> Case<()> {
    let mut steps: BTreeMap<_, Had> = BTreeMap::new();
    for event in events(tx, plan.id)? {
        steps.entry(event.step).or_default().fold(&event);
    }
    if steps.values().any(Had::is_under_way) {
        return Err(CaseError::not_now(
            format!("a mail of plan {}, which this one ends, is just being sent", plan.number),
            "hand the same approval in again in a moment; if there is always another one: daybreak \
             plan hold PLAN first; if no engine runs: daybreak serve",
        ));
    }
    Ok(())
}

/// Whether what a plan tells was told and still holds.
pub(super) const fn has_begun(plan: &Plan) -> bool {
    matches!(plan.state, PlanState::Running | PlanState::Finished)
}

/// Whether a new plan takes the place of an older one of its kind. A resend takes that of
/// another resend to the same contact only.
fn replaces(new: &Manifest, old: &Plan) -> bool {
    if new.resends.is_none() {
        return true;
    }
    let old = Manifest::parse(old.manifest.open(Reason::Judging));
    old.is_ok_and(|old| old.resends.is_some() && old.recipients == new.recipients)
}

/// An approved plan of another kind ends those of its kind that have not begun. A release that
/// has GO is the day itself: nothing takes its place any more.
fn take_the_day(tx: &mut Tx<'_>, new: &Manifest) -> Case<()> {
    for old in tx.plans(new.disclosure)? {
        if old.id == new.plan || old.kind != new.kind {
            continue;
        }
        if old.kind == PlanKind::Release && has_begun(&old) {
            return Err(CaseError::not_now(
                format!("plan {} has GO: it is the release", old.number),
                "go forward with it: daybreak plan show, plan done, plan retry, plan skip",
            ));
        }
        if old.state.is_voidable() {
            tx.move_plan(old.id, old.state, PlanState::Void)?;
        }
    }
    Ok(())
}

/// A draft of any other kind takes the place of older drafts when it is made. What was approved
/// stands: a day must not be disarmed by a plan that nobody signed.
pub(super) fn of_other_kind(tx: &mut Tx<'_>, new: &Plan) -> Result<(), StoreError> {
    for old in tx.plans(new.disclosure)? {
        let draft = old.kind == new.kind && old.state == PlanState::Made;
        if new.kind != PlanKind::Notice && draft {
            tx.move_plan(old.id, old.state, PlanState::Void)?;
        }
    }
    Ok(())
}
