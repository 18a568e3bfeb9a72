//! Calls of the team that were said and are to be said again: what the audit tells of them, and
//! answering one.
//!
//! What must stay true: whoever steers the plan that a call is about has answered it; a call is
//! written down only after somebody's machine took it.

use super::{Case, CaseError, House, rehearsals};
use crate::domain::deed::{Actor, Subject};
use crate::domain::escalation::{ACK, Call, OVER, SAID, Said, State, Word, fold};
use crate::domain::ids::{DisclosureId, PlanId, StepId};
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::store::{AuditLine, Reader, StoreError};

/// How far back calls are listed.
const LOOK_BACK: Span = Span::days(-7);

/// How the call for this cause stands, if it was said before and has not become old.
pub async fn standing(
    house: &House,
    (code, subject, step): (&'static str, &Subject, Option<StepId>),
) -> Case<Option<Call>> {
    let (about, now) = (subject.clone(), house.now());
    let found = house.store.read(move |r| {
        let calls = fold(r.audit_of(&about)?.into_iter().filter_map(as_word));
        let same = |c: &Call| c.said.code == code && c.said.step == step && c.goes_on(now);
        match calls.into_iter().rev().find(same) {
            Some(call) => steered(r, call).map(Some),
            None => Ok(None),
        }
    });
    Ok(found.await?)
}

/// Writes down that it was said.
pub async fn said(
    house: &House,
    actor: Actor,
    subject: &Subject,
    said: &Said,
    epoch: i64,
) -> Case<()> {
    let detail = serde_json::to_string(said).unwrap_or_default();
    let deed = house.deed(actor, SAID, subject.clone()).detail(detail);
    Ok(house.store.write(&deed, move |tx| tx.still_leads(epoch)).await?)
}

/// Writes down that what it called for has passed.
pub async fn over(
    house: &House,
    actor: Actor,
    subject: &Subject,
    call: &str,
    epoch: i64,
) -> Case<()> {
    let deed = house.deed(actor, OVER, subject.clone()).detail(call);
    Ok(house.store.write(&deed, move |tx| tx.still_leads(epoch)).await?)
}

/// The urgent calls of the last seven days, oldest first.
pub async fn recent(house: &House) -> Case<Vec<Call>> {
    let since = house.now().plus(LOOK_BACK);
    let calls = house.store.read(move |r| {
        let lines = r.audit_with(&[SAID, OVER, ACK], since)?;
        let calls = fold(lines.into_iter().filter_map(as_word));
        calls.into_iter().map(|call| steered(r, call)).collect::<Result<Vec<_>, _>>()
    });
    Ok(calls.await?)
}

/// Takes on every open call of that bell's code, or the one of that random code: it is not said
/// again. What it called for is not done by this.
pub async fn ack(house: &House, actor: Actor, which: &str) -> Case<Vec<Call>> {
    let bare = |text: &str| text.replace('-', "").to_ascii_lowercase();
    let named = |c: &&Call| c.said.code == which || bare(&c.said.call) == bare(which);
    let open: Vec<Call> = recent(house)
        .await?
        .iter()
        .filter(|c| c.state == State::Open)
        .filter(named)
        .cloned()
        .collect();
    if open.is_empty() {
        let cure = "daybreak bells list shows what is open";
        return Err(CaseError::unknown("open call", which, cure));
    }
    for call in &open {
        let deed = house.deed(actor, ACK, call.subject.clone()).detail(call.said.call.clone());
        house.store.write(&deed, |_| Ok::<_, StoreError>(())).await?;
    }
    Ok(open)
}

fn as_word(line: AuditLine) -> Option<(i64, At, Subject, Word)> {
    let detail = line.detail.open(Reason::Judging);
    let word = match line.verb.as_str() {
        SAID => Word::Said(serde_json::from_str(detail).ok()?),
        OVER => Word::Over(detail.clone()),
        ACK => Word::Answered(detail.clone()),
        _ => return None,
    };
    Some((line.seq, line.at, subject_of(&line.subject)?, word))
}

/// A subject that calls are made about.
fn subject_of(text: &str) -> Option<Subject> {
    let house = Subject::house();
    let plan = || text.parse::<PlanId>().ok().map(Subject::from);
    let disclosure = || text.parse::<DisclosureId>().ok().map(Subject::from);
    if text == house.as_str() { Some(house) } else { plan().or_else(disclosure) }
}

/// The call, answered when a person steered what it is about since it was said first.
fn steered(r: &mut Reader<'_>, mut call: Call) -> Result<Call, StoreError> {
    if call.state != State::Open {
        return Ok(call);
    }
    let about = related(r, &call.subject)?;
    let by_a_person = |(actor, verb, subject): &(Actor, String, String)| {
        !matches!(actor, Actor::Engine(_))
            && steers(verb)
            && about.iter().any(|a| a.as_str() == subject)
    };
    if r.deeds_after(call.seq)?.iter().any(by_a_person) {
        call.state = State::Answered;
    }
    Ok(call)
}

/// Whether only a person does this; mail that comes in is delivered by a machine, and a rehearsal
/// changes nothing that anybody called for.
fn steers(verb: &str) -> bool {
    ["plan-", "step-", "disclosure-", "publish-now", "house-rearm"]
        .iter()
        .any(|word| verb.starts_with(word))
        && verb != rehearsals::VERB
}

/// A plan with its disclosure and steps; a disclosure with its plans.
fn related(r: &mut Reader<'_>, subject: &Subject) -> Result<Vec<Subject>, StoreError> {
    let mut all = vec![subject.clone()];
    if let Ok(id) = subject.as_str().parse::<PlanId>() {
        all.push(r.plan(id)?.disclosure.into());
        all.extend(r.steps(id)?.into_iter().map(|s| Subject::from(s.id)));
    }
    if let Ok(id) = subject.as_str().parse::<DisclosureId>() {
        all.extend(r.plans(id)?.into_iter().map(|p| Subject::from(p.id)));
    }
    Ok(all)
}
