//! Tests of `seal`: the promises that the file above makes.

use std::slice::from_ref;

use sequoia_openpgp::PacketPile;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::packet::{PKESK, Packet, SEIP};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse as _};

use super::*;
use crate::domain::time::Span;
use crate::pgp::generate::secret_cert;
use crate::pgp::{Opened, ResidentSigner, TeamKey, generate_team_key, open, samples};

const AT: At = At::from_secs(1_795_000_000);
const ANN: &str = "Ann <ann@example.org>";
const TEXT: &[u8] = b"Content-Type: text/plain\r\n\r\nheap overflow\r\n";

fn team() -> (ResidentSigner, Certificate) {
    let key = generate_team_key("Team <team@example.org>", AT).unwrap();
    (ResidentSigner::new(&key).unwrap(), key.certificate)
}

fn certs(keys: &[&TeamKey]) -> Vec<Certificate> {
    keys.iter().map(|k| k.certificate.clone()).collect()
}

/// The kinds of the packets in a message, encryption opened, and the session key.
fn anatomy(message: &[u8], key: &TeamKey) -> (Vec<String>, Vec<u8>) {
    let secret = secret_cert(&key.secret).unwrap();
    let (mut kinds, mut pkesks, mut session) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = PacketParser::from_bytes(message).unwrap();
    while let PacketParserResult::Some(mut pp) = next {
        match &pp.packet {
            Packet::PKESK(p) => {
                kinds.push(format!("PKESKv{}", p.version()));
                assert!(p.recipient().is_some(), "a real key id");
                pkesks.push(p.clone());
            }
            Packet::SEIP(s) => {
                kinds.push(format!("SEIPDv{}", if matches!(s, SEIP::V1(_)) { 1 } else { 2 }));
                let (algo, sk) = session_key(&pkesks, &secret);
                assert_eq!(algo, Some(SymmetricAlgorithm::AES256));
                session = sk.to_vec();
                pp.decrypt(algo, &sk).unwrap();
            }
            Packet::Literal(l) => {
                kinds.push("Literal".into());
                assert_eq!((l.filename(), l.date()), (None, None));
                assert_eq!(l.format(), sequoia_openpgp::types::DataFormat::Binary);
            }
            Packet::Signature(s) => {
                kinds.push(format!("Signaturev{} {}", s.version(), s.hash_algo()));
            }
            other => kinds.push(other.tag().to_string()),
        }
        next = pp.recurse().unwrap().1;
    }
    (kinds, session)
}

fn session_key(
    pkesks: &[PKESK],
    secret: &sequoia_openpgp::Cert,
) -> (Option<SymmetricAlgorithm>, SessionKey) {
    let mut found = None;
    for key in secret.keys().unencrypted_secret() {
        let mut pair = key.key().clone().into_keypair().unwrap();
        found = found.or_else(|| pkesks.iter().find_map(|p| p.decrypt(&mut pair, None)));
    }
    found.expect("one of the packets is ours")
}

#[tokio::test]
async fn the_shape_is_the_one_everybody_reads_even_for_the_modern() {
    let (signer, _) = team();
    let shapes = [
        samples::cv25519(ANN, AT).unwrap(),
        samples::rsa2048(ANN, AT).unwrap(),
        samples::seipdv2(ANN, AT).unwrap(),
    ];
    for key in &shapes {
        let sealed = seal(TEXT, &certs(&[key]), &signer, AT).await.unwrap();
        let (kinds, _) = anatomy(&sealed.armored, key);
        let inner = ["One-Pass Signature Packet", "Literal", "Signaturev4 SHA512"];
        let expected = [&["PKESKv3", "SEIPDv1"][..], &inner[..]].concat();
        let kinds: Vec<_> = kinds.iter().filter(|k| !k.contains("Modification")).collect();
        assert_eq!(kinds, expected);
    }
}

#[tokio::test]
async fn every_subkey_of_every_certificate_opens_it_and_the_recipients_are_named() {
    let (signer, team) = team();
    let two = samples::two_encryption_subkeys(ANN, AT).unwrap();
    let one = samples::cv25519("Bob <bob@example.org>", AT).unwrap();
    let sealed = seal(TEXT, &certs(&[&two, &one]), &signer, AT).await.unwrap();
    assert_eq!(sealed.keys.len(), 3);
    assert_eq!(sealed.fingerprints, [two.certificate.fingerprint(), one.certificate.fingerprint()]);
    for key in [&two, &one] {
        let opened = open(&sealed.armored, from_ref(key), from_ref(&team), AT).unwrap();
        let signed_by = Some(team.fingerprint());
        assert_eq!(opened, Opened { bytes: TEXT.to_vec(), signed_by });
    }
    // Each subkey alone is enough.
    let whole = secret_cert(&two.secret).unwrap();
    for (kept, _) in whole.keys().subkeys().enumerate() {
        let mut n = 0;
        let part = whole.clone().retain_subkeys(|_| {
            n += 1;
            n - 1 == kept
        });
        let part = TeamKey::of(part).unwrap();
        assert!(open(&sealed.armored, &[part], from_ref(&team), AT).is_ok());
    }
    let stranger = samples::cv25519("Eve <eve@example.org>", AT).unwrap();
    let closed = open(&sealed.armored, &[stranger], &[team], AT);
    assert_eq!(closed.unwrap_err(), crate::pgp::OpenError::NotForUs);
}

#[tokio::test]
async fn a_copy_forwarded_to_another_does_not_pass_as_meant_for_them() {
    let (signer, team) = team();
    let ann = samples::cv25519(ANN, AT).unwrap();
    let eve = samples::cv25519("Eve <eve@example.org>", AT).unwrap();
    let signed = signer.sign_message(TEXT, &certs(&[&ann]), AT).await.unwrap();
    let to_eve = Recipients::of(from_ref(&eve.certificate), AT).unwrap();
    let forwarded = seal_signed(&signed, &to_eve).unwrap();
    let refused = open(&forwarded.armored, &[eve], &[team], AT);
    assert_eq!(refused.unwrap_err(), crate::pgp::OpenError::BadSignature);
}

#[tokio::test]
async fn the_armor_is_mail_ready_and_says_nothing() {
    let (signer, _) = team();
    let key = samples::cv25519(ANN, AT).unwrap();
    let sealed = seal(TEXT, &certs(&[&key]), &signer, AT).await.unwrap();
    let text = String::from_utf8(sealed.armored.clone()).unwrap();
    assert!(text.starts_with("-----BEGIN PGP MESSAGE-----\r\n\r\n"));
    assert!(text.ends_with("-----END PGP MESSAGE-----\r\n"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(!text.contains(": "), "no armor headers");
    assert!(PacketPile::from_bytes(&sealed.armored).is_ok());
}

#[tokio::test]
async fn session_keys_are_never_shared() {
    let (signer, _) = team();
    let key = samples::cv25519(ANN, AT).unwrap();
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let sealed = seal(TEXT, &certs(&[&key]), &signer, AT).await.unwrap();
        sessions.push(anatomy(&sealed.armored, &key).1);
    }
    assert_ne!(sessions[0], sessions[1]);
}

#[tokio::test]
async fn one_bad_certificate_stops_the_message() {
    let (signer, _) = team();
    let good = samples::cv25519(ANN, AT).unwrap();
    let bad = [
        samples::expired(ANN, AT),
        samples::revoked(ANN, AT, true),
        samples::revoked(ANN, AT, false),
        samples::sign_only(ANN, AT),
        samples::sha1_bound(ANN, AT),
        samples::subkey_expired(ANN, AT),
    ];
    for key in bad {
        let key = key.unwrap();
        let refused = seal(TEXT, &certs(&[&good, &key]), &signer, AT).await;
        let fingerprint = key.certificate.fingerprint();
        assert_eq!(refused.unwrap_err(), SealError::NoUsableCertificate { fingerprint });
    }
    assert_eq!(seal(TEXT, &[], &signer, AT).await.unwrap_err(), SealError::NoRecipient);
}

#[tokio::test]
async fn an_expired_signer_seals_nothing() {
    let key = samples::cv25519(ANN, AT).unwrap();
    let old = samples::expired("Team <team@example.org>", AT).unwrap();
    let signer = ResidentSigner::new(&old).unwrap();
    let refused = seal(TEXT, &certs(&[&key]), &signer, AT).await;
    assert_eq!(refused.unwrap_err(), SealError::Sign(SignError::NoValidKey));
}

#[tokio::test]
async fn a_version_6_certificate_gets_the_same_shape_and_can_open_it() {
    use sequoia_openpgp::Profile;
    use sequoia_openpgp::cert::CertBuilder;
    let (signer, team) = team();
    let builder = CertBuilder::new()
        .set_profile(Profile::RFC9580)
        .unwrap()
        .set_creation_time(crate::pgp::policy::instant(AT))
        .add_userid(ANN)
        .add_transport_encryption_subkey();
    let key = TeamKey::of(builder.generate().unwrap().0).unwrap();
    assert_eq!(key.certificate.fingerprint().as_str().len(), 64);
    let sealed = seal(TEXT, &certs(&[&key]), &signer, AT).await.unwrap();
    assert_eq!(anatomy(&sealed.armored, &key).0[..2], ["PKESKv3", "SEIPDv1"]);
    assert_eq!(open(&sealed.armored, &[key], &[team], AT).unwrap().bytes, TEXT);
}

#[tokio::test]
async fn a_body_signed_once_is_sealed_to_each_alone() {
    let (signer, team) = team();
    let body = SignedBody::sign(TEXT, &signer, AT).await.unwrap();
    let ann = samples::cv25519(ANN, AT).unwrap();
    let bob = samples::rsa2048("Bob <bob@example.org>", AT).unwrap();
    let press = crate::pgp::Press::default();
    let mut sessions = Vec::new();
    for (key, other) in [(&ann, &bob), (&bob, &ann), (&ann, &bob)] {
        let sealed = press.seal_body(body.clone(), certs(&[key]), AT).await.unwrap();
        let opened = open(&sealed.armored, from_ref(key), from_ref(&team), AT).unwrap();
        assert_eq!((opened.bytes.as_slice(), opened.signed_by), (TEXT, Some(team.fingerprint())));
        let closed = open(&sealed.armored, from_ref(other), from_ref(&team), AT);
        assert_eq!(closed.unwrap_err(), crate::pgp::OpenError::NotForUs);
        let (kinds, session) = anatomy(&sealed.armored, key);
        assert_eq!(kinds[..2], ["PKESKv3", "SEIPDv1"]);
        sessions.push(session);
    }
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), 3, "a session key is never used twice");
    let expired = samples::expired(ANN, AT).unwrap();
    let refused = press.seal_body(body, certs(&[&expired]), AT).await.unwrap_err();
    assert!(matches!(refused, SealError::NoUsableCertificate { .. }));
}

/// Takes what comes and keeps only its length and its largest piece.
#[derive(Default)]
struct Sieve {
    len: usize,
    largest: usize,
}

impl Write for Sieve {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.len += bytes.len();
        self.largest = self.largest.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_long_message_is_never_whole_in_memory() {
    let (signer, team) = team();
    let ann = samples::cv25519(ANN, AT).unwrap();
    let to = Recipients::of(from_ref(&ann.certificate), AT).unwrap();
    let long = 20 << 20;
    let mut sieve = Sieve::default();
    seal_into(&mut sieve, std::io::repeat(b'x').take(long), &to, &signer, AT).unwrap();
    assert!(sieve.len as u64 > long && sieve.largest <= 64 << 10, "{}", sieve.largest);
    // And what is written in pieces is one whole message.
    let mut armored = Vec::new();
    seal_into(&mut armored, std::io::repeat(b'x').take(long), &to, &signer, AT).unwrap();
    let opened = open(&armored, from_ref(&ann), from_ref(&team), AT).unwrap();
    assert!(opened.bytes == vec![b'x'; 20 << 20] && opened.signed_by.is_some());
}

#[tokio::test]
async fn who_can_open_a_message_is_read_from_outside() {
    let [one, two] = [samples::two_encryption_subkeys(ANN, AT), samples::rsa2048(ANN, AT)];
    let (one, two) = (one.unwrap().certificate, two.unwrap().certificate);
    let both = [one.clone(), two.clone()];
    let sealed = seal(b"text", &both, &team().0, AT).await.unwrap();
    let mail = [b"From: a@b\r\n\r\nVersion: 1\r\n".as_slice(), &sealed.armored, b"--x--\r\n"];
    for message in [sealed.armored.clone(), mail.concat()] {
        assert!(is_sealed_only_to(&message, &both, AT));
        assert!(
            !is_sealed_only_to(&message, &both[..1], AT)
                && !is_sealed_only_to(&message, from_ref(&two), AT)
        );
    }
    assert!(
        !is_sealed_only_to(b"no message", &both, AT)
            && !is_sealed_only_to(&sealed.armored, &[], AT)
    );
}

#[tokio::test]
async fn a_key_that_is_no_longer_good_counts_as_nobodys() {
    let ann = samples::expiring(ANN, AT, 2).unwrap().certificate;
    let sealed = seal(b"text", from_ref(&ann), &team().0, AT).await.unwrap();
    let only = |at: At| is_sealed_only_to(&sealed.armored, from_ref(&ann), at);
    assert!(only(AT.plus(Span::days(1))) && !only(AT.plus(Span::days(3))));
}
