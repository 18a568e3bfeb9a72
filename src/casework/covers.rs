//! Cover mails: about once a month, at an hour drawn by lot, a contact that asked for them gets
//! a mail that looks from outside like a notice and says that nothing has happened.
//!
//! What must stay true: they go by the calendar alone and know no disclosure; a list gets none;
//! a contact without a usable certificate gets none, never clear text; one a month, whatever
//! crashes: what may have left is not sent again.

use super::challenges::{Letter, Next, Try, next, tries_of, usable};
use super::{Case, CaseError, House};
use crate::clock::{random, shuffle};
use crate::domain::deed::{Actor, Subject};
use crate::domain::finding::Finding;
use crate::domain::ids::ContactId;
use crate::domain::message::{Challenge, Draw, Sending};
use crate::domain::party::{Contact, ContactKind, Distributor};
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::letters::challenge::Words;

/// The audit's word for a mail that could not be sealed.
const BLOCKED: &str = "cover-mail-blocked";

/// How a round went.
#[derive(Debug, Default)]
pub struct Round {
    /// How many were taken.
    pub sent: usize,
    /// How many were not, or may not have been.
    pub failed: usize,
    /// How many have no certificate that can be used.
    pub blocked: usize,
    /// When the next one is due, if one is this month.
    pub next: Option<At>,
}

impl Round {
    fn wait_until(&mut self, at: At) {
        self.next = Some(self.next.map_or(at, |known| known.min(at)));
    }
}

/// Sends what is due, and draws what was not drawn yet. `epoch` is the engine's that must
/// lead. What was due while no engine ran is sent when one does, within its month.
pub async fn send_due(house: &House, actor: Actor, epoch: i64) -> Case<Round> {
    let mut round = Round::default();
    let distributors = house.store.read(|r| r.distributors()).await?;
    let mut contacts = takers(&distributors);
    let Some((begins, ends)) = house.config.housekeeping.month_of(house.now()) else {
        return Ok(round);
    };
    if contacts.is_empty() {
        return Ok(round);
    }
    let draws = draws(house, actor, epoch, &contacts, (begins, ends)).await?;
    let challenges = house.store.read(|r| r.challenges()).await?;
    // Those that are due together after a standstill leave in no order.
    shuffle(house.rng.as_ref(), &mut contacts);
    for contact in contacts {
        let now = house.now();
        let Some(draw) = draws.iter().find(|d| d.contact == contact.id) else { continue };
        let mut tries = tries_of(&challenges, contact.id, Words::Cover);
        tries.retain(|t| t.at >= begins);
        let Some(due_at) = due(draw, &tries).filter(|at| *at < ends) else { continue };
        if due_at > now {
            round.wait_until(due_at);
            continue;
        }
        if usable(contact, now).is_ok_and(|all| all.is_empty()) {
            round.blocked = round.blocked.saturating_add(1);
            record_blocked(house, actor, epoch, contact.id, begins).await?;
            continue;
        }
        let letter = Letter { actor, contact, words: Words::Cover, epoch: Some(epoch) };
        match letter.send(house).await {
            Ok(sent) if sent.failed.is_none() => round.sent = round.sent.saturating_add(1),
            // Without the database, or the lead, nobody's can be sent.
            Err(CaseError::Store(error)) => return Err(error.into()),
            // What is wrong with one keeps no other from theirs.
            Ok(_) | Err(_) => round.failed = round.failed.saturating_add(1),
        }
    }
    Ok(round)
}

/// When this month's mail is due now; `None` when it left, may have left, or was tried enough.
fn due(draw: &Draw, tries: &[Try]) -> Option<At> {
    if tries.iter().any(|t| t.sending == Sending::Begun) {
        return None;
    }
    match next(tries) {
        Next::First => Some(draw.due_at),
        Next::Again(at) => Some(at),
        Next::Settled | Next::GivenUp => None,
    }
}

/// Whether a contact can have cover mails: a list never; and not whoever has a subject in
/// clear, which only an approval lets out of the house.
const fn can_have(contact: &Contact) -> bool {
    !matches!(contact.kind, ContactKind::List) && contact.profile.clear_subject.is_none()
}

/// Who asked for them.
fn takers(distributors: &[Distributor]) -> Vec<&Contact> {
    let active = distributors.iter().filter(|d| d.active);
    active
        .flat_map(|d| &d.record.open(Reason::Dispatch).contacts)
        .filter(|c| c.profile.cover && can_have(c))
        .collect()
}

/// This month's draws; those that were missing are drawn and kept in one write.
async fn draws(
    house: &House,
    actor: Actor,
    epoch: i64,
    contacts: &[&Contact],
    (begins, ends): (At, At),
) -> Case<Vec<Draw>> {
    let mut known = house.store.read(move |r| r.draws(begins)).await?;
    let drawn = |c: &&&Contact| !known.iter().any(|d| d.contact == c.id);
    let missing: Vec<ContactId> = contacts.iter().filter(drawn).map(|c| c.id).collect();
    if missing.is_empty() {
        return Ok(known);
    }
    let from = house.now().max(begins);
    let room = u64::try_from(ends.since(from).as_millis()).unwrap_or(0);
    let draw = |contact: &ContactId| {
        // 64 random bits against the milliseconds of a month: the bias is beyond measuring.
        let lot = u64::from_le_bytes(random(house.rng.as_ref())).checked_rem(room).unwrap_or(0);
        let after = Span::millis(i64::try_from(lot).unwrap_or(0));
        Draw { contact: *contact, begins, due_at: from.plus(after) }
    };
    let new: Vec<Draw> = missing.iter().map(draw).collect();
    known.extend(&new);
    let deed = house.deed(actor, "cover-mail-draw", Subject::house());
    house
        .store
        .write(&deed, move |tx| {
            tx.still_leads(epoch)?;
            new.iter().try_for_each(|d| tx.add_draw(d))
        })
        .await?;
    Ok(known)
}

/// Once a month it goes on record that a contact could not have its mail.
async fn record_blocked(
    house: &House,
    actor: Actor,
    epoch: i64,
    contact: ContactId,
    begins: At,
) -> Case<()> {
    let subject = Subject::from(contact);
    let lines = house.store.read(move |r| r.audit_of(&subject)).await?;
    if lines.iter().any(|l| l.verb == BLOCKED && l.at >= begins) {
        return Ok(());
    }
    let deed = house.deed(actor, BLOCKED, contact);
    Ok(house.store.write(&deed, move |tx| tx.still_leads(epoch)).await?)
}

/// Why a contact that asked for cover mails gets none now.
pub(super) fn trouble(contact: &Contact, challenges: &[Challenge], now: At) -> Option<Finding> {
    if !contact.profile.cover || !can_have(contact) {
        return None;
    }
    if usable(contact, now).is_ok_and(|all| all.is_empty()) {
        let why = "it asked for cover mails; no certificate of it can be used, so none leaves";
        return Some(
            Finding::warn("cover-blocked", &contact.address, why)
                .cure("daybreak distributor renew DIST --contact ADDRESS --certificate FILE"),
        );
    }
    let tries = tries_of(challenges, contact.id, Words::Cover);
    let newest = tries.last().filter(|t| t.sending != Sending::Taken)?;
    let day: String = newest.at.rfc3339().chars().take(10).collect();
    Some(
        Finding::warn(
            "cover-not-taken",
            &contact.address,
            format!("nobody can say that its cover mail of {day} was taken"),
        )
        .cure("daybreak doctor --live looks at the relay"),
    )
}
