//! The gpg signer against a real agent.

use std::sync::Arc;

use super::home::{Home, says, with_gpg};
use crate::domain::time::Span;
use crate::pgp::{
    Certificate, Fingerprint, SignError, Signer, VerifyError, open, samples, seal, verify,
};
use crate::signing::{GpgSigner, GpgSignerError, Purpose, TeamSigners};

const TEXT: &[u8] = b"sha256 of everything\n";

async fn signer(home: &Home, fpr: &Fingerprint) -> (GpgSigner, Certificate) {
    let certificate = home.certificate(fpr).await;
    let key = certificate.key_fingerprints()[0].clone();
    let homedir = Some(home.path().to_owned());
    let made = GpgSigner::new(&key, homedir, certificate.clone(), home.clock.clone());
    (made.unwrap(), certificate)
}

#[tokio::test]
async fn it_signs_in_all_three_ways() {
    with_gpg(|home| async move {
        let fpr = home.ordinary("Team <team@example.org>").await;
        let (signer, certificate) = signer(&home, &fpr).await;
        let signers = TeamSigners::all(Arc::new(signer));
        let certs = [certificate];
        for purpose in Purpose::ALL {
            let at = home.now();
            let signer = signers.of(purpose);
            let detached = signer.detach(TEXT, at).await.unwrap();
            let clear = signer.clearsign(TEXT, at).await.unwrap();
            let message = signer.sign_message(TEXT, &[], at).await.unwrap();
            for (form, over) in [(detached, Some(TEXT)), (clear, None), (message, None)] {
                assert_eq!(verify(&form, over, &certs, home.now()).unwrap().by, fpr);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn it_signs_with_the_subkey_that_was_named() {
    with_gpg(|home| async move {
        let fpr = home.ordinary("Team <team@example.org>").await;
        home.add_subkey(&fpr, "ed25519", "sign", &[]).await;
        home.add_subkey(&fpr, "ed25519", "sign", &[]).await;
        let certificate = home.certificate(&fpr).await;
        let keys = certificate.valid_signing_fingerprints(home.now());
        assert_eq!(keys.len(), 3);
        for key in &keys[1..] {
            let homedir = Some(home.path().to_owned());
            let signer =
                GpgSigner::new(key, homedir, certificate.clone(), home.clock.clone()).unwrap();
            let signature = signer.detach(TEXT, home.now()).await.unwrap();
            let path = home.file("sig", &signature);
            let args = ["--verify", path.to_str().unwrap(), "-"];
            let verified = home.gpg(&args, TEXT).await;
            assert!(says(&verified, &format!("VALIDSIG {key}")), "{}", verified.complaint());
        }
    })
    .await;
}

#[tokio::test]
async fn a_large_notice_is_sealed_uncompressed_through_gpg() {
    with_gpg(|home| async move {
        let fpr = home.ordinary("Team <team@example.org>").await;
        let (signer, certificate) = signer(&home, &fpr).await;
        let ann = samples::cv25519("Ann <ann@example.org>", home.now()).unwrap();
        let entity = vec![b'a'; 2 * 1024 * 1024];
        let to = [ann.certificate.clone()];
        let sealed = seal(&entity, &to, &signer, home.now()).await.unwrap();
        assert!(sealed.armored.len() > entity.len());
        let opened = open(&sealed.armored, &[ann], &[certificate], home.now()).unwrap();
        assert!(opened.bytes == entity && opened.signed_by == Some(fpr));
    })
    .await;
}

#[tokio::test]
async fn a_line_in_gpg_conf_changes_nothing() {
    with_gpg(|home| async move {
        let fpr = home.ordinary("Team <team@example.org>").await;
        home.file("gpg.conf", b"digest-algo SHA1\ncomment from my laptop\ntextmode\n");
        let (signer, certificate) = signer(&home, &fpr).await;
        let signature = signer.detach(b"a\r\nb\n", home.now()).await.unwrap();
        assert!(!String::from_utf8(signature.clone()).unwrap().contains("laptop"));
        let other_ends = verify(&signature, Some(b"a\nb\n"), &[certificate], home.now());
        assert_eq!(other_ends.unwrap_err(), VerifyError::Altered);
    })
    .await;
}

#[tokio::test]
async fn a_missing_secret_a_dead_key_and_a_foreign_key_are_told_apart() {
    with_gpg(|home| async move {
        let ann = samples::cv25519("Ann <ann@example.org>", home.now()).unwrap();
        home.import(&ann.certificate).await;
        let (absent, _) = signer(&home, &ann.certificate.fingerprint()).await;
        let declined = absent.detach(TEXT, home.now()).await;
        assert_eq!(declined.unwrap_err(), SignError::Declined);
        let fpr = home.generate("Team <t@example.org>", "ed25519", "sign", "10d", &[]).await;
        let (dying, certificate) = signer(&home, &fpr).await;
        let late = dying.detach(TEXT, home.now().plus(Span::days(11))).await;
        assert_eq!(late.unwrap_err(), SignError::NoValidKey);
        let foreign = &ann.certificate.key_fingerprints()[0];
        let made = GpgSigner::new(foreign, None, certificate, home.clock.clone());
        assert_eq!(made.unwrap_err(), GpgSignerError::ForeignKey);
    })
    .await;
}
