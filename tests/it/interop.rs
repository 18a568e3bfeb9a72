//! Who can read us: every shape of certificate x every reader x (notice, challenge).
//!
//! The mails are sealed by the same calls as the engine's. What is expected stands in one
//! table, `expected`; a reader that suddenly can is as much a failure as one that suddenly
//! cannot, because then the table, and what we tell people, is wrong. Shapes that must be
//! blocked are judged so, and nothing is made for them.

mod mailed;
mod matrix;
mod neomutt;
mod programs;
mod readers;
mod scripts;
mod shapes;

use std::collections::BTreeMap;

use daybreak::pgp::{SealError, judge, seal};

use mailed::{Kind, Mailed, Sender};
use matrix::Matrix;
use readers::{Letter, Reader, Seen};
use shapes::{Fate, Shape};

/// The shape whose mail somebody else signed.
const FORGED: &str = "signed by a stranger";

/// What a reader is expected to make of a mail sealed to a shape.
fn expected(reader: &str, shape: &str) -> Seen {
    match (reader, shape) {
        // Version 6 keys (RFC 9580, 2024) came after these programs.
        ("gpg" | "rnp" | "sqop" | "gosop" | "pgpainless" | "PGPy" | "NeoMutt", "v6") => {
            Seen::Closed
        }
        // The mail is for them but not from the team: nobody may call it the team's.
        ("rnp" | "NeoMutt", FORGED) => Seen::Unverified,
        (_, FORGED) => Seen::Closed,
        // It treats whatever it opens as text of its own machine.
        ("gosop", _) => Seen::VerifiedLf,
        _ => Seen::Verified,
    }
}

/// Whether this cell is run: a second mail of the same shape tells little more, and one
/// program takes a second for each.
fn is_run(reader: &dyn Reader, shape: &Shape, kind: Kind) -> bool {
    let few = ["rsa2048", "cv25519", "two-subkeys"];
    kind == Kind::Notice || !reader.is_slow() || few.contains(&shape.name)
}

#[tokio::test]
async fn everybody_reads_what_we_seal_and_the_unusable_get_nothing() {
    let folder = shapes::folder();
    let Some(shapes) = shapes::all(folder.path()).await else { return };
    let (sender, stranger) = (Sender::new(), Sender::new());
    std::fs::write(folder.path().join("team.asc"), sender.certificate().armored()).unwrap();
    let mut matrix = Matrix::default();
    let mut mails: BTreeMap<(&str, Kind), Mailed> = BTreeMap::new();
    for shape in &shapes {
        match shape.fate {
            Fate::Blocked(why) => {
                blocked(&sender, shape, why).await;
                matrix.blocked(shape.name, why);
            }
            Fate::Sealed => {
                let by = if shape.name == FORGED { &stranger } else { &sender };
                for kind in Kind::ALL {
                    mails.insert((shape.name, kind), by.mail(shape, kind).await);
                }
            }
        }
    }
    let readers = readers::all(folder.path());
    let mut runs = tokio::task::JoinSet::new();
    for reader in readers {
        let mut letters = Vec::new();
        for shape in shapes.iter().filter(|s| s.fate == Fate::Sealed) {
            for kind in Kind::ALL.into_iter().filter(|k| is_run(reader.as_ref(), shape, *k)) {
                let letter = Letter::lay_out(folder.path(), reader.name(), shape, kind);
                let mail = &mails[&(shape.name, kind)];
                std::fs::write(&letter.message, &mail.armored).unwrap();
                std::fs::write(&letter.mail, &mail.bytes).unwrap();
                letters.push((shape.name, kind, letter, mail.plaintext.clone()));
            }
        }
        runs.spawn(async move {
            if !reader.is_there().await {
                return (reader.name(), None);
            }
            let only: Vec<Letter> = letters.iter().map(|(_, _, l, _)| l.clone()).collect();
            let claims = reader.open(&only).await;
            assert_eq!(claims.len(), only.len(), "{}", reader.name());
            let seen =
                letters.into_iter().zip(claims).map(|((shape, kind, letter, text), claim)| {
                    (shape, kind, reader.judge(&letter, &text, claim))
                });
            (reader.name(), Some(seen.collect::<Vec<_>>()))
        });
    }
    let mut surprises = Vec::new();
    while let Some(run) = runs.join_next().await {
        let (reader, seen) = run.unwrap();
        let Some(seen) = seen else {
            missing(reader);
            matrix.not_run(reader);
            continue;
        };
        for (shape, kind, seen) in seen {
            let wanted = expected(reader, shape);
            matrix.cell(shape, reader, kind, seen);
            if seen != wanted {
                surprises.push(format!("{reader}, {shape}, {kind:?}: {seen:?}, not {wanted:?}"));
            }
        }
    }
    println!("{matrix}");
    assert!(surprises.is_empty(), "the table is wrong:\n{}", surprises.join("\n"));
}

/// The judge says no for the reason it should, and there is no message.
async fn blocked(sender: &Sender, shape: &Shape, why: &str) {
    let at = sender.now();
    for certificate in &shape.certificates {
        let health = judge(certificate, at);
        assert!(!health.usable(), "{} is usable", shape.name);
        let findings = daybreak::pgp::report(certificate, "contact con_1", &[("now", at)]);
        assert!(findings.iter().any(|f| f.code == why), "{}: {findings:?}", shape.name);
    }
    let refused = seal(b"text", &shape.certificates, sender.signer(), at).await;
    assert!(
        matches!(refused, Err(SealError::NoUsableCertificate { .. })),
        "something was sealed to {}",
        shape.name
    );
}

fn missing(reader: &str) {
    let required = std::env::var("DAYBREAK_TEST_REQUIRE").is_ok_and(|v| v == "all");
    assert!(!required, "{reader} is required and was not found");
    eprintln!("not run: no {reader}");
}
