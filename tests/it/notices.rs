//! Mails as their readers have them: opened and verified with real gpg, applied with real git,
//! and from outside no more to be seen than there must be.

use std::collections::BTreeSet;
use std::path::Path;

use daybreak::casework::advisories;
use daybreak::casework::plans::preview::File;
use daybreak::domain::blob::equal_outside_slots;
use daybreak::domain::deed::Actor;
use daybreak::domain::time::Span;
use daybreak::exec::Output;
use daybreak::letters::entity::BUCKETS;
use daybreak::pgp::open;
use daybreak::town::catcher::Caught;
use daybreak::town::people::Reader;
use daybreak::town::project::{LINES, tree};
use daybreak::town::story;
use mail_parser::{MessageParser, MimeHeaders as _};

use crate::gpg::{Gpg, git, program, said, says};
use crate::ground::Db;
use crate::whole_day::{Done, Told, armor, field, fields, halves};
use crate::world::town;

/// The one mail to a reader.
fn mail_to<'a>(told: &'a Told, reader: &Reader) -> &'a Caught {
    let mine: Vec<_> = told.mails.iter().filter(|m| m.to == [reader.address]).collect();
    assert_eq!(mine.len(), 1, "{}", reader.address);
    mine[0]
}

/// What gpg says of a mail with the given keys of its reader, the team's certificate known.
async fn opened(told: &Told, gpg: &Gpg, mail: &Caught) -> Output {
    gpg.import(told.town.team_certificate()).await;
    gpg.run(&["--decrypt", "--show-session-key"], armor(&mail.bytes).as_bytes()).await
}

#[tokio::test]
async fn every_notice_is_opened_by_gpg_as_approved_and_says_nothing_outside() {
    let told = Told::of(Db::Sqlite).await.unwrap();
    let now = told.town.house.now();
    let team = told.town.team_certificate().fingerprint().to_string();
    let mut session_keys = BTreeSet::new();
    let mut sizes = BTreeSet::new();
    for reader in told.town.people.readers().filter(|r| r.should_read) {
        let mail = mail_to(&told, reader);
        // A role's certificates open it one without the other.
        for key in &reader.keys {
            let Some(gpg) = Gpg::at(now).await else { return };
            gpg.import_secret(key).await;
            let out = opened(&told, &gpg, mail).await;
            let about = format!("{}: {}", reader.address, out.complaint());
            assert!(out.ok() && says(&out, "DECRYPTION_OKAY") && says(&out, "GOODSIG"), "{about}");
            assert!(!says(&out, "BADSIG") && !says(&out, "ERRSIG"), "{about}");
            assert!(said(&out, "VALIDSIG").unwrap().ends_with(&team), "{about}");
            let approved = told.approved(reader.address);
            let same = equal_outside_slots(&approved.bytes, &out.stdout, &approved.slots);
            assert!(same, "{} reads something else than was approved", reader.address);
            session_keys.insert(said(&out, "SESSION_KEY").unwrap());
            // Signed for them: nobody can pass it on as if it had been sent there.
            let args = ["--list-packets", "--verbose"];
            let inside = gpg.run(&args, armor(&mail.bytes).as_bytes()).await.text();
            let named = inside.matches("hashed subpkt 35 len 21").count();
            assert_eq!(named, reader.keys.len(), "{}: {inside}", reader.address);
            sizes.insert(out.stdout.len());
        }
        // Nobody else's home opens it, and the packets are those that old programs read.
        let gpg = Gpg::at(now).await.unwrap();
        gpg.import_secret(&told.town.people.stranger).await;
        let out = opened(&told, &gpg, mail).await;
        assert!(!out.ok() && out.stdout.is_empty(), "{}", reader.address);
        let packets = gpg.run(&["--list-packets"], armor(&mail.bytes).as_bytes()).await.text();
        assert!(packets.contains("mdc_method: 2") && !packets.contains("aead"), "{packets}");
        assert!(!packets.contains("keyid 0000000000000000"), "{packets}");
        let keys = packets.matches(":pubkey enc packet:").count();
        assert!(keys >= reader.keys.len(), "{}: {packets}", reader.address);
    }
    assert_eq!(session_keys.len(), 7, "every mail has its own session key");
    assert_eq!(sizes.len(), 1, "{sizes:?}");
    assert!(sizes.iter().all(|s| BUCKETS.contains(s)), "{sizes:?}");
    outside(&told);
}

#[tokio::test]
async fn a_distributor_applies_the_patches_and_everybody_verifies_the_release() {
    let told = Told::of(Db::Sqlite).await.unwrap();
    let Some(gpg) = Gpg::at(told.town.house.now()).await else { return };
    patches_apply(&told, &gpg).await;
    let done = told.release().await;
    let Some(gpg) = Gpg::at(done.told.town.house.now()).await else { return };
    release_verifies(&done, &gpg).await;
}

/// The digests are right and the patches apply to a fresh clone of what is public.
async fn patches_apply(told: &Told, gpg: &Gpg) {
    let reader = &told.town.people.distributors[0];
    gpg.import_secret(&reader.keys[0]).await;
    let inside = opened(told, gpg, mail_to(told, reader)).await.stdout;
    let saved = tempfile::tempdir().unwrap();
    let letter = MessageParser::default().parse(&inside).unwrap();
    for part in letter.attachments() {
        std::fs::write(saved.path().join(part.attachment_name().unwrap()), part.contents())
            .unwrap();
    }
    let sums = program("sha256sum", &["-c", "SHA256SUMS"], saved.path()).await;
    assert!(sums.ok(), "{}", sums.complaint());
    let notice = std::fs::read(saved.path().join("notice.json")).unwrap();
    let notice: serde_json::Value = serde_json::from_slice(&notice).unwrap();
    let patches = notice["patches"].as_array().unwrap();
    assert_eq!(sums.text().lines().count(), patches.len() + 1, "{}", sums.text());
    assert_eq!(patches.len(), 2);
    for patch in patches {
        let of = |key: &str| patch[key].as_str().unwrap();
        let clone = saved.path().join(format!("clone-{}", of("branch")));
        let (from, to) = (told.town.project.public().to_str().unwrap(), clone.to_str().unwrap());
        git(&["clone", "--quiet", "--branch", of("branch"), from, to], saved.path()).await;
        let tip = git(&["rev-parse", "HEAD"], &clone).await;
        assert_eq!(tip.trim(), of("base"), "the base is a public commit");
        let file = saved.path().join(of("file_name"));
        git(&["am", "--quiet", file.to_str().unwrap()], &clone).await;
        let line = LINES.iter().find(|l| l.branch == of("branch")).unwrap();
        let mended = std::fs::read_to_string(clone.join(tree::FLAWED)).unwrap();
        assert_eq!(mended, tree::archive(line, true), "{}", line.branch);
        assert_eq!(git(&["status", "--porcelain"], &clone).await, "");
    }
    let text = letter.body_text(0).unwrap();
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("EMBARGOED until ") && first.contains(&told.t0.at.spoken()));
}

/// RFC 5322 names in the order that the design gives them.
pub const OUTER: [&str; 8] = [
    "From",
    "To",
    "Date",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
];

fn boundary(head: &str) -> String {
    let kind = field(head, "Content-Type");
    let (_, rest) = kind.split_once("boundary=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// From outside every notice says the same and nothing more.
fn outside(told: &Told) {
    let readers: Vec<_> = told.town.people.readers().filter(|r| r.should_read).collect();
    assert_eq!(told.mails.len(), readers.len(), "nobody else got any");
    let (mut ids, mut boundaries, mut lines) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for mail in &told.mails {
        let [to] = mail.to.as_slice() else { panic!("several recipients in one mail") };
        let (head, body) = halves(&mail.bytes);
        assert_eq!(fields(&head), OUTER, "{to}");
        assert_eq!(field(&head, "To"), *to, "one address and no name");
        assert_eq!(field(&head, "From"), "security@meadow.example");
        assert_eq!(field(&head, "Subject"), "[...]");
        assert_eq!(field(&head, "Auto-Submitted"), "auto-generated");
        assert_eq!(field(&head, "Date"), mail.at.rfc5322());
        assert!(field(&head, "Content-Type").starts_with("multipart/encrypted;"), "{head}");
        ids.insert(field(&head, "Message-ID"));
        boundaries.insert(boundary(&head));
        lines.extend(body.lines().filter(|l| l.len() == 64).map(str::to_owned));
        for other in readers.iter().filter(|r| r.address != to) {
            assert!(!head.contains(other.address) && !body.contains(other.address), "{to}");
            assert!(!head.contains(other.name), "{to}");
        }
    }
    assert_eq!((ids.len(), boundaries.len()), (readers.len(), readers.len()));
    let all: usize = told
        .mails
        .iter()
        .map(|m| halves(&m.bytes).1.lines().filter(|l| l.len() == 64).count())
        .sum();
    assert_eq!(lines.len(), all, "two mails share a line of ciphertext");
}

/// A mail with everything blank that may differ.
fn skeleton(mail: &Caught) -> String {
    let (head, body) = halves(&mail.bytes);
    let whole = format!("{head}\r\n\r\n{body}");
    let blank = |text: String, value: &str, name: &str| text.replace(value, name);
    let text = blank(whole, &field(&head, "Date"), "DATE");
    let text = blank(text, &field(&head, "Message-ID"), "ID");
    let text = blank(text, &boundary(&head), "BOUNDARY");
    let armored = armor(&mail.bytes);
    blank(text, armored.trim_end(), "CIPHERTEXT")
}

#[tokio::test]
async fn two_advisories_look_alike_from_outside() {
    let mut seen = Vec::new();
    for other in [false, true] {
        let town = town(Db::Sqlite).await.unwrap();
        story::add_members(&town).await.unwrap();
        story::add_distributors(&town).await.unwrap();
        let mut text = story::text(&town.people, town.house.now());
        if other {
            text.public_id = "x_meadow-2026-0717".to_owned();
            text.title = "Weeds in the hedge".to_owned();
            text.description = "Something else altogether, at greater length. ".repeat(90);
            text.severity.clear();
            text.cwe = vec!["CWE-79".to_owned()];
        }
        let drafted = advisories::create(&town.house, Actor::Operator, text).await.unwrap().0;
        let t0 = story::t0_in(&town, Span::days(if other { 13 } else { 12 }));
        let (disclosure, _) = story::open(&town, &drafted, t0).await.unwrap();
        let disclosure = story::patch(&town, disclosure, drafted.id).await.unwrap();
        let told = Told::from(town, disclosure).await;
        let mut mails: Vec<_> =
            told.mails.iter().map(|m| (m.to.clone(), skeleton(m), m.bytes.len())).collect();
        mails.sort();
        seen.push(mails);
    }
    assert_eq!(seen[0].len(), seen[1].len());
    for (one, two) in seen[0].iter().zip(&seen[1]) {
        assert_eq!((&one.0, &one.1), (&two.0, &two.1));
        assert!(one.1.len() < 900, "{}", one.1);
        // Integers in OpenPGP are written without leading zeros: a few bytes either way.
        assert!(one.2.abs_diff(two.2) <= 24, "{:?}: {} and {}", one.0, one.2, two.2);
    }
}

/// The signed part of an RFC 3156 mail as it came, and its signature.
fn signed_parts(mail: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (head, _) = halves(mail);
    let text = String::from_utf8(mail.to_vec()).unwrap();
    let line = format!("\r\n--{}\r\n", boundary(&head));
    let mut parts = text.split(&line).skip(1);
    let signed = parts.next().unwrap().as_bytes().to_vec();
    let rest = parts.next().unwrap();
    let (_, rest) = rest.split_once("-----BEGIN PGP SIGNATURE-----").unwrap();
    let (inside, _) = rest.split_once("-----END PGP SIGNATURE-----").unwrap();
    let begin = "-----BEGIN PGP SIGNATURE-----";
    (signed, format!("{begin}{inside}-----END PGP SIGNATURE-----\n").into_bytes())
}

async fn verifies(gpg: &Gpg, team: &str, args: &[&str], stdin: &[u8]) {
    let out = gpg.run(args, stdin).await;
    assert!(out.ok() && says(&out, "GOODSIG"), "{}", out.complaint());
    assert!(said(&out, "VALIDSIG").unwrap().ends_with(team), "{}", out.complaint());
}

/// gpg verifies both posts, and git the tags, by the team's certificate.
async fn release_verifies(done: &Done, gpg: &Gpg) {
    let town = &done.told.town;
    gpg.import(town.team_certificate()).await;
    let team = town.team_certificate().fingerprint().to_string();
    let [announce, oss] = done.posts.as_slice() else { panic!("{} posts", done.posts.len()) };

    let (signed, signature) = signed_parts(&announce.bytes);
    let (data, signature) = (gpg.file("data", &signed), gpg.file("data.asc", &signature));
    let paths = [signature.to_str().unwrap(), data.to_str().unwrap()];
    verifies(gpg, &team, &["--verify", paths[0], paths[1]], b"").await;
    gpg.file("data", &[signed.as_slice(), b" "].concat());
    assert!(!gpg.run(&["--verify", paths[0], paths[1]], b"").await.ok(), "it verifies anything");

    let read = MessageParser::default().parse(&oss.bytes).unwrap();
    let body = read.body_text(0).unwrap().into_owned();
    verifies(gpg, &team, &["--verify"], body.as_bytes()).await;
    assert!(body.contains(story::PUBLIC_ID) && body.contains("Strawdog"), "{body}");

    let clone = gpg.path().join("clone");
    let from = town.project.public().to_str().unwrap();
    git(&["clone", "--quiet", from, clone.to_str().unwrap()], gpg.path()).await;
    let with = format!("gpg.program={}", gpg.program().to_str().unwrap());
    for (line, next) in LINES.iter().filter_map(|l| l.next.map(|n| (l, n))) {
        let said = git(&["-c", &with, "verify-tag", "--raw", next], &clone).await;
        assert!(said.contains("[GNUPG:] GOODSIG") && said.contains(&team), "{next}: {said}");
        let on_branch = ["merge-base", "--is-ancestor", next, &format!("origin/{}", line.branch)];
        git(&on_branch, &clone).await;
        mended(&clone, next, tree::archive(line, true)).await;
    }
}

async fn mended(clone: &Path, tag: &str, expected: String) {
    git(&["checkout", "--quiet", "--detach", tag], clone).await;
    assert_eq!(std::fs::read_to_string(clone.join(tree::FLAWED)).unwrap(), expected, "{tag}");
}

#[tokio::test]
async fn one_signature_serves_all_copies_when_the_team_chose_so() {
    let mut town = town(Db::Sqlite).await.unwrap();
    let file = town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[signing]\nshared_body = true\n")).unwrap();
    town.reopen().unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let told = Told::from(town, prepared.disclosure).await;
    let team = told.town.team_certificate();
    let (mut inside, mut outside) = (BTreeSet::new(), BTreeSet::new());
    for reader in told.town.people.readers().filter(|r| r.should_read) {
        let mail = mail_to(&told, reader);
        let sealed = armor(&mail.bytes);
        for key in &reader.keys {
            let (keys, now) = (std::slice::from_ref(key), told.town.house.now());
            let opened = open(sealed.as_bytes(), keys, std::slice::from_ref(team), now).unwrap();
            assert_eq!(opened.signed_by, Some(team.fingerprint()), "{}", reader.address);
            // What was approved, and nothing of this delivery.
            let approved = |f: &&File| f.name.starts_with("notice-") && f.bytes == opened.bytes;
            assert!(told.preview.iter().any(|f| approved(&f)), "{}", reader.address);
            let text = String::from_utf8(opened.bytes).unwrap();
            assert!(!text.contains(reader.address), "{}", reader.address);
            inside.insert(text);
        }
        outside.insert(sealed);
    }
    assert_eq!(outside.len(), 7, "each copy has its own ciphertext");
    // Distributors share one; the reporter has another.
    assert_eq!(inside.len(), 2);
}
