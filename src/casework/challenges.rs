//! Proof of readability: a sealed code goes out, and comes back from whoever could read it.
//!
//! A list is never asked: it re-encrypts to people whom we do not know. A code that nobody
//! brings back costs nothing but a warning, on the list and at every notice plan.

mod sending;

use std::collections::BTreeMap;

use super::members::check_address;
use super::windows::hears;
use super::{Case, CaseError, House};
use crate::domain::blob::Sha256;
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::Finding;
use crate::domain::ids::{ChallengeId, ContactId};
use crate::domain::message::{Challenge, Sending};
use crate::domain::party::{Contact, ContactKind, Distributor};
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::letters::challenge::Words;
use crate::store::StoreError;
pub(super) use sending::{Letter, Next, Try, next, tries_of, usable};

/// How long a proof holds.
const HOLDS: Span = Span::days(120);
/// Most codes looked up for one mail.
const CODES: usize = 20;

/// A challenge on its way.
pub struct Asked {
    /// The challenge.
    pub id: ChallengeId,
    /// To whom.
    pub address: String,
}

/// Asks one contact of a distributor, or all that can be asked.
pub async fn challenge(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: Option<&str>,
) -> Case<Vec<Asked>> {
    let record = distributor.record.open(Reason::Dispatch);
    let named = |c: &&Contact| address.is_none_or(|a| c.address.eq_ignore_ascii_case(a));
    let contacts: Vec<&Contact> = record.contacts.iter().filter(named).collect();
    let can = |c: &&&Contact| c.kind != ContactKind::List;
    if contacts.is_empty() {
        let known: Vec<_> = record.contacts.iter().map(|c| c.address.as_str()).collect();
        let cure = format!("addresses of this distributor: {}", known.join(", "));
        return Err(CaseError::unknown("contact", address.unwrap_or_default(), cure));
    }
    if !contacts.iter().any(|c| can(&c)) {
        return Err(CaseError::not_now(
            "a list is never asked for a proof: its readers are not ours to count",
            "ask its members by another way",
        ));
    }
    let mut asked = Vec::new();
    for contact in contacts.iter().filter(can) {
        asked.push(ask(house, actor, contact, None).await?);
    }
    Ok(asked)
}

/// Asks one contact; what its relay does not take is on record as that.
async fn ask(house: &House, actor: Actor, contact: &Contact, epoch: Option<i64>) -> Case<Asked> {
    let letter = Letter { actor, contact, words: Words::Challenge, epoch };
    let sent = letter.send(house).await?;
    match sent.failed {
        None => Ok(Asked { id: sent.id, address: contact.address.clone() }),
        Some(error) => Err(CaseError::machine("sending a challenge", error)),
    }
}

/// How long before T0 everybody with receipts is asked once more.
const AHEAD: Span = Span::days(14);
/// Over how long those mails are spread, so that they do not mark the moment.
const SPREAD: i64 = 24 * 60 * 60;

/// How a round of asking went.
#[derive(Debug, Default)]
pub struct Round {
    /// How many were asked.
    pub asked: usize,
    /// How many could not be.
    pub failed: usize,
    /// Contacts that are not tried again before the next occasion.
    pub given_up: Vec<ContactId>,
}

/// Asks whoever is to be asked by now: each contact with receipts once when it joins, and once
/// two weeks before each T0. What was not taken is tried again, a few times and ever later. An
/// engine that no longer leads in `epoch` asks nobody.
pub async fn ask_due(house: &House, actor: Actor, epoch: i64) -> Case<Round> {
    let now = house.now();
    let (distributors, disclosures, challenges) = house
        .store
        .read(|r| {
            // What is over is for nobody any more, however much of it there is.
            let open = r.open_disclosures()?.into_iter().map(|id| r.disclosure(id));
            let open = open.collect::<Result<Vec<_>, _>>()?;
            Ok::<_, StoreError>((r.distributors()?, open, r.challenges()?))
        })
        .await?;
    let mut round = Round::default();
    for distributor in distributors.iter().filter(|d| d.active) {
        // Of an embargo that is not for them nobody learns by being asked.
        let told = |d: &&Disclosure| {
            let content = d.case.open(Reason::Judging);
            d.stage.is_open() && content.without_notice.is_none() && hears(distributor, content)
        };
        let open = disclosures.iter().filter(told).filter_map(|d| d.t0);
        let coming: Vec<At> = open.map(|t0| t0.at).filter(|t0| *t0 > now).collect();
        for contact in &distributor.record.open(Reason::Dispatch).contacts {
            if !contact.profile.receipts || contact.kind == ContactKind::List {
                continue;
            }
            let tries = tries_of(&challenges, contact.id, Words::Challenge);
            let Some(since) = occasion(contact.id, &tries, &coming, now) else { continue };
            let tries: Vec<Try> = tries.into_iter().filter(|t| t.at >= since).collect();
            match next(&tries) {
                Next::First => {}
                Next::Again(at) if at <= now => {}
                Next::Again(_) | Next::Settled => continue,
                Next::GivenUp => {
                    round.given_up.push(contact.id);
                    continue;
                }
            }
            match ask(house, actor, contact, Some(epoch)).await {
                Ok(_) => round.asked = round.asked.saturating_add(1),
                Err(CaseError::Store(StoreError::Deposed)) => {
                    return Err(StoreError::Deposed.into());
                }
                Err(_) => round.failed = round.failed.saturating_add(1),
            }
        }
    }
    Ok(round)
}

/// Since when an answer is wanted that was not asked for yet; `None` when none is. A sending
/// that nobody took asked nothing.
fn occasion(contact: ContactId, tries: &[Try], coming: &[At], now: At) -> Option<At> {
    let newest = tries.iter().filter(|t| t.sending == Sending::Taken).map(|t| t.at).max();
    let Some(newest) = newest else {
        // It joined; the tries of a new occasion begin anew.
        let opened = coming.iter().filter_map(|t0| opens(contact, *t0, now)).max();
        return Some(opened.unwrap_or(At::from_secs(0)));
    };
    coming.iter().filter_map(|t0| opens(contact, *t0, now)).filter(|at| newest < *at).max()
}

/// When the asking before `t0` began, once it did for this contact.
fn opens(contact: ContactId, t0: At, now: At) -> Option<At> {
    let opens = t0.plus(Span::millis(AHEAD.as_millis().saturating_neg()));
    let mark = Sha256::of(format!("{contact} {}", t0.millis()).as_bytes());
    let spread = mark.raw().iter().take(4).fold(0_i64, |n, b| n * 256 + i64::from(*b)) % SPREAD;
    (opens.plus(Span::secs(spread)) <= now).then_some(opens)
}

/// Takes a code that a person brought by another way.
pub async fn prove(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    code: &str,
) -> Case<ChallengeId> {
    check_address("contact", address)?;
    let contacts = &distributor.record.open(Reason::Judging).contacts;
    let contact = contacts.iter().find(|c| c.address.eq_ignore_ascii_case(address));
    let contact = contact
        .map(|c| c.id)
        .ok_or_else(|| CaseError::unknown("contact", address, "see `daybreak distributor show`"))?;
    let wrong = || {
        CaseError::invalid(
            "code",
            "is none that was sent to this contact",
            "type it as it stands in their mail: four groups of four, 0-9 and a-f",
        )
    };
    let code = codes_in(code).into_iter().next().ok_or_else(wrong)?;
    let found = house.store.read(move |r| r.challenge_with(&code)).await?;
    let id = found.filter(|c| c.contact == contact).map(|c| c.id).ok_or_else(wrong)?;
    let deed = house.deed(actor, "distributor-proof", contact);
    house.store.write(&deed, move |tx| tx.answer_challenge(id, "the code, by a person")).await?;
    Ok(id)
}

/// Every challenge and cover mail, oldest first.
pub async fn all(house: &House) -> Case<Vec<Challenge>> {
    Ok(house.store.read(|r| r.challenges()).await?)
}

/// When each contact last showed that it can read us.
pub async fn proofs(house: &House) -> Case<BTreeMap<ContactId, At>> {
    Ok(house.store.read(|r| r.proofs()).await?)
}

/// The warning about a contact that showed nothing, or not for long.
pub(super) fn unproven(
    contact: &Contact,
    proofs: &BTreeMap<ContactId, At>,
    now: At,
) -> Option<Finding> {
    let newest = proofs.get(&contact.id).copied();
    if contact.kind == ContactKind::List || newest.is_some_and(|at| at.plus(HOLDS) > now) {
        return None;
    }
    let message = newest.map_or_else(
        || "it never showed that it can read us".to_owned(),
        |at| {
            let day: String = at.rfc3339().chars().take(10).collect();
            format!("it last showed that it can read us on {day}")
        },
    );
    Some(
        Finding::warn("readability-unproven", &contact.address, message)
            .cure("daybreak distributor challenge DIST --contact ADDRESS"),
    )
}

/// Everything in a text that looks like a code of ours: `xxxx-xxxx-xxxx-xxxx`.
pub(super) fn codes_in(text: &str) -> Vec<String> {
    codes_within(text, CODES)
}

/// The same, up to a bound of the caller's.
pub(super) fn codes_within(text: &str, most: usize) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    let is_code = |w: &&str| {
        let groups: Vec<&str> = w.split('-').collect();
        groups.len() == 4 && groups.iter().all(|g| g.len() == 4)
    };
    let mut all: Vec<String> =
        words.filter(is_code).take(most).map(str::to_ascii_lowercase).collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_quotes_and_sentences() {
        let text = "> the code:\n>     0102-0304-0506-07AB\nHere: dead-beef-dead-beef. Bye\n\
                    a-b-c-d 2026-11-20 0102-0304-0506 0102-0304-0506-07abf 1-0102-0304-0506-07ab";
        assert_eq!(codes_in(text), ["0102-0304-0506-07ab", "dead-beef-dead-beef"]);
        assert_eq!(codes_in(&"0000-0000-0000-0001 ".repeat(50)).len(), 1);
    }
}
