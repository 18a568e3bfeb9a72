//! What a message's signatures say, kept apart from the library's way of saying it.
//!
//! The helper never fails the library's check by itself: it writes down every result, and the
//! caller decides once, in [`Testimony::judge`].

use sequoia_openpgp::cert::Cert;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::packet::header::BodyLength;
use sequoia_openpgp::packet::{PKESK, SKESK, Tag};
use sequoia_openpgp::parse::PacketParser;
use sequoia_openpgp::parse::stream::{
    DecryptionHelper, MessageLayer, MessageStructure, VerificationError, VerificationHelper,
    VerificationResult,
};
use sequoia_openpgp::types::{SignatureType, SymmetricAlgorithm};
use sequoia_openpgp::{Error, KeyHandle};

use super::certificate::Certificate;
use super::fingerprint::{Fingerprint, KeyFingerprint};
use super::policy::from_instant;
use crate::domain::time::At;

/// One signature that checks out under one of the certificates.
#[derive(Clone)]
pub(super) struct Good {
    pub by: Fingerprint,
    pub key: KeyFingerprint,
    pub made_at: At,
    /// Whether line ends were outside the signature (RFC 9580 section 5.2.1.2).
    pub text: bool,
}

/// Why a signature does not count, worst last: the worst is what a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bad {
    Unsigned,
    Stranger,
    WrongTime,
    Weak,
    Signer,
    Structure,
    Altered,
}

/// Everything the signatures said.
#[derive(Default)]
pub(super) struct Testimony {
    good: Vec<Good>,
    bad: Vec<Bad>,
    groups: usize,
}

impl Testimony {
    /// The first good signature whose key still counts at `at`.
    ///
    /// The library asks whether the key was valid when the signature was made; for us it must
    /// be valid now as well: a key revoked yesterday approves nothing today.
    pub(super) fn judge(&self, certs: &[Certificate], at: At) -> Result<Good, Bad> {
        if self.groups > 1 {
            // Signatures over signatures: which text was meant cannot be said.
            return Err(Bad::Structure);
        }
        let counts = |good: &&Good| {
            certs.iter().any(|c| {
                c.fingerprint() == good.by && c.valid_signing_fingerprints(at).contains(&good.key)
            })
        };
        match self.good.iter().find(counts) {
            Some(good) => Ok(good.clone()),
            None if !self.good.is_empty() => Err(Bad::Signer),
            None => Err(self.bad.iter().copied().max().unwrap_or(Bad::Unsigned)),
        }
    }
}

/// A message that asks for more work than any honest one: left before the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message has packets that no honest mail has")]
pub(super) struct Hostile;

/// How many packets of each kind were seen on the way. Counted as they come, before anything
/// is decrypted for them or verified.
#[derive(Default)]
pub(super) struct Tally {
    session_keys: u32,
    ciphertexts: u32,
    compressed: u32,
    signatures: u32,
    others: u32,
}

impl Tally {
    /// Refuses what is too many, too large, or has no place in a mail: a password's packet
    /// (its Argon2 may ask for 2 TiB, RFC 9580 section 3.7.1.4), encryption inside encryption,
    /// compression inside compression.
    pub(super) fn count(&mut self, tag: Tag, length: &BodyLength) -> Result<(), Hostile> {
        /// A role with many keys, on a list with many members.
        const SESSION_KEYS: u32 = 256;
        /// One-pass signatures and signatures together.
        const SIGNATURES: u32 = 16;
        /// Markers and the like.
        const OTHERS: u32 = 16;
        /// Most bytes of a packet that is no container.
        const SMALL: u32 = 64 * 1024;
        let data = match tag {
            Tag::SEIP | Tag::CompressedData | Tag::Literal => true,
            Tag::PKESK | Tag::OnePassSig | Tag::Signature | Tag::MDC | Tag::Marker => false,
            _ => return Err(Hostile),
        };
        if !data && !matches!(length, BodyLength::Full(n) if *n <= SMALL) {
            return Err(Hostile);
        }
        let (counter, most) = match tag {
            Tag::SEIP => (&mut self.ciphertexts, 1),
            Tag::CompressedData => (&mut self.compressed, 1),
            Tag::PKESK => (&mut self.session_keys, SESSION_KEYS),
            Tag::OnePassSig | Tag::Signature => (&mut self.signatures, SIGNATURES),
            _ => (&mut self.others, OTHERS),
        };
        *counter = counter.saturating_add(1);
        if *counter > most { Err(Hostile) } else { Ok(()) }
    }
}

/// The library's helper: hands out certificates and session keys, writes down results.
pub(super) struct Witness {
    certs: Vec<Cert>,
    keys: Vec<Cert>,
    /// A session key from elsewhere, and whose secret key gave it.
    given: Option<(SymmetricAlgorithm, SessionKey, Cert)>,
    pub testimony: Testimony,
    tally: Tally,
}

impl Witness {
    pub(super) fn new(certs: &[Certificate], keys: Vec<Cert>) -> Self {
        let certs = certs.iter().map(|c| c.cert().clone()).collect();
        let (testimony, tally) = (Testimony::default(), Tally::default());
        Self { certs, keys, given: None, testimony, tally }
    }

    /// One that has the session key already, out of a message to `reader`.
    pub(super) fn given(
        certs: &[Certificate],
        (algorithm, key): (SymmetricAlgorithm, SessionKey),
        reader: &Certificate,
    ) -> Self {
        let given = Some((algorithm, key, reader.cert().clone()));
        Self { given, ..Self::new(certs, Vec::new()) }
    }

    fn note(&mut self, result: VerificationResult<'_>) {
        match result {
            Ok(good) => self.testimony.good.push(Good {
                by: Fingerprint::of(&good.ka.cert().fingerprint()),
                key: KeyFingerprint::of(&good.ka.key().fingerprint()),
                // The library refuses a signature without a creation time before this.
                made_at: good.sig.signature_creation_time().map_or(At::from_secs(0), from_instant),
                text: good.sig.typ() == SignatureType::Text,
            }),
            Err(error) => self.testimony.bad.push(reason(&error)),
        }
    }
}

fn reason(error: &VerificationError<'_>) -> Bad {
    match error {
        VerificationError::MissingKey { .. } => Bad::Stranger,
        VerificationError::UnboundKey { .. } | VerificationError::BadKey { .. } => Bad::Signer,
        VerificationError::BadSignature { error, .. } => match error.downcast_ref::<Error>() {
            Some(Error::Expired(_) | Error::NotYetLive(_)) => Bad::WrongTime,
            Some(Error::PolicyViolation(..)) => Bad::Weak,
            _ if error.chain().any(is_policy) => Bad::Weak,
            _ => Bad::Altered,
        },
        _ => Bad::Structure,
    }
}

fn is_policy(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(error.downcast_ref::<Error>(), Some(Error::PolicyViolation(..)))
}

impl VerificationHelper for Witness {
    fn inspect(&mut self, parser: &PacketParser<'_>) -> sequoia_openpgp::Result<()> {
        Ok(self.tally.count(parser.packet.tag(), parser.header().length())?)
    }

    fn get_certs(&mut self, _ids: &[KeyHandle]) -> sequoia_openpgp::Result<Vec<Cert>> {
        Ok(self.certs.clone())
    }

    fn check(&mut self, structure: MessageStructure<'_>) -> sequoia_openpgp::Result<()> {
        for layer in structure {
            if let MessageLayer::SignatureGroup { results } = layer {
                self.testimony.groups += 1;
                for result in results {
                    self.note(result);
                }
            }
        }
        Ok(())
    }
}

impl DecryptionHelper for Witness {
    fn decrypt(
        &mut self,
        pkesks: &[PKESK],
        _skesks: &[SKESK],
        algo: Option<SymmetricAlgorithm>,
        decrypt: &mut dyn FnMut(Option<SymmetricAlgorithm>, &SessionKey) -> bool,
    ) -> sequoia_openpgp::Result<Option<Cert>> {
        if let Some((algorithm, session, reader)) = &self.given
            && decrypt(Some(*algorithm), session)
        {
            return Ok(Some(reader.clone()));
        }
        for pkesk in pkesks {
            let wanted = pkesk.recipient();
            for cert in &self.keys {
                let secrets = cert.keys().unencrypted_secret().filter(|k| match &wanted {
                    Some(handle) => k.key().key_handle().aliases(handle),
                    None => true,
                });
                for key in secrets {
                    let mut pair = key.key().clone().into_keypair()?;
                    let opened = pkesk
                        .decrypt(&mut pair, algo)
                        .is_some_and(|(algo, session)| decrypt(algo, &session));
                    if opened {
                        return Ok(Some(cert.clone()));
                    }
                }
            }
        }
        Err(Error::MissingSessionKey("no key of ours".into()).into())
    }
}
