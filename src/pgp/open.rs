//! Opening sealed messages, for our own use and for the recipients of the demo.

use std::io::Read as _;

use sequoia_openpgp::Error;
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::parse::stream::DecryptorBuilder;

use super::certificate::Certificate;
use super::fingerprint::Fingerprint;
use super::generate::{TeamKey, secret_cert};
use super::policy::{instant, policy};
use super::verify::SKEW;
use super::witness::{Bad, Witness};
use crate::domain::time::At;

/// Most bytes a message may open to.
pub const LARGEST: u64 = 64 * 1024 * 1024;

/// Why a message stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is no encrypted message, or it is damaged.
    #[error("this is not a whole encrypted OpenPGP message")]
    NotAMessage,
    /// None of the keys opens it.
    #[error("the message is not encrypted to any of the given keys")]
    NotForUs,
    /// One of the secret keys is unusable.
    #[error("a secret key cannot be used: it is damaged or protected by a passphrase")]
    BadKey,
    /// The signature is wrong, or made by a key that is not valid.
    #[error("the message opens, but its signature does not hold: trust nothing in it")]
    BadSignature,
    /// It opens to more than [`LARGEST`] bytes.
    #[error("the message is larger than 64 MiB when opened")]
    TooLarge,
}

/// What was inside.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The literal data.
    pub bytes: Vec<u8>,
    /// Who signed it; `None` when it is unsigned or signed by nobody we asked about.
    pub signed_by: Option<Fingerprint>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[opened message, {} bytes]", self.bytes.len())
    }
}

/// Opens a message, armored or binary, with any of `keys`; a signature is checked against
/// `certs`. Keys that are expired or revoked still open what was sealed to them.
pub fn open(
    message: &[u8],
    keys: &[TeamKey],
    certs: &[Certificate],
    at: At,
) -> Result<Opened, OpenError> {
    let secrets = keys
        .iter()
        .map(|key| secret_cert(&key.secret))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| OpenError::BadKey)?;
    let policy = policy(at);
    let mut decryptor = DecryptorBuilder::from_bytes(message)
        .and_then(|b| {
            let until = instant(at.plus(SKEW));
            b.with_policy(&policy, until, Witness::new(certs, secrets))
        })
        .map_err(|e| match e.downcast_ref::<Error>() {
            Some(Error::MissingSessionKey(_)) => OpenError::NotForUs,
            _ => OpenError::NotAMessage,
        })?;
    let mut bytes = Vec::new();
    decryptor
        .by_ref()
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| OpenError::NotAMessage)?;
    if bytes.len() as u64 > LARGEST {
        return Err(OpenError::TooLarge);
    }
    // Everything has been read, so the integrity check and the signatures have been done.
    if !decryptor.message_processed() {
        return Err(OpenError::NotAMessage);
    }
    match decryptor.helper_ref().testimony.judge(certs, at) {
        Ok(good) => Ok(Opened { bytes, signed_by: Some(good.by) }),
        Err(Bad::Unsigned | Bad::Stranger) => Ok(Opened { bytes, signed_by: None }),
        Err(_) => Err(OpenError::BadSignature),
    }
}
