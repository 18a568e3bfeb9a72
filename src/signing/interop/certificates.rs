//! Certificates that gpg made and that must be refused, and the cures we tell people.

use super::home::{Home, with_gpg};
use crate::domain::time::{At, Span};
use crate::pgp::{Certificate, Fingerprint, Problem, judge, remarks, report};

const ANN: &str = "Ann <ann@example.org>";

/// The code of the one finding, and the commands that it says cure it.
async fn found(home: &Home, fpr: &Fingerprint, at: At) -> (String, String) {
    let certificate = home.certificate(fpr).await;
    assert!(!judge(&certificate, at).usable());
    let findings = report(&certificate, "contact con_1", &[("now", at)]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    (findings[0].code.clone(), findings[0].cure.clone())
}

/// Types the commands in the first pair of backquotes, as the owner would.
async fn type_cure(home: &Home, cure: &str) {
    let commands = cure.split('`').nth(1).unwrap();
    for command in commands.split(" && ") {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(words[0], "gpg");
        home.gpg(&words[1..], b"").await;
    }
}

async fn is_cured(home: &Home, fpr: &Fingerprint, at: At) {
    let health = judge(&home.certificate(fpr).await, at);
    assert!(health.usable(), "{:?}", health.problems);
}

#[tokio::test]
async fn expired_with_its_subkey_and_cured() {
    with_gpg(|home| async move {
        let old = ["--faked-system-time", "20240101T000000!"];
        let fpr = home.generate(ANN, "default", "default", "30d", &old).await;
        let before = At::parse_rfc3339("2024-01-15T00:00:00Z").unwrap();
        assert!(judge(&home.certificate(&fpr).await, before).usable());
        let (code, cure) = found(&home, &fpr, home.now()).await;
        assert_eq!(code, "cert-expired");
        type_cure(&home, &cure).await;
        is_cured(&home, &fpr, home.now().plus(Span::days(600))).await;
    })
    .await;
}

#[tokio::test]
async fn subkey_expired_and_cured() {
    with_gpg(|home| async move {
        let fpr = home.generate(ANN, "ed25519", "sign", "never", &[]).await;
        let add = ["--quick-add-key", fpr.as_str(), "cv25519", "encr", "1d"];
        home.gpg(&add, b"").await;
        let later = home.now().plus(Span::days(3));
        assert!(judge(&home.certificate(&fpr).await, home.now()).usable());
        let (code, cure) = found(&home, &fpr, later).await;
        assert_eq!(code, "cert-subkey-expired");
        type_cure(&home, &cure).await;
        is_cured(&home, &fpr, later).await;
    })
    .await;
}

#[tokio::test]
async fn sign_only_and_cured() {
    with_gpg(|home| async move {
        let fpr = home.generate(ANN, "rsa2048", "sign", "never", &[]).await;
        let (code, cure) = found(&home, &fpr, home.now()).await;
        assert_eq!(code, "cert-sign-only");
        type_cure(&home, &cure).await;
        is_cured(&home, &fpr, home.now()).await;
    })
    .await;
}

#[tokio::test]
async fn bound_by_sha1_and_cured() {
    with_gpg(|home| async move {
        let sha1 = ["--cert-digest-algo", "SHA1", "--allow-weak-digest-algos"];
        let old = ["--faked-system-time", "20200101T000000!"];
        let extra = [&sha1[..], &old[..]].concat();
        let fpr = home.generate(ANN, "rsa2048", "default", "never", &extra).await;
        home.add_subkey(&fpr, "rsa2048", "encr", &extra).await;
        let (code, cure) = found(&home, &fpr, home.now()).await;
        assert_eq!(code, "cert-sha1");
        type_cure(&home, &cure).await;
        is_cured(&home, &fpr, home.now()).await;
    })
    .await;
}

#[tokio::test]
async fn only_the_subkey_bound_by_sha1() {
    with_gpg(|home| async move {
        let fpr = home.generate(ANN, "rsa2048", "sign", "never", &[]).await;
        let sha1 = ["--cert-digest-algo", "SHA1", "--allow-weak-digest-algos"];
        home.add_subkey(&fpr, "rsa2048", "encr", &sha1).await;
        let (code, cure) = found(&home, &fpr, home.now()).await;
        assert_eq!(code, "cert-sha1");
        type_cure(&home, &cure).await;
        is_cured(&home, &fpr, home.now()).await;
    })
    .await;
}

#[tokio::test]
async fn rsa_of_1024_bits_is_weak() {
    with_gpg(|home| async move {
        let fpr = home.generate(ANN, "rsa1024", "sign", "never", &[]).await;
        home.add_subkey(&fpr, "rsa2048", "encr", &[]).await;
        assert_eq!(found(&home, &fpr, home.now()).await.0, "cert-weak");
    })
    .await;
}

/// DSA is accepted for some years, ElGamal is not.
#[tokio::test]
async fn dsa_with_elgamal_is_weak_and_with_another_subkey_it_is_remarked() {
    with_gpg(|home| async move {
        let wish = "%no-protection\nKey-Type: DSA\nKey-Length: 2048\nSubkey-Type: ELG\n\
                    Subkey-Length: 1024\nName-Real: Ann\nName-Email: ann@example.org\n\
                    Expire-Date: 2y\n%commit\n";
        let made = home.gpg(&["--generate-key"], wish.as_bytes()).await.complaint();
        let line = made.lines().find(|l| l.contains("KEY_CREATED")).unwrap();
        let fpr: Fingerprint = line.split(' ').next_back().unwrap().parse().unwrap();
        let (code, cure) = found(&home, &fpr, home.now()).await;
        assert_eq!(code, "cert-subkey-weak");
        assert!(cure.contains("new key") && cure.contains("sq key generate"), "{cure}");
        home.add_subkey(&fpr, "cv25519", "encr", &[]).await;
        is_cured(&home, &fpr, home.now()).await;
        let certificate = home.certificate(&fpr).await;
        let said = remarks(&certificate, "ann@example.org", "contact con_1", home.now());
        let codes: Vec<&str> = said.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes, ["cert-dsa"]);
    })
    .await;
}

#[tokio::test]
async fn subkey_revoked_and_cured() {
    with_gpg(|home| async move {
        let fpr = home.generate(ANN, "ed25519", "sign", "never", &[]).await;
        home.add_subkey(&fpr, "cv25519", "encr", &[]).await;
        let dialogue = "key 1\nrevkey\ny\n0\n\ny\nsave\n";
        let edit = ["--no-batch", "--command-fd", "0", "--edit-key", fpr.as_str()];
        home.gpg(&edit, dialogue.as_bytes()).await;
        let (code, cure) = found(&home, &fpr, home.now()).await;
        assert_eq!(code, "cert-subkey-revoked");
        type_cure(&home, &cure).await;
        is_cured(&home, &fpr, home.now()).await;
    })
    .await;
}

/// Whoever may revoke it for its owner said so; whether they were right only a person can tell.
#[tokio::test]
async fn a_word_of_the_named_revoker_holds_it() {
    with_gpg(|home| async move {
        let fpr = home.ordinary(ANN).await;
        let bob = home.ordinary("Bob <bob@example.org>").await;
        let name = format!("addrevoker\n{bob}\ny\nsave\n");
        let edit = ["--no-batch", "--command-fd", "0", "--edit-key", fpr.as_str()];
        home.gpg(&edit, name.as_bytes()).await;
        assert!(judge(&home.certificate(&fpr).await, home.now()).usable());
        let say = ["--no-batch", "--command-fd", "0", "--desig-revoke", fpr.as_str()];
        let said = home.gpg(&say, b"y\n1\n\ny\n").await.stdout;
        home.gpg(&["--import"], &said).await;
        assert_eq!(found(&home, &fpr, home.now()).await.0, "cert-maybe-revoked");
    })
    .await;
}

#[tokio::test]
async fn revoked_by_the_certificate_that_gpg_keeps_for_the_day() {
    with_gpg(|home| async move {
        let fpr = home.ordinary(ANN).await;
        let kept = home.path().join("openpgp-revocs.d").join(format!("{fpr}.rev"));
        let text = std::fs::read_to_string(kept).unwrap().replace(":-----BEGIN", "-----BEGIN");
        home.gpg(&["--import"], text.as_bytes()).await;
        assert_eq!(found(&home, &fpr, home.now()).await.0, "cert-revoked");
        let health = judge(&home.certificate(&fpr).await, home.now());
        assert!(matches!(health.problems[..], [Problem::Revoked { hard: true, .. }]));
    })
    .await;
}

#[tokio::test]
async fn two_keys_in_one_export_are_refused() {
    with_gpg(|home| async move {
        home.ordinary(ANN).await;
        home.ordinary("Bob <bob@example.org>").await;
        for args in [&["--armor", "--export"][..], &["--export"]] {
            let refused = Certificate::import(&home.gpg(args, b"").await.stdout).unwrap_err();
            assert_eq!(refused, crate::pgp::ImportError::SeveralCertificates);
        }
    })
    .await;
}
