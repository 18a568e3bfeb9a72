//! Room: anybody may write, and nobody fills the house; what belongs to a case is kept whole.

use daybreak::casework::distributors::{self, NewContact, NewDistributor};
use daybreak::casework::inbound::{self, NotTaken, list};
use daybreak::domain::blob::{Blob, BlobRef};
use daybreak::domain::deed::Actor;
use daybreak::domain::ids::{BlobId, MessageId};
use daybreak::domain::message::MessageKind;
use daybreak::domain::party::{ContactKind, Profile};
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::pgp::{ResidentSigner, samples, seal};
use daybreak::store::StoreError;
use daybreak::town::Town;
use daybreak::town::catcher::Caught;
use rstest::rstest;

use super::{arrives, crlf, record, taken};
use crate::ground::Db;
use crate::world::town;

const KIB: usize = 1024;

/// Room for a MiB, 64 KiB each.
async fn narrow(db: Db) -> Option<Town> {
    let mut town = town(db).await?;
    let file = town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let more = "\n[inbound]\nroom_mib = 1\nkeep_each_kib = 64\nforget_after = 30\n";
    std::fs::write(&file, text + more).unwrap();
    town.reopen().unwrap();
    let fennel = &town.people.distributors[0];
    let armored = fennel.keys[0].certificate.armored().into_bytes();
    let contact = NewContact {
        address: fennel.address.to_owned(),
        kind: ContactKind::Person,
        profile: Profile::default(),
        certificates: vec![("key.asc".to_owned(), armored)],
    };
    let new = NewDistributor {
        name: fennel.name.to_owned(),
        lead_days: None,
        longest_embargo_days: None,
        groups: vec![],
        contact,
        accept_unusable: false,
    };
    distributors::add(&town.house, Actor::Operator, new).await.unwrap();
    Some(town)
}

fn spam(n: usize) -> Vec<u8> {
    let body = "buy this\n".repeat(30 * KIB);
    crlf(&format!("From: a@b.example\nSubject: offer {n}\n\n{body}"))
}

/// A signed and sealed answer of a distributor with a large file.
async fn answer(town: &Town) -> Vec<u8> {
    let file: String =
        (0..60_000).map(|n| format!("line {n} of a long log of the incident\n")).collect();
    let inside = crlf(&format!("Content-Type: text/plain\n\n{file}"));
    let signer = ResidentSigner::new(&town.people.distributors[0].keys[0]).unwrap();
    let team = std::slice::from_ref(town.team_certificate());
    let sealed = seal(&inside, team, &signer, town.house.now()).await.unwrap();
    let head = b"From: vulns@fennel.example\r\nSubject: ...\r\n\r\n";
    [&head[..], &sealed.armored].concat()
}

/// Encrypted to us or to somebody else, with a signature that nobody here knows.
async fn unknown(town: &Town, from: &str, ours: bool) -> Vec<u8> {
    let other = &town.people.distributors[0].keys[0].certificate;
    let to = if ours { town.team_certificate() } else { other };
    let made = town.house.now().plus(Span::days(-30));
    let key = samples::cv25519("A new key <new@key.example>", made).unwrap();
    let signer = ResidentSigner::new(&key).unwrap();
    let inside = crlf("Content-Type: text/plain\n\nwe have it\n");
    let sealed = seal(&inside, std::slice::from_ref(to), &signer, town.house.now()).await.unwrap();
    [crlf(&format!("From: {from}\nSubject: ...\n\n")), sealed.armored].concat()
}

/// The team hears of it, and not at every look.
async fn is_said_once_a_day(town: &Town) {
    let hand = town.hand.clone().unwrap();
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    for _ in 0..4 {
        engine.settle().await.unwrap();
        hand.advance(Span::mins(2));
    }
    engine.end().await.unwrap();
    let said = |m: &Caught| String::from_utf8_lossy(&m.bytes).contains("reason: inbound-full");
    assert_eq!(town.catcher.mails().iter().filter(|m| said(m)).count(), 1);
}

#[rstest]
#[case(Db::Sqlite)]
#[case(Db::Postgres)]
#[tokio::test]
async fn mail_of_nobody_has_its_room_and_no_more(#[case] db: Db) {
    let Some(town) = narrow(db).await else { return };
    let house = &town.house;
    let cut = taken(&town, &spam(0)).await.message;
    assert_eq!((record(&cut).kind, cut.counts), (MessageKind::Clear, 64 * KIB as u64));
    assert_eq!(record(&cut).cut, Some(spam(0).len() as u64));
    let kept = inbound::bytes(house, &cut, true).await.unwrap();
    assert!(kept.len() == 64 * KIB && spam(0).starts_with(&kept));
    for n in 1..16 {
        taken(&town, &spam(n)).await;
    }
    // Full: a server is told to keep it; nothing is dropped, nothing is written.
    let writes = house.store.revision().await.unwrap();
    let refused = arrives(&town, &spam(16), None).await;
    assert!(matches!(refused, Err(NotTaken::NoRoom)), "{refused:?}");
    assert_eq!(house.store.revision().await.unwrap(), writes);
    assert!(inbound::room(house).await.unwrap().is_scarce());
    is_said_once_a_day(&town).await;

    // An answer comes in whole, in parts, and is not counted.
    let large = answer(&town).await;
    assert!(large.len() > 2 * 1024 * KIB, "{} bytes", large.len());
    let theirs = taken(&town, &large).await.message;
    assert_eq!((theirs.counts, record(&theirs).cut), (0, None));
    assert_eq!(inbound::bytes(house, &theirs, true).await.unwrap(), large);
    assert!(inbound::bytes(house, &theirs, false).await.unwrap().len() > 2 * 1024 * KIB);
    // So is what somebody we know signed with a key that we do not know, or sealed to one that
    // is not here. A stranger's is not.
    for (ours, kind) in [(true, MessageKind::Encrypted), (false, MessageKind::Unopened)] {
        let mail = unknown(&town, "vulns@fennel.example", ours).await;
        let kept = taken(&town, &mail).await.message;
        assert_eq!((record(&kept).kind, kept.counts), (kind, 0));
        let refused = arrives(&town, &unknown(&town, "a@b.example", ours).await, None).await;
        assert!(matches!(refused, Err(NotTaken::NoRoom)), "{refused:?}");
    }
    let forgotten = inbound::forget(house, Actor::Operator, &theirs).await;
    assert!(forgotten.unwrap_err().to_string().contains("belongs to"));
    let by_force = MessageId::clone(&theirs.id);
    let deed = house.deed(Actor::Operator, "mail-forget", by_force);
    let refused = house.store.write(&deed, move |tx| tx.forget_message(by_force)).await;
    assert!(matches!(refused, Err(StoreError::NotPermitted(_))), "{refused:?}");

    // A person makes room; the mail that waited fits.
    inbound::forget(house, Actor::Operator, &cut).await.unwrap();
    taken(&town, &spam(16)).await;
    assert_eq!(list(house, None).await.unwrap().len(), 19);

    // Bytes of a program that died between the parts of a large mail.
    let (lost, id) = (house.fresh(MessageId::new), house.fresh(BlobId::new));
    let about: BlobRef = Blob::new("raw.eml", vec![7; 3 * 1024 * KIB], vec![]).about;
    let deed = house.deed(Actor::Operator, "mail-part", lost);
    house.store.write(&deed, move |tx| tx.begin_blob(id, lost, &about)).await.unwrap();

    // The night forgets what is old and nobody's, and nothing else.
    let hand = town.hand.clone().unwrap();
    hand.advance(Span::days(29));
    assert_eq!(inbound::tidy(house, Actor::Operator).await.unwrap(), 0);
    let now = house.now();
    assert!(house.store.read(move |r| r.lost_mail(now)).await.unwrap().is_empty());
    hand.advance(Span::days(2));
    assert_eq!(inbound::tidy(house, Actor::Operator).await.unwrap(), 16);
    let left = list(house, None).await.unwrap();
    assert!(left.len() == 3 && left.iter().any(|m| m.id == theirs.id), "{left:?}");
    assert_eq!(inbound::bytes(house, &theirs, true).await.unwrap(), large);
    assert_eq!(inbound::room(house).await.unwrap().used, 0);
}

/// A program that died while it kept what was inside must not keep the mail closed for ever.
#[tokio::test]
async fn a_mail_that_was_half_opened_once_is_opened_when_it_comes_again() {
    let town = narrow(Db::Sqlite).await.unwrap();
    let (house, key) = (&town.house, town.dir().join("team.key"));
    let away = key.with_extension("away");
    std::fs::rename(&key, &away).unwrap();
    let mail = answer(&town).await;
    let closed = taken(&town, &mail).await.message;
    assert_eq!(record(&closed).kind, MessageKind::Unopened);
    std::fs::rename(&away, &key).unwrap();
    let (owner, id) = (closed.id, house.fresh(BlobId::new));
    let half: BlobRef = Blob::new(inbound::INSIDE, vec![7; 3 * 1024 * KIB], vec![]).about;
    let deed = house.deed(Actor::Operator, "mail-part", owner);
    house.store.write(&deed, move |tx| tx.begin_blob(id, owner, &half)).await.unwrap();
    let opened = taken(&town, &mail).await.message;
    assert_eq!((opened.id, record(&opened).kind), (closed.id, MessageKind::Encrypted));
    assert!(inbound::bytes(house, &opened, false).await.unwrap().len() > 2 * 1024 * KIB);
}
