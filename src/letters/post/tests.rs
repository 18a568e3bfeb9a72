//! Tests of `post`: the promises that the file above makes.

use super::*;
use crate::clock::SystemClock;
use crate::domain::blob::{DATE_BLANK, fill};
use crate::exec::Process;
use crate::formats::post_text::{Patches, render};
use crate::formats::sample::{PATCH, advisory, public};
use crate::formats::templates::Templates;
use mail_parser::{MessageParser, MimeHeaders as _};

const BOUNDARY: &str = "abcdef0123456789abcdef0123456789";

/// Signs nothing, but shows what it was given.
struct Echo;

#[async_trait]
impl PostSigner for Echo {
    async fn detached(&self, bytes: &[u8]) -> Result<Detached, String> {
        let digest = crate::domain::blob::Sha256::of(bytes);
        let armored =
            format!("-----BEGIN PGP SIGNATURE-----\n\n{digest}\n-----END PGP SIGNATURE-----\n");
        Ok(Detached { armored: armored.into_bytes(), micalg: "pgp-sha512".into() })
    }
    async fn clearsign(&self, text: &str) -> Result<String, String> {
        Ok(format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n"))
    }
}

struct Broken;

#[async_trait]
impl PostSigner for Broken {
    async fn detached(&self, _: &[u8]) -> Result<Detached, String> {
        Err("no card".into())
    }
    async fn clearsign(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
}

fn list(signing: PostSigning, max_bytes: u64) -> List {
    List {
        address: "announce@lists.meadow.example".into(),
        from: None,
        envelope_from: Some("poster@meadow.example".into()),
        subject_prefix: "[meadow-announce]".into(),
        signing,
        max_bytes,
        moderated: false,
        look: vec![],
        archive_url: None,
        archive_shows: Default::default(),
        headsup: false,
        order: 0,
    }
}

async fn posted(list: &List, signer: &dyn PostSigner) -> Result<Posted, LetterError> {
    posted_of(list, signer, PATCH.as_bytes()).await
}

async fn posted_of(
    list: &List,
    signer: &dyn PostSigner,
    patch: &[u8],
) -> Result<Posted, LetterError> {
    let templates = Templates::load(None).unwrap();
    let mut view = public(advisory());
    view.patches[0].bytes = patch.to_vec();
    let full = render(&templates, &view, Patches::Inline).unwrap();
    let short = render(&templates, &view, Patches::Named).unwrap();
    let post = Post {
        list,
        from: "security@meadow.example",
        subject: "CVE-2026-12345: Meadow: Große Lücke im Gatter",
        full: &full.text,
        short: &short.text,
        message_id: "0011@meadow.example",
        boundary: BOUNDARY,
    };
    compose(&post, signer).await
}

#[tokio::test]
async fn a_plain_post_reads_back_and_its_patch_is_whole() {
    let made = posted(&list(PostSigning::None, 100_000), &Echo).await.unwrap();
    let read = MessageParser::default().parse(&made.bytes).unwrap();
    let subject = "[meadow-announce] CVE-2026-12345: Meadow: Große Lücke im Gatter";
    assert_eq!(read.subject(), Some(subject));
    assert!(made.bytes.is_ascii());
    assert!(made.bytes.split(|b| *b == b'\n').all(|line| line.len() <= 79));
    assert!(read.body_text(0).unwrap().replace("\r\n", "\n").contains(PATCH.trim_end()));
    assert!(read.reply_to().is_none());
    assert_eq!(
        (made.from.as_str(), made.envelope_from.as_str()),
        ("security@meadow.example", "poster@meadow.example")
    );
    assert!(made.full);
}

#[tokio::test]
async fn the_date_is_the_one_slot() {
    for signing in [PostSigning::None, PostSigning::Mime, PostSigning::Clearsign] {
        let made = posted(&list(signing, 100_000), &Echo).await.unwrap();
        let [slot] = made.slots.as_slice() else { panic!("{:?}", made.slots) };
        assert_eq!(&made.bytes[slot.offset..slot.offset + slot.len], DATE_BLANK.as_bytes());
        let mut sent = made.bytes.clone();
        fill(&mut sent, &made.slots, At::parse_rfc3339("2026-12-01T15:00:00Z").unwrap()).unwrap();
        let read = MessageParser::default().parse(&sent).unwrap();
        assert_eq!(read.date().unwrap().to_rfc3339(), "2026-12-01T15:00:00Z");
    }
}

#[tokio::test]
async fn a_list_with_less_room_gets_the_short_text_or_a_refusal() {
    let patch = PATCH.repeat(40);
    let list = |max_bytes| list(PostSigning::Mime, max_bytes);
    assert!(posted_of(&list(20_000), &Echo, patch.as_bytes()).await.unwrap().full);
    let short = posted_of(&list(10_000), &Echo, patch.as_bytes()).await.unwrap();
    assert!(!short.full && short.bytes.len() <= 10_000);
    assert!(!String::from_utf8_lossy(&short.bytes).contains("open =3D False"));
    let none = posted(&list(1_000), &Echo).await;
    assert!(matches!(none, Err(LetterError::TooLarge { limit: 1_000, .. })));
}

#[tokio::test]
async fn what_is_signed_is_the_part_without_its_last_line_end() {
    let made = posted(&list(PostSigning::Mime, 100_000), &Echo).await.unwrap();
    let text = String::from_utf8(made.bytes.clone()).unwrap();
    let marker = format!("--{BOUNDARY}\r\n");
    let signed = text.split(&marker).nth(1).unwrap().strip_suffix("\r\n").unwrap();
    let digest = crate::domain::blob::Sha256::of(signed.as_bytes()).to_string();
    assert!(text.contains(&digest), "{text}");
    let read = MessageParser::default().parse(&made.bytes).unwrap();
    let kind = read.content_type().unwrap();
    assert_eq!(kind.attribute("micalg"), Some("pgp-sha512"));
    assert_eq!(kind.attribute("protocol"), Some("application/pgp-signature"));
}

#[tokio::test]
async fn without_a_signature_there_is_no_post() {
    for signing in [PostSigning::Mime, PostSigning::Clearsign] {
        let error = posted(&list(signing, 100_000), &Broken).await.err().unwrap();
        assert!(matches!(error, LetterError::Unsigned(_)), "{error}");
    }
}

/// Real gpg signs, and real gpg checks what a reader of the mail has in hand.
struct Gpg {
    home: tempfile::TempDir,
}

impl Gpg {
    async fn run(&self, args: &[&str], stdin: &[u8]) -> crate::exec::Output {
        Process::new("gpg")
            .args(["--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""])
            .args(args)
            .env("GNUPGHOME", self.home.path())
            .stdin(stdin)
            .run(&SystemClock::new())
            .await
            .unwrap()
    }
}

#[async_trait]
impl PostSigner for Gpg {
    async fn detached(&self, bytes: &[u8]) -> Result<Detached, String> {
        let args = ["--armor", "--digest-algo", "SHA512", "--detach-sign"];
        let armored = self.run(&args, bytes).await.stdout;
        Ok(Detached { armored, micalg: "pgp-sha512".into() })
    }
    async fn clearsign(&self, text: &str) -> Result<String, String> {
        Ok(self.run(&["--clearsign"], text.as_bytes()).await.text())
    }
}

async fn gpg() -> Option<Gpg> {
    let there = Process::new("gpg").arg("--version").run(&SystemClock::new()).await;
    if there.is_err() {
        let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
        assert!(!required, "gpg is required");
        eprintln!("not run: no gpg");
        return None;
    }
    let gpg = Gpg { home: tempfile::tempdir().unwrap() };
    let made = gpg
        .run(&["--quick-generate-key", "s@meadow.example", "ed25519", "sign", "never"], b"")
        .await;
    assert!(made.ok(), "{}", made.complaint());
    Some(gpg)
}

#[tokio::test]
async fn gpg_accepts_what_was_posted() {
    let Some(gpg) = gpg().await else { return };
    let made = posted(&list(PostSigning::Mime, 100_000), &gpg).await.unwrap();
    let text = String::from_utf8(made.bytes.clone()).unwrap();
    let signed = text.split(&format!("--{BOUNDARY}\r\n")).nth(1).unwrap();
    let signed = signed.strip_suffix("\r\n").unwrap();
    let read = MessageParser::default().parse(&made.bytes).unwrap();
    let signature = gpg.home.path().join("signature.asc");
    std::fs::write(&signature, read.attachment(0).unwrap().contents()).unwrap();
    let file = signature.to_str().unwrap();
    let good = gpg.run(&["--verify", file, "-"], signed.as_bytes()).await;
    assert!(good.ok(), "{}", good.complaint());
    let with_line_end = format!("{signed}\r\n");
    assert!(!gpg.run(&["--verify", file, "-"], with_line_end.as_bytes()).await.ok());

    let made = posted(&list(PostSigning::Clearsign, 100_000), &gpg).await.unwrap();
    let read = MessageParser::default().parse(&made.bytes).unwrap();
    let body = read.body_text(0).unwrap().replace("\r\n", "\n");
    let good = gpg.run(&["--verify"], body.as_bytes()).await;
    assert!(good.ok(), "{}", good.complaint());
}
