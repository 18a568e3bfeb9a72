//! Sealed notices as a recipient's gpg sees them, and gpg's mail to the team.

use super::home::{Home, says, with_gpg};
use crate::pgp::{
    Certificate, Fingerprint, ResidentSigner, generate_team_key, import_team_key, open, seal,
};

const ENTITY: &[u8] = b"Content-Type: text/plain\r\n\r\nA heap overflow in the parser.\r\n";
const TEAM: &str = "Example Security Team <security@example.org>";

/// Seals to a gpg-made key and lets gpg open it; gives back how many keys it was sealed to.
async fn gpg_opens(home: &Home, fpr: &Fingerprint) -> usize {
    let at = home.now();
    let team = generate_team_key(TEAM, at).unwrap();
    home.import(&team.certificate).await;
    let certificate = home.certificate(fpr).await;
    let signer = ResidentSigner::new(&team).unwrap();
    let sealed = seal(ENTITY, &[certificate], &signer, at).await.unwrap();
    let opened = home.gpg(&["--decrypt"], &sealed.armored).await;
    assert_eq!(opened.stdout, ENTITY);
    for word in ["DECRYPTION_OKAY", "GOODMDC", "GOODSIG"] {
        assert!(says(&opened, word), "{word}: {}", opened.complaint());
    }
    let by = format!("[GNUPG:] VALIDSIG {}", team.certificate.fingerprint());
    assert!(opened.complaint().contains(&by));
    let to = opened.complaint().lines().filter(|l| l.contains("] ENC_TO ")).count();
    assert_eq!(to, sealed.keys.len());
    to
}

#[tokio::test]
async fn gpg_opens_what_is_sealed_to_curve25519() {
    with_gpg(|home| async move {
        let fpr = home.ordinary("Ann <ann@example.org>").await;
        assert_eq!(gpg_opens(&home, &fpr).await, 1);
    })
    .await;
}

#[tokio::test]
async fn gpg_opens_what_is_sealed_to_rsa() {
    with_gpg(|home| async move {
        let fpr = home.generate("Ann <ann@example.org>", "rsa2048", "sign", "never", &[]).await;
        home.add_subkey(&fpr, "rsa3072", "encr", &[]).await;
        assert_eq!(gpg_opens(&home, &fpr).await, 1);
    })
    .await;
}

#[tokio::test]
async fn gpg_opens_with_either_of_two_subkeys() {
    with_gpg(|home| async move {
        let fpr = home.ordinary("Ann <ann@example.org>").await;
        home.add_subkey(&fpr, "rsa2048", "encr", &[]).await;
        assert_eq!(gpg_opens(&home, &fpr).await, 2);
    })
    .await;
}

#[tokio::test]
async fn gpg_writes_to_the_team_and_the_team_opens() {
    with_gpg(|home| async move {
        let at = home.now();
        let team = generate_team_key(TEAM, at).unwrap();
        home.import(&team.certificate).await;
        let ann = home.ordinary("Ann <ann@example.org>").await;
        let certs = [home.certificate(&ann).await];
        let args = ["--armor", "--sign", "--encrypt", "--recipient", "security@example.org"];
        let mail = home.gpg(&args, b"received, thank you\n").await.stdout;
        let opened = open(&mail, &[team], &certs, home.now()).unwrap();
        assert_eq!(opened.bytes, b"received, thank you\n");
        assert_eq!(opened.signed_by, Some(ann));
    })
    .await;
}

#[tokio::test]
async fn a_team_key_made_with_gpg_is_taken_and_seals() {
    with_gpg(|home| async move {
        let fpr = home.ordinary(TEAM).await;
        let args = ["--armor", "--export-secret-keys", fpr.as_str()];
        let secret = home.gpg(&args, b"").await.stdout;
        let refused = Certificate::import(&secret).unwrap_err();
        assert_eq!(refused, crate::pgp::ImportError::SecretKey);
        let key = import_team_key(&secret).unwrap();
        assert_eq!(key.certificate.fingerprint(), fpr);
        let signer = ResidentSigner::new(&key).unwrap();
        let to = [key.certificate.clone()];
        let sealed = seal(ENTITY, &to, &signer, home.now()).await.unwrap();
        let opened = home.gpg(&["--decrypt"], &sealed.armored).await;
        assert!(says(&opened, "GOODSIG") && opened.stdout == ENTITY);
    })
    .await;
}
