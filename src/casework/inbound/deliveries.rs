//! What we sent, as an answer or a report may name it: by the token of its MAIL FROM, or by
//! its Message-ID. Both are random and in no other mail.

use crate::casework::{Case, House, plans};
use crate::domain::action::Action;
use crate::domain::envelope::{is_random, token};
use crate::domain::had::Had;
use crate::domain::ids::{ContactId, DisclosureId, PlanId, StepId};
use crate::domain::message::Challenge;
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::store::StoreError;

/// One mail of an approved plan.
pub(super) struct Delivery {
    pub plan: PlanId,
    /// Of which disclosure.
    pub disclosure: DisclosureId,
    pub step: StepId,
    /// Whether its disclosure is still to come.
    pub open: bool,
    /// The contact's or the reporter's id; empty for a mail in clear.
    pub recipient: String,
    /// RCPT TO. Confidential.
    pub address: String,
    /// When it was first about to leave.
    pub sent_at: At,
    mark: Mark,
}

impl Delivery {
    pub const fn disclosure(&self) -> DisclosureId {
        self.disclosure
    }

    /// Whether it was sealed.
    pub const fn is_sealed(&self) -> bool {
        !self.recipient.is_empty()
    }
}

/// By what a mail is known again.
struct Mark {
    envelope_from: String,
    message_id: String,
    /// Whether its MAIL FROM is its own.
    own_sender: bool,
}

impl Mark {
    /// By the address that a report was sent to, or by our name for the transaction.
    fn is_named(&self, addresses: &[String], envelope_id: Option<&str>) -> bool {
        let token = token(&self.envelope_from).filter(|_| self.own_sender);
        let token = token.or_else(|| self.message_id.split_once('@').map(|(id, _)| id));
        let by_sender = addresses.iter().any(|a| a.eq_ignore_ascii_case(&self.envelope_from));
        let by_id = token.is_some() && envelope_id.map(str::to_ascii_lowercase).as_deref() == token;
        (self.own_sender && by_sender) || by_id
    }

    /// By the Message-ID that came back: enough only where there is no token.
    fn is_returned(&self, message_id: Option<&str>) -> bool {
        !self.own_sender && message_id == Some(self.message_id.as_str())
    }
}

/// Everything that left.
pub(super) struct Deliveries {
    mails: Vec<Delivery>,
    challenges: Vec<(Challenge, Mark)>,
    domain: String,
}

/// What a report is about.
pub(super) enum Named<'a> {
    /// A mail of a plan.
    Delivery(&'a Delivery),
    /// A challenge.
    Challenge,
}

impl Deliveries {
    pub(super) async fn of(house: &House) -> Case<Self> {
        let all = plans::all(house).await?;
        let mut mails = Vec::new();
        for plan in all {
            let (id, dis) = (plan.id, plan.disclosure);
            let (events, open) = house
                .store
                .read(move |r| {
                    Ok::<_, StoreError>((plans::events(r, id)?, r.disclosure(dis)?.stage.is_open()))
                })
                .await?;
            // One plan that cannot be read must not keep all mail from being taken.
            let Ok(manifest) = plans::manifest_of(&plan) else {
                tracing::error!(plan = %plan.id, "a notice plan cannot be read");
                continue;
            };
            for step in manifest.steps {
                let Action::Mail { envelope_from, message_id, to, .. } = step.action else {
                    continue;
                };
                let had = Had::of(events.iter().filter(|e| e.step == step.id));
                // What never left has no bounce and no answer.
                let Some(sent_at) = had.first_try() else { continue };
                mails.push(Delivery {
                    plan: id,
                    disclosure: dis,
                    step: step.id,
                    open,
                    recipient: step.sealing.map(|s| s.recipient).unwrap_or_default(),
                    address: to,
                    sent_at,
                    mark: mark(envelope_from, message_id),
                });
            }
        }
        let challenges = house.store.read(|r| r.challenges()).await?.into_iter().map(|c| {
            let record = c.record.open(Reason::Judging);
            let mark = mark(record.envelope_from.clone(), record.message_id.clone());
            (c, mark)
        });
        let challenges = challenges.collect();
        Ok(Self { mails, challenges, domain: house.config.team.domain().to_owned() })
    }

    /// What a report names, if it is ours.
    pub(super) fn named(
        &self,
        addresses: &[String],
        envelope_id: Option<&str>,
        message_id: Option<&str>,
    ) -> Option<Named<'_>> {
        let is = |m: &Mark| m.is_named(addresses, envelope_id) || m.is_returned(message_id);
        let mail = self.mails.iter().find(|d| is(&d.mark)).map(Named::Delivery);
        mail.or_else(|| self.challenges.iter().any(|(_, m)| is(m)).then_some(Named::Challenge))
    }

    /// The sealed delivery that an answer names; the nearest one first.
    pub(super) fn answered(&self, ids: &[String]) -> Option<&Delivery> {
        let sealed =
            |id: &String| self.mails.iter().find(|d| d.is_sealed() && d.mark.message_id == *id);
        ids.iter().find_map(sealed)
    }

    /// Whether an answer names any mail that we sealed, challenges too; a Message-ID of ours
    /// that we do not know any more counts.
    pub(super) fn is_answer(&self, ids: &[String]) -> bool {
        let ours = |id: &String| {
            id.rsplit_once('@').is_some_and(|(local, host)| host == self.domain && is_random(local))
        };
        let posted =
            |id: &String| self.mails.iter().any(|d| !d.is_sealed() && d.mark.message_id == *id);
        ids.iter().any(|id| ours(id) && !posted(id))
    }

    /// The delivery whose own MAIL FROM is one of these addresses.
    pub(super) fn sent_from(&self, addresses: &[String]) -> Option<&Delivery> {
        self.mails.iter().find(|d| d.mark.is_named(addresses, None))
    }

    /// The one open disclosure that somebody was told of.
    pub(super) fn only_open(&self, who: &str) -> Option<DisclosureId> {
        let mut theirs: Vec<_> = self
            .mails
            .iter()
            .filter(|d| d.open && d.recipient == who)
            .map(Delivery::disclosure)
            .collect();
        theirs.sort();
        theirs.dedup();
        match theirs.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Challenges to a contact that have no answer yet.
    pub(super) fn unanswered(&self, contact: ContactId) -> impl Iterator<Item = &Challenge> {
        let open = move |c: &&Challenge| c.contact == contact && c.answered_at.is_none();
        self.challenges.iter().map(|(c, _)| c).filter(open)
    }
}

fn mark(envelope_from: String, message_id: String) -> Mark {
    let own_sender = token(&envelope_from).is_some();
    Mark { envelope_from, message_id, own_sender }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_replaced_by_a_message_id() {
        let hex = "0123456789abcdef0123456789abcdef";
        let own = mark(format!("n-{hex}@b.example"), "ff@m.example".to_owned());
        assert!(own.is_named(&[format!("N-{hex}@B.example")], None));
        assert!(own.is_named(&[], Some(hex)));
        assert!(!own.is_returned(Some("ff@m.example")) && !own.is_named(&[], Some("ff")));
        let fixed = mark("s@m.example".to_owned(), "ff@m.example".to_owned());
        assert!(!fixed.is_named(&["s@m.example".to_owned()], None));
        assert!(fixed.is_returned(Some("ff@m.example")) && fixed.is_named(&[], Some("ff")));
        assert!(!fixed.is_returned(None));
    }
}
