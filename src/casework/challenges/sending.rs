//! One sealed code on its way to one contact, and what is known of earlier ones.
//!
//! It is written down before it leaves, so that whatever comes back is known and a crash is
//! seen; what became of it is written down after. Never clear text: without a certificate that
//! can be used nothing is made.

use crate::casework::identity::refuse_a_copy;
use crate::casework::members::recall;
use crate::casework::{Case, CaseError, House};
use crate::clock::random;
use crate::domain::deed::Actor;
use crate::domain::ids::{ChallengeId, ContactId};
use crate::domain::message::{Challenge, ChallengeRecord, Sending};
use crate::domain::party::Contact;
use crate::domain::receipt::{OutletError, Retry};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::{At, Span};
use crate::formats::bell_text::Code;
use crate::letters::challenge::{Addressed, Words, compose};
use crate::pgp::{self, Certificate};

/// How long after the first, the second ... sending that was not taken comes the next.
const BACKOFF: [Span; 4] = [Span::hours(1), Span::hours(4), Span::hours(16), Span::hours(48)];

/// What is to be sent.
pub(in crate::casework) struct Letter<'a> {
    pub actor: Actor,
    pub contact: &'a Contact,
    pub words: Words,
    /// Of the engine that must still lead when it is written down.
    pub epoch: Option<i64>,
}

/// What was sent.
pub(in crate::casework) struct Sent {
    pub id: ChallengeId,
    /// How it failed, if it did.
    pub failed: Option<OutletError>,
}

impl Letter<'_> {
    /// The audit's words: it leaves; it was taken; it was not; nobody can tell.
    const fn verbs(&self) -> [&'static str; 4] {
        match self.words {
            Words::Challenge => [
                "distributor-challenge",
                "distributor-challenge-taken",
                "distributor-challenge-refused",
                "distributor-challenge-unknown",
            ],
            Words::Cover => {
                ["cover-mail", "cover-mail-taken", "cover-mail-refused", "cover-mail-unknown"]
            }
        }
    }

    /// Seals it, writes it down, hands it over, and writes down what came of that.
    pub(in crate::casework) async fn send(&self, house: &House) -> Case<Sent> {
        refuse_a_copy(house).await?;
        let (contact, now) = (self.contact, house.now());
        let usable = usable(contact, now)?;
        if usable.is_empty() {
            return Err(CaseError::not_now(
                format!("no certificate of {} can be encrypted to now", contact.address),
                "see `daybreak distributor check`, then `daybreak distributor renew`",
            ));
        }
        let code = Code::new(random(house.rng.as_ref()));
        let (envelope_from, message_id) = (house.sender(), house.message_id());
        let boundary = || hex::encode(random::<16>(house.rng.as_ref()));
        let (inner, outer) = (boundary(), boundary());
        let addressed = Addressed {
            from: &house.config.team.address,
            envelope_from: &envelope_from,
            to: &contact.address,
            message_id: &message_id,
            date: now,
            boundaries: [&inner, &outer],
        };
        let mail = compose(self.words, code, &addressed, &usable, house.keys.notice.as_ref())
            .await
            .map_err(|e| CaseError::machine("sealing a challenge", e))?;
        let record = ChallengeRecord {
            code: code.spoken(),
            message_id,
            envelope_from,
            how: String::new(),
            cover: self.words == Words::Cover,
            sending: Sending::Begun,
        };
        let challenge = Challenge {
            id: house.fresh(ChallengeId::new),
            contact: contact.id,
            sent_at: now,
            answered_at: None,
            record: Embargoed::new(record),
        };
        let (id, epoch) = (challenge.id, self.epoch);
        let [leaves, taken, refused, unknown] = self.verbs();
        let deed = house.deed(self.actor, leaves, contact.id);
        house
            .store
            .write(&deed, move |tx| {
                if let Some(epoch) = epoch {
                    tx.still_leads(epoch)?;
                }
                tx.add_challenge(&challenge)
            })
            .await?;
        let failed = house.bells.sealed(&mail).await.err();
        let (verb, sending) = match failed.as_ref().map(|e| e.retry) {
            None => (taken, Sending::Taken),
            Some(Retry::Unknown) => (unknown, Sending::Begun),
            Some(_) => (refused, Sending::Refused),
        };
        let detail = failed.as_ref().map(|e| e.code.clone()).unwrap_or_default();
        let deed = house.deed(self.actor, verb, contact.id).detail(detail);
        house
            .store
            .write(&deed, move |tx| {
                // What became of it stays open when another engine leads now: it asks again.
                if let Some(epoch) = epoch {
                    tx.still_leads(epoch)?;
                }
                tx.settle_challenge(id, sending)
            })
            .await?;
        Ok(Sent { id, failed })
    }
}

/// The certificates of a contact that can be encrypted to now.
pub(in crate::casework) fn usable(contact: &Contact, now: At) -> Case<Vec<Certificate>> {
    let held: Vec<Certificate> = contact.current(now).map(recall).collect::<Case<_>>()?;
    Ok(held.into_iter().filter(|c| pgp::judge(c, now).usable()).collect())
}

/// One earlier sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::casework) struct Try {
    pub at: At,
    pub sending: Sending,
}

/// What was sent to a contact so far, oldest first. A proof that nobody asked for counts as a
/// challenge that was taken.
pub(in crate::casework) fn tries_of(
    challenges: &[Challenge],
    contact: ContactId,
    words: Words,
) -> Vec<Try> {
    let mut found = Vec::new();
    for challenge in challenges.iter().filter(|c| c.contact == contact) {
        let record = challenge.record.open(Reason::Judging);
        if record.cover == (words == Words::Cover) {
            found.push(Try { at: challenge.sent_at, sending: record.sending });
        }
    }
    found
}

/// What is to be done after the tries of one occasion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::casework) enum Next {
    /// Nothing was tried.
    First,
    /// Not before then.
    Again(At),
    /// It was taken.
    Settled,
    /// It was tried often enough.
    GivenUp,
}

/// A challenge of which nobody can tell whether it left is asked again: two are no harm.
pub(in crate::casework) fn next(tries: &[Try]) -> Next {
    if tries.iter().any(|t| t.sending == Sending::Taken) {
        return Next::Settled;
    }
    let Some(last) = tries.iter().map(|t| t.at).max() else { return Next::First };
    let wait = BACKOFF.get(tries.len().saturating_sub(1));
    wait.map_or(Next::GivenUp, |wait| Next::Again(last.plus(*wait)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_ever_later_and_end() {
        let mut tries = Vec::new();
        assert_eq!(next(&tries), Next::First);
        let mut at = At::from_secs(1_000_000);
        for wait in BACKOFF {
            tries.push(Try { at, sending: Sending::Refused });
            assert_eq!(next(&tries), Next::Again(at.plus(wait)));
            at = at.plus(wait);
        }
        tries.push(Try { at, sending: Sending::Begun });
        assert_eq!(next(&tries), Next::GivenUp);
        tries.push(Try { at, sending: Sending::Taken });
        assert_eq!(next(&tries), Next::Settled);
    }
}
