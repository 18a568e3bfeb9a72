//! Sealing: one encrypted message for the certificates of one contact.
//!
//! Signed inside the encryption; not compressed; PKESKv3 and SEIPDv1 with AES-256 whatever the
//! certificates advertise (left alone the library chooses SEIPDv2, which hardly any mail
//! program reads); real key ids, because hidden ones are unreadable for many; one packet for
//! every valid encryption subkey, because the holder may have lost one of them; a session key
//! of its own for every call. A certificate that cannot be used is an error, never skipped and
//! never a reason for clear text.

use std::io::Write as _;

use sequoia_openpgp::KeyHandle;
use sequoia_openpgp::armor::Kind;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::packet::{Key, Packet};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse as _};
use sequoia_openpgp::serialize::stream::{Armorer, Encryptor, Message, Recipient};
use sequoia_openpgp::types::{Features, SymmetricAlgorithm};

use super::certificate::Certificate;
use super::fingerprint::{Fingerprint, KeyFingerprint};
use super::health::encryption_keys;
use super::signer::{SignError, Signer};
use crate::domain::time::At;

/// Why nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Nobody to seal to was given.
    #[error("there is no certificate to encrypt to; add one to the contact")]
    NoRecipient,
    /// One of the certificates cannot be encrypted to at that time; nothing was sealed.
    #[error(
        "a certificate of this recipient cannot be encrypted to at this time; see its findings, \
         renew it or take it away from the contact"
    )]
    NoUsableCertificate {
        /// Which.
        fingerprint: Fingerprint,
    },
    /// There is no signature to seal.
    #[error("nothing was sealed, because it could not be signed: {0}")]
    Sign(#[from] SignError),
    /// The machinery failed.
    #[error("encryption failed")]
    Failed,
}

/// An encrypted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedMessage {
    /// Armored, CRLF line ends, no armor headers: the body of the second part of RFC 3156
    /// section 4.
    pub armored: Vec<u8>,
    /// The certificates it is sealed to.
    pub fingerprints: Vec<Fingerprint>,
    /// Their keys that can open it, in the order of the packets.
    pub keys: Vec<KeyFingerprint>,
}

/// Signs `entity` and seals it to all `recipients`, which belong to one contact.
pub async fn seal(
    entity: &[u8],
    recipients: &[Certificate],
    signer: &dyn Signer,
    at: At,
) -> Result<SealedMessage, SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipient);
    }
    let mut keys: Vec<PublicKey> = Vec::new();
    for certificate in recipients {
        let usable = encryption_keys(certificate, at);
        if usable.is_empty() {
            let fingerprint = certificate.fingerprint();
            return Err(SealError::NoUsableCertificate { fingerprint });
        }
        for key in usable {
            // The same certificate given twice is one recipient.
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    let signed = signer.sign_message(entity, recipients, at).await?;
    let sealed = encrypt(&signed, &keys).map_err(|_| SealError::Failed)?;
    let armored = armor(&sealed, Kind::Message).map_err(|_| SealError::Failed)?;
    Ok(SealedMessage {
        armored: crlf(&armored),
        fingerprints: recipients.iter().map(Certificate::fingerprint).collect(),
        keys: keys.iter().map(|k| KeyFingerprint::of(&k.fingerprint())).collect(),
    })
}

type PublicKey = Key<PublicParts, UnspecifiedRole>;

fn encrypt(signed: &[u8], keys: &[PublicKey]) -> sequoia_openpgp::Result<Vec<u8>> {
    let recipients = keys.iter().map(|key| {
        let handle = KeyHandle::from(key.keyid());
        Recipient::new(Features::empty().set_seipdv1(), handle, key)
    });
    let mut bytes = Vec::new();
    let mut encryptor = Encryptor::for_recipients(Message::new(&mut bytes), recipients)
        .symmetric_algo(SymmetricAlgorithm::AES256)
        .build()?;
    // The signed message is a sequence of packets already and goes in as it is.
    encryptor.write_all(signed)?;
    encryptor.finalize()?;
    Ok(bytes)
}

/// Whether nobody but the holders of `certificates` can open a sealed message, which may stand
/// armored inside a mail. `false` when it names nobody, or cannot be read.
pub fn is_sealed_only_to(message: &[u8], certificates: &[Certificate]) -> bool {
    let keys = || certificates.iter().flat_map(|c| c.cert().keys());
    let mut named = 0_usize;
    let mut next = PacketParser::from_bytes(message);
    while let Ok(PacketParserResult::Some(parser)) = next {
        match &parser.packet {
            Packet::PKESK(pkesk) => {
                let theirs = |handle| keys().any(|k| k.key().key_handle().aliases(&handle));
                if !pkesk.recipient().is_some_and(theirs) {
                    return false;
                }
                named = named.saturating_add(1);
            }
            Packet::SKESK(_) => return false,
            Packet::Marker(_) => {}
            // What is encrypted follows; nothing after it adds a reader.
            _ => return named > 0,
        }
        next = parser.next().map(|(_, rest)| rest);
    }
    false
}

/// Armor without headers, LF line ends (RFC 9580 section 6.2).
pub(super) fn armor(bytes: &[u8], kind: Kind) -> sequoia_openpgp::Result<Vec<u8>> {
    let mut armored = Vec::new();
    let mut armorer = Armorer::new(Message::new(&mut armored)).kind(kind).build()?;
    armorer.write_all(bytes)?;
    armorer.finalize()?;
    Ok(armored)
}

/// LF to CRLF; armor holds no CR.
fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 64 + 2);
    for byte in text {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests;
