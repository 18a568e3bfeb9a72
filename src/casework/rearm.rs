//! Letting a house act again that was in quarantine: as many people as a release needs say so,
//! and the world is asked about every open step first.
//!
//! What must stay true: a step that may have happened after the backup was made, and of which
//! the world cannot tell, is not done again by itself; a plan whose time is still ahead waits
//! until a person has looked at it; one whose T0 has passed goes on.

use super::identity::{self, Standing, keep};
use super::plans::preview::blobs;
use super::plans::{self, standing};
use super::{Case, CaseError, House};
use crate::clock::sleep;
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::deed::{Actor, Subject};
use crate::domain::effect::Intended;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::{EventId, MemberId, PlanId, StepId};
use crate::domain::plan::{PlanState, Step};
use crate::domain::quarantine::{Doubt, Quarantine, Rearm};
use crate::domain::receipt::{OutletError, Repeat, Seen};
use crate::domain::run::{GoRow, Progress, Status};
use crate::domain::time::{At, Span};

/// Said of a step of which nobody can tell whether it happened after the backup.
pub const AFTER_QUARANTINE: &str = "after-quarantine";
/// Whoever leads and lives beats within this span, twice over.
const ALIVE: Span = Span::secs(12);
/// How long ago a finished plan may have ended to be looked at too.
const RECENT: Span = Span::days(-7);

/// What the world showed of one step.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its plan.
    pub plan: PlanId,
    /// Which.
    pub step: StepId,
    /// Where it goes.
    pub outlet: String,
    /// How it stands in our log.
    pub log: &'static str,
    /// What the world shows.
    pub world: &'static str,
    /// Whether a person must now say what became of it.
    pub asks: bool,
}

/// How far a re-arming is.
pub enum Rearmed {
    /// More people must say so.
    Waits {
        /// How many did.
        given: u32,
        /// How many must.
        needed: u32,
    },
    /// The house acts again.
    Done {
        /// What was found of each step.
        found: Vec<Found>,
        /// Plans that now wait for `plan resume`.
        held: Vec<PlanId>,
    },
}

/// One member lets the house act again.
pub async fn rearm(house: &House, member: MemberId, reason: &str) -> Case<Rearmed> {
    if reason.trim().is_empty() {
        return Err(CaseError::invalid("reason", "is empty", "say why this is the one house"));
    }
    let doubt = match identity::stands(&house.store, &house.dir).await? {
        Standing::Doubted(doubt) => doubt,
        Standing::New | Standing::Known(_) => {
            return Err(CaseError::not_now(
                "the house is not in quarantine",
                "there is nothing to re-arm",
            ));
        }
    };
    let said = house.store.read(|r| r.quarantine()).await?;
    let strange = matches!(doubt, Doubt::NoWord | Doubt::OtherHouse);
    if said.is_none() && strange && is_led(house).await? {
        // It would stop the machine that leads, in the middle of its day.
        return Err(CaseError::not_now(
            "an engine on another machine leads this database and knows the house; only this \
             machine does not",
            "copy house.id from the machine that leads",
        ));
    }
    let now = house.now();
    let mut said = said.unwrap_or(Quarantine { doubt, since: now, rearmed: Vec::new() });
    said.rearmed.retain(|r| r.member != member);
    said.rearmed.push(Rearm { member, reason: reason.to_owned(), at: now });
    let active = house.store.read(|r| r.members()).await?;
    let counts = |r: &&Rearm| active.iter().any(|m| m.active && m.id == r.member);
    let given = u32::try_from(said.rearmed.iter().filter(counts).count()).unwrap_or(u32::MAX);
    let needed = house.config.plans.release;
    let deed = house.deed(Actor::Member(member), "house-rearm", Subject::house()).detail(reason);
    if given < needed {
        house.store.write(&deed, move |tx| tx.set_quarantine(Some(&said))).await?;
        return Ok(Rearmed::Waits { given, needed });
    }
    let (found, events, held) = look(house, now, said.doubt).await?;
    let identity = identity::fresh(house).await?;
    let (new, wait) = (identity.clone(), held.clone());
    let written = house.store.write(&deed, move |tx| {
        for plan in wait {
            tx.hold_plan(plan, true)?;
        }
        for (plan, event, cache) in events {
            let happened = &event.happened;
            tx.add_step_event(event.id, (plan, event.step), 0, happened.word(), happened)?;
            if let Some((progress, repeat)) = cache {
                tx.cache_step(event.step, &progress, repeat)?;
            }
        }
        tx.set_identity(&new)?;
        tx.set_quarantine(None)
    });
    written.await?;
    keep(&house.store, &house.dir, &identity.id).await?;
    Ok(Rearmed::Done { found, held })
}

/// Whether an engine shows that it lives.
async fn is_led(house: &House) -> Case<bool> {
    let before = house.store.read(|r| r.lease()).await?;
    if before.holder.is_none() {
        return Ok(false);
    }
    sleep(house.clock.as_ref(), ALIVE).await;
    Ok(house.store.read(|r| r.lease()).await? != before)
}

type Noted = (PlanId, StepEvent, Option<(Progress, Repeat)>);

/// Asks the world about every open step, and those of plans that ended lately.
async fn look(house: &House, now: At, doubt: Doubt) -> Case<(Vec<Found>, Vec<Noted>, Vec<PlanId>)> {
    let (mut found, mut noted, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for plan in plans::all(house).await? {
        let stands = standing(house, &plan).await?;
        let live = stands.plan.state.is_live();
        let lately = stands.events.last().is_some_and(|e| e.at >= now.plus(RECENT));
        let ended_lately = stands.plan.state == PlanState::Finished && lately;
        if !live && !ended_lately {
            continue;
        }
        // After T0 distributors go public by themselves: what was begun goes on. But whether T0
        // has come is what an older database may be wrong about: then a person says so first.
        let not_gone = stands.plan.kind.is_public() && stands.facts.go.is_none();
        let ahead = stands.manifest.t0.at > now || (doubt.may_be_older() && not_gone);
        if live && !stands.plan.held && ahead {
            held.push(plan.id);
        }
        let slots_at = match stands.facts.go {
            Some(GoRow::Go(at)) => at,
            _ => stands.plan.t0,
        };
        for step in &stands.manifest.steps {
            let Some(progress) = stands.run.progress(step.id) else { continue };
            // Whoever asks a list's archive or a shop for a thing ahead of its time tells them of
            // it. Our own repositories and pages are asked: they show an early start.
            let ours = matches!(step.action, Action::Push { .. } | Action::Publish { .. });
            if not_gone && step.not_before > now && !ours {
                continue;
            }
            let seen = seen(house, plan.id, step, progress, slots_at).await;
            let waits = matches!(progress.status, Status::Blocked { .. });
            let open = live && !progress.status.is_settled() && !waits && step.not_before <= now;
            let happened = if open { told(&seen) } else { None };
            let asks = matches!(happened, Some(Happened::Failed { .. }));
            found.push(Found {
                plan: plan.id,
                step: step.id,
                outlet: step.outlet.clone(),
                log: progress.status.word(),
                world: word(&seen),
                asks,
            });
            if let Some(happened) = happened {
                let id = house.fresh(EventId::new);
                let event = StepEvent { id, step: step.id, at: now, epoch: 0, happened };
                let cache = stands.run.preview(&event);
                noted.push((plan.id, event, cache));
            }
        }
    }
    Ok((found, noted, held))
}

/// What becomes of an open step whose time has come. Where the world shows nothing, the engine
/// looks again before it acts; where nobody can tell, a person must.
fn told(seen: &Seen) -> Option<Happened> {
    match seen {
        Seen::Present(_) | Seen::Conflict(_) => Some(Happened::looked(seen.clone())),
        Seen::Absent | Seen::Underway(_) => None,
        Seen::CannotTell => {
            let said = "it may have left after the backup was made";
            Some(Happened::Failed { error: OutletError::ask_human(AFTER_QUARANTINE, said) })
        }
    }
}

const fn word(seen: &Seen) -> &'static str {
    match seen {
        Seen::Absent => "absent",
        Seen::Underway(_) => "under way",
        Seen::Present(_) => "there",
        Seen::Conflict(_) => "something else is there",
        Seen::CannotTell => "nobody can tell",
    }
}

/// Bytes that cannot be read leave the world unasked: then nobody can tell.
async fn seen(house: &House, plan: PlanId, step: &Step, progress: &Progress, slots_at: At) -> Seen {
    let Some(outlet) = house.outlets.get(&step.outlet) else { return Seen::CannotTell };
    let mut filled = Vec::new();
    if step.sealing.is_none() {
        let wanted = step.action.blobs().into_iter().cloned().collect();
        let Ok(pinned) = blobs(house, plan, wanted).await else { return Seen::CannotTell };
        for blob in pinned {
            let Ok(bytes) = blob.filled(slots_at) else { return Seen::CannotTell };
            filled.push(Blob { about: blob.about, bytes });
        }
    }
    let action = plans::redirected(step, progress.detoured, slots_at);
    outlet.look(&Intended { step: step.id, action, blobs: filled }).await
}
