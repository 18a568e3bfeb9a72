//! Tests of `certificate`: the promises that the file above makes.

use sequoia_openpgp::cert::amalgamation::ValidateAmalgamation as _;
use sequoia_openpgp::packet::signature::SignatureBuilder;
use sequoia_openpgp::types::SignatureType;

use super::*;
use crate::pgp::generate::secret_cert;
use crate::pgp::{TeamKey, samples};

const AT: At = At::from_secs(1_795_000_000);

fn key() -> TeamKey {
    samples::cv25519("Ann <ann@example.org>", AT).unwrap()
}

#[test]
fn armored_and_binary_are_the_same_certificate() {
    let cert = key().certificate;
    let from_armor = Certificate::import(cert.armored().as_bytes()).unwrap();
    let from_binary = Certificate::import(&cert.to_bytes()).unwrap();
    assert_eq!(from_armor.to_bytes(), from_binary.to_bytes());
    assert_eq!(from_armor.fingerprint(), cert.fingerprint());
    assert_eq!(from_armor.user_ids(), ["Ann <ann@example.org>"]);
    assert!(cert.armored().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"));
}

#[test]
fn a_secret_key_is_burnt_in_whatever_form_and_company() {
    let key = key();
    let armored = super::super::seal::armor(&key.secret, sequoia_openpgp::armor::Kind::SecretKey);
    let after_public = [key.certificate.to_bytes(), key.secret.to_vec()].concat();
    let locked = samples::locked("Ann <ann@example.org>", AT, "words").unwrap();
    for bytes in [key.secret.to_vec(), armored.unwrap(), after_public, locked.to_vec()] {
        let refused = Certificate::import(&bytes).unwrap_err();
        assert_eq!(refused, ImportError::SecretKey);
        assert!(refused.to_string().contains("burnt"));
    }
    let mut both = key.certificate.armored();
    both.push_str("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nrubbish\n");
    assert_eq!(Certificate::import(both.as_bytes()).unwrap_err(), ImportError::SecretKey);
}

#[test]
fn rubbish_several_and_too_much_are_told_apart() {
    let (a, b) = (key().certificate, key().certificate);
    for rubbish in [&b""[..], b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxx"] {
        assert_eq!(Certificate::import(rubbish).unwrap_err(), ImportError::NotACertificate);
    }
    let armored = a.armored() + &b.armored();
    let binary = [a.to_bytes(), b.to_bytes()].concat();
    for several in [armored.into_bytes(), binary] {
        assert_eq!(Certificate::import(&several).unwrap_err(), ImportError::SeveralCertificates);
    }
    let large = vec![b'x'; LARGEST + 1];
    assert_eq!(Certificate::import(&large).unwrap_err(), ImportError::TooLarge);
    let whole = a.to_bytes();
    let half = &whole[..whole.len() / 2];
    // Half a certificate may still be one; it must not be taken for a usable one.
    if let Ok(cert) = Certificate::import(half) {
        assert!(!crate::pgp::judge(&cert, AT).usable());
    }
}

#[test]
fn what_others_signed_on_it_is_dropped() {
    let (key, friend) = (key(), key());
    let friend = secret_cert(&friend.secret).unwrap();
    let mut signer =
        friend.primary_key().key().clone().parts_into_secret().unwrap().into_keypair().unwrap();
    let cert = key.certificate.cert().clone();
    let user = cert.userids().next().unwrap().userid().clone();
    let vouched = SignatureBuilder::new(SignatureType::GenericCertification)
        .set_signature_creation_time(instant(AT))
        .unwrap()
        .sign_userid_binding(&mut signer, cert.primary_key().key(), &user)
        .unwrap();
    let known = cert.insert_packets(vec![Packet::from(user), vouched.into()]).unwrap().0;
    let bytes = known.to_vec().unwrap();
    assert!(bytes.len() > key.certificate.to_bytes().len());
    let imported = Certificate::import(&bytes).unwrap();
    assert_eq!(imported.to_bytes(), key.certificate.to_bytes());
}

#[test]
fn a_revocation_is_kept_and_ends_signing() {
    let good = key().certificate;
    assert_eq!(good.valid_signing_fingerprints(AT), good.key_fingerprints()[..1]);
    for hard in [true, false] {
        let revoked = samples::revoked("Ann <ann@example.org>", AT, hard).unwrap().certificate;
        let again = Certificate::import(&revoked.to_bytes()).unwrap();
        assert_eq!(again.valid_signing_fingerprints(AT), []);
        let policy = policy(AT);
        let sub = again.cert().keys().subkeys().next().unwrap();
        assert!(sub.with_policy(&policy, instant(AT)).is_ok(), "the subkey alone looks good");
    }
    let expired = samples::expired("Ann <ann@example.org>", AT).unwrap().certificate;
    assert_eq!(expired.valid_signing_fingerprints(AT), []);
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", key().certificate), "[certificate]");
}

#[test]
fn two_copies_of_one_certificate_are_joined_and_keep_revocations() {
    let old = samples::expired("Ann <ann@example.org>", AT).unwrap();
    let new = samples::prolonged(&old, AT, 400).unwrap().certificate;
    assert!(!crate::pgp::judge(&old.certificate, AT).usable());
    for joined in [old.certificate.joined(&new), new.joined(&old.certificate)] {
        let health = crate::pgp::judge(&joined.unwrap(), AT);
        assert!(health.usable(), "{health:?}");
        assert_eq!(health.expires, Some(AT.plus(crate::domain::time::Span::days(400))));
    }
    let revoked = samples::revoked("Ann <ann@example.org>", AT, true).unwrap();
    let kept =
        |p: &Packet| !matches!(p, Packet::Signature(s) if s.typ() == SignatureType::KeyRevocation);
    let packets = revoked.certificate.cert().clone().into_packets().filter(kept);
    let before = Certificate::take(Cert::from_packets(packets).unwrap()).unwrap();
    assert!(crate::pgp::judge(&before, AT).usable());
    assert!(!crate::pgp::judge(&revoked.certificate.joined(&before).unwrap(), AT).usable());
    let other = key().certificate;
    assert_eq!(new.joined(&other).unwrap_err(), ImportError::NotACertificate);
}
