//! Approvals as people sign them with gpg, in all forms; and our signatures before gpg.

use super::home::{Home, says, with_gpg};
use crate::pgp::{
    Certificate, Fingerprint, ResidentSigner, Signer as _, VerifyError, generate_team_key, verify,
};

const TEXT: &[u8] = b"daybreak-approval 1\n- dashed \nplan 3 release\nEFFECT: sends at 15:00\n";

/// Every form that a person may send, with what it is detached from.
async fn forms(home: &Home, fpr: &Fingerprint) -> Vec<(Vec<u8>, Option<&'static [u8]>)> {
    let kinds: [(&[&str], bool); 8] = [
        (&["--clear-sign"], false),
        (&["--armor", "--detach-sign"], true),
        (&["--detach-sign"], true),
        (&["--armor", "--textmode", "--detach-sign"], true),
        (&["--armor", "--sign"], false),
        (&["--sign"], false),
        (&["-z", "0", "--sign"], false),
        (&["--armor", "--textmode", "--sign"], false),
    ];
    let mut forms = Vec::new();
    for (kind, detached) in kinds {
        let args = [&["--local-user", fpr.as_str()], kind].concat();
        forms.push((home.gpg(&args, TEXT).await.stdout, detached.then_some(TEXT)));
    }
    forms
}

/// As callers compare: one final newline does not count, nor does clearsigning's white space.
fn plain(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap().replace("dashed \n", "dashed\n");
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}

#[tokio::test]
async fn all_forms_from_gpg_are_verified_and_strangers_are_refused() {
    with_gpg(|home| async move {
        let ann = home.ordinary("Ann <ann@example.org>").await;
        let bob = home.ordinary("Bob <bob@example.org>").await;
        let (ann_cert, bob_cert) = (home.certificate(&ann).await, home.certificate(&bob).await);
        for (form, over) in forms(&home, &ann).await {
            let at = home.now();
            let team = [bob_cert.clone(), ann_cert.clone()];
            let verified = verify(&form, over, &team, at).unwrap();
            assert_eq!(plain(&verified.text), plain(TEXT));
            assert_eq!(verified.by, ann);
            assert!(at.since(verified.made_at).as_secs() < 120);
            let stranger = verify(&form, over, std::slice::from_ref(&bob_cert), at);
            assert_eq!(stranger.unwrap_err(), VerifyError::Stranger);
        }
    })
    .await;
}

#[tokio::test]
async fn a_signing_subkey_counts_for_its_certificate() {
    with_gpg(|home| async move {
        let ann = home.generate("Ann <ann@example.org>", "ed25519", "cert", "never", &[]).await;
        home.add_subkey(&ann, "ed25519", "sign", &[]).await;
        let cert = home.certificate(&ann).await;
        assert_eq!(cert.valid_signing_fingerprints(home.now()), cert.key_fingerprints()[1..]);
        for (form, over) in forms(&home, &ann).await {
            let verified = verify(&form, over, std::slice::from_ref(&cert), home.now()).unwrap();
            assert_eq!(verified.by, ann);
        }
    })
    .await;
}

#[tokio::test]
async fn one_changed_byte_is_refused_in_every_form() {
    with_gpg(|home| async move {
        let ann = home.ordinary("Ann <ann@example.org>").await;
        let team = [home.certificate(&ann).await];
        for (form, over) in forms(&home, &ann).await {
            // In the middle of the binary forms, in the text of the clear one.
            let clear = form.windows(5).position(|w| w == b"15:00");
            let mut altered = form.clone();
            altered[clear.unwrap_or(form.len() / 2)] ^= 1;
            assert!(verify(&altered, over, &team, home.now()).is_err());
            if over.is_some() {
                let refused = verify(&form, Some(b"something else\n"), &team, home.now());
                assert_eq!(refused.unwrap_err(), VerifyError::Altered);
            }
            if clear.is_some() {
                let refused = verify(&altered, over, &team, home.now());
                assert_eq!(refused.unwrap_err(), VerifyError::Altered);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn sha1_and_revoked_signers_are_refused() {
    with_gpg(|home| async move {
        let ann = home.generate("Ann <ann@example.org>", "rsa2048", "sign", "never", &[]).await;
        let team = [home.certificate(&ann).await];
        let weak = ["--digest-algo", "SHA1", "--allow-weak-digest-algos", "--clear-sign"];
        let form = home.gpg(&weak, TEXT).await.stdout;
        assert_eq!(verify(&form, None, &team, home.now()).unwrap_err(), VerifyError::Weak);
        let form = home.gpg(&["--clear-sign"], TEXT).await.stdout;
        let kept = home.path().join("openpgp-revocs.d").join(format!("{ann}.rev"));
        let text = std::fs::read_to_string(kept).unwrap().replace(":-----BEGIN", "-----BEGIN");
        home.gpg(&["--import"], text.as_bytes()).await;
        let revoked = [home.certificate(&ann).await];
        let refused = verify(&form, None, &revoked, home.now());
        assert_eq!(refused.unwrap_err(), VerifyError::SignerNotValid);
    })
    .await;
}

#[tokio::test]
async fn gpg_verifies_what_we_sign() {
    with_gpg(|home| async move {
        let at = home.now();
        let team = generate_team_key("Team <team@example.org>", at).unwrap();
        home.import(&team.certificate).await;
        let signer = ResidentSigner::new(&team).unwrap();
        let signature = home.file("text.asc", &signer.detach(TEXT, at).await.unwrap());
        let args = ["--verify", signature.to_str().unwrap(), "-"];
        assert!(says(&home.gpg(&args, TEXT).await, "GOODSIG"));
        let other = home.try_gpg(&args, b"something else\n").await;
        assert!(!other.ok() && says(&other, "BADSIG"));
        let clear = signer.clearsign(TEXT, at).await.unwrap();
        let shown = home.gpg(&["--decrypt"], &clear).await;
        assert!(says(&shown, "GOODSIG"), "{}", shown.complaint());
        // RFC 9580 section 9.5: 10 is SHA-512.
        let valid = shown.complaint();
        let valid = valid.lines().find(|l| l.contains("VALIDSIG")).unwrap();
        assert_eq!(valid.split(' ').nth(9), Some("10"), "{valid}");
        let again = Certificate::import(&home.export(&team.certificate.fingerprint()).await);
        assert_eq!(again.unwrap().fingerprint(), team.certificate.fingerprint());
    })
    .await;
}
