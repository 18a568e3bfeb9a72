//! Moving the instant. Every move voids the plans that wait for the old one, so nothing of ours
//! fires at it; what others were told is another matter: who knows an earlier date than the new
//! one must have heard the new one before a release may be armed for it.

use std::collections::BTreeSet;

use super::disclosures::{advisories_of, dates_of, open_for_change, save};
use super::ledger::ledger_of;
use super::plans::notice::aware;
use super::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{Disclosure, Moved};
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::PlanId;
use crate::domain::ledger::{Delivery, DeliveryState};
use crate::domain::plan::Plan;
use crate::domain::rules::moves::{self, Move};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::Stage;
use crate::domain::time::At;
use crate::domain::zone::T0;
use crate::store::StoreError;

/// Where to, and why.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    /// The new instant.
    pub t0: T0,
    /// Why: whoever knew the old one reads it.
    pub reason: &'a str,
    /// Why it must be although a rule stops it; for the record only.
    pub overridden: Option<&'a str>,
}

/// Sets or moves T0. Whoever was told the old date is told the new one by a new notice.
pub async fn move_to(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    to: To<'_>,
) -> Case<(Disclosure, Vec<Finding>)> {
    open_for_change(disclosure)?;
    let To { t0, reason, overridden } = to;
    if overridden.is_some_and(|why| why.trim().is_empty()) {
        return Err(CaseError::invalid("override", "is empty", "say why it must be"));
    }
    let told = aware(house, disclosure).await?.told;
    let old = disclosure.t0.as_ref();
    let one = Move { old, new: &t0, told };
    let content = disclosure.case.open(Reason::Judging);
    let dates = dates_of(house, t0, &content.advisories, &content.groups).await?;
    let now = house.now();
    let mut findings = moves::check(&one, now, dates);
    let rules = overridden.map_or_else(Vec::new, |_| moves::override_stops(&mut findings));
    if any_stop(&findings) {
        return Err(CaseError::Blocked(findings));
    }
    if disclosure.stage == Stage::Embargoed {
        findings.push(told_another(one.is_later()));
    }
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.moves.push(Moved {
        to: t0,
        at: Some(now),
        reason: reason.to_owned(),
        overridden: overridden.map(str::to_owned),
        rules,
    });
    let case = Embargoed::new(content);
    let changed = Disclosure { t0: Some(t0), case, ..disclosure.clone() };
    let windows = super::windows::check(house, &changed).await?;
    // What a Release plan will lack is no news of this move.
    findings.extend(windows.into_iter().filter(|f| f.severity != Severity::Stop));
    let detail = match overridden {
        None => reason.to_owned(),
        Some(why) => format!("{reason}; overridden: {why}"),
    };
    let deed = house.deed(actor, "disclosure-move", changed.id).detail(detail);
    let changed = save(house, &deed, disclosure, changed, |_| Ok(())).await?;
    Ok((changed, findings))
}

fn told_another(later: bool) -> Finding {
    let cure = if later {
        "make and approve a notice plan: it tells them the new one at once; the release for it can \
         be approved when they all have it"
    } else {
        "make and approve a notice plan: it tells them the new one at once"
    };
    Finding::warn("told-old-date", "at", "distributors were told another date").cure(cure)
}

/// Refuses to arm a release while somebody was told an earlier date and does not have its own:
/// they would publish while it waits. Whoever moved the date inside the last day before it may
/// have overridden that.
pub(super) async fn may_be_armed(house: &House, plan: &Plan) -> Case<()> {
    let id = plan.disclosure;
    let disclosure = house.store.read(move |r| r.disclosure(id)).await?;
    let Some(behind) = behind(house, &disclosure, plan.t0).await? else { return Ok(()) };
    Err(CaseError::not_now(
        format!(
            "{behind} of those who were told an earlier date do not have the new one yet: they \
             publish at the old one, while this release waits"
        ),
        "daybreak notice status DISC shows who. Make and approve the notice plan; tell whom no mail \
         reaches by hand (daybreak notice mark, plan done, plan skip); then hand the same approval \
         in again",
    ))
}

/// How many count on an instant that is still to come, earlier than `t0`, and are not known to
/// have this one; `None` when nobody does. Whoever moved it last may have overridden that it was
/// too shortly for those whose instant was so near; to exceed 90 days, or a date that is known and
/// far off, is another matter: there is time to tell them. Whose instant has come waits for us:
/// nothing may keep the release back for them.
pub(super) async fn behind(house: &House, disclosure: &Disclosure, t0: At) -> Case<Option<usize>> {
    let content = disclosure.case.open(Reason::Judging);
    if disclosure.stage != Stage::Embargoed {
        return Ok(None);
    }
    let overrode = content.moves.last().and_then(|m| m.overrode(moves::TOO_SHORT));
    let id = disclosure.id;
    let (plans, distributors) =
        house.store.read(move |r| Ok::<_, StoreError>((r.plans(id)?, r.distributors()?))).await?;
    let active = distributors.iter().filter(|d| d.active);
    let contacts = active.flat_map(|d| &d.record.open(Reason::Judging).contacts);
    let mut listed: BTreeSet<String> = contacts.map(|c| c.id.to_string()).collect();
    for advisory in advisories_of(house, content).await? {
        let reporters = &advisory.text.open(Reason::Judging).reporters;
        listed.extend(reporters.iter().filter_map(|r| Some(r.id?.to_string())));
    }
    let instant = |plan: PlanId| plans.iter().find(|p| p.id == plan).map(|p| p.t0);
    let ledger = ledger_of(house, id).await?;
    let now = house.now();
    let earlier = |d: &&Delivery| {
        let at = instant(d.plan).filter(|_| listed.contains(&d.recipient));
        let waits = |at: At| overrode.is_none_or(|moved| at.since(moved) >= moves::SHORTLY);
        at.is_some_and(|at| now < at && at < t0 && waits(at)) && may_have(d.state)
    };
    let mut behind: BTreeSet<&str> =
        ledger.all().iter().filter(earlier).map(|d| d.recipient.as_str()).collect();
    let has = |d: &&Delivery| instant(d.plan) == Some(t0) && is_settled(d.state);
    for delivery in ledger.all().iter().filter(has) {
        behind.remove(delivery.recipient.as_str());
    }
    Ok(Some(behind.len()).filter(|n| *n > 0))
}

/// Doubt counts as yes where somebody may know the old date.
const fn may_have(state: DeliveryState) -> bool {
    !matches!(state, DeliveryState::Queued | DeliveryState::Blocked | DeliveryState::Skipped)
}

/// And as no where they must know the new one; a person may have decided that they need not.
const fn is_settled(state: DeliveryState) -> bool {
    state.has_it() || matches!(state, DeliveryState::Silent | DeliveryState::Skipped)
}
