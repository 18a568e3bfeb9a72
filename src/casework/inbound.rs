//! Mail that comes to us: one mail in, one message kept, and what it means for a delivery.
//!
//! What must stay true: nothing that arrives is ever sent on, quoted or answered; the same mail
//! twice is one message; a report counts only with a token or a Message-ID that we made; only
//! a good signature inside the encryption acknowledges anything.

mod clear;
mod deliveries;
mod people;
mod report;
mod sealed;

use super::ledger::Heard;
use super::{Case, CaseError, House};
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::{Actor, Subject};
use crate::domain::event::Happened;
use crate::domain::ids::{
    BlobId, ChallengeId, ContactId, DisclosureId, EventId, MessageId, PlanId, StepId,
};
use crate::domain::message::{Challenge, ChallengeRecord, Message, MessageRecord};
use crate::domain::secret::{Embargoed, Reason};
use crate::letters::inbound::{Entity, LARGEST, Refused, Shape, shape};
use crate::pgp::OpenError;
use crate::store::StoreError;
use deliveries::Deliveries;

/// The mail as it came, sealed; owned by its message.
pub const RAW: &str = "raw.eml";
/// What was inside, sealed; owned by its message.
pub const INSIDE: &str = "inside.eml";

/// What the mail server hands over.
pub struct Arrived {
    /// The mail.
    pub bytes: Vec<u8>,
    /// For whom, when the server says so; from the mail's own headers otherwise.
    pub recipient: Option<String>,
}

/// Why a mail was not taken. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Its form.
    #[error(transparent)]
    Form(#[from] Refused),
    /// Its encryption.
    #[error("the encrypted part is refused: {0}")]
    Encryption(OpenError),
    /// A report on a mail that is not ours.
    #[error("a delivery report that names none of our deliveries")]
    Foreign,
    /// The house could not; the same mail may be taken later.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        Self::Case(error.into())
    }
}

impl NotTaken {
    /// A stable code without any of the mail's words.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(refused) => refused.code(),
            Self::Encryption(OpenError::TooLarge) => "opens-too-large",
            Self::Encryption(OpenError::Hostile) => "hostile-packets",
            Self::Encryption(_) => "damaged",
            Self::Foreign => "foreign-report",
            Self::Case(_) => "try-later",
        }
    }
}

/// What became of a mail that was taken.
#[derive(Debug)]
pub struct Taken {
    /// The message.
    pub message: Message,
    /// Whether the same mail was taken before; nothing was done again.
    pub known: bool,
    /// What was written into the log of its delivery: a fixed word.
    pub happened: Option<&'static str>,
    /// How many challenges it answered.
    pub proofs: usize,
    /// Whether it raised the alarm, and whether the team's bell was heard.
    pub alarm: Option<bool>,
}

/// What is to be written of one mail.
struct Findings {
    verb: &'static str,
    digest: Sha256,
    disclosure: Option<DisclosureId>,
    record: MessageRecord,
    inside: Option<Vec<u8>>,
    event: Option<(PlanId, StepId, Happened)>,
    proofs: Vec<Proof>,
    alarm: bool,
}

/// A contact showed that it can read us.
struct Proof {
    contact: ContactId,
    /// What was answered; a proof that nobody asked for has none.
    challenge: Option<ChallengeId>,
    how: &'static str,
}

/// Takes one mail.
pub async fn receive(house: &House, actor: Actor, arrived: Arrived) -> Result<Taken, NotTaken> {
    let Arrived { bytes, recipient } = arrived;
    let mail = Entity::parse(&bytes, LARGEST)?;
    let shape = shape(&mail)?;
    let digest = match &shape {
        // The same ciphertext in another wrapping is the same mail.
        Shape::Encrypted(message) => Sha256::of(message),
        _ => Sha256::of(&bytes),
    };
    if let Some(known) = known(house, digest).await? {
        return Ok(known);
    }
    let deliveries = Deliveries::of(house).await?;
    let found = match shape {
        Shape::Report(dsn) => {
            report::judge(&mail, recipient.as_deref(), &dsn, digest, &deliveries)?
        }
        Shape::Encrypted(message) => {
            sealed::judge(house, &mail, recipient.as_deref(), &message, digest, &deliveries).await?
        }
        Shape::Clear(piece) => {
            clear::judge(house, &mail, recipient.as_deref(), piece, digest, &deliveries).await?
        }
    };
    drop(mail);
    keep(house, actor, bytes, found).await
}

async fn known(house: &House, digest: Sha256) -> Result<Option<Taken>, StoreError> {
    let found = house.store.read(move |r| r.message_of(digest)).await?;
    Ok(found.map(|message| Taken { message, known: true, happened: None, proofs: 0, alarm: None }))
}

/// Writes everything in one transaction, then rings.
async fn keep(
    house: &House,
    actor: Actor,
    raw: Vec<u8>,
    found: Findings,
) -> Result<Taken, NotTaken> {
    let Findings { verb, digest, disclosure, record, inside, event, proofs, alarm } = found;
    let message = Message {
        id: house.fresh(MessageId::new),
        disclosure,
        received_at: house.now(),
        record: Embargoed::new(record),
    };
    let blobs: Vec<(BlobId, Blob)> = [(RAW, Some(raw)), (INSIDE, inside)]
        .into_iter()
        .filter_map(|(name, bytes)| bytes.map(|b| Blob::new(name, b, vec![])))
        .map(|blob| (house.fresh(BlobId::new), blob))
        .collect();
    let note = match event {
        Some((plan, step, happened)) => {
            match Heard::of(house, plan, step, house.fresh(EventId::new), happened).await {
                Err(CaseError::Store(error)) => return Err(error.into()),
                // Of a notice that never left nothing can be heard; the mail is kept all the same.
                other => other.ok().flatten(),
            }
        }
        None => None,
    };
    let happened = note.as_ref().map(Heard::word);
    let (count, stored, at) = (proofs.len(), message.clone(), house.now());
    let proofs: Vec<(Proof, ChallengeId)> =
        proofs.into_iter().map(|p| (p, house.fresh(ChallengeId::new))).collect();
    let deed = house.deed(actor, verb, message.id);
    let written = house
        .store
        .write(&deed, move |tx| {
            tx.add_message(&stored, digest)?;
            for (id, blob) in &blobs {
                tx.put_blob(*id, stored.id, blob)?;
            }
            if let Some(heard) = note {
                heard.write(tx)?;
            }
            for (proof, id) in proofs {
                let Some(asked) = proof.challenge else {
                    let how = proof.how.to_owned();
                    let record = Embargoed::new(ChallengeRecord { how, ..Default::default() });
                    let (contact, answered_at) = (proof.contact, Some(at));
                    tx.add_challenge(&Challenge { id, contact, sent_at: at, answered_at, record })?;
                    continue;
                };
                tx.answer_challenge(asked, proof.how)?;
            }
            Ok::<_, StoreError>(())
        })
        .await;
    if let Err(error) = written {
        // Two servers may hand over the same mail at once.
        return match known(house, digest).await? {
            Some(known) => Ok(known),
            None => Err(error.into()),
        };
    }
    let alarm = if alarm { Some(ring(house, &message).await) } else { None };
    Ok(Taken { message, known: false, happened, proofs: count, alarm })
}

async fn ring(house: &House, message: &Message) -> bool {
    let subject = message.disclosure.map_or_else(|| Subject::from(message.id), Subject::from);
    tracing::error!(message = %message.id, code = clear::ALARM, "a person is needed");
    let rung = house.bells.ring_team(clear::ALARM, subject, None).await.is_ok();
    if !rung {
        tracing::error!(code = clear::ALARM, "the team's bell could not be rung");
    }
    rung
}

/// Every message, or those of one disclosure, oldest first.
pub async fn list(house: &House, of: Option<DisclosureId>) -> Case<Vec<Message>> {
    Ok(house.store.read(move |r| r.messages(of)).await?)
}

/// The bytes kept of a message: what was inside when it was opened, as it came otherwise.
pub async fn bytes(house: &House, message: &Message, as_it_came: bool) -> Case<Vec<u8>> {
    let id = message.id;
    let opened =
        message.record.open(Reason::Review).kind == crate::domain::message::MessageKind::Encrypted;
    let name = if opened && !as_it_came { INSIDE } else { RAW };
    Ok(house.store.read(move |r| r.blob_named(id, name)).await?.bytes)
}
