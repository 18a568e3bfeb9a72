//! Tests of `verify`: the promises that the file above makes.

use super::*;
use crate::pgp::{ResidentSigner, Signer as _, TeamKey, samples};

const AT: At = At::from_secs(1_795_000_000);
const TEXT: &[u8] = b"daybreak-approval 1\n- a line with a dash\n\nEFFECT: sends at 15:00\n";

fn key() -> TeamKey {
    samples::cv25519("Ann <ann@example.org>", AT).unwrap()
}

/// The text in all three forms, and what it is detached from.
async fn forms(key: &TeamKey) -> Vec<(Vec<u8>, Option<&'static [u8]>)> {
    let signer = ResidentSigner::new(key).unwrap();
    let inline = signer.sign_message(TEXT, &[], AT).await.unwrap();
    let armored =
        super::super::seal::armor(&inline, sequoia_openpgp::armor::Kind::Message).unwrap();
    vec![
        (signer.detach(TEXT, AT).await.unwrap(), Some(TEXT)),
        (signer.clearsign(TEXT, AT).await.unwrap(), None),
        (inline, None),
        (armored, None),
    ]
}

fn trimmed(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\n").unwrap_or(text)
}

#[tokio::test]
async fn all_forms_give_back_the_same_text_and_who_and_when() {
    let (ann, bob) = (key(), key());
    for (form, over) in forms(&ann).await {
        let certs = [bob.certificate.clone(), ann.certificate.clone()];
        let verified = verify(&form, over, &certs, AT).unwrap();
        assert_eq!(trimmed(&verified.text), trimmed(TEXT));
        assert_eq!(verified.by, ann.certificate.fingerprint());
        assert_eq!(verified.made_at, AT);
    }
}

#[tokio::test]
async fn a_stranger_is_a_stranger_in_all_forms() {
    let (ann, bob) = (key(), key());
    for (form, over) in forms(&ann).await {
        let refused = verify(&form, over, std::slice::from_ref(&bob.certificate), AT);
        assert_eq!(refused.unwrap_err(), VerifyError::Stranger);
        assert_eq!(verify(&form, over, &[], AT).unwrap_err(), VerifyError::Stranger);
    }
}

#[tokio::test]
async fn one_changed_letter_is_seen() {
    let ann = key();
    let certs = [ann.certificate.clone()];
    let signer = ResidentSigner::new(&ann).unwrap();
    let swap = |bytes: &[u8]| {
        let at = bytes.windows(5).position(|w| w == b"15:00").unwrap();
        let mut bytes = bytes.to_vec();
        bytes[at] = b'2';
        bytes
    };
    let detached = signer.detach(TEXT, AT).await.unwrap();
    let other = swap(TEXT);
    let refused = verify(&detached, Some(&other), &certs, AT);
    assert_eq!(refused.unwrap_err(), VerifyError::Altered);
    let clearsigned = swap(&signer.clearsign(TEXT, AT).await.unwrap());
    assert_eq!(verify(&clearsigned, None, &certs, AT).unwrap_err(), VerifyError::Altered);
    let inline = swap(&signer.sign_message(TEXT, &[], AT).await.unwrap());
    assert_eq!(verify(&inline, None, &certs, AT).unwrap_err(), VerifyError::Altered);
}

#[tokio::test]
async fn a_key_that_was_good_when_it_signed_must_be_good_now() {
    let key = samples::expiring("Ann <ann@example.org>", AT, 10).unwrap();
    for (form, over) in forms(&key).await {
        let certs = [key.certificate.clone()];
        assert!(verify(&form, over, &certs, AT.plus(Span::days(9))).is_ok());
        let later = verify(&form, over, &certs, AT.plus(Span::days(11)));
        assert_eq!(later.unwrap_err(), VerifyError::SignerNotValid);
    }
}

#[tokio::test]
async fn the_future_begins_after_five_minutes() {
    let ann = key();
    let certs = [ann.certificate.clone()];
    let clearsigned = ResidentSigner::new(&ann).unwrap().clearsign(TEXT, AT).await.unwrap();
    assert!(verify(&clearsigned, None, &certs, AT.plus(Span::mins(-4))).is_ok());
    let early = verify(&clearsigned, None, &certs, AT.plus(Span::mins(-6)));
    assert_eq!(early.unwrap_err(), VerifyError::WrongTime);
}

#[tokio::test]
async fn a_clearsigned_text_may_travel_with_other_line_ends() {
    let ann = key();
    let certs = [ann.certificate.clone()];
    let form = ResidentSigner::new(&ann).unwrap().clearsign(TEXT, AT).await.unwrap();
    let crlf = String::from_utf8(form).unwrap().replace('\n', "\r\n");
    let verified = verify(crlf.as_bytes(), None, &certs, AT).unwrap();
    assert_eq!(trimmed(&verified.text), trimmed(TEXT));
}

#[tokio::test]
async fn words_around_a_clearsigned_text_are_not_part_of_it() {
    let ann = key();
    let certs = [ann.certificate.clone()];
    let form = ResidentSigner::new(&ann).unwrap().clearsign(TEXT, AT).await.unwrap();
    let around = [b"EFFECT: other\n", form.as_slice(), b"EFFECT: other\n"].concat();
    let verified = verify(&around, None, &certs, AT).unwrap();
    assert_eq!(trimmed(&verified.text), trimmed(TEXT));
}

#[tokio::test]
async fn what_is_no_signature_is_said_to_be_none() {
    let ann = key();
    let certs = [ann.certificate.clone()];
    for rubbish in [&b""[..], b"yes", &ann.certificate.to_bytes()] {
        assert_eq!(verify(rubbish, None, &certs, AT).unwrap_err(), VerifyError::NotASignature);
    }
    let detached = ResidentSigner::new(&ann).unwrap().detach(TEXT, AT).await.unwrap();
    let alone = verify(&detached, None, &certs, AT);
    assert_eq!(alone.unwrap_err(), VerifyError::NothingToVerify);
    let large = vec![b'x'; LARGEST + 1];
    assert_eq!(verify(&large, None, &certs, AT).unwrap_err(), VerifyError::TooLarge);
}

#[test]
fn a_text_that_unfolds_without_end_is_not_unfolded() {
    use sequoia_openpgp::serialize::stream::{Compressor, LiteralWriter, Message};
    use sequoia_openpgp::types::CompressionAlgorithm;
    use std::io::Write as _;
    let mut bomb = Vec::new();
    let compressor =
        Compressor::new(Message::new(&mut bomb)).algo(CompressionAlgorithm::Zip).build().unwrap();
    let mut literal = LiteralWriter::new(compressor).build().unwrap();
    for _ in 0..64 {
        literal.write_all(&[0; LARGEST]).unwrap();
    }
    literal.finalize().unwrap();
    assert!(bomb.len() < LARGEST);
    assert_eq!(verify(&bomb, None, &[], AT).unwrap_err(), VerifyError::TooLarge);
}
