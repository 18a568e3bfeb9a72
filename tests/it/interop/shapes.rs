//! The shapes of certificate that come up in the wild, made afresh by real gpg 2.2 or, where
//! it cannot, by Sequoia.

use daybreak::clock::{Clock as _, SystemClock};
use daybreak::domain::time::At;
use daybreak::exec::Output;
use daybreak::pgp::{Certificate, TeamKey, samples};
use tempfile::TempDir;

use super::programs::{gpg, has, leave, run};

/// What must become of mail to a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is sealed.
    Sealed,
    /// It is blocked, with this finding.
    Blocked(&'static str),
}

pub struct Shape {
    pub name: &'static str,
    pub fate: Fate,
    /// The contact's certificates.
    pub certificates: Vec<Certificate>,
    /// The secret key of the last of them.
    pub secret: Vec<u8>,
}

/// Short: sockets of agents lie in it.
pub fn folder() -> TempDir {
    tempfile::Builder::new().prefix("dbi").tempdir_in("/tmp").unwrap()
}

const USER: &str = "Reader <reader@larch.example>";
const OLD: [&str; 2] = ["--faked-system-time", "20240101T000000!"];
const SHA1: [&str; 3] = ["--cert-digest-algo", "SHA1", "--allow-weak-digest-algos"];

/// A home in which one key is made.
struct Maker {
    home: std::path::PathBuf,
    fingerprint: String,
}

impl Maker {
    async fn gpg(&self, args: &[&str], stdin: &[u8]) -> Output {
        let out = run(gpg(&self.home).args(args).stdin(stdin)).await.unwrap();
        assert!(out.ok(), "gpg {args:?}: {}", out.complaint());
        out
    }

    async fn new(root: &std::path::Path, name: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let home = root.join(format!("k-{name}"));
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { home, fingerprint: String::new() }
    }

    async fn primary(&mut self, algo: &str, usage: &str, expiry: &str, extra: &[&str]) {
        let command = ["--quick-generate-key", USER, algo, usage, expiry];
        let said = self.gpg(&[extra, &command].concat(), b"").await.complaint();
        let line = said.lines().find(|l| l.contains("KEY_CREATED")).unwrap();
        self.fingerprint = line.rsplit(' ').next().unwrap().to_owned();
    }

    async fn subkey(&self, algo: &str, expiry: &str, extra: &[&str]) {
        let command = ["--quick-add-key", &self.fingerprint, algo, "encr", expiry];
        self.gpg(&[extra, &command].concat(), b"").await;
    }

    /// Revoked with a reason's number in gpg's dialogue: 1 compromised, 2 superseded.
    async fn revoke(&self, reason: u8) {
        let answers = format!("y\n{reason}\n\ny\n");
        let asked = ["--no-batch", "--command-fd", "0", "--armor", "--gen-revoke"];
        let args = [&asked[..], &[self.fingerprint.as_str()]].concat();
        let made = self.gpg(&args, answers.as_bytes()).await.stdout;
        self.gpg(&["--import"], &made).await;
    }

    async fn shape(self, name: &'static str, fate: Fate) -> Shape {
        let export = |what: &'static str| [what, self.fingerprint.as_str()];
        let public = self.gpg(&export("--export"), b"").await.stdout;
        let secret = self.gpg(&export("--export-secret-keys"), b"").await.stdout;
        leave(&self.home).await;
        let certificates = vec![Certificate::import(&public).unwrap()];
        Shape { name, fate, certificates, secret }
    }
}

fn sample(name: &'static str, key: &TeamKey) -> Shape {
    let certificates = vec![key.certificate.clone()];
    Shape { name, fate: Fate::Sealed, certificates, secret: key.secret.to_vec() }
}

/// Every shape; `None`, said aloud, without gpg.
pub async fn all(root: &std::path::Path) -> Option<Vec<Shape>> {
    if !has("gpg", &["--version"]).await {
        super::missing("gpg");
        return None;
    }
    let at = SystemClock::new().wall();
    // Large primes while gpg is asked one thing after the other.
    let modern = tokio::task::spawn_blocking(move || by_sequoia(at));
    let mut shapes = by_gpg(root).await;
    shapes.extend(modern.await.unwrap());
    Some(shapes)
}

fn by_sequoia(at: At) -> Vec<Shape> {
    let role = samples::rsa3072("Second <role@larch.example>", at).unwrap();
    let other = samples::cv25519("First <role@larch.example>", at).unwrap();
    let mut both = sample("role-second", &role);
    both.certificates = vec![other.certificate, role.certificate];
    vec![
        sample("rsa4096", &samples::rsa4096(USER, at).unwrap()),
        sample(super::FORGED, &samples::cv25519(USER, at).unwrap()),
        sample("says-seipdv2", &samples::seipdv2(USER, at).unwrap()),
        sample("v6", &samples::version6(USER, at).unwrap()),
        both,
    ]
}

async fn by_gpg(root: &std::path::Path) -> Vec<Shape> {
    let sealed = Fate::Sealed;
    let mut shapes = Vec::new();
    for (name, primary, subkey) in [
        ("rsa2048", "rsa2048", "rsa2048"),
        ("cv25519", "ed25519", "cv25519"),
        ("p256", "nistp256", "nistp256"),
        ("p384", "nistp384", "nistp384"),
        ("dsa-rsa", "dsa2048", "rsa3072"),
    ] {
        let mut key = Maker::new(root, name).await;
        key.primary(primary, "sign", "never", &[]).await;
        key.subkey(subkey, "never", &[]).await;
        shapes.push(key.shape(name, sealed).await);
    }
    let mut key = Maker::new(root, "two").await;
    key.primary("ed25519", "sign", "never", &[]).await;
    key.subkey("cv25519", "never", &[]).await;
    key.subkey("rsa2048", "never", &[]).await;
    shapes.push(key.shape("two-subkeys", sealed).await);

    let mut key = Maker::new(root, "rotated").await;
    key.primary("ed25519", "sign", "never", &OLD).await;
    key.subkey("cv25519", "30d", &OLD).await;
    key.subkey("cv25519", "never", &[]).await;
    shapes.push(key.shape("rotated", sealed).await);

    let mut key = Maker::new(root, "elgamal").await;
    key.primary("dsa2048", "sign", "never", &[]).await;
    key.subkey("elg2048", "never", &[]).await;
    shapes.push(key.shape("dsa-elgamal", Fate::Blocked("cert-subkey-weak")).await);

    let mut key = Maker::new(root, "expired").await;
    key.primary("ed25519", "sign", "30d", &OLD).await;
    key.subkey("cv25519", "30d", &OLD).await;
    shapes.push(key.shape("expired", Fate::Blocked("cert-expired")).await);

    let mut key = Maker::new(root, "subexp").await;
    key.primary("ed25519", "sign", "never", &OLD).await;
    key.subkey("cv25519", "30d", &OLD).await;
    shapes.push(key.shape("subkey-expired", Fate::Blocked("cert-subkey-expired")).await);

    for (name, reason) in [("revoked-hard", 1), ("revoked-soft", 2)] {
        let mut key = Maker::new(root, name).await;
        key.primary("ed25519", "sign", "never", &[]).await;
        key.subkey("cv25519", "never", &[]).await;
        key.revoke(reason).await;
        shapes.push(key.shape(name, Fate::Blocked("cert-revoked")).await);
    }
    let mut key = Maker::new(root, "sha1").await;
    let weak = [&SHA1[..], &["--faked-system-time", "20200101T000000!"]].concat();
    key.primary("rsa2048", "sign", "never", &weak).await;
    key.subkey("rsa2048", "never", &weak).await;
    shapes.push(key.shape("sha1-bound", Fate::Blocked("cert-sha1")).await);

    let mut key = Maker::new(root, "signonly").await;
    key.primary("ed25519", "sign", "never", &[]).await;
    shapes.push(key.shape("sign-only", Fate::Blocked("cert-sign-only")).await);
    shapes
}
