//! Who has which notice, and what is heard of it afterwards: from a relay, from its reader,
//! from a person who picked up the telephone.
//!
//! Later words are written into the log of the step whatever became of its plan: they reopen
//! nothing, and nothing is sent because of them.

mod heard;

use super::plans::{events, manifest_of};
use super::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::had::Had;
use crate::domain::ids::{DisclosureId, EventId, PlanId, StepId};
use crate::domain::ledger::{self, Delivery, DeliveryState, Ledger, Sent, Tally};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanKind, PlanState, Step};
use crate::domain::run::{PlanFacts, Run};
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::store::StoreError;
pub(super) use heard::Heard;

/// How a disclosure's notices stand.
pub struct Status {
    /// Every delivery with whose it is: a distributor's name, or `reporter`.
    pub rows: Vec<(String, Delivery)>,
    /// How the newest revision stands; `None` while no notice was approved.
    pub tally: Option<Tally>,
}

/// Who has which notice of a disclosure.
pub async fn status(house: &House, disclosure: &Disclosure) -> Case<Status> {
    status_at(house, disclosure, house.now()).await
}

/// The same as it was known at `at`, where that depends on how long nothing was heard.
pub async fn status_at(house: &House, disclosure: &Disclosure, at: At) -> Case<Status> {
    let ledger = ledger_at(house, disclosure.id, at).await?;
    let distributors = house.store.read(|r| r.distributors()).await?;
    let name = |recipient: &str| {
        let theirs = distributors
            .iter()
            .map(|d| d.record.open(Reason::Review))
            .find(|record| record.contacts.iter().any(|c| c.id.to_string() == recipient));
        theirs.map_or_else(|| "reporter".to_owned(), |record| record.name.clone())
    };
    let rows = ledger.all().iter().map(|d| (name(&d.recipient), d.clone())).collect();
    Ok(Status { rows, tally: ledger.tally() })
}

/// The ledger itself, without names.
pub(super) async fn ledger_of(house: &House, disclosure: DisclosureId) -> Case<Ledger> {
    ledger_at(house, disclosure, house.now()).await
}

async fn ledger_at(house: &House, disclosure: DisclosureId, at: At) -> Case<Ledger> {
    let read = house.store.read(move |r| {
        let mut all = Vec::new();
        for plan in r.plans(disclosure)? {
            let ours = plan.kind == PlanKind::Notice && plan.state != PlanState::Made;
            if ours {
                let events = events(r, plan.id)?;
                all.push((plan, events));
            }
        }
        Ok::<_, StoreError>(all)
    });
    let mut told = Revisions::default();
    let mut kept = Vec::new();
    for (plan, events) in read.await? {
        let manifest = manifest_of(&plan)?;
        let had = |step: &Step| Had::of(events.iter().filter(|e| e.step == step.id));
        let had: Vec<Had> = manifest.steps.iter().map(had).collect();
        let revision = told.of(&plan, &manifest, had.iter().any(|h| h.since().is_some()));
        // Void before it began: nobody was told anything.
        if plan.state == PlanState::Void && had.iter().all(|h| h.first_try().is_none()) {
            continue;
        }
        let run = folded(house, &plan, &manifest, &events);
        let sent = Sent { plan: &plan, revision, run: &run, events: &events };
        kept.push(ledger::deliveries(&sent, at));
    }
    Ok(Ledger::of(kept))
}

/// Which revision each plan tells, in the plans' order.
#[derive(Default)]
struct Revisions {
    told: i64,
    of: Vec<(PlanId, i64)>,
}

impl Revisions {
    /// A plan tells the revision after those that were told; a resend that of the other plan.
    fn of(&mut self, plan: &Plan, manifest: &Manifest, tells: bool) -> i64 {
        let again = manifest.resends.and_then(|id| self.of.iter().find(|(p, _)| *p == id));
        let revision = again.map_or(self.told.saturating_add(1), |(_, revision)| *revision);
        if tells && manifest.resends.is_none() {
            self.told = self.told.saturating_add(1);
        }
        self.of.push((plan.id, revision));
        revision
    }
}

fn folded(house: &House, plan: &Plan, manifest: &Manifest, events: &[StepEvent]) -> Run {
    let facts = PlanFacts { state: plan.state, held: plan.held, go: None, lifted: false };
    let mut run = Run::new(manifest, facts, house.outlets.repeats());
    events.iter().for_each(|e| run.apply(e));
    run
}

/// What the team must hear of a disclosure's notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worry {
    /// Bounced, silent or blocked.
    pub state: DeliveryState,
    /// A stable code where there is one: why it is blocked.
    pub code: String,
    /// Since when.
    pub since: At,
    /// The plan.
    pub plan: PlanId,
    /// The step; of a plan that is void before anything of it left there is none.
    pub step: Option<StepId>,
}

/// What bounced, who is silent, what will not go by itself, and the approved notice that became
/// void before it began while no other took its place.
pub async fn worries(house: &House, disclosure: DisclosureId) -> Case<Vec<Worry>> {
    let ledger = ledger_of(house, disclosure).await?;
    let bad = |d: &&Delivery| {
        matches!(d.state, DeliveryState::Bounced | DeliveryState::Silent | DeliveryState::Blocked)
    };
    let worry = |d: &Delivery| Worry {
        state: d.state,
        code: d.code.clone(),
        since: d.since,
        plan: d.plan,
        step: Some(d.step),
    };
    let mut all: Vec<Worry> = ledger.newest().filter(bad).map(worry).collect();
    let newest = house.store.read(move |r| {
        if !r.disclosure(disclosure)?.stage.is_open() {
            return Ok((false, None));
        }
        let mut notices = r.plans(disclosure)?;
        notices.retain(|p| p.kind == PlanKind::Notice);
        if notices.last().is_none_or(|p| p.state != PlanState::Void) {
            return Ok::<_, CaseError>((true, None));
        }
        // Of a draft nobody expected anything: the newest need not be the one that counts.
        let mut approved = None;
        for plan in notices {
            let given = u32::try_from(r.approvals(plan.id)?.len()).unwrap_or(u32::MAX);
            if given >= manifest_of(&plan)?.threshold {
                approved = Some(plan);
            }
        }
        let Some(plan) = approved.filter(|p| p.state == PlanState::Void) else {
            return Ok((true, None));
        };
        let left = events(r, plan.id)?.iter().any(|e| matches!(e.happened, Happened::Intended));
        Ok((true, (!left).then_some((plan.id, plan.made_at))))
    });
    let (open, void) = newest.await?;
    if !open {
        // Nobody needs a notice any more; who had one may still not have heard that it is off.
        all.retain(|w| w.state != DeliveryState::Blocked);
    }
    if let Some((plan, since)) = void {
        let code = ledger::PLAN_VOID.to_owned();
        all.push(Worry { state: DeliveryState::Blocked, code, since, plan, step: None });
    }
    Ok(all)
}

/// Writes down what was heard of a mail that left: `Delayed`, `Bounced` or `Acknowledged`, also
/// when its plan is finished or void. `event` makes it idempotent: the same once more changes
/// nothing and answers `false`.
pub async fn note_delivery(
    house: &House,
    actor: Actor,
    plan: PlanId,
    step: StepId,
    event: EventId,
    happened: Happened,
) -> Case<bool> {
    if !happened.is_heard() {
        return Err(CaseError::invalid(
            "happened",
            "is nothing that is heard of a delivery",
            "only delayed, bounced and acknowledged are",
        ));
    }
    write(house, actor, "notice-heard", plan, step, event, happened).await
}

/// Writes down that somebody was told otherwise, by telephone say. It takes the place of a mail
/// that did not arrive, or that nobody knows of; one that still goes by itself is left alone.
pub async fn mark_by_hand(
    house: &House,
    actor: Actor,
    by: &str,
    disclosure: &Disclosure,
    address: &str,
    evidence: &str,
) -> Case<Delivery> {
    if evidence.trim().is_empty() {
        return Err(CaseError::invalid(
            "evidence",
            "is empty",
            "say who was told, by whom, when and how",
        ));
    }
    let found = delivery_to(house, disclosure, address).await?;
    let no = |why: String, cure: &str| Err(CaseError::not_now(why, cure));
    match found.state {
        DeliveryState::Queued => {
            let why = format!("the mail to {} still goes by itself", found.address);
            return no(why, "wait for it, or decide against it: daybreak plan skip STEP");
        }
        DeliveryState::Acknowledged | DeliveryState::ByHand => {
            let why = format!("it is {} already", found.state);
            return no(why, "nothing more is needed");
        }
        _ => {}
    }
    let happened = Happened::ByHand { by: by.to_owned(), evidence: evidence.to_owned() };
    let event = house.fresh(EventId::new);
    write(house, actor, "notice-mark", found.plan, found.step, event, happened).await?;
    delivery_to(house, disclosure, address).await
}

/// The delivery of the newest revision to an address.
pub async fn delivery_to(house: &House, disclosure: &Disclosure, address: &str) -> Case<Delivery> {
    let ledger = ledger_of(house, disclosure.id).await?;
    let found = ledger.newest().find(|d| d.address.eq_ignore_ascii_case(address)).cloned();
    found.ok_or_else(|| {
        CaseError::unknown(
            "delivery to",
            address,
            "see `daybreak notice status`; who was added later: daybreak notice resend",
        )
    })
}

/// One line more in the log of a step of an approved Notice plan; `false` when it is there.
async fn write(
    house: &House,
    actor: Actor,
    verb: &'static str,
    plan: PlanId,
    step: StepId,
    event: EventId,
    happened: Happened,
) -> Case<bool> {
    let Some(heard) = Heard::of(house, plan, step, event, happened).await? else {
        return Ok(false);
    };
    let deed = house.deed(actor, verb, step).detail(heard.word());
    house.store.write(&deed, move |tx| heard.write(tx)).await?;
    Ok(true)
}
