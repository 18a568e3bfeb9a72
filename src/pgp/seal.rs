//! Sealing: one encrypted message for the certificates of one contact.
//!
//! Signed inside the encryption; not compressed; PKESKv3 and SEIPDv1 with AES-256 whatever the
//! certificates advertise (left alone the library chooses SEIPDv2, which hardly any mail
//! program reads); real key ids, because hidden ones are unreadable for many; one packet for
//! every valid encryption subkey, because the holder may have lost one of them; a session key
//! of its own for every call. A certificate that cannot be used is an error, never skipped and
//! never a reason for clear text.

use std::io::{Read, Write};
use std::sync::Arc;

use sequoia_openpgp::KeyHandle;
use sequoia_openpgp::armor::Kind;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::packet::{Key, Packet};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse as _};
use sequoia_openpgp::serialize::stream::{Armorer, Encryptor, Message, Recipient};
use sequoia_openpgp::types::{Features, SymmetricAlgorithm};

use super::armor::{MailArmor, armored_len};
use super::certificate::Certificate;
use super::fingerprint::{Fingerprint, KeyFingerprint};
use super::health::encryption_keys;
use super::signer::{ResidentSigner, SignError, Signer};
use crate::domain::time::At;

/// Bytes that go into a stream at once.
pub(super) const PIECE: usize = 64 * 1024;

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

/// The certificates of one contact, judged once and used as often as wanted.
#[derive(Clone)]
pub struct Recipients {
    certificates: Vec<Certificate>,
    keys: Vec<PublicKey>,
}

impl std::fmt::Debug for Recipients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[recipients]")
    }
}

impl Recipients {
    /// All of them, or none when one cannot be encrypted to at `at`.
    pub fn of(certificates: &[Certificate], at: At) -> Result<Self, SealError> {
        if certificates.is_empty() {
            return Err(SealError::NoRecipient);
        }
        let mut keys: Vec<PublicKey> = Vec::new();
        for certificate in certificates {
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
        Ok(Self { certificates: certificates.to_vec(), keys })
    }

    fn sealed(&self, armored: Vec<u8>) -> SealedMessage {
        SealedMessage {
            armored,
            fingerprints: self.certificates.iter().map(Certificate::fingerprint).collect(),
            keys: self.keys.iter().map(|k| KeyFingerprint::of(&k.fingerprint())).collect(),
        }
    }
}

/// Signs `entity` and seals it to all `recipients`, which belong to one contact.
pub async fn seal(
    entity: &[u8],
    recipients: &[Certificate],
    signer: &dyn Signer,
    at: At,
) -> Result<SealedMessage, SealError> {
    let to = Recipients::of(recipients, at)?;
    match signer.resident() {
        Some(resident) => seal_resident(entity, &to, resident, at),
        None => seal_signed(&signer.sign_message(entity, recipients, at).await?, &to),
    }
}

/// The same with a key that is held in memory: nothing waits.
pub(super) fn seal_resident(
    entity: &[u8],
    to: &Recipients,
    signer: &ResidentSigner,
    at: At,
) -> Result<SealedMessage, SealError> {
    let mut armored = Vec::with_capacity(armored_len(entity.len().saturating_add(4096)));
    seal_into(&mut armored, entity, to, signer, at)?;
    Ok(to.sealed(armored))
}

/// Seals a signed message.
pub(super) fn seal_signed(signed: &[u8], to: &Recipients) -> Result<SealedMessage, SealError> {
    let mut armored = Vec::with_capacity(armored_len(signed.len().saturating_add(4096)));
    encrypt_into(&mut armored, to, |encryptor| Ok(encryptor.write_all(signed)?))?;
    Ok(to.sealed(armored))
}

/// Signs and seals in one pass, reading `entity` once and writing the armored message to
/// `sink` piece by piece: however long it is, only kilobytes of it are held.
pub fn seal_into(
    sink: impl Write + Send + Sync,
    entity: impl Read,
    to: &Recipients,
    signer: &ResidentSigner,
    at: At,
) -> Result<(), SealError> {
    encrypt_into(sink, to, |encryptor| {
        signer.inline_onto(Message::new(encryptor), entity, &to.certificates, at)
    })
}

/// A body that was signed once for many. It names nobody: who gets it can pass it on under
/// another's key, and it looks as if the team had sent it there.
#[derive(Clone)]
pub struct SignedBody(Arc<Vec<u8>>);

impl std::fmt::Debug for SignedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[signed body]")
    }
}

impl SignedBody {
    /// Signs `entity` for nobody in particular.
    pub async fn sign(entity: &[u8], signer: &dyn Signer, at: At) -> Result<Self, SealError> {
        match signer.resident() {
            Some(resident) => Self::read(entity, entity.len(), resident, at),
            None => Ok(Self(Arc::new(signer.sign_message(entity, &[], at).await?))),
        }
    }

    /// The same, reading the entity, about `len` bytes, once: only the signed body is held.
    pub fn read(
        entity: impl Read,
        len: usize,
        signer: &ResidentSigner,
        at: At,
    ) -> Result<Self, SealError> {
        let mut signed = Vec::with_capacity(len.saturating_add(4096));
        signer.inline_onto(Message::new(&mut signed), entity, &[], at).map_err(only_ours)?;
        Ok(Self(Arc::new(signed)))
    }

    /// Seals it to one contact, under a session key of its own.
    pub fn seal(&self, to: &Recipients) -> Result<SealedMessage, SealError> {
        seal_signed(&self.0, to)
    }

    /// The same, written to `sink` piece by piece.
    pub fn seal_into(
        &self,
        sink: impl Write + Send + Sync,
        to: &Recipients,
    ) -> Result<(), SealError> {
        encrypt_into(sink, to, |encryptor| {
            // In pieces, or a large body would be copied whole into the library's buffer.
            Ok(self.0.chunks(PIECE).try_for_each(|piece| encryptor.write_all(piece))?)
        })
    }
}

type PublicKey = Key<PublicParts, UnspecifiedRole>;

/// Armor around encryption around what `fill` writes: packets of a signed message.
pub(super) fn encrypt_into(
    sink: impl Write + Send + Sync,
    to: &Recipients,
    fill: impl FnOnce(&mut Message<'_>) -> sequoia_openpgp::Result<()>,
) -> Result<(), SealError> {
    let mut armor = MailArmor::message(sink);
    encrypted_packets(&mut armor, &to.keys, fill).map_err(only_ours)?;
    armor.finish().map_err(|_| SealError::Failed)?;
    Ok(())
}

/// The signer's refusals pass; the library's texts do not.
fn only_ours(error: sequoia_openpgp::anyhow::Error) -> SealError {
    error.downcast::<SignError>().map_or(SealError::Failed, SealError::Sign)
}

fn encrypted_packets(
    sink: impl Write + Send + Sync,
    keys: &[PublicKey],
    fill: impl FnOnce(&mut Message<'_>) -> sequoia_openpgp::Result<()>,
) -> sequoia_openpgp::Result<()> {
    let recipients = keys.iter().map(|key| {
        let handle = KeyHandle::from(key.keyid());
        Recipient::new(Features::empty().set_seipdv1(), handle, key)
    });
    let mut encryptor = Encryptor::for_recipients(Message::new(sink), recipients)
        .symmetric_algo(SymmetricAlgorithm::AES256)
        .build()?;
    // A signed message is a sequence of packets already and goes in as it is.
    fill(&mut encryptor)?;
    encryptor.finalize()
}

/// Whether nobody but the holders of `certificates`, with keys that are good at `at`, can open a
/// sealed message, which may stand
/// armored inside a mail. `false` when it names nobody, or cannot be read.
pub fn is_sealed_only_to(message: &[u8], certificates: &[Certificate], at: At) -> bool {
    let keys: Vec<_> = certificates.iter().flat_map(|c| encryption_keys(c, at)).collect();
    let mut named = 0_usize;
    let mut next = PacketParser::from_bytes(message);
    while let Ok(PacketParserResult::Some(parser)) = next {
        match &parser.packet {
            Packet::PKESK(pkesk) => {
                let theirs = |handle| keys.iter().any(|k| k.key_handle().aliases(&handle));
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

#[cfg(test)]
mod tests;
