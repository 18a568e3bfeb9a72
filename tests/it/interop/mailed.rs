//! Mails as the engine makes them: group, entity, seal, wire.

use daybreak::clock::{Clock as _, SystemClock};
use daybreak::domain::blob::Sha256;
use daybreak::domain::time::{At, Span};
use daybreak::letters::entity::{Attachment, Delivery, compose, group};
use daybreak::letters::wire;
use daybreak::pgp::{Certificate, ResidentSigner, generate_team_key, seal};

use super::shapes::Shape;

/// What is mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Text, patch, JSON and digests.
    Notice,
    /// A few words with a code, such as a proof of readability asks for.
    Challenge,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Notice, Self::Challenge];
}

/// One mail and what its reader must find in it.
pub struct Mailed {
    pub bytes: Vec<u8>,
    pub armored: Vec<u8>,
    pub plaintext: Vec<u8>,
}

/// The team.
pub struct Sender {
    signer: ResidentSigner,
    certificate: Certificate,
}

impl Sender {
    pub fn new() -> Self {
        let made = SystemClock::new().wall().plus(Span::days(-1));
        let key = generate_team_key("Meadow Security <security@meadow.example>", made).unwrap();
        Self { signer: ResidentSigner::new(&key).unwrap(), certificate: key.certificate }
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub fn signer(&self) -> &ResidentSigner {
        &self.signer
    }

    /// Never a key's second of birth: some programs count in other roundings.
    pub fn now(&self) -> At {
        SystemClock::new().wall()
    }

    pub async fn mail(&self, shape: &Shape, kind: Kind) -> Mailed {
        let id = Sha256::of(format!("{} {kind:?}", shape.name).as_bytes()).to_string();
        let (id, _) = id.split_at(32);
        let message_id = format!("{id}@meadow.example");
        let delivery = Delivery {
            from: "security@meadow.example",
            to: "reader@larch.example",
            subject: "[embargoed] Meadow: buffers overflow",
            clear_subject: "[...]",
            message_id: &message_id,
            date: self.now(),
        };
        let entity = compose(&pinned(kind), &delivery).unwrap();
        let sealed = seal(&entity, &shape.certificates, &self.signer, self.now()).await.unwrap();
        let bytes = wire::sealed(&delivery, &sealed.armored, id).unwrap();
        let armored = second_part(&bytes);
        Mailed { bytes, armored, plaintext: entity }
    }
}

/// The bytes that a plan pins. UTF-8, a long line and a lone CR on purpose.
fn pinned(kind: Kind) -> Vec<u8> {
    let boundary = "0123456789abcdef0123456789abcdef";
    let attachment = |name: &str, media_type, bytes: &[u8]| Attachment {
        file_name: name.to_owned(),
        media_type,
        bytes: bytes.to_vec(),
    };
    let made = match kind {
        Kind::Challenge => group("Please send back this code: 7f3a-91c2\n", &[], boundary),
        Kind::Notice => {
            let patch = format!("From 1234\nSubject: Größe\n\n+{}\r\n", "x".repeat(1200));
            let attachments = [
                attachment("main.patch", "text/x-patch", patch.repeat(12).as_bytes()),
                attachment("advisory.json", "application/json", b"{\"id\": \"MEADOW-2026-1\"}"),
            ];
            group(
                "Embargo until Tuesday.\n\nA heap overflow in the parser.\n",
                &attachments,
                boundary,
            )
        }
    };
    made.unwrap().body
}

/// What a mail program hands to its OpenPGP: the second part of RFC 3156, as it travelled.
fn second_part(mail: &[u8]) -> Vec<u8> {
    let mail = mail_parser::MessageParser::new().parse(mail).unwrap();
    let part = mail.parts.iter().find(|p| p.contents().starts_with(b"-----BEGIN PGP")).unwrap();
    part.contents().to_vec()
}
