//! What is weak or unusual about a certificate that can be encrypted to all the same: said, so
//! that nobody learns of it on the day it stops being accepted, and never in the way.

use sequoia_openpgp::cert::Preferences as _;
use sequoia_openpgp::types::PublicKeyAlgorithm;

use super::cures::Cures;
use super::{PublicKey, encryption_keys, judge};
use crate::domain::finding::Finding;
use crate::domain::time::At;
use crate::pgp::certificate::Certificate;
use crate::pgp::fingerprint::KeyFingerprint;
use crate::pgp::policy::{instant, policy};

/// More encryption subkeys than this are hardly meant.
const MANY: usize = 3;
/// RSA keys below this many bits are accepted, and not for much longer.
const SMALL_RSA: usize = 3072;
// Numbers of RFC 9580 section 9.1.
const RSA: u8 = 1;
const RSA_SIGN: u8 = 3;
const DSA: u8 = 17;

/// What there is to say of `cert` at `at`; nothing when it cannot be encrypted to, because
/// [`super::report`] says why then. `address` is where its mail goes, `place` whose it is.
pub fn remarks(cert: &Certificate, address: &str, place: &str, at: At) -> Vec<Finding> {
    let policy = policy(at);
    let keys = encryption_keys(cert, at);
    let Ok(valid) = cert.cert().with_policy(&policy, instant(at)) else { return Vec::new() };
    if keys.is_empty() {
        return Vec::new();
    }
    let (cures, mut said) = (Cures::new(cert), Vec::new());
    let usable = || valid.keys().supported().alive().revoked(false);
    if usable().for_transport_encryption().next().is_none() {
        said.push(
            Finding::warn(
                "cert-storage-only",
                place,
                "its only encryption key is marked for files and not for mail; it is used, \
                 because there is no other",
            )
            .cure(cures.new_subkey()),
        );
    }
    if keys.len() > MANY {
        said.push(
            Finding::warn(
                "cert-many-subkeys",
                place,
                format!(
                    "it has {} encryption subkeys, and every message is readable with each: {}",
                    keys.len(),
                    keys.iter().map(fingerprint).collect::<Vec<_>>().join(", ")
                ),
            )
            .cure(cures.both(
                &format!("gpg --edit-key {} (key N, revkey)", cures.fingerprint()),
                &format!(
                    "sq key subkey revoke --cert {} --key SUBKEY --reason retired --message old",
                    cures.fingerprint()
                ),
            )),
        );
    }
    let primary = valid.primary_key();
    let primary: &PublicKey = primary.key().role_as_unspecified();
    for key in std::iter::once(primary).chain(&keys) {
        said.extend(algorithm(key, place, &cures));
    }
    let newer = |key: &PublicKey| is_post_quantum(key.pk_algo());
    if std::iter::once(primary).chain(&keys).any(newer) {
        said.push(test_mail("cert-pqc", place, "it holds post-quantum keys"));
    }
    if primary.version() == 6 {
        said.push(test_mail("cert-v6", place, "it is a version 6 certificate"));
    }
    if valid.features().is_some_and(|f| f.supports_seipdv2()) {
        said.push(Finding::note(
            "cert-seipdv2",
            place,
            "it asks for a newer message format (SEIPDv2) that few programs read; it gets the \
             one that all of them read",
        ));
    }
    if judge(cert, at).expires.is_none() {
        said.push(
            Finding::note("cert-no-expiry", place, "it never expires, so nobody has to look at it")
                .cure(cures.both(
                    &format!("gpg --quick-set-expire {} 2y", cures.fingerprint()),
                    &format!("sq key expire --cert {} --expiration 2y", cures.fingerprint()),
                )),
        );
    }
    if !cert.names(address) {
        said.push(
            Finding::note(
                "cert-address",
                place,
                "none of its user ids holds the address that its mail goes to; some mail \
                 programs find no key for it when they answer",
            )
            .cure(cures.both(
                &format!("gpg --quick-add-uid {} 'NAME <{address}>'", cures.fingerprint()),
                &format!("sq key userid add --cert {} --email {address}", cures.fingerprint()),
            )),
        );
    }
    said
}

fn fingerprint(key: &PublicKey) -> String {
    KeyFingerprint::of(&key.fingerprint()).to_string()
}

/// RSA that is short, and DSA.
fn algorithm(key: &PublicKey, place: &str, cures: &Cures) -> Option<Finding> {
    let (code, what) = match u8::from(key.pk_algo()) {
        RSA..=RSA_SIGN => {
            let bits = key.mpis().bits().filter(|bits| *bits < SMALL_RSA)?;
            ("cert-small-rsa", format!("{} is RSA with {bits} bits", fingerprint(key)))
        }
        DSA => ("cert-dsa", format!("{} is DSA", fingerprint(key))),
        _ => return None,
    };
    let message = format!("{what}: accepted for now, refused within the next years");
    Some(Finding::warn(code, place, message).cure(cures.new_key()))
}

fn is_post_quantum(algorithm: PublicKeyAlgorithm) -> bool {
    matches!(
        algorithm,
        PublicKeyAlgorithm::MLDSA65_Ed25519
            | PublicKeyAlgorithm::MLDSA87_Ed448
            | PublicKeyAlgorithm::SLHDSA128s
            | PublicKeyAlgorithm::SLHDSA128f
            | PublicKeyAlgorithm::SLHDSA256s
            | PublicKeyAlgorithm::MLKEM768_X25519
            | PublicKeyAlgorithm::MLKEM1024_X448
    )
}

/// New enough that only its owner knows whether they can read what is sealed to it.
fn test_mail(code: &str, place: &str, what: &str) -> Finding {
    Finding::warn(code, place, format!("{what}, which few programs read"))
        .cure("ask its owner to prove with a test mail that they can read what is sealed to it")
}
