//! What people do to a running day: hold, resume, abort, vouch, skip, release, start early.

use super::plans::standing;
use super::{Case, CaseError, House, rehearsals};
use crate::domain::approval::Lift;
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::{EventId, MemberId, StepId};
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::secret::{Embargoed, Reason};
use crate::store::{Decision, StoreError};

/// Holds a plan back; steps in the world's hands end by themselves.
pub async fn hold(house: &House, actor: Actor, plan: &Plan, reason: &str) -> Case<()> {
    live(plan)?;
    set_held(house, actor, plan, "plan-hold", true, reason).await
}

/// Lets a held plan go on: before T0 not one whose newest rehearsal was red.
pub async fn resume(house: &House, actor: Actor, plan: &Plan, reason: &str) -> Case<()> {
    live(plan)?;
    // A cure is one more rehearsal away; after GO or T0 the fix gets out.
    let id = plan.id;
    let gone = house.store.read(move |r| r.decided(id)).await?.is_some();
    if !gone && house.now() < plan.t0 {
        rehearsals::refuse_red(house, plan).await?;
    }
    set_held(house, actor, plan, "plan-resume", false, reason).await
}

async fn set_held(
    house: &House,
    actor: Actor,
    plan: &Plan,
    verb: &'static str,
    held: bool,
    reason: &str,
) -> Case<()> {
    let id = plan.id;
    let deed = house.deed(actor, verb, id).detail(reason);
    let set = house.store.write(&deed, move |tx| {
        if !tx.plan(id)?.state.is_live() {
            return Err(StoreError::Conflict("plan"));
        }
        tx.hold_plan(id, held)
    });
    Ok(set.await?)
}

/// Ends a plan for good, before its GO. One person may: it is the safe direction.
pub async fn abort(house: &House, actor: Actor, plan: &Plan, reason: &str) -> Case<()> {
    let (id, kind) = (plan.id, plan.kind);
    if matches!(plan.state, PlanState::Finished | PlanState::Void) {
        return Err(CaseError::not_now(
            format!("the plan is {}", plan.state),
            "there is nothing to abort",
        ));
    }
    let deed = house.deed(actor, "plan-abort", id).detail(reason);
    let why = Embargoed::new(reason.to_owned());
    let done = house
        .store
        .write(&deed, move |tx| {
            if kind.is_public() {
                tx.decide(id, Decision::Abort, 0, &why)?;
            }
            let state = tx.plan(id)?.state;
            tx.move_plan(id, state, PlanState::Void)
        })
        .await;
    match done {
        Err(StoreError::AlreadyDecided) => Err(CaseError::not_now(
            "GO is written: distributors and the world act on it",
            "go forward: `plan hold`, `plan done`, `plan skip`",
        )),
        other => Ok(other?),
    }
}

/// Vouches that a step is done.
pub async fn done(
    house: &House,
    actor: Actor,
    by: &str,
    plan: &Plan,
    step: StepId,
    evidence: &str,
) -> Case<()> {
    if evidence.trim().is_empty() {
        return Err(CaseError::invalid(
            "evidence",
            "is empty",
            "give an address or say what shows that it is done",
        ));
    }
    let happened = Happened::ByHand { by: by.to_owned(), evidence: evidence.to_owned() };
    record(house, actor, "step-done", plan, step, happened).await
}

/// Decides that a step shall not happen.
pub async fn skip(
    house: &House,
    actor: Actor,
    by: &str,
    plan: &Plan,
    step: StepId,
    reason: &str,
) -> Case<()> {
    if reason.trim().is_empty() {
        return Err(CaseError::invalid("reason", "is empty", "say why it shall not happen"));
    }
    let happened = Happened::Skipped { by: by.to_owned(), reason: reason.to_owned() };
    record(house, actor, "step-skip", plan, step, happened).await
}

/// Lets a step that waits for a person try again.
pub async fn retry(
    house: &House,
    actor: Actor,
    by: &str,
    plan: &Plan,
    step: StepId,
    reason: &str,
) -> Case<()> {
    let happened = Happened::Released { by: by.to_owned(), reason: reason.to_owned() };
    record(house, actor, "step-retry", plan, step, happened).await
}

async fn record(
    house: &House,
    actor: Actor,
    verb: &'static str,
    plan: &Plan,
    step: StepId,
    happened: Happened,
) -> Case<()> {
    live(plan)?;
    let (id, at) = (plan.id, house.now());
    let event = StepEvent { id: house.fresh(EventId::new), step, at, epoch: 0, happened };
    let cache = standing(house, plan).await?.run.preview(&event);
    let deed = house.deed(actor, verb, step);
    house
        .store
        .write(&deed, move |tx| {
            if !tx.plan(id)?.state.is_live() {
                return Err(StoreError::Conflict("plan"));
            }
            let happened = &event.happened;
            tx.add_step_event(event.id, (id, step), 0, happened.word(), happened)?;
            if let Some((progress, repeat)) = cache {
                tx.cache_step(step, &progress, repeat)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

fn live(plan: &Plan) -> Case<()> {
    if plan.state.is_live() {
        return Ok(());
    }
    Err(CaseError::not_now(
        format!("the plan is {}", plan.state),
        "only an approved or running plan can be steered",
    ))
}

/// What asking for an early start led to.
pub struct Lifted {
    /// The Release plan.
    pub plan: Plan,
    /// How many members asked.
    pub given: u32,
    /// How many are needed.
    pub needed: u32,
}

/// Asks for an approved Release plan to start before T0.
pub async fn publish_now(
    house: &House,
    member: MemberId,
    disclosure: &Disclosure,
    reason: &str,
) -> Case<Lifted> {
    if reason.trim().is_empty() {
        return Err(CaseError::invalid("reason", "is empty", "say why it cannot wait"));
    }
    let dis = disclosure.id;
    let plans = house.store.read(move |r| r.plans(dis)).await?;
    let ready = |p: &&Plan| p.kind == PlanKind::Release && p.state == PlanState::Approved;
    let plan = plans.iter().find(ready).cloned().ok_or_else(|| {
        let needed = house.config.plans.publish_now;
        CaseError::NeedsApproval {
            needed,
            given: 0,
            cure: "no release plan is approved: have one approved, or let everything be made anew \
                   by saying how soon (--in 0s is at once), which voids the plans that wait"
                .to_owned(),
        }
    })?;
    if plan.held {
        return Err(CaseError::not_now("the release plan is held", "daybreak plan resume"));
    }
    let needed = super::plans::manifest_of(&plan)?.early_lift;
    let lift =
        Lift { plan: plan.id, member, at: house.now(), reason: Embargoed::new(reason.to_owned()) };
    let deed = house
        .deed(Actor::Member(member), "publish-now", plan.id)
        .detail(lift.reason.open(Reason::Review).clone());
    let id = plan.id;
    let given = house
        .store
        .write(&deed, move |tx| {
            tx.add_lift(&lift)?;
            Ok::<_, StoreError>(u32::try_from(tx.lifts(id)?.len()).unwrap_or(u32::MAX))
        })
        .await?;
    Ok(Lifted { plan, given, needed })
}
