//! An encrypted mail: opened with the team's key if this machine holds it, its signature
//! checked, filed by what it answers.
//!
//! Decided here: only a good signature by a certificate we hold for somebody acknowledges, and
//! only the delivery to that same somebody, and only when it was made after that delivery
//! left. A code proves that its contact can read whoever brings it back, as long as it comes
//! encrypted: it stood in no other place than a mail sealed to them. What a mail answers is
//! said by its signed inside, or by an address of ours that only the signer's mail came from;
//! the headers outside are a hint for a person and decide nothing.

use super::deliveries::{Deliveries, Delivery};
use super::keys::Keys;
use super::people::{self, Person};
use super::report::addresses;
use super::{Findings, NotTaken, Proof};
use crate::casework::challenges::codes_in;
use crate::casework::{Case, House};
use crate::domain::blob::Sha256;
use crate::domain::event::Happened;
use crate::domain::ids::{DisclosureId, PlanId, StepId};
use crate::domain::message::{MessageKind, MessageRecord, Standing};
use crate::domain::time::{At, Span};
use crate::letters::inbound::{Entity, Piece, inside};
use crate::pgp::open::LARGEST;
use crate::pgp::verify::verify_within;
use crate::pgp::{Certificate, Fingerprint, OpenError, Signed, Unsealed, VerifyError};
use crate::store::StoreError;

/// How far behind ours the clock of a signer may be.
const SKEW: Span = Span::mins(5);

pub(super) async fn judge(
    house: &House,
    mail: &Entity<'_>,
    recipient: Option<&str>,
    message: &[u8],
    digest: Sha256,
    deliveries: &Deliveries,
) -> Result<Findings, NotTaken> {
    let (distributors, advisories) =
        house.store.read(|r| Ok::<_, StoreError>((r.distributors()?, r.advisories()?))).await?;
    let everybody = people::everybody(&distributors, &advisories, house.now());
    let known = is_known(mail, recipient, deliveries, &everybody);
    let Some(keys) = Keys::of(house)? else {
        return Ok(unopened(mail, digest, deliveries, known));
    };
    let certificates = people::certificates(&everybody);
    let opened = match keys.open(message, &certificates, house.now()).await {
        Ok(opened) => opened,
        // Perhaps to a person of the team: kept, so that they can open it.
        Err(OpenError::NotForUs) => return Ok(unopened(mail, digest, deliveries, known)),
        Err(refused) => return Err(NotTaken::Encryption(refused)),
    };
    let read = Read::of(opened, &certificates, house.now())?;
    let theirs = read.by.as_ref().map_or_else(Vec::new, |(by, _)| people::with(&everybody, by));
    let inside = deliveries.answered(&read.ids);
    let about = inside.or_else(|| returned(deliveries, recipient, &theirs));
    let hint = if about.is_some() { None } else { deliveries.answered(&references(mail)) };
    let proofs = proofs(house, deliveries, &theirs, &read.piece.text).await?;
    let event = about.and_then(|d| acknowledged(d, &theirs, &read));
    let disclosure = about.map(Delivery::disclosure).or_else(|| filed(deliveries, &theirs));
    let standing = read.standing(&theirs);
    let subject = read.subject.unwrap_or_else(|| mail.text("Subject"));
    let record = MessageRecord {
        kind: MessageKind::Encrypted,
        standing,
        from: mail.field("From").unwrap_or_default(),
        subject,
        text: read.piece.text,
        enclosed: read.piece.enclosed,
        step: about.map(|d| d.step),
        hint: hint.map(|d| d.step),
        cut: None,
    };
    let (verb, inside, alarm) = ("mail-receive", Some(read.bytes), false);
    let attributed = known || !theirs.is_empty() || disclosure.is_some() || hint.is_some();
    let attributed = attributed || !proofs.is_empty();
    Ok(Findings { verb, digest, disclosure, record, inside, event, proofs, alarm, attributed })
}

fn references(mail: &Entity<'_>) -> Vec<String> {
    let mut ids = mail.ids("In-Reply-To");
    ids.extend(mail.ids("References").into_iter().rev());
    ids
}

/// Whether it says to come from somebody we know, or came to an address that one mail of ours
/// had alone. Anybody can write that, so it decides nothing but that the mail is kept: many
/// encrypt and do not sign, and what nobody can open here yet must not be forgotten.
fn is_known(
    mail: &Entity<'_>,
    recipient: Option<&str>,
    deliveries: &Deliveries,
    everybody: &[Person],
) -> bool {
    let from = mail.addresses("From");
    everybody.iter().any(|p| from.iter().any(|f| f.eq_ignore_ascii_case(&p.address)))
        || deliveries.sent_from(&addresses(mail, recipient)).is_some()
}

fn unopened(mail: &Entity<'_>, digest: Sha256, deliveries: &Deliveries, known: bool) -> Findings {
    let hint = deliveries.answered(&references(mail)).map(|d| d.step);
    Findings {
        verb: "mail-receive",
        digest,
        disclosure: None,
        record: MessageRecord {
            kind: MessageKind::Unopened,
            standing: Standing::NotAsked,
            from: mail.field("From").unwrap_or_default(),
            subject: mail.text("Subject"),
            text: String::new(),
            enclosed: Vec::new(),
            step: None,
            hint,
            cut: None,
        },
        inside: None,
        event: None,
        proofs: Vec::new(),
        alarm: false,
        attributed: known || hint.is_some(),
    }
}

/// What an opened mail says.
struct Read {
    bytes: Vec<u8>,
    piece: Piece,
    subject: Option<String>,
    /// What it answers, by its protected headers; the nearest first.
    ids: Vec<String>,
    stands: Stands,
    by: Option<(Fingerprint, At)>,
}

/// What its signature is worth.
#[derive(Clone, Copy)]
enum Stands {
    Good,
    Stranger,
    Unsigned,
    Bad,
}

impl Stands {
    fn of(signed: Signed) -> (Self, Option<(Fingerprint, At)>) {
        match signed {
            Signed::By { fingerprint, made_at } => (Self::Good, Some((fingerprint, made_at))),
            Signed::Stranger => (Self::Stranger, None),
            Signed::Unsigned => (Self::Unsigned, None),
            Signed::Bad => (Self::Bad, None),
        }
    }
}

impl Read {
    fn of(opened: Unsealed, certs: &[Certificate], now: At) -> Result<Self, NotTaken> {
        let Unsealed { bytes, mut signed } = opened;
        let (mut subject, mut ids, piece);
        if is_entity(&bytes) {
            let largest = usize::try_from(LARGEST).unwrap_or(usize::MAX);
            let entity = Entity::parse(&bytes, largest)?;
            let (shown, detached) = inside(&entity)?;
            piece = shown;
            subject = Some(entity.text("Subject")).filter(|s| !s.is_empty());
            ids = references(&entity);
            if let Some(part) = detached {
                if subject.is_none() {
                    subject = Some(part.entity.text("Subject")).filter(|s| !s.is_empty());
                }
                // What stands around a signed part was not signed with it.
                ids = references(part.entity);
                if signed == Signed::Unsigned {
                    signed = detached_word(&part.signature, &part.over, certs, now);
                }
            }
        } else {
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            piece = Piece { text: text.chars().take(1024 * 1024).collect(), enclosed: Vec::new() };
            (subject, ids) = (None, Vec::new());
        }
        let (stands, by) = Stands::of(signed);
        Ok(Self { bytes, piece, subject, ids, stands, by })
    }

    fn standing(&self, theirs: &[&Person]) -> Standing {
        match (self.stands, theirs, &self.by) {
            (Stands::Good, [who, ..], Some((fingerprint, _))) => Standing::Verified {
                fingerprint: fingerprint.to_string(),
                who: who.who.clone(),
                name: who.name.clone(),
            },
            (Stands::Good | Stands::Stranger, ..) => Standing::Stranger,
            (Stands::Unsigned, ..) => Standing::Unsigned,
            (Stands::Bad, ..) => Standing::BadSignature,
        }
    }
}

/// The delivery from whose own MAIL FROM the signer's mail came back to us, as the server says:
/// that address was in one mail only, and it was theirs.
fn returned<'a>(
    deliveries: &'a Deliveries,
    recipient: Option<&str>,
    theirs: &[&Person],
) -> Option<&'a Delivery> {
    let to = recipient?.trim().trim_matches(['<', '>']).to_owned();
    let found = deliveries.sent_from(&[to])?;
    theirs.iter().any(|p| p.who == found.recipient).then_some(found)
}

/// Whether there is a header section that says what follows; else it is a text.
fn is_entity(bytes: &[u8]) -> bool {
    let head = bytes.split(|b| *b == b'\n').take(2000).take_while(|l| !l.trim_ascii().is_empty());
    let says = |line: &[u8]| {
        line.get(..13).is_some_and(|name| name.eq_ignore_ascii_case(b"Content-Type:"))
    };
    head.into_iter().any(says)
}

/// What a signature beside its text says (RFC 3156 section 6.1).
fn detached_word(signature: &[u8], over: &[u8], certs: &[Certificate], now: At) -> Signed {
    match verify_within(over.len().max(signature.len()), signature, Some(over), certs, now) {
        Ok(good) => Signed::By { fingerprint: good.by, made_at: good.made_at },
        Err(VerifyError::Stranger) => Signed::Stranger,
        Err(_) => Signed::Bad,
    }
}

/// The delivery is acknowledged by whom it was for, after it left.
fn acknowledged(
    delivery: &Delivery,
    theirs: &[&Person],
    read: &Read,
) -> Option<(PlanId, StepId, Happened)> {
    let (by, made_at) = read.by.as_ref()?;
    let same = theirs.iter().any(|p| p.who == delivery.recipient);
    if !same || made_at.plus(SKEW) < delivery.sent_at {
        return None;
    }
    let happened =
        Happened::Acknowledged { by: by.to_string(), how: "an encrypted, signed reply".to_owned() };
    Some((delivery.plan, delivery.step, happened))
}

/// Where a mail belongs that answers nothing: with the one thing its signer was told of.
fn filed(deliveries: &Deliveries, theirs: &[&Person]) -> Option<DisclosureId> {
    let mut found: Vec<_> = theirs.iter().filter_map(|p| deliveries.only_open(&p.who)).collect();
    found.sort();
    found.dedup();
    match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Codes that came back, and contacts whose signature shows that they take part.
async fn proofs(
    house: &House,
    deliveries: &Deliveries,
    theirs: &[&Person],
    text: &str,
) -> Case<Vec<Proof>> {
    let codes = codes_in(text);
    let found = house
        .store
        .read(move |r| codes.iter().map(|c| r.challenge_with(c)).collect::<Result<Vec<_>, _>>())
        .await?;
    let mut all: Vec<Proof> = Vec::new();
    for challenge in found.into_iter().flatten().filter(|c| c.answered_at.is_none()) {
        let (contact, challenge) = (challenge.contact, Some(challenge.id));
        all.push(Proof { contact, challenge, how: "the code, in an encrypted reply" });
    }
    for contact in theirs.iter().filter_map(|p| p.provable) {
        let how = "an encrypted, signed reply";
        let open = deliveries.unanswered(contact).map(|c| Some(c.id));
        let mut asked: Vec<_> = open.filter(|c| !all.iter().any(|p| p.challenge == *c)).collect();
        if asked.is_empty() && !all.iter().any(|p| p.contact == contact) {
            asked.push(None);
        }
        all.extend(asked.into_iter().map(|challenge| Proof { contact, challenge, how }));
    }
    Ok(all)
}
