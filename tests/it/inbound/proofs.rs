//! Challenges: from outside like a notice, from inside a code, and the ways it comes back.

use daybreak::casework::challenges::{challenge, proofs, prove};
use daybreak::casework::distributors::{self, NewContact, NewDistributor};
use daybreak::casework::find_distributor;
use daybreak::domain::deed::Actor;
use daybreak::domain::message::{Challenge, Sending};
use daybreak::domain::party::Profile;
use daybreak::domain::secret::Reason;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::catcher::{Caught, Fault, Times};
use daybreak::town::{Town, story};
use rstest::rstest;

use super::{crlf, taken};
use crate::gpg::{Gpg, says};
use crate::ground::Db;
use crate::whole_day::{Told, armor, field, fields, halves};
use crate::world::town;

const OPERATOR: Actor = Actor::Operator;

/// Addresses that the list's check warns of.
async fn unproven(town: &Town) -> Vec<String> {
    let all = distributors::check(&town.house).await.unwrap();
    let warned = |h: &&distributors::ContactHealth| {
        h.findings.iter().any(|f| f.code == "readability-unproven")
    };
    all.iter().filter(warned).map(|h| h.address.clone()).collect()
}

async fn asked(town: &Town, name: &str) -> Caught {
    let before = town.catcher.mails().len();
    let found = find_distributor(&town.house, name).await.unwrap();
    let sent = challenge(&town.house, OPERATOR, &found, None).await.unwrap();
    assert_eq!(sent.len(), 1);
    let mut mails = town.catcher.mails().split_off(before);
    assert_eq!(mails.len(), 1);
    mails.remove(0)
}

/// The code as a reader finds it.
fn code_in(text: &str) -> String {
    let is_code = |l: &&str| l.len() == 19 && l.matches('-').count() == 3;
    text.lines().map(str::trim).find(is_code).unwrap().to_owned()
}

#[rstest]
#[case(Db::Sqlite)]
#[case(Db::Postgres)]
#[tokio::test]
async fn a_code_goes_out_like_a_notice_and_proves_its_reader(#[case] db: Db) {
    let Some(told) = Told::of(db).await else { return };
    let (town, people) = (&told.town, &told.town.people);
    let (fennel, larch) = (&people.distributors[0], &people.distributors[3]);
    let warned = unproven(town).await;
    assert!(
        warned.contains(&fennel.address.to_owned()) && warned.contains(&larch.address.to_owned())
    );
    assert!(!warned.contains(&people.distributors[6].address.to_owned()), "a list is never asked");

    // From outside it is a notice.
    let mail = asked(town, fennel.name).await;
    let notice = super::notice_to(&told, fennel.address);
    let (ours, theirs) = (halves(&mail.bytes).0, halves(&notice.bytes).0);
    assert_eq!(fields(&ours), fields(&theirs));
    for same in ["From", "To", "Subject", "Auto-Submitted", "MIME-Version"] {
        assert_eq!(field(&ours, same), field(&theirs, same));
    }
    let apart = mail.bytes.len().abs_diff(notice.bytes.len());
    assert!(apart <= 24, "{} and {}", mail.bytes.len(), notice.bytes.len());

    // Real gpg reads it, and only there stands the code.
    let Some(gpg) = Gpg::at(town.house.now()).await else { return };
    gpg.import_secret(&fennel.keys[0]).await;
    gpg.import(town.team_certificate()).await;
    let out = gpg.run(&["--decrypt"], armor(&mail.bytes).as_bytes()).await;
    assert!(out.ok() && says(&out, "GOODSIG"), "{}", out.complaint());
    let code = code_in(&out.text());
    assert!(!String::from_utf8_lossy(&mail.bytes).contains(&code));

    // In clear it proves nothing; encrypted it does, though nobody signed.
    let clear = format!("From: a@b.example\nSubject: code\n\n{code}\n");
    assert_eq!(taken(town, &crlf(&clear)).await.proofs, 0);
    assert_eq!(unproven(town).await, warned);
    let team = town.team_certificate().fingerprint().to_string();
    let text = format!("> Please answer it\n>\n>     {code}\n\nHere you are.\n");
    let armored = gpg.ok(&["--armor", "--encrypt", "-r", &team], text.as_bytes()).await.text();
    let reply = taken(town, &crlf(&format!("From: x@y.example\nSubject: x\n\n{armored}"))).await;
    assert_eq!(reply.proofs, 1);
    assert!(!unproven(town).await.contains(&fennel.address.to_owned()));

    // A signed answer proves as well, asked or not; a proof does not hold for ever.
    let gpg = Gpg::at(town.house.now()).await.unwrap();
    gpg.import_secret(&larch.keys[0]).await;
    gpg.import(town.team_certificate()).await;
    let armored = gpg.ok(&["--armor", "--sign", "--encrypt", "-r", &team], b"hello").await.text();
    let reply = taken(town, &crlf(&format!("From: x@y.example\nSubject: x\n\n{armored}"))).await;
    assert_eq!(reply.proofs, 1);
    assert_eq!(proofs(&town.house).await.unwrap().len(), 2);
    assert!(!unproven(town).await.contains(&larch.address.to_owned()));
    town.hand.clone().unwrap().advance_to(town.house.now().plus(Span::days(121)));
    assert_eq!(unproven(town).await, warned);
}

#[tokio::test]
async fn a_code_may_be_read_out_by_telephone_but_only_the_right_one() {
    let told = Told::of(Db::Sqlite).await.unwrap();
    let (town, people) = (&told.town, &told.town.people);
    let fennel = &people.distributors[0];
    let mail = asked(town, fennel.name).await;
    let letter = fennel.decrypt(&mail.bytes, town.team_certificate(), town.house.now()).unwrap();
    let code = code_in(&letter.text);
    let ask = async |name: &str, address: &str, code: &str| {
        let found = find_distributor(&town.house, name).await.unwrap();
        prove(&town.house, OPERATOR, &found, address, code).await
    };
    for wrong in ["0000-0000-0000-0000", "", "hello"] {
        assert!(ask(fennel.name, fennel.address, wrong).await.is_err(), "{wrong}");
    }
    let other = &people.distributors[2];
    assert!(ask(other.name, other.address, &code).await.is_err(), "somebody else's code");
    ask(fennel.name, fennel.address, &code.to_uppercase()).await.unwrap();
    assert!(!unproven(town).await.contains(&fennel.address.to_owned()));

    for (name, why) in [("Sedge Project", "list"), ("Moss BSD", "certificate")] {
        let found = find_distributor(&town.house, name).await.unwrap();
        let refused = challenge(&town.house, OPERATOR, &found, None).await.err().unwrap();
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

/// Every mail but the team's own bells.
fn letters(town: &Town) -> Vec<Caught> {
    let mails = town.catcher.mails().into_iter();
    mails.filter(|m| m.to != ["security@meadow.example"]).collect()
}

#[tokio::test]
async fn the_engine_asks_once_at_first_and_once_before_each_t0() {
    let town = town(Db::Sqlite).await.unwrap();
    for (n, receipts) in [(0, true), (2, false)] {
        let reader = &town.people.distributors[n];
        let certificate = reader.keys[0].certificate.to_bytes();
        let contact = NewContact {
            address: reader.address.to_owned(),
            kind: reader.kind,
            profile: Profile { receipts, ..Profile::default() },
            certificates: vec![("x.asc".to_owned(), certificate)],
        };
        let new = NewDistributor {
            groups: vec![],
            name: reader.name.to_owned(),
            lead_days: None,
            longest_embargo_days: None,
            contact,
            accept_unusable: false,
        };
        distributors::add(&town.house, OPERATOR, new).await.unwrap();
    }
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    let (advisory, _) = story::draft(&town).await.unwrap();
    let t0 = story::t0_in(&town, Span::days(20));
    story::open(&town, &advisory, t0).await.unwrap();
    let hand = town.hand.clone().unwrap();
    let mut heard = Vec::new();
    for days in [20, 19, 15, 12, 11, 1] {
        hand.advance_to(t0.days_before(days));
        engine.settle().await.unwrap();
        heard.push(letters(&town).len());
    }
    // At once; then within a day of two weeks before T0; then no more.
    assert_eq!(heard, [1, 1, 1, 2, 2, 2]);
    assert!(letters(&town).iter().all(|m| m.to == [town.people.distributors[0].address]));
}

#[tokio::test]
async fn what_the_relay_does_not_take_is_asked_again_ever_later_and_not_for_ever() {
    let town = town(Db::Sqlite).await.unwrap();
    let reader = &town.people.distributors[0];
    let contact = NewContact {
        address: reader.address.to_owned(),
        kind: reader.kind,
        profile: Profile { receipts: true, ..Profile::default() },
        certificates: vec![("x.asc".to_owned(), reader.keys[0].certificate.to_bytes())],
    };
    let new = NewDistributor {
        groups: vec![],
        name: reader.name.to_owned(),
        lead_days: None,
        longest_embargo_days: None,
        contact,
        accept_unusable: false,
    };
    distributors::add(&town.house, OPERATOR, new).await.unwrap();
    let hand = town.hand.clone().unwrap();
    let tries = async || {
        let all = town.house.store.read(|r| r.challenges()).await.unwrap();
        let told = |c: &Challenge| c.record.open(Reason::Review).sending;
        (all.len(), all.last().map(told))
    };
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    let refuse = Fault::RefuseRecipient { address: reader.address.to_owned(), code: 450 };
    town.catcher.script(refuse.clone(), Times::Always);
    // Hours since the first, and how often it was tried by then; the engine forgets nothing.
    for (hours, tried) in [(0, 1), (1, 2), (3, 2), (2, 3), (15, 3), (1, 4), (47, 4), (1, 5)] {
        hand.advance(Span::hours(hours));
        engine.settle().await.unwrap();
        assert_eq!(tries().await, (tried, Some(Sending::Refused)), "{hours} hours on");
        engine.end().await.unwrap();
        engine = Engine::start(town.house.clone()).await.unwrap();
        engine.settle().await.unwrap();
        assert_eq!(tries().await.0, tried, "a restart asked");
    }
    let bells = || town.catcher.mails().iter().filter(|m| m.to != [reader.address]).count();
    for _ in 0..10 {
        hand.advance(Span::days(1));
        engine.settle().await.unwrap();
    }
    assert_eq!(tries().await.0, 5, "it is given up");
    assert_eq!(bells(), 1, "and the team hears of it, once");
    assert!(unproven(&town).await.contains(&reader.address.to_owned()));

    // Two weeks before T0 is another occasion: refused once, it is taken an hour later.
    town.catcher.behave();
    town.catcher.script(refuse, Times::Only(1));
    let (advisory, _) = story::draft(&town).await.unwrap();
    let t0 = story::t0_in(&town, Span::days(20));
    story::open(&town, &advisory, t0).await.unwrap();
    hand.advance_to(t0.days_before(12));
    engine.settle().await.unwrap();
    assert_eq!(tries().await, (6, Some(Sending::Refused)));
    hand.advance(Span::hours(1));
    engine.settle().await.unwrap();
    assert_eq!(tries().await, (7, Some(Sending::Taken)));
    hand.advance_to(t0.days_before(1));
    engine.settle().await.unwrap();
    assert_eq!(tries().await.0, 7, "once it is taken nobody is asked again");
}
