//! In whose hands a disclosure is: who leads it, who is called when nobody answers, and when the
//! deputy said that they are ready.

use std::collections::BTreeMap;

use super::plans::events;
use super::{Case, CaseError, House, calls};
use crate::domain::deed::{Actor, Subject};
use crate::domain::disclosure::{Disclosure, Hands};
use crate::domain::escalation::{ACK, State};
use crate::domain::ids::{DisclosureId, MemberId};
use crate::domain::party::Member;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::Stage;
use crate::domain::time::{At, Span};
use crate::store::{Reader, StoreError};

/// So long before T0 the deputy must have said that they are ready.
const READY: Span = Span::hours(24);
/// So far behind T0 a call about the house still concerns its disclosure.
const AFTER: Span = Span::hours(-6);

/// Names who leads and who is called; what is `None` stays. Another deputy has not said yet that
/// they are ready. No plan becomes void by it.
pub async fn name(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    coordinator: Option<&Member>,
    deputy: Option<&Member>,
) -> Case<Disclosure> {
    for member in coordinator.iter().chain(&deputy) {
        if !member.active {
            return Err(CaseError::invalid(
                "member",
                "is no longer active",
                "name an active one; see `daybreak team list`",
            ));
        }
    }
    let mut hands = disclosure.case.open(Reason::Editing).hands.clone();
    if let Some(member) = coordinator {
        hands.coordinator = Some(member.id);
    }
    if let Some(member) = deputy.filter(|m| hands.deputy != Some(m.id)) {
        (hands.deputy, hands.taken) = (Some(member.id), None);
    }
    if hands.deputy.is_some() && hands.deputy == leads(house, disclosure, &hands).await? {
        return Err(CaseError::invalid(
            "deputy",
            "leads it already",
            "name somebody else: a deputy is called when the coordinator is silent",
        ));
    }
    let said = |m: Option<MemberId>| m.map_or_else(|| "nobody".to_owned(), |m| m.to_string());
    let detail = format!("coordinator {}, deputy {}", said(hands.coordinator), said(hands.deputy));
    save(house, actor, "disclosure-deputy", disclosure, hands, detail).await
}

/// The deputy takes it: they are ready, or act from now on.
pub async fn take(house: &House, member: MemberId, disclosure: &Disclosure) -> Case<Disclosure> {
    let mut hands = disclosure.case.open(Reason::Editing).hands.clone();
    if hands.deputy != Some(member) {
        return Err(CaseError::not_now(
            "you are not its deputy",
            "daybreak disclosure deputy DISC MEMBER names one",
        ));
    }
    hands.taken = Some(house.now());
    let actor = Actor::Member(member);
    save(house, actor, "disclosure-take", disclosure, hands, String::new()).await
}

async fn save(
    house: &House,
    actor: Actor,
    verb: &'static str,
    disclosure: &Disclosure,
    hands: Hands,
    detail: String,
) -> Case<Disclosure> {
    if disclosure.stage == Stage::Cancelled {
        return Err(CaseError::not_now(
            "the disclosure is cancelled",
            "nobody is called for it any more",
        ));
    }
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.hands = hands;
    let mut changed = Disclosure { case: Embargoed::new(content), ..disclosure.clone() };
    let deed = house.deed(actor, verb, changed.id).detail(detail);
    let stored = changed.clone();
    changed.revision = house.store.write(&deed, move |tx| tx.save_disclosure(&stored)).await?;
    Ok(changed)
}

/// Who leads it: whoever was named, or the member who opened it.
pub async fn leads(
    house: &House,
    disclosure: &Disclosure,
    hands: &Hands,
) -> Case<Option<MemberId>> {
    if hands.coordinator.is_some() {
        return Ok(hands.coordinator);
    }
    let subject = Subject::from(disclosure.id);
    let lines = house.store.read(move |r| r.audit_of(&subject)).await?;
    let opened = lines.iter().find(|l| l.verb == "disclosure-new");
    Ok(opened.and_then(|l| match l.actor {
        Actor::Member(id) => Some(id),
        Actor::Operator | Actor::Engine(_) => None,
    }))
}

/// A deputy who must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// To what.
    pub disclosure: DisclosureId,
    /// Where they are called. Confidential.
    pub address: String,
    /// What tells this call from the one before.
    pub which: String,
}

/// Who must be called, and which calls to the team were answered: `paged` says since when each
/// subject waits for an answer.
pub async fn silent(
    house: &House,
    mut paged: BTreeMap<String, At>,
) -> Case<(Vec<Wanted>, Vec<String>)> {
    let now = house.now();
    // What is said again stands in the audit, so that a restart begins no half hour anew.
    match calls::recent(house).await {
        Ok(all) => {
            let open = all.into_iter().filter(|c| c.state == State::Open && c.goes_on(now));
            for call in open {
                let since = paged.entry(call.subject.to_string()).or_insert(call.said.first);
                *since = call.said.first.min(*since);
            }
        }
        Err(_) => tracing::warn!("it cannot be read since when calls of the team wait"),
    }
    let patience = Span::mins(i64::from(house.config.plans.deputy_after));
    let read = house.store.read(move |r| {
        let (mut wanted, mut answered) = (Vec::new(), Vec::new());
        let members = r.members()?;
        for id in r.under_way()? {
            match silent_of(r, id, &members, &paged, (now, patience)) {
                Ok((calls, heard)) => {
                    wanted.extend(calls);
                    answered.extend(heard);
                }
                Err(e) if e.is_away() => return Err(e),
                // One that cannot be read must not keep the deputies of the others from theirs.
                Err(_) => tracing::warn!(
                    disclosure = %id,
                    "it cannot be read: nobody sees whether its deputy must be called"
                ),
            }
        }
        Ok::<_, StoreError>((wanted, answered))
    });
    Ok(read.await?)
}

/// The same of one disclosure.
fn silent_of(
    r: &mut Reader<'_>,
    id: DisclosureId,
    members: &[Member],
    paged: &BTreeMap<String, At>,
    (now, patience): (At, Span),
) -> Result<(Vec<Wanted>, Vec<String>), StoreError> {
    let (mut wanted, mut answered) = (Vec::new(), Vec::new());
    let disclosure = r.disclosure(id)?;
    let hands = &disclosure.case.open(Reason::Judging).hands;
    let deputy = members.iter().find(|m| m.active && Some(m.id) == hands.deputy);
    let Some(deputy) = deputy else { return Ok((wanted, answered)) };
    let address = deputy.record.open(Reason::Dispatch).address.clone();
    let call = |which| Wanted { disclosure: id, address: address.clone(), which };
    let ahead = disclosure.t0.map(|t0| t0.at.since(now));
    if disclosure.stage.is_open()
        && hands.taken.is_none()
        && ahead.is_some_and(|ahead| Span::ZERO < ahead && ahead <= READY)
    {
        let t0 = disclosure.t0.map(|t0| t0.at.rfc3339()).unwrap_or_default();
        wanted.push(call(format!("ready {t0}")));
    }
    let mut subjects = vec![disclosure.id.to_string()];
    subjects.extend(r.plans(disclosure.id)?.iter().map(|p| p.id.to_string()));
    // Without clock or database no day goes on: near one, such a call is about it, too.
    let house = Subject::house().to_string();
    if ahead.is_some_and(|ahead| AFTER <= ahead && ahead <= READY) {
        subjects.push(house.clone());
    }
    let waits = paged.iter().filter(|(subject, _)| subjects.contains(*subject));
    let waits: Vec<(&String, At)> = waits.map(|(subject, at)| (subject, *at)).collect();
    if waits.is_empty() {
        return Ok((wanted, answered));
    }
    let mut last = last_word(r, &disclosure)?;
    if let Some((_, since)) = waits.iter().find(|(subject, _)| **subject == house) {
        last = last.max(word_of_house(r, *since)?);
    }
    // Each for itself: what was said since an old call answers no newer one.
    let (heard, unheard): (Vec<_>, Vec<_>) =
        waits.into_iter().partition(|(_, at)| last.is_some_and(|last| last > *at));
    answered.extend(heard.into_iter().map(|(subject, _)| subject.clone()));
    let since = unheard.into_iter().map(|(_, at)| at).min();
    if let Some(since) = since.filter(|since| now.since(*since) >= patience) {
        wanted.push(call(format!("silent {}", since.rfc3339())));
    }
    Ok((wanted, answered))
}

/// When anybody of the team last answered for the house since then. A backup is no answer: a
/// timer makes it.
fn word_of_house(r: &mut Reader<'_>, since: At) -> Result<Option<At>, StoreError> {
    let lines = match r.audit_with(&[ACK, "house-rearm"], since) {
        Ok(lines) => lines,
        Err(e) if e.is_away() => return Err(e),
        // Rather a call too many than none for any disclosure.
        Err(_) => {
            tracing::warn!("it cannot be read who answered for the house");
            return Ok(None);
        }
    };
    let house = Subject::house();
    let people = lines
        .iter()
        .filter(|l| l.subject == house.as_str() && !matches!(l.actor, Actor::Engine(_)));
    Ok(people.map(|l| l.at).max())
}

/// When anybody of the team last did anything about a disclosure, its texts, plans or steps.
fn last_word(r: &mut Reader<'_>, disclosure: &Disclosure) -> Result<Option<At>, StoreError> {
    let case = disclosure.case.open(Reason::Judging);
    let mut subjects: Vec<Subject> = vec![disclosure.id.into()];
    subjects.extend(case.advisories.iter().map(|a| Subject::from(*a)));
    let mut last = None;
    for plan in r.plans(disclosure.id)? {
        subjects.push(plan.id.into());
        // An event of no epoch was written by a person.
        let by_hand = events(r, plan.id)?.into_iter().filter(|e| e.epoch == 0);
        last = last.max(by_hand.map(|e| e.at).max());
    }
    for subject in &subjects {
        let lines = r.audit_of(subject)?;
        let people = lines.iter().filter(|l| !matches!(l.actor, Actor::Engine(_)));
        last = last.max(people.map(|l| l.at).max());
    }
    Ok(last)
}
