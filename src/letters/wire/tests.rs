//! Tests of `wire`: the promises that the file above makes.

use super::*;
use crate::domain::time::At;
use mail_parser::{MessageParser, MimeHeaders as _};

const ARMOR: &str =
    "-----BEGIN PGP MESSAGE-----\n\nwcBMA0000000000000AQf/\n=abcd\n-----END PGP MESSAGE-----\n";
const BOUNDARY: &str = "fedcba9876543210fedcba9876543210";

fn delivery<'a>() -> Delivery<'a> {
    Delivery {
        from: "security@meadow.example",
        to: "team@distro.example",
        subject: "Meadow: heap overflow in the gate",
        clear_subject: "[...]",
        message_id: "00112233445566778899aabbccddeeff@meadow.example",
        references: &[],
        date: At::parse_rfc3339("2026-11-24T15:00:00Z").unwrap(),
    }
}

#[test]
fn the_wire_shows_exactly_these_bytes() {
    let mail = sealed(&delivery(), ARMOR.as_bytes(), BOUNDARY).unwrap();
    assert_eq!(
        String::from_utf8(mail).unwrap().replace("\r\n", "\n"),
        "From: security@meadow.example
To: team@distro.example
Date: Tue, 24 Nov 2026 15:00:00 +0000
Subject: [...]
Message-ID: <00112233445566778899aabbccddeeff@meadow.example>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/encrypted;
 boundary=\"fedcba9876543210fedcba9876543210\";
 protocol=\"application/pgp-encrypted\"

--fedcba9876543210fedcba9876543210
Content-Type: application/pgp-encrypted
Content-Transfer-Encoding: 7bit

Version: 1
--fedcba9876543210fedcba9876543210
Content-Type: application/octet-stream; name=\"encrypted.asc\"
Content-Disposition: inline; filename=\"encrypted.asc\"
Content-Transfer-Encoding: 7bit

-----BEGIN PGP MESSAGE-----

wcBMA0000000000000AQf/
=abcd
-----END PGP MESSAGE-----
--fedcba9876543210fedcba9876543210--
"
    );
}

#[test]
fn no_clear_byte_depends_on_the_notice() {
    let other = Delivery { subject: "Meadow: something else", ..delivery() };
    let a = sealed(&delivery(), ARMOR.as_bytes(), BOUNDARY).unwrap();
    assert!(a == sealed(&other, ARMOR.as_bytes(), BOUNDARY).unwrap());
    assert!(a.is_ascii());
}

#[test]
fn readers_find_two_parts() {
    let mail = sealed(&delivery(), ARMOR.as_bytes(), BOUNDARY).unwrap();
    let read = MessageParser::default().parse(&mail).unwrap();
    assert_eq!(read.content_type().unwrap().subtype(), Some("encrypted"));
    assert_eq!(read.attachment_count(), 2);
    assert_eq!(read.date().unwrap().to_rfc3339(), "2026-11-24T15:00:00Z");
}

#[test]
fn what_is_not_plain_armor_is_refused() {
    for bad in [
        "EMBARGOED until",
        "-----BEGIN PGP MESSAGE-----\nComment: x\n\nabcd\n-----END PGP MESSAGE-----\n",
        "-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n",
        "-----BEGIN PGP MESSAGE-----\n\nab cd\n-----END PGP MESSAGE-----\n",
        "-----BEGIN PGP SIGNED MESSAGE-----\n\nabcd\n-----END PGP MESSAGE-----\n",
        "-----BEGIN PGP MESSAGE-----\n\nabcd\n-----END PGP MESSAGE-----\nleft over\n",
        "",
    ] {
        let error = sealed(&delivery(), bad.as_bytes(), BOUNDARY);
        assert_eq!(error, Err(LetterError::NotSealed), "{bad}");
    }
}
