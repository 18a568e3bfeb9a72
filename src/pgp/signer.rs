//! Signing as a trait, and the signer that holds the key itself.
//!
//! Every signature is version 4 with SHA-512 and carries the time it is told. A signer refuses
//! rather than sign with a key that its own certificate does not support at that time.

use std::fmt;
use std::io::{Read, Write as _};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sequoia_openpgp::cert::Cert;
use sequoia_openpgp::crypto::KeyPair;
use sequoia_openpgp::serialize::stream::{Armorer, LiteralWriter, Message, Signer as Stream};
use sequoia_openpgp::types::{HashAlgorithm, RevocationStatus};
use sequoia_openpgp::{armor, types::DataFormat};

use super::certificate::Certificate;
use super::generate::{TeamKey, TeamKeyError, secret_cert};
use super::policy::{instant, policy};
use super::seal::PIECE;
use crate::domain::time::At;

/// Why there is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The certificate has no signing key that is valid at that time.
    #[error(
        "the signing key is not valid at this time: it is expired, revoked or not made for \
         signing; renew it (`gpg --quick-set-expire FINGERPRINT 2y`) or choose another signer"
    )]
    NoValidKey,
    /// The program that signs is not there.
    #[error("gpg is not installed, so the configured signer cannot sign; install gnupg")]
    NotInstalled,
    /// The secret key is not there, or the agent, card or person said no.
    #[error(
        "gpg did not sign: the secret key or card is not there, or the PIN was not given; try \
         `gpg --local-user FINGERPRINT --clear-sign` by hand"
    )]
    Declined,
    /// Nobody answered in time.
    #[error("gpg did not sign in time: the agent is waiting for a PIN or a touch of the card")]
    TooSlow,
    /// A signature came that is not what was asked for; it is thrown away.
    #[error("the signer gave a signature that does not verify under its own certificate")]
    Untrue,
    /// The machinery failed.
    #[error("signing failed")]
    Failed,
}

/// Somebody who signs. What is signed is never changed by the signer.
#[async_trait]
pub trait Signer: Send + Sync {
    /// Under which certificate the signatures verify.
    fn certificate(&self) -> &Certificate;

    /// The signer itself, when it holds its key in memory: what it signs can be streamed.
    fn resident(&self) -> Option<&ResidentSigner> {
        None
    }

    /// An armored detached signature over exactly `data` (RFC 9580 section 10.4), LF lines.
    async fn detach(&self, data: &[u8], at: At) -> Result<Vec<u8>, SignError>;

    /// A text in the cleartext signature framework (RFC 9580 section 7), LF lines. White space
    /// at the end of lines is not signed and may be lost.
    async fn clearsign(&self, text: &[u8], at: At) -> Result<Vec<u8>, SignError>;

    /// A binary signed message (RFC 9580 section 10.3): one-pass signature, literal data
    /// without name or date, signature. Not compressed: sizes must not follow content. The
    /// signature names the certificates it is `intended` for (section 5.2.3.36), where the
    /// signer can.
    async fn sign_message(
        &self,
        data: &[u8],
        intended: &[Certificate],
        at: At,
    ) -> Result<Vec<u8>, SignError>;
}

/// A signer that holds the team's secret key in memory.
pub struct ResidentSigner {
    secret: Cert,
    certificate: Certificate,
    /// The key found last, for the second it was asked for: a notice to many asks often.
    found: Mutex<Option<(i64, KeyPair)>>,
}

impl fmt::Debug for ResidentSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[resident signer]")
    }
}

impl ResidentSigner {
    /// From a key that was generated or imported.
    pub fn new(key: &TeamKey) -> Result<Self, TeamKeyError> {
        let (secret, certificate) = (secret_cert(&key.secret)?, key.certificate.clone());
        Ok(Self { secret, certificate, found: Mutex::default() })
    }

    /// The newest key that may sign at `at`. The library counts whole seconds.
    fn key(&self, at: At) -> Result<KeyPair, SignError> {
        // A panic elsewhere cannot leave it half written.
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = found.as_ref().filter(|(second, _)| *second == at.secs()) {
            return Ok(key.clone());
        }
        let key = self.search(at)?;
        *found = Some((at.secs(), key.clone()));
        Ok(key)
    }

    fn search(&self, at: At) -> Result<KeyPair, SignError> {
        let policy = policy(at);
        let valid =
            self.secret.with_policy(&policy, instant(at)).map_err(|_| SignError::NoValidKey)?;
        // The certificate first: the filters below look at the keys alone.
        let revoked = valid.revocation_status() != RevocationStatus::NotAsFarAsWeKnow;
        if revoked || valid.alive().is_err() {
            return Err(SignError::NoValidKey);
        }
        valid
            .keys()
            .unencrypted_secret()
            .supported()
            .alive()
            .revoked(false)
            .for_signing()
            .max_by_key(|k| k.key().creation_time())
            .and_then(|k| k.key().clone().into_keypair().ok())
            .ok_or(SignError::NoValidKey)
    }

    fn detached(&self, data: &[u8], at: At) -> sequoia_openpgp::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let message =
            Armorer::new(Message::new(&mut bytes)).kind(armor::Kind::Signature).build()?;
        let mut signer = self.stream(message, at)?.detached().build()?;
        signer.write_all(data)?;
        signer.finalize()?;
        Ok(bytes)
    }

    fn clearsigned(&self, text: &[u8], at: At) -> sequoia_openpgp::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut signer = self.stream(Message::new(&mut bytes), at)?.cleartext().build()?;
        signer.write_all(text)?;
        signer.finalize()?;
        Ok(bytes)
    }

    fn inline(
        &self,
        data: &[u8],
        intended: &[Certificate],
        at: At,
    ) -> sequoia_openpgp::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(data.len().saturating_add(4096));
        self.inline_onto(Message::new(&mut bytes), data, intended, at)?;
        Ok(bytes)
    }

    /// Writes a signed message onto `onto`, reading the data once.
    pub(super) fn inline_onto(
        &self,
        onto: Message<'_>,
        mut data: impl Read,
        intended: &[Certificate],
        at: At,
    ) -> sequoia_openpgp::Result<()> {
        let mut signer = self.stream(onto, at)?;
        for certificate in intended {
            signer = signer.add_intended_recipient(certificate.cert());
        }
        // Name empty and date zero are the literal writer's defaults.
        let mut literal = LiteralWriter::new(signer.build()?).format(DataFormat::Binary).build()?;
        let mut piece = vec![0; PIECE];
        loop {
            let len = data.read(&mut piece)?;
            if len == 0 {
                break;
            }
            literal.write_all(piece.get(..len).unwrap_or_default())?;
        }
        literal.finalize()
    }

    fn stream<'a>(&self, onto: Message<'a>, at: At) -> sequoia_openpgp::Result<Stream<'a>> {
        Ok(Stream::new(onto, self.key(at)?)?
            .hash_algo(HashAlgorithm::SHA512)?
            .creation_time(instant(at)))
    }
}

/// Our own refusals pass; the library's texts do not.
fn only_ours(error: sequoia_openpgp::anyhow::Error) -> SignError {
    error.downcast::<SignError>().unwrap_or(SignError::Failed)
}

#[async_trait]
impl Signer for ResidentSigner {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn resident(&self) -> Option<&ResidentSigner> {
        Some(self)
    }

    async fn detach(&self, data: &[u8], at: At) -> Result<Vec<u8>, SignError> {
        self.detached(data, at).map_err(only_ours)
    }

    async fn clearsign(&self, text: &[u8], at: At) -> Result<Vec<u8>, SignError> {
        self.clearsigned(text, at).map_err(only_ours)
    }

    async fn sign_message(
        &self,
        data: &[u8],
        intended: &[Certificate],
        at: At,
    ) -> Result<Vec<u8>, SignError> {
        self.inline(data, intended, at).map_err(only_ours)
    }
}
