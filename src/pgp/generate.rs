//! The team's own key: made here, or taken from a file.
//!
//! Conservative on purpose: version 4, Ed25519 to certify and sign, Cv25519 to encrypt, and
//! SEIPDv1 as the only advertised feature, so that every program of the last ten years can
//! check our signatures and write to us. It does not expire: an expired team key on the day of
//! a disclosure helps nobody, and revocation is the way to end it.

use std::fmt;

use sequoia_openpgp::Profile;
use sequoia_openpgp::cert::{Cert, CertBuilder, CipherSuite};
use sequoia_openpgp::packet::UserID;
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::{Features, KeyFlags};
use zeroize::Zeroizing;

use super::certificate::{Certificate, ImportError, Secrets, only_cert};
use super::policy::instant;
use crate::domain::time::At;

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TeamKeyError {
    /// The name of the key is unusable.
    #[error("the user id must be one line such as `Example Security Team <security@example.org>`")]
    UserId,
    /// It is something else, or damaged.
    #[error(
        "this is not one whole OpenPGP secret key; export it with \
         `gpg --armor --export-secret-keys FINGERPRINT`"
    )]
    NotAKey,
    /// There is more than one.
    #[error("this holds several keys and must hold exactly one")]
    SeveralKeys,
    /// It is larger than any key needs to be.
    #[error("the key is larger than 256 KiB; export it with `--export-options export-minimal`")]
    TooLarge,
    /// Only public parts.
    #[error(
        "this is a certificate without its secret key; export it with \
         `gpg --armor --export-secret-keys FINGERPRINT`, or use `gpg` as the signer"
    )]
    PublicOnly,
    /// The secret parts are protected or elsewhere.
    #[error(
        "the secret key is protected by a passphrase or lives on a card; use `gpg` as the \
         signer, or export a key without a passphrase"
    )]
    Locked,
    /// The machinery failed.
    #[error("the key could not be made")]
    Failed,
}

impl From<ImportError> for TeamKeyError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NotACertificate | ImportError::SecretKey => Self::NotAKey,
            ImportError::SeveralCertificates => Self::SeveralKeys,
            ImportError::TooLarge => Self::TooLarge,
        }
    }
}

/// A secret key and its certificate.
#[derive(Clone)]
pub struct TeamKey {
    /// The transferable secret key (RFC 9580 section 10.2), binary, without a passphrase. Wiped
    /// when dropped; a file that keeps it must be readable by its owner only.
    pub secret: Zeroizing<Vec<u8>>,
    /// What may be shown to everybody.
    pub certificate: Certificate,
}

impl fmt::Debug for TeamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[team key]")
    }
}

impl TeamKey {
    pub(super) fn of(cert: Cert) -> Result<Self, TeamKeyError> {
        let secret = cert.as_tsk().to_vec().map_err(|_| TeamKeyError::Failed)?;
        let certificate = Certificate::take(cert).map_err(|_| TeamKeyError::Failed)?;
        Ok(Self { secret: Zeroizing::new(secret), certificate })
    }
}

/// A new key for `user_id`, made at `at`.
pub fn generate_team_key(user_id: &str, at: At) -> Result<TeamKey, TeamKeyError> {
    let cert = conservative(user_id, at)?
        .add_subkey(encryption(), None, None)
        .generate()
        .map_err(|_| TeamKeyError::Failed)?
        .0;
    TeamKey::of(cert)
}

/// Takes exactly one secret key without a passphrase, armored or binary.
pub fn import_team_key(bytes: &[u8]) -> Result<TeamKey, TeamKeyError> {
    TeamKey::of(secret_cert(bytes)?)
}

/// A key of `user_id` that may certify and sign; Curve25519 unless the caller says otherwise.
pub(super) fn conservative(user_id: &str, at: At) -> Result<CertBuilder<'static>, TeamKeyError> {
    if user_id.trim().is_empty() || user_id.chars().any(char::is_control) {
        return Err(TeamKeyError::UserId);
    }
    CertBuilder::new()
        .set_cipher_suite(CipherSuite::Cv25519)
        .set_creation_time(instant(at))
        .set_primary_key_flags(KeyFlags::empty().set_certification().set_signing())
        .add_userid(UserID::from(user_id))
        .set_profile(Profile::RFC4880)
        .and_then(|b| b.set_features(Features::empty().set_seipdv1()))
        .map_err(|_| TeamKeyError::Failed)
}

/// What an encryption subkey is for: mail and files.
pub(super) fn encryption() -> KeyFlags {
    KeyFlags::empty().set_transport_encryption().set_storage_encryption()
}

/// The one key in `bytes`, all of whose secret parts that are there can be used.
pub(super) fn secret_cert(bytes: &[u8]) -> Result<Cert, TeamKeyError> {
    let cert = only_cert(bytes, Secrets::Wanted)?;
    if !cert.is_tsk() {
        return Err(TeamKeyError::PublicOnly);
    }
    if cert.keys().unencrypted_secret().next().is_none() {
        return Err(TeamKeyError::Locked);
    }
    Ok(cert)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgp::samples;

    const AT: At = At::from_secs(1_795_000_000);

    #[test]
    fn a_generated_key_comes_back_from_its_file() {
        let key = generate_team_key("Team <team@example.org>", AT).unwrap();
        let again = import_team_key(&key.secret).unwrap();
        assert_eq!(again.certificate.to_bytes(), key.certificate.to_bytes());
        assert_eq!(key.certificate.user_ids(), ["Team <team@example.org>"]);
        assert_eq!(key.certificate.valid_signing_fingerprints(AT).len(), 1);
        assert_eq!(format!("{key:?}"), "[team key]");
    }

    #[test]
    fn a_certificate_a_locked_key_and_two_keys_are_told_apart() {
        let key = generate_team_key("Team <team@example.org>", AT).unwrap();
        let public = import_team_key(&key.certificate.to_bytes());
        assert_eq!(public.unwrap_err(), TeamKeyError::PublicOnly);
        let two = [key.secret.as_slice(), key.secret.as_slice()].concat();
        assert_eq!(import_team_key(&two).unwrap_err(), TeamKeyError::SeveralKeys);
        assert_eq!(import_team_key(b"hello").unwrap_err(), TeamKeyError::NotAKey);
        let locked = samples::locked("Team <team@example.org>", AT, "secret words").unwrap();
        assert_eq!(import_team_key(&locked).unwrap_err(), TeamKeyError::Locked);
    }

    #[test]
    fn a_user_id_is_one_line() {
        for bad in ["", "  ", "Team\n<team@example.org>"] {
            assert_eq!(generate_team_key(bad, AT).unwrap_err(), TeamKeyError::UserId);
        }
    }
}
