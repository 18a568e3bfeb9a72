//! Sample keys of every health, for the demo and for tests; never for real use.
//!
//! Each takes the user id and the instant at which the sample is to show its trait: an expired
//! key is expired at `at`, a revoked one is revoked at `at`.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::Profile;
use sequoia_openpgp::cert::{Cert, CertBuilder, CertRevocationBuilder, CipherSuite};
use sequoia_openpgp::packet::{Packet, Signature, UserID, signature::SignatureBuilder};
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::{
    Features, HashAlgorithm, KeyFlags, ReasonForRevocation, SignatureType,
};
use zeroize::Zeroizing;

use super::generate::{TeamKey, TeamKeyError, conservative, encryption, secret_cert};
use super::policy::instant;
use crate::domain::time::{At, Span};

const YEAR: Span = Span::days(365);

fn finish(builder: CertBuilder<'static>) -> Result<TeamKey, TeamKeyError> {
    TeamKey::of(grow(builder)?)
}

fn grow(builder: CertBuilder<'static>) -> Result<Cert, TeamKeyError> {
    builder.generate().map(|(cert, _)| cert).map_err(|_| TeamKeyError::Failed)
}

/// A year old, one encryption subkey, no expiry.
fn ordinary(
    user_id: &str,
    at: At,
    suite: CipherSuite,
) -> Result<CertBuilder<'static>, TeamKeyError> {
    let made = at.plus(Span::millis(-YEAR.as_millis()));
    Ok(conservative(user_id, made)?.set_cipher_suite(suite).add_subkey(encryption(), None, None))
}

/// Curve25519, as most people have it.
pub fn cv25519(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(ordinary(user_id, at, CipherSuite::Cv25519)?)
}

/// RSA with 2048 bits, as in the years of smart cards.
pub fn rsa2048(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(ordinary(user_id, at, CipherSuite::RSA2k)?)
}

/// RSA with 3072 bits.
pub fn rsa3072(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(ordinary(user_id, at, CipherSuite::RSA3k)?)
}

/// RSA with 4096 bits, as careful people had it; takes a second to make.
pub fn rsa4096(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(ordinary(user_id, at, CipherSuite::RSA4k)?)
}

/// NIST P-384.
pub fn p384(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(ordinary(user_id, at, CipherSuite::P384)?)
}

/// Version 6 (RFC 9580), as new programs make it and few others can read.
pub fn version6(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(
        ordinary(user_id, at, CipherSuite::Cv25519)?
            .set_profile(Profile::RFC9580)
            .map_err(|_| TeamKeyError::Failed)?,
    )
}

/// Curve25519 with two encryption subkeys, of which the holder may have lost one.
pub fn two_encryption_subkeys(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(ordinary(user_id, at, CipherSuite::Cv25519)?.add_subkey(encryption(), None, None))
}

/// Curve25519 with four encryption subkeys.
pub fn many_subkeys(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    let mut builder = ordinary(user_id, at, CipherSuite::Cv25519)?;
    for _ in 0..3 {
        builder = builder.add_subkey(encryption(), None, None);
    }
    finish(builder)
}

/// Its one encryption subkey is marked for files and not for mail.
pub fn storage_only(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    let files = KeyFlags::empty().set_storage_encryption();
    finish(conservative(user_id, at.plus(Span::days(-365)))?.add_subkey(files, None, None))
}

/// Nothing in it can be encrypted to.
pub fn sign_only(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(conservative(user_id, at.plus(Span::days(-365)))?)
}

/// Expired 30 days before `at`, primary key and subkey alike.
pub fn expired(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    finish(ordinary(user_id, at, CipherSuite::Cv25519)?.set_validity_period(days(335)))
}

/// The primary key lives; the encryption subkey expired 30 days before `at`.
pub fn subkey_expired(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    let made = at.plus(Span::days(-365));
    finish(conservative(user_id, made)?.add_subkey(encryption(), days(335), None))
}

/// Expires `left` days after `at`.
pub fn expiring(user_id: &str, at: At, left: u64) -> Result<TeamKey, TeamKeyError> {
    finish(
        ordinary(user_id, at, CipherSuite::Cv25519)?
            .set_validity_period(days(365_u64.saturating_add(left))),
    )
}

/// The same key after its holder prolonged it at `at`, primary key, user ids and subkeys, until
/// `left` days after that.
pub fn prolonged(key: &TeamKey, at: At, left: u64) -> Result<TeamKey, TeamKeyError> {
    let cert = secret_cert(&key.secret)?;
    let packets = prolonging(&cert, at, left).map_err(|_| TeamKeyError::Failed)?;
    let (cert, _) = cert.insert_packets(packets).map_err(|_| TeamKeyError::Failed)?;
    TeamKey::of(cert)
}

/// The certificate of `new` with its user ids certified by `old` at `at`, as a file: taking it
/// in as a [`super::Certificate`] would drop what others signed.
pub fn certified_by(new: &TeamKey, old: &TeamKey, at: At) -> Result<Vec<u8>, TeamKeyError> {
    let (new, old) = (secret_cert(&new.secret)?, secret_cert(&old.secret)?);
    certify(&new.strip_secret_key_material(), &old, at).map_err(|_| TeamKeyError::Failed)
}

fn certify(new: &Cert, old: &Cert, at: At) -> sequoia_openpgp::Result<Vec<u8>> {
    let mut signer = old.primary_key().key().clone().parts_into_secret()?.into_keypair()?;
    let mut packets = Vec::new();
    for user in new.userids() {
        let builder = SignatureBuilder::new(SignatureType::GenericCertification)
            .set_signature_creation_time(instant(at))?;
        let key = new.primary_key();
        let signature = builder.sign_userid_binding(&mut signer, key.key(), user.userid())?;
        packets.push(Packet::from(signature));
    }
    new.clone().insert_packets(packets)?.0.to_vec()
}

/// Every self-signature made anew at `at` with a later end.
fn prolonging(cert: &Cert, at: At, left: u64) -> sequoia_openpgp::Result<Vec<Packet>> {
    let primary = cert.primary_key();
    let mut signer = primary.key().clone().parts_into_secret()?.into_keypair()?;
    let end = instant(at) + days(left);
    let anew = |old: &Signature, made: SystemTime| {
        SignatureBuilder::from(old.clone())
            .set_signature_creation_time(instant(at))?
            .set_key_validity_period(end.duration_since(made)?)
    };
    let mut packets = Vec::new();
    let made = primary.key().creation_time();
    for old in primary.self_signatures() {
        let direct = anew(old, made)?.sign_direct_key(&mut signer, primary.key())?;
        packets.push(Packet::from(direct));
    }
    for user in cert.userids() {
        for old in user.self_signatures() {
            let builder = anew(old, made)?;
            let bound = builder.sign_userid_binding(&mut signer, primary.key(), user.userid())?;
            packets.push(Packet::from(bound));
        }
    }
    for subkey in cert.keys().subkeys() {
        for old in subkey.self_signatures() {
            let builder = anew(old, subkey.key().creation_time())?;
            let bound = builder.sign_subkey_binding(&mut signer, primary.key(), subkey.key())?;
            packets.push(Packet::from(bound));
        }
    }
    Ok(packets)
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days.saturating_mul(86_400))
}

/// Revoked a day before `at`: `hard` as compromised, else as superseded.
pub fn revoked(user_id: &str, at: At, hard: bool) -> Result<TeamKey, TeamKeyError> {
    let cert = grow(ordinary(user_id, at, CipherSuite::Cv25519)?)?;
    let reason =
        if hard { ReasonForRevocation::KeyCompromised } else { ReasonForRevocation::KeySuperseded };
    revoke(cert, reason, at.plus(Span::days(-1))).map_err(|_| TeamKeyError::Failed)?
}

/// The same key after its holder revoked it at `at`, as compromised.
pub fn revoked_now(key: &TeamKey, at: At) -> Result<TeamKey, TeamKeyError> {
    let cert = secret_cert(&key.secret)?;
    revoke(cert, ReasonForRevocation::KeyCompromised, at).map_err(|_| TeamKeyError::Failed)?
}

fn revoke(
    cert: Cert,
    reason: ReasonForRevocation,
    at: At,
) -> sequoia_openpgp::Result<Result<TeamKey, TeamKeyError>> {
    let mut signer = cert.primary_key().key().clone().parts_into_secret()?.into_keypair()?;
    let signature = CertRevocationBuilder::new()
        .set_signature_creation_time(instant(at))?
        .set_reason_for_revocation(reason, b"")?
        .build(&mut signer, &cert, None)?;
    Ok(TeamKey::of(cert.insert_packets(vec![Packet::from(signature)])?.0))
}

/// Advertises SEIPDv2, which few programs can read; sealing must not follow it.
pub fn seipdv2(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    let features = Features::empty().set_seipdv1().set_seipdv2();
    let builder = ordinary(user_id, at, CipherSuite::Cv25519)?
        .set_features(features)
        .map_err(|_| TeamKeyError::Failed)?;
    finish(builder)
}

/// Bound together by SHA-1 signatures, as GnuPG made them until 2019.
pub fn sha1_bound(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    let cert = grow(ordinary(user_id, at, CipherSuite::Cv25519)?)?;
    rebind(&cert, user_id, at.plus(Span::days(-300))).map_err(|_| TeamKeyError::Failed)?
}

/// The same keys and user id with nothing but SHA-1 signatures.
fn rebind(
    cert: &Cert,
    user_id: &str,
    at: At,
) -> sequoia_openpgp::Result<Result<TeamKey, TeamKeyError>> {
    let primary = cert.primary_key().key().clone().parts_into_secret()?;
    let mut signer = primary.clone().into_keypair()?;
    let sha1 = |kind, flags: KeyFlags| {
        SignatureBuilder::new(kind)
            .set_hash_algo(HashAlgorithm::SHA1)
            .set_signature_creation_time(instant(at))?
            .set_key_flags(flags)
    };
    let bare = Cert::from_packets(std::iter::once(Packet::from(primary)))?;
    let user = UserID::from(user_id);
    let certify = KeyFlags::empty().set_certification().set_signing();
    let binding =
        user.bind(&mut signer, &bare, sha1(SignatureType::PositiveCertification, certify)?)?;
    let mut packets = vec![Packet::from(user), binding.into()];
    for subkey in cert.keys().subkeys() {
        let key = subkey.key().clone().parts_into_secret()?;
        let builder = sha1(SignatureType::SubkeyBinding, encryption())?;
        let binding = key.bind(&mut signer, &bare, builder)?;
        packets.extend([Packet::from(key), binding.into()]);
    }
    Ok(TeamKey::of(bare.insert_packets(packets)?.0))
}

/// A secret key under a passphrase, which no resident signer can use.
pub fn locked(user_id: &str, at: At, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, TeamKeyError> {
    let cert =
        grow(ordinary(user_id, at, CipherSuite::Cv25519)?.set_password(Some(passphrase.into())))?;
    cert.as_tsk().to_vec().map(Zeroizing::new).map_err(|_| TeamKeyError::Failed)
}
