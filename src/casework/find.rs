//! From what a person types to the thing meant: a full id, a unique end of one (at least
//! four characters), or a name.

use super::{Case, CaseError, House};
use crate::domain::advisory::Advisory;
use crate::domain::disclosure::Disclosure;
use crate::domain::ids::{PlanId, StepId};
use crate::domain::message::Message;
use crate::domain::party::{Distributor, Member};
use crate::domain::plan::{Plan, PlanState};
use crate::domain::secret::Reason;
use crate::store::StoreError;

const STEPS: &str = "see `daybreak plan show`";
/// Shortest end of an id that is looked at.
const SHORTEST: usize = 4;

/// The one item that `text` names.
fn one<T>(
    what: &'static str,
    text: &str,
    cure: &str,
    all: Vec<T>,
    names: impl Fn(&T) -> Vec<String>,
) -> Case<T> {
    let exact = |item: &T| names(item).iter().any(|n| n == text);
    let tail = |item: &T| text.len() >= SHORTEST && names(item).iter().any(|n| n.ends_with(text));
    let any_exact = all.iter().any(exact);
    let mut found: Vec<T> =
        all.into_iter().filter(|item| if any_exact { exact(item) } else { tail(item) }).collect();
    match (found.pop(), found.pop()) {
        (Some(item), None) => Ok(item),
        (Some(_), Some(_)) => Err(CaseError::invalid(
            what,
            format!("`{text}` names more than one"),
            "write more of the id",
        )),
        _ => Err(CaseError::unknown(what, text, cure)),
    }
}

/// An advisory by id or public id.
pub async fn advisory(house: &House, text: &str) -> Case<Advisory> {
    let all = house.store.read(|r| r.advisories()).await?;
    one("advisory", text, "see `daybreak advisory list`", all, |a| {
        vec![a.id.to_string(), a.text.open(Reason::Judging).public_id.clone()]
    })
}

/// A disclosure by id, or by the public id of one of its advisories.
pub async fn disclosure(house: &House, text: &str) -> Case<Disclosure> {
    let (all, advisories) =
        house.store.read(|r| Ok::<_, StoreError>((r.disclosures()?, r.advisories()?))).await?;
    one("disclosure", text, "see `daybreak disclosure list`", all, |d| {
        let mut names = vec![d.id.to_string()];
        let case = d.case.open(Reason::Judging);
        let named = advisories.iter().filter(|a| case.advisories.contains(&a.id));
        names.extend(named.map(|a| a.text.open(Reason::Judging).public_id.clone()));
        names
    })
}

/// A distributor by id or name.
pub async fn distributor(house: &House, text: &str) -> Case<Distributor> {
    let all = house.store.read(|r| r.distributors()).await?;
    one("distributor", text, "see `daybreak distributor list`", all, |d| {
        vec![d.id.to_string(), d.record.open(Reason::Judging).name.clone()]
    })
}

/// A member by id, name or address.
pub async fn member(house: &House, text: &str) -> Case<Member> {
    let all = house.store.read(|r| r.members()).await?;
    one("member", text, "see `daybreak team list`", all, |m| {
        let record = m.record.open(Reason::Judging);
        vec![m.id.to_string(), record.name.clone(), record.address.clone()]
    })
}

/// A received message by id.
pub async fn message(house: &House, text: &str) -> Case<Message> {
    let all = house.store.read(|r| r.messages(None)).await?;
    one("message", text, "see `daybreak mail list`", all, |m| vec![m.id.to_string()])
}

/// A plan by id, or `DISCLOSURE/NUMBER`; void plans only by id.
pub async fn plan(house: &House, text: &str) -> Case<Plan> {
    if let Ok(id) = text.parse::<PlanId>() {
        return Ok(house.store.read(move |r| r.plan(id)).await?);
    }
    if let Some((case, number)) = text.split_once('/') {
        let case = disclosure(house, case).await?;
        let plans = house.store.read(move |r| r.plans(case.id)).await?;
        return one("plan", number, "see `daybreak disclosure show`", plans, |p| {
            vec![p.number.to_string()]
        });
    }
    let mut all = super::plans::all(house).await?;
    all.retain(|p| p.state != PlanState::Void);
    one("plan", text, "see `daybreak disclosure show`", all, |p| vec![p.id.to_string()])
}

/// A step with its plan, by the step's id.
pub async fn step(house: &House, text: &str) -> Case<(Plan, StepId)> {
    // A whole id needs nothing but its own plan, whatever became of others.
    if let Ok(id) = text.parse::<StepId>() {
        return match house.store.read(move |r| r.plan_of(id)).await {
            Ok(plan) => Ok((plan, id)),
            Err(StoreError::NotFound(_)) => Err(CaseError::unknown("step", text, STEPS)),
            Err(e) => Err(e.into()),
        };
    }
    let plans = super::plans::all(house).await?;
    let mut all = Vec::new();
    for plan in plans.into_iter().filter(|p| p.state != PlanState::Void) {
        let manifest = super::plans::manifest_of(&plan)?;
        all.extend(manifest.steps.iter().map(|s| (plan.clone(), s.id)));
    }
    one("step", text, STEPS, all, |(_, id)| vec![id.to_string()])
}
