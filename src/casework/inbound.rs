//! Mail that comes to us: one mail in, one message kept, and what it means for a delivery.
//!
//! What must stay true: nothing that arrives is ever sent on, quoted or answered; the same mail
//! twice is one message; a report counts only with a token or a Message-ID that we made; only
//! a good signature inside the encryption acknowledges anything.

mod clear;
mod deliveries;
mod keep;
mod keys;
mod owed;
mod people;
mod report;
mod room;
mod sealed;

use super::{Case, CaseError, House};
use crate::domain::blob::Sha256;
use crate::domain::deed::Actor;
use crate::domain::event::Happened;
use crate::domain::ids::{ChallengeId, ContactId, DisclosureId, PlanId, StepId};
use crate::domain::message::{Message, MessageKind, MessageRecord};
use crate::domain::secret::Reason;
use crate::letters::inbound::{Entity, LARGEST, Refused, Shape, shape};
use crate::pgp::OpenError;
use crate::store::StoreError;
use deliveries::Deliveries;
pub use owed::{Paid, ring_owed};
pub use room::{Room, forget, room, tidy};

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
    /// The room for mail of nobody is full; the same mail may be taken later.
    #[error("the room for mail that belongs to no case and nobody on the list is full")]
    NoRoom,
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
            Self::NoRoom => "no-room",
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
    /// Whether the team must hear of it.
    alarm: bool,
    /// Whether it belongs to a delivery, a disclosure or somebody we know.
    attributed: bool,
}

/// A contact showed that it can read us.
struct Proof {
    contact: ContactId,
    /// What was answered; a proof that nobody asked for has none.
    challenge: Option<ChallengeId>,
    how: &'static str,
}

/// Takes one mail, and rings for it and for whatever the team was not told of before.
pub async fn receive(house: &House, actor: Actor, arrived: Arrived) -> Result<Taken, NotTaken> {
    let mut taken = take(house, actor, arrived).await?;
    match ring_owed(house, actor).await {
        Ok(paid) if paid.rung.contains(&taken.message.id) => taken.alarm = Some(true),
        Ok(paid) if paid.left.contains(&taken.message.id) => taken.alarm = Some(false),
        Ok(_) => {}
        // It is kept, and what is owed stays written.
        Err(_) => tracing::error!("it cannot be seen which bells are owed"),
    }
    Ok(taken)
}

async fn take(house: &House, actor: Actor, arrived: Arrived) -> Result<Taken, NotTaken> {
    let Arrived { bytes, recipient } = arrived;
    let mail = Entity::parse(&bytes, LARGEST)?;
    let shape = shape(&mail)?;
    let digest = match &shape {
        // The same ciphertext in another wrapping is the same mail.
        Shape::Encrypted(message) => Sha256::of(message),
        _ => Sha256::of(&bytes),
    };
    let mut before = None;
    if let Some(known) = known(house, digest).await? {
        if known.message.record.open(Reason::Judging).kind != MessageKind::Unopened {
            return Ok(known);
        }
        before = Some(known);
    }
    let deliveries = Deliveries::of(house).await?;
    let to = recipient.as_deref();
    let found = match shape {
        Shape::Report(dsn) => report::judge(&mail, to, &dsn, digest, &deliveries)?,
        Shape::Encrypted(message) => {
            sealed::judge(house, &mail, to, &message, digest, &deliveries).await?
        }
        Shape::Clear(piece) => clear::judge(house, &mail, to, piece, digest, &deliveries).await?,
    };
    drop(mail);
    match before {
        // Still closed: nothing is known that was not known before.
        Some(known) if found.record.kind == MessageKind::Unopened => Ok(known),
        before => keep::keep(house, actor, bytes, found, before.map(|k| k.message)).await,
    }
}

async fn known(house: &House, digest: Sha256) -> Result<Option<Taken>, StoreError> {
    let found = house.store.read(move |r| r.message_of(digest)).await?;
    Ok(found.map(|message| Taken { message, known: true, happened: None, proofs: 0, alarm: None }))
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
