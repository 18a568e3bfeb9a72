//! Tests of `health`: the promises that the file above makes.

use super::*;
use crate::domain::finding::Severity;
use crate::domain::time::Span;
use crate::pgp::samples;

const AT: At = At::from_secs(1_795_000_000);
const ANN: &str = "Ann <ann@example.org>";

fn problems(cert: &Certificate) -> Vec<Problem> {
    let health = judge(cert, AT);
    assert!(!health.usable());
    assert!(encryption_keys(cert, AT).is_empty());
    health.problems
}

#[test]
fn healthy_certificates_offer_every_encryption_subkey() {
    let one = samples::cv25519(ANN, AT).unwrap().certificate;
    let two = samples::two_encryption_subkeys(ANN, AT).unwrap().certificate;
    let rsa = samples::rsa2048(ANN, AT).unwrap().certificate;
    for (cert, keys) in [(one, 1), (two, 2), (rsa, 1)] {
        let health = judge(&cert, AT);
        assert!(health.usable());
        assert_eq!(health.encryption.len(), keys);
        assert_eq!((health.problems, health.expires), (vec![], None));
        assert_eq!(report(&cert, "here", &[("now", AT)]), []);
    }
}

#[test]
fn a_revoked_certificate_offers_nothing() {
    for hard in [true, false] {
        let cert = samples::revoked(ANN, AT, hard).unwrap().certificate;
        assert!(matches!(problems(&cert)[..], [Problem::Revoked { hard: h, .. }] if h == hard));
    }
    // A hard revocation reaches back in time, a soft one does not.
    let before = AT.plus(Span::days(-30));
    let hard = samples::revoked(ANN, AT, true).unwrap().certificate;
    let soft = samples::revoked(ANN, AT, false).unwrap().certificate;
    assert!(!judge(&hard, before).usable());
    assert!(judge(&soft, before).usable());
}

#[test]
fn expiry_of_the_whole_and_of_the_subkey_are_told_apart() {
    let on = AT.plus(Span::days(-30));
    let whole = samples::expired(ANN, AT).unwrap().certificate;
    assert_eq!(problems(&whole), [Problem::Expired { on }]);
    let sub = samples::subkey_expired(ANN, AT).unwrap().certificate;
    let key = sub.key_fingerprints()[1].clone();
    assert_eq!(problems(&sub), [Problem::SubkeyExpired { key, on }]);
}

#[test]
fn sign_only_sha1_and_the_future_have_their_own_words() {
    let sign_only = samples::sign_only(ANN, AT).unwrap().certificate;
    assert_eq!(problems(&sign_only), [Problem::SignOnly]);
    let sha1 = samples::sha1_bound(ANN, AT).unwrap().certificate;
    assert_eq!(problems(&sha1), [Problem::NotValid { why: Refusal::Sha1 }]);
    // No clock set back makes SHA-1 good again.
    assert!(!judge(&sha1, At::from_secs(1_350_000_000)).usable());
    let later = AT.plus(Span::days(400));
    let young = samples::cv25519(ANN, later).unwrap().certificate;
    assert!(matches!(problems(&young)[..], [Problem::NotYetValid { .. }]));
}

#[test]
fn the_certificate_that_dies_before_the_disclosure_is_found_today() {
    let cert = samples::expiring(ANN, AT, 10).unwrap().certificate;
    let disclosure = AT.plus(Span::days(14));
    assert_eq!(judge(&cert, AT).expires, Some(AT.plus(Span::days(10))));
    let times = [("now", AT), ("at the disclosure", disclosure)];
    let [finding] = &report(&cert, "contact con_1", &times)[..] else { panic!("one finding") };
    assert_eq!((finding.code.as_str(), finding.severity), ("cert-expired", Severity::Stop));
    assert!(finding.message.ends_with("(at the disclosure)"), "{}", finding.message);
    assert!(finding.cure.contains(&format!("gpg --quick-set-expire {}", cert.fingerprint())));
}

#[test]
fn one_finding_names_all_its_times() {
    let cert = samples::sign_only(ANN, AT).unwrap().certificate;
    let times = [("now", AT), ("at the disclosure", AT.plus(Span::days(7)))];
    let findings = report(&cert, "contact con_1", &times);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, "cert-sign-only");
    assert!(findings[0].message.ends_with("(now, at the disclosure)"));
}

#[test]
fn every_cure_is_said_for_both_programs() {
    for key in [
        samples::revoked(ANN, AT, true),
        samples::revoked(ANN, AT, false),
        samples::expired(ANN, AT),
        samples::subkey_expired(ANN, AT),
        samples::sign_only(ANN, AT),
        samples::sha1_bound(ANN, AT),
    ] {
        let cert = key.unwrap().certificate;
        let findings = report(&cert, "contact con_1", &[("now", AT)]);
        let [finding] = &findings[..] else { panic!("one finding: {findings:?}") };
        let cure = &finding.cure;
        assert!(cure.contains("`gpg --") && cure.contains("`sq "), "{}: {cure}", finding.code);
    }
}

fn remarked(key: &crate::pgp::TeamKey) -> Vec<(String, Severity)> {
    let found = remarks(&key.certificate, "ann@example.org", "contact con_1", AT);
    found.into_iter().map(|f| (f.code, f.severity)).collect()
}

#[test]
fn what_is_weak_but_accepted_is_said() {
    let (note, warn) = (Severity::Note, Severity::Warn);
    let endless = ("cert-no-expiry".to_owned(), note);
    for (key, expected) in [
        (samples::expiring(ANN, AT, 90).unwrap(), vec![]),
        (
            samples::rsa2048(ANN, AT).unwrap(),
            vec![("cert-small-rsa", warn), ("cert-small-rsa", warn)],
        ),
        (samples::rsa3072(ANN, AT).unwrap(), vec![]),
        (samples::many_subkeys(ANN, AT).unwrap(), vec![("cert-many-subkeys", warn)]),
        (samples::two_encryption_subkeys(ANN, AT).unwrap(), vec![]),
        (samples::storage_only(ANN, AT).unwrap(), vec![("cert-storage-only", warn)]),
        (samples::seipdv2(ANN, AT).unwrap(), vec![("cert-seipdv2", note)]),
        (samples::cv25519("Bob <bob@example.org>", AT).unwrap(), vec![("cert-address", note)]),
        // What is not usable at all has findings of its own.
        (samples::expired(ANN, AT).unwrap(), vec![]),
    ] {
        let mut said = remarked(&key);
        said.retain(|s| *s != endless);
        let expected: Vec<_> = expected.into_iter().map(|(c, s)| (c.to_owned(), s)).collect();
        assert_eq!(said, expected);
        let ends = judge(&key.certificate, AT).expires.is_some();
        assert_eq!(remarked(&key).contains(&endless), !ends && key_usable(&key));
    }
    let said = remarked(&samples::version6(ANN, AT).unwrap());
    assert!(said.contains(&("cert-v6".to_owned(), warn)), "{said:?}");
}

fn key_usable(key: &crate::pgp::TeamKey) -> bool {
    judge(&key.certificate, AT).usable()
}

#[test]
fn a_key_for_files_only_is_sealed_to() {
    let key = samples::storage_only(ANN, AT).unwrap();
    assert!(judge(&key.certificate, AT).usable());
    assert_eq!(encryption_keys(&key.certificate, AT).len(), 1);
    assert_eq!(report(&key.certificate, "here", &[("now", AT)]), []);
}

#[test]
fn the_first_second_of_uselessness_is_found() {
    let until = AT.plus(Span::days(60));
    let cert = samples::expiring(ANN, AT, 31).unwrap().certificate;
    assert_eq!(first_unusable(&cert, AT, until), judge(&cert, AT).expires);
    assert_eq!(first_unusable(&cert, AT, until), Some(AT.plus(Span::days(31))));
    assert_eq!(first_unusable(&cert, AT, AT.plus(Span::days(30))), None);
    let endless = samples::cv25519(ANN, AT).unwrap().certificate;
    assert_eq!(first_unusable(&endless, AT, until), None);
    let gone = samples::expired(ANN, AT).unwrap().certificate;
    assert_eq!(first_unusable(&gone, AT, until), None);
}
