//! Opening sealed messages, for our own use and for the recipients of the demo.

use std::io::Read as _;

use sequoia_openpgp::Error;
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::parse::stream::DecryptorBuilder;

use super::certificate::Certificate;
use super::excerpt::MessageKey;
use super::fingerprint::Fingerprint;
use super::generate::{TeamKey, secret_cert};
use super::policy::{instant, policy};
use super::verify::SKEW;
use super::witness::{Bad, Hostile, Witness};
use crate::domain::time::At;

/// Most bytes a message may open to.
pub const LARGEST: u64 = 64 * 1024 * 1024;

/// Most bytes kept back until the message is known to be whole: it is thrown away otherwise.
const BUFFER: usize = 1024 * 1024;

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
    /// It asks for more work than an honest mail does.
    #[error("the message has too many packets, or such as no honest mail has")]
    Hostile,
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

/// What a message's signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// Good, by one of the certificates we asked about.
    By {
        /// Whose.
        fingerprint: Fingerprint,
        /// When, by the signer's clock.
        made_at: At,
    },
    /// By nobody we asked about.
    Stranger,
    /// There is none.
    Unsigned,
    /// It is wrong, or made by a key that is not valid.
    Bad,
}

/// What was inside, whatever its signature is worth.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsealed {
    /// The literal data.
    pub bytes: Vec<u8>,
    /// What the signature says.
    pub signed: Signed,
}

impl std::fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[unsealed message, {} bytes]", self.bytes.len())
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
    let Unsealed { bytes, signed } = unseal(message, keys, certs, at)?;
    match signed {
        Signed::By { fingerprint, .. } => Ok(Opened { bytes, signed_by: Some(fingerprint) }),
        Signed::Unsigned | Signed::Stranger => Ok(Opened { bytes, signed_by: None }),
        Signed::Bad => Err(OpenError::BadSignature),
    }
}

/// The same for a message from outside: a signature that does not hold is told, not an error.
/// Packets are counted as they come, so that a hostile message is left before its work is
/// done; at most [`LARGEST`] bytes are ever unfolded.
pub fn unseal(
    message: &[u8],
    keys: &[TeamKey],
    certs: &[Certificate],
    at: At,
) -> Result<Unsealed, OpenError> {
    let secrets = keys
        .iter()
        .map(|key| secret_cert(&key.secret))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| OpenError::BadKey)?;
    unseal_by(message, Witness::new(certs, secrets), certs, at)
}

/// The same where the secret key is out of our hands, and only the session key was got from it:
/// everything else is done, bounded and judged here all the same.
pub fn unseal_given(
    message: &[u8],
    session: &MessageKey,
    reader: &Certificate,
    certs: &[Certificate],
    at: At,
) -> Result<Unsealed, OpenError> {
    unseal_by(message, Witness::given(certs, session.parts(), reader), certs, at)
}

fn unseal_by(
    message: &[u8],
    witness: Witness,
    certs: &[Certificate],
    at: At,
) -> Result<Unsealed, OpenError> {
    let policy = policy(at);
    let mut decryptor = DecryptorBuilder::from_bytes(message)
        .map(|b| b.buffer_size(BUFFER))
        .and_then(|b| b.with_policy(&policy, instant(at.plus(SKEW)), witness))
        .map_err(|e| match e.downcast_ref::<Error>() {
            Some(Error::MissingSessionKey(_)) => OpenError::NotForUs,
            _ if e.is::<Hostile>() => OpenError::Hostile,
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
    let signed = match decryptor.helper_ref().testimony.judge(certs, at) {
        Ok(good) => Signed::By { fingerprint: good.by, made_at: good.made_at },
        Err(Bad::Unsigned) => Signed::Unsigned,
        Err(Bad::Stranger) => Signed::Stranger,
        Err(_) => Signed::Bad,
    };
    Ok(Unsealed { bytes, signed })
}
