//! An OpenPGP certificate as a value: public parts only, exactly one, checked on the way in.
//!
//! What other people signed on it is dropped: it says who knows whom, it can be grown without
//! end by strangers, and nothing here believes it. Whether the certificate is any good is
//! another question, asked at a time: see [`super::health`].

use std::fmt;
use std::sync::Arc;

use sequoia_openpgp::KeyHandle;
use sequoia_openpgp::cert::{Cert, CertParser};
use sequoia_openpgp::packet::{Packet, Signature, Tag, UserID};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse as _};
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::RevocationStatus;

use super::fingerprint::{Fingerprint, KeyFingerprint};
use super::policy::{instant, policy};
use crate::domain::time::At;

/// Most bytes of an uploaded certificate.
pub const LARGEST: usize = 256 * 1024;

/// Why bytes are not taken as a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is something else, or damaged.
    #[error(
        "this is not a whole OpenPGP certificate; export it with \
         `gpg --armor --export FINGERPRINT` and give that file"
    )]
    NotACertificate,
    /// There is more than one.
    #[error(
        "this holds several certificates and must hold exactly one; export one at a time with \
         `gpg --armor --export FINGERPRINT` and give one file for each"
    )]
    SeveralCertificates,
    /// It is larger than [`LARGEST`].
    #[error(
        "the certificate is larger than 256 KiB; export it without other people's signatures: \
         `gpg --armor --export-options export-minimal --export FINGERPRINT`"
    )]
    TooLarge,
    /// There is secret key material in it.
    #[error(
        "this is a SECRET key. It is burnt: its secret part has left its owner's hands, so it \
         must be revoked and replaced by a new key. Delete this file, and ask the owner for the \
         new key's certificate (`gpg --armor --export FINGERPRINT`, without `-secret-`)"
    )]
    SecretKey,
}

/// A certificate. Cheap to clone.
#[derive(Clone)]
pub struct Certificate(Arc<Cert>);

impl Certificate {
    /// Takes exactly one certificate, armored or binary, of at most [`LARGEST`] bytes.
    pub fn import(bytes: &[u8]) -> Result<Self, ImportError> {
        Self::take(only_cert(bytes, Secrets::Refused)?)
    }

    /// The public parts of a certificate that the library holds.
    pub(super) fn take(cert: Cert) -> Result<Self, ImportError> {
        let cert = own_parts(&cert.strip_secret_key_material())
            .map_err(|_| ImportError::NotACertificate)?;
        Ok(Self(Arc::new(cert)))
    }

    /// This certificate with what another copy of it says besides: later ends, new subkeys,
    /// revocations. Nothing is lost, so that an old copy cannot undo a revocation.
    /// `NotACertificate` when the other is another certificate, `TooLarge` when both together
    /// could not be taken in again.
    pub fn joined(&self, other: &Self) -> Result<Self, ImportError> {
        let both = self.0.as_ref().clone().merge_public(other.0.as_ref().clone());
        let joined = Self::take(both.map_err(|_| ImportError::NotACertificate)?)?;
        if joined.armored().len() > LARGEST { Err(ImportError::TooLarge) } else { Ok(joined) }
    }

    pub(super) fn cert(&self) -> &Cert {
        &self.0
    }

    /// The binary form (RFC 9580 section 10.1).
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing to memory what was parsed before cannot fail; an empty answer would be
        // refused by `import`.
        self.0.to_vec().unwrap_or_default()
    }

    /// The armored form, with LF line ends and without comment lines.
    pub fn armored(&self) -> String {
        super::seal::armor(&self.to_bytes(), sequoia_openpgp::armor::Kind::PublicKey)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// The primary key's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0.fingerprint())
    }

    /// The user ids it carries, invalid UTF-8 replaced.
    pub fn user_ids(&self) -> Vec<String> {
        self.0.userids().map(|u| String::from_utf8_lossy(u.userid().value()).into_owned()).collect()
    }

    /// Whether one of its user ids holds this mail address.
    pub fn names(&self, address: &str) -> bool {
        self.0.userids().any(|user| names(user.userid(), address))
    }

    /// All its keys, valid or not: the primary first, then the subkeys.
    pub fn key_fingerprints(&self) -> Vec<KeyFingerprint> {
        self.0.keys().map(|k| KeyFingerprint::of(&k.key().fingerprint())).collect()
    }

    /// The keys whose signatures count at `at`: none when the certificate is revoked, expired
    /// or refused by the policy.
    pub fn valid_signing_fingerprints(&self, at: At) -> Vec<KeyFingerprint> {
        let policy = policy(at);
        let Ok(valid) = self.0.with_policy(&policy, instant(at)) else { return Vec::new() };
        // The certificate first: the filters below look at the keys alone.
        let revoked = valid.revocation_status() != RevocationStatus::NotAsFarAsWeKnow;
        if revoked || valid.alive().is_err() {
            return Vec::new();
        }
        valid
            .keys()
            .supported()
            .alive()
            .revoked(false)
            .for_signing()
            .map(|k| KeyFingerprint::of(&k.key().fingerprint()))
            .collect()
    }
}

/// Whether a user id holds this mail address.
pub(super) fn names(user: &UserID, address: &str) -> bool {
    user.email().is_ok_and(|email| email.is_some_and(|e| e.eq_ignore_ascii_case(address)))
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[certificate]")
    }
}

/// What to do about secret key material.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    Refused,
    Wanted,
}

/// The one certificate or key in `bytes`.
pub(super) fn only_cert(bytes: &[u8], secrets: Secrets) -> Result<Cert, ImportError> {
    if bytes.len() > LARGEST {
        return Err(ImportError::TooLarge);
    }
    let public_blocks = count(bytes, b"-----BEGIN PGP PUBLIC KEY BLOCK-----");
    let secret_blocks = count(bytes, b"-----BEGIN PGP PRIVATE KEY BLOCK-----");
    let seen = look(bytes);
    if secrets == Secrets::Refused && (secret_blocks > 0 || seen.secret) {
        return Err(ImportError::SecretKey);
    }
    // The parser stops after the first armored block: `cat a.asc b.asc` is found here.
    if public_blocks + secret_blocks > 1 || seen.primaries > 1 {
        return Err(ImportError::SeveralCertificates);
    }
    let mut certs = CertParser::from_bytes(bytes).map_err(|_| ImportError::NotACertificate)?;
    match (certs.next(), certs.next()) {
        (Some(Ok(cert)), None) => Ok(cert),
        (Some(Ok(_)), Some(Ok(_))) => Err(ImportError::SeveralCertificates),
        _ => Err(ImportError::NotACertificate),
    }
}

fn count(bytes: &[u8], needle: &[u8]) -> usize {
    bytes.windows(needle.len()).filter(|window| *window == needle).count()
}

/// What the packets say before they are believed to form a certificate.
#[derive(Default)]
struct Seen {
    primaries: usize,
    secret: bool,
}

/// Walks the outermost packets, so that secret keys of versions the parser of certificates
/// throws away are seen as well.
fn look(bytes: &[u8]) -> Seen {
    let mut seen = Seen::default();
    let mut next = PacketParser::from_bytes(bytes);
    while let Ok(PacketParserResult::Some(parser)) = next {
        match parser.packet.tag() {
            Tag::SecretKey => {
                seen.primaries += 1;
                seen.secret = true;
            }
            Tag::SecretSubkey => seen.secret = true,
            Tag::PublicKey => seen.primaries += 1,
            _ => {}
        }
        next = parser.next().map(|(_, rest)| rest);
    }
    seen
}

/// The same certificate with only what its owner signed, and revocations by revokers whom the
/// owner named (RFC 9580 section 5.2.3.23).
fn own_parts(cert: &Cert) -> sequoia_openpgp::Result<Cert> {
    let primary = cert.primary_key();
    let revokers: Vec<_> = primary
        .self_signatures()
        .chain(cert.userids().flat_map(|u| u.self_signatures()))
        .flat_map(|s| s.revocation_keys())
        .map(|key| KeyHandle::from(key.revoker().1.clone()))
        .collect();
    let named = |rev: &&Signature| {
        let issuers = rev.get_issuers();
        revokers.iter().any(|r| issuers.iter().any(|i| i.aliases(r)))
    };
    let mut packets = vec![Packet::from(primary.key().clone())];
    let own = primary.self_revocations().chain(primary.self_signatures());
    packets.extend(own.cloned().map(Packet::from));
    packets.extend(primary.other_revocations().filter(named).cloned().map(Packet::from));
    for user in cert.userids() {
        let own: Vec<_> = user.self_revocations().chain(user.self_signatures()).collect();
        if !own.is_empty() {
            packets.push(user.userid().clone().into());
            packets.extend(own.into_iter().cloned().map(Packet::from));
        }
    }
    for subkey in cert.keys().subkeys() {
        let own: Vec<_> = subkey.self_revocations().chain(subkey.self_signatures()).collect();
        if !own.is_empty() {
            packets.push(Packet::from(subkey.key().clone()));
            packets.extend(own.into_iter().cloned().map(Packet::from));
        }
    }
    Cert::from_packets(packets.into_iter())
}

#[cfg(test)]
mod tests;
