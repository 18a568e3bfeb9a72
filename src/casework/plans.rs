//! Plans: pinned, shown, voided. What goes into one is gathered in `notice`, `release` and
//! `headsup`.

mod content;
pub(super) mod headsup;
mod hurry;
pub mod notice;
mod pin;
pub mod preview;
pub mod public;
mod release;
pub(super) mod remakes;
mod resend;
mod succession;
mod unfixed;
mod views;

pub use hurry::Hurry;
pub(super) use release::judge as judge_release;
pub use resend::resend;
pub(super) use succession::Succession;

use super::{Case, CaseError, House};
use crate::domain::action::Action;
use crate::domain::approval::Approval;
use crate::domain::approval_text::ApprovalText;
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::finding::Finding;
use crate::domain::ids::{AdvisoryId, DisclosureId, PlanId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanKind, PlanState, Step};
use crate::domain::run::{GoRow, PlanFacts, Run};
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::domain::zone::T0;
use crate::store::{Decision, Reader, StoreError, Tx};

/// What whoever makes a plan says of it.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Codes of findings that stop unless they are accepted.
    pub accept: Vec<String>,
    /// When a Headsup goes out; a week before T0, or at once, unless said.
    pub at: Option<T0>,
    /// What a Notice tells.
    pub tell: notice::Tell,
    /// Set when a Release cannot wait: `plans.publish_now` people approve it.
    pub hurry: Option<Hurry>,
}

/// Pins a plan of the wanted kind; findings that stop are an error, the others are returned
/// for the approvers to see.
pub async fn make(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    kind: PlanKind,
) -> Case<(Plan, Vec<Finding>)> {
    make_as(house, actor, disclosure, kind, &Order::default()).await
}

/// The same with what somebody said of it.
pub async fn make_as(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    kind: PlanKind,
    order: &Order,
) -> Case<(Plan, Vec<Finding>)> {
    let (plan, findings) = match kind {
        PlanKind::Notice => notice::make(house, actor, disclosure, order).await,
        PlanKind::Release => release::make(house, actor, disclosure, order).await,
        PlanKind::Headsup => headsup::make(house, actor, disclosure, order).await,
        PlanKind::Correction => Err(CaseError::not_now(
            format!("{kind} plans cannot be made yet"),
            "this version makes notice, headsup and release plans",
        )),
    }?;
    // Whoever went on although something stopped is on record.
    let mut accepted: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
    accepted.retain(|code| order.accept.iter().any(|a| a == code));
    if !accepted.is_empty() {
        let deed = house.deed(actor, "plan-accept", plan.id).detail(accepted.join(" "));
        house.store.write(&deed, |_| Ok::<_, StoreError>(())).await?;
    }
    Ok((plan, findings))
}

/// What a plan says, from its stored text.
pub fn manifest_of(plan: &Plan) -> Case<Manifest> {
    let manifest = Manifest::parse(plan.manifest.open(Reason::Review));
    manifest.map_err(|e| CaseError::machine("reading the plan", e))
}

/// Whether a plan is a notice that is no mere resend of another one.
pub(super) fn tells_anew(plan: &Plan) -> bool {
    let again = || manifest_of(plan).is_ok_and(|m| m.resends.is_some());
    plan.kind == PlanKind::Notice && !again()
}

/// The text that approves a plan.
pub fn approval_text(plan: &Plan) -> Case<String> {
    Ok(ApprovalText::of(&manifest_of(plan)?, plan.digest).render())
}

/// The plans of a disclosure, oldest first.
pub async fn of(house: &House, disclosure: DisclosureId) -> Case<Vec<Plan>> {
    Ok(house.store.read(move |r| r.plans(disclosure)).await?)
}

/// The plans of every disclosure, void ones included.
pub async fn all(house: &House) -> Case<Vec<Plan>> {
    let plans = house.store.read(|r| {
        let mut all = Vec::new();
        for disclosure in r.disclosures()? {
            all.extend(r.plans(disclosure.id)?);
        }
        Ok::<_, StoreError>(all)
    });
    Ok(plans.await?)
}

/// A plan as it stands: what was approved, decided and done.
pub struct Standing {
    /// The plan.
    pub plan: Plan,
    /// What it says.
    pub manifest: Manifest,
    /// Who said yes.
    pub approvals: Vec<Approval>,
    /// What the database says of it as a whole: held, GO, lifted.
    pub facts: PlanFacts,
    /// How far its steps are.
    pub run: Run,
    /// Its log.
    pub events: Vec<StepEvent>,
}

/// Reads a plan as it stands.
pub async fn standing(house: &House, plan: &Plan) -> Case<Standing> {
    let manifest = manifest_of(plan)?;
    let early_lift = manifest.early_lift;
    let id = plan.id;
    let (plan, approvals, facts, pauses, events) = house
        .store
        .read(move |r| {
            let plan = r.plan(id)?;
            let facts = facts(r, &plan, early_lift)?;
            let (pauses, events) = (r.pauses(id)?, events(r, id)?);
            Ok::<_, StoreError>((plan, r.approvals(id)?, facts, pauses, events))
        })
        .await?;
    let mut run = Run::new(&manifest, facts, house.outlets.repeats());
    run.heed(&pauses);
    events.iter().for_each(|e| run.apply(e));
    Ok(Standing { plan, manifest, approvals, facts, run, events })
}

/// What the database says of a plan as a whole.
pub fn facts(r: &mut Reader<'_>, plan: &Plan, early_lift: u32) -> Result<PlanFacts, StoreError> {
    facts_of(r, plan.id, (plan.state, plan.held), early_lift)
}

/// The same of a plan whose own columns say that.
pub fn facts_of(
    r: &mut Reader<'_>,
    plan: PlanId,
    (state, held): (PlanState, bool),
    early_lift: u32,
) -> Result<PlanFacts, StoreError> {
    let go = r.decided(plan)?.map(|d| match d.decision {
        Decision::Go => GoRow::Go(d.at),
        Decision::Abort => GoRow::Abort,
    });
    let lifts = u32::try_from(r.lifts(plan)?.len()).unwrap_or(u32::MAX);
    Ok(PlanFacts { state, held, go, lifted: lifts >= early_lift.max(1) })
}

/// The log of a plan's steps, oldest first.
pub fn events(r: &mut Reader<'_>, plan: PlanId) -> Result<Vec<StepEvent>, StoreError> {
    Ok(events_after(r, plan, 0)?.into_iter().map(|(_, event)| event).collect())
}

/// The same after line `after`, with each event's number.
pub fn events_after(
    r: &mut Reader<'_>,
    plan: PlanId,
    after: i64,
) -> Result<Vec<(i64, StepEvent)>, StoreError> {
    let stored = r.step_events::<Happened>(plan, after)?;
    let event = |e: crate::store::StoredEvent<Happened>| {
        let happened = e.record;
        (e.number, StepEvent { id: e.id, step: e.step, at: e.at, epoch: e.epoch, happened })
    };
    Ok(stored.into_iter().map(event).collect())
}

/// A step's action as it is dispatched: a push that leaves a moved branch alone goes to
/// `security/NAME` instead; what is made of a moved branch is dated `slots_at`.
pub fn redirected(step: &Step, detoured: bool, slots_at: At) -> Action {
    match &step.action {
        Action::Push { repository, place, refs, pack, remake } => Action::Push {
            repository: repository.clone(),
            place: *place,
            refs: if detoured { Step::detour(refs) } else { refs.clone() },
            pack: pack.clone(),
            remake: remake.as_ref().map(|r| r.filled(slots_at)),
        },
        action => action.clone(),
    }
}

/// Which plans an edit makes stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    /// Release plans: what notices say did not change.
    Release,
    /// All, notices that are still being sent too: nobody may hear what no longer holds.
    All,
}

/// Any edit makes a new plan: the old ones send nothing more. Only an open disclosure is
/// edited, so no plan with a GO is ever among them, but for a Headsup: what it has not said
/// yet it does not say any more.
pub(super) fn void_of(
    tx: &mut Tx<'_>,
    disclosure: DisclosureId,
    stale: Stale,
) -> Result<(), StoreError> {
    for plan in tx.plans(disclosure)? {
        let open = plan.state.is_voidable() || plan.state == PlanState::Running;
        if open && (stale == Stale::All || !ahead(plan.kind)) {
            tx.move_plan(plan.id, plan.state, PlanState::Void)?;
        }
    }
    Ok(())
}

/// Whether plans of that kind tell something ahead: what is told to nobody ahead changes
/// nothing of them.
const fn ahead(kind: PlanKind) -> bool {
    matches!(kind, PlanKind::Notice | PlanKind::Headsup)
}

/// The same for every open disclosure that holds an advisory.
pub(super) fn void_of_advisory(tx: &mut Tx<'_>, advisory: AdvisoryId) -> Result<(), StoreError> {
    for disclosure in tx.disclosures()? {
        let holds = disclosure.case.open(Reason::Judging).advisories.contains(&advisory);
        if holds && disclosure.stage.is_open() {
            void_of(tx, disclosure.id, Stale::All)?;
        }
    }
    Ok(())
}
