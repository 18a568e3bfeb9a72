//! Cover mails: one a month for whoever asked, at an hour nobody can foretell, from outside
//! like a notice; and what was lost or refused on the way.

use std::collections::{BTreeMap, BTreeSet};

use daybreak::casework::challenges::challenge;
use daybreak::casework::distributors::{
    self, ContactEdit, NewContact, NewDistributor, edit_contact,
};
use daybreak::casework::{audits, find_distributor};
use daybreak::domain::deed::{Actor, Subject};
use daybreak::domain::ids::ContactId;
use daybreak::domain::message::Sending;
use daybreak::domain::party::{ContactKind, Profile};
use daybreak::domain::secret::Reason;
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::town::Town;
use daybreak::town::catcher::{Caught, Fault, Times};
use daybreak::town::people::Reader;
use rstest::rstest;

use crate::gpg::{Gpg, says};
use crate::ground::Db;
use crate::whole_day::{Told, armor, field, fields, halves};
use crate::world::town;

const OPERATOR: Actor = Actor::Operator;

/// Puts a reader on the list.
async fn add(town: &Town, reader: &Reader, cover: bool) -> ContactId {
    let contact = NewContact {
        address: reader.address.to_owned(),
        kind: reader.kind,
        profile: Profile { cover, ..Profile::default() },
        certificates: vec![("x.asc".to_owned(), reader.keys[0].certificate.to_bytes())],
    };
    let new = NewDistributor {
        groups: vec![],
        name: reader.name.to_owned(),
        lead_days: None,
        longest_embargo_days: None,
        contact,
        accept_unusable: true,
    };
    let (made, _) = distributors::add(&town.house, OPERATOR, new).await.unwrap();
    made.record.open(Reason::Review).contacts[0].id
}

async fn started(town: &Town) -> Engine {
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    engine.settle().await.unwrap();
    engine
}

/// Goes on in steps of some hours until an instant, and to the last moment of every month: what
/// is drawn for then must not be stepped over.
async fn walk(town: &Town, engine: &mut Engine, hours: i64, until: At) {
    let hand = town.hand.as_ref().unwrap();
    while town.house.now() < until {
        let now = town.house.now();
        let next = now.plus(Span::hours(hours)).min(until);
        let month: String = next.rfc3339().chars().take(7).collect();
        let first = date(&format!("{month}-01T00:00:00Z"));
        let last = first.plus(Span::millis(-1));
        hand.advance_to(if now < last && last < next { last } else { next });
        engine.settle().await.unwrap();
    }
}

fn date(text: &str) -> At {
    At::parse_rfc3339(text).unwrap()
}

/// How often the audit says this of a contact.
async fn said(town: &Town, contact: ContactId, verb: &str) -> usize {
    let subject = Subject::from(contact);
    let lines = town.house.store.read(move |r| r.audit_of(&subject)).await.unwrap();
    lines.iter().filter(|l| l.verb == verb).count()
}

/// Codes of what the list's check says of an address.
async fn found(town: &Town, address: &str) -> Vec<String> {
    let all = distributors::check(&town.house).await.unwrap();
    let theirs = all.into_iter().filter(|h| h.address == address);
    theirs.flat_map(|h| h.findings).map(|f| f.code).collect()
}

/// Mails to an address in each month.
fn months(mails: &[Caught], address: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for mail in mails.iter().filter(|m| m.to == [address]) {
        let month: String = mail.at.rfc3339().chars().take(7).collect();
        *found.entry(month).or_default() += 1;
    }
    found
}

#[rstest]
#[case(Db::Sqlite)]
#[case(Db::Postgres)]
#[tokio::test]
async fn one_a_month_for_whoever_asked_whatever_is_restarted(#[case] db: Db) {
    let Some(town) = town(db).await else { return };
    let all = &town.people.distributors;
    let (fennel, other, silent) = (&all[0], &all[2], &all[3]);
    let theirs = add(&town, fennel, true).await;
    add(&town, other, true).await;
    add(&town, silent, false).await;
    let mut engine = started(&town).await;
    assert!(town.catcher.mails().is_empty(), "a start is no reason");
    for until in ["2026-11-24", "2026-12-02", "2026-12-17", "2027-01-09", "2027-02-01"] {
        walk(&town, &mut engine, 24, date(&format!("{until}T00:00:00Z"))).await;
        let before = town.catcher.mails().len();
        engine.end().await.unwrap();
        engine = started(&town).await;
        assert_eq!(town.catcher.mails().len(), before, "a restart sent something");
    }
    let mails = town.catcher.mails();
    let each = ["2026-11", "2026-12", "2027-01"].map(|m| (m.to_owned(), 1));
    for reader in [fennel, other] {
        assert_eq!(months(&mails, reader.address), BTreeMap::from(each.clone()), "{}", reader.name);
    }
    assert_eq!(mails.len(), 6, "and nobody else got anything, the team included");
    let days: BTreeSet<String> = mails.iter().map(|m| m.at.rfc3339()).collect();
    assert!(days.len() > 3, "they leave at different times: {days:?}");
    assert_eq!(said(&town, theirs, "cover-mail").await, 3);
    assert_eq!(said(&town, theirs, "cover-mail-taken").await, 3);
    let verdict = audits::verify(&town.house).await.unwrap();
    assert!(matches!(verdict, daybreak::store::Verdict::Intact { .. }));

    // No more once it is not asked for.
    let heath = find_distributor(&town.house, fennel.name).await.unwrap();
    let edit = ContactEdit { cover: Some(false), ..ContactEdit::default() };
    edit_contact(&town.house, OPERATOR, &heath, fennel.address, edit).await.unwrap();
    walk(&town, &mut engine, 24, date("2027-03-01T00:00:00Z")).await;
    let mails = town.catcher.mails();
    assert_eq!(months(&mails, fennel.address).len(), 3);
    assert_eq!(months(&mails, other.address).len(), 4);
}

/// The bytes of a mail that everybody on the way sees, without what is random or a date.
fn outside(mail: &Caught) -> (Vec<String>, Vec<(String, String)>, usize) {
    let (head, body) = halves(&mail.bytes);
    let names = fields(&head).into_iter().map(str::to_owned).collect();
    let constant = ["From", "To", "Subject", "Auto-Submitted", "MIME-Version"];
    let mut values: Vec<_> =
        constant.iter().map(|name| ((*name).to_owned(), field(&head, name))).collect();
    let kind = field(&head, "Content-Type");
    let boundary = kind.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    values.push(("Content-Type".to_owned(), kind.replace(boundary, "BOUNDARY")));
    let (before, rest) = body.split_once("-----BEGIN PGP MESSAGE-----").unwrap();
    let (inside, after) = rest.split_once("-----END PGP MESSAGE-----").unwrap();
    values.push(("parts".to_owned(), format!("{before}|{after}").replace(boundary, "BOUNDARY")));
    let longest = inside.lines().map(str::len).max().unwrap();
    values.push(("armor".to_owned(), longest.to_string()));
    let sender = mail.from.len();
    values.push(("envelope".to_owned(), format!("{sender} {:?}", mail.to)));
    (names, values, mail.bytes.len())
}

#[tokio::test]
async fn from_outside_nobody_tells_it_from_a_challenge_or_a_notice() {
    let mut told = Told::of(Db::Sqlite).await.unwrap();
    let fennel = told.town.people.distributors[0].clone();
    let heath = find_distributor(&told.town.house, fennel.name).await.unwrap();
    let before = told.town.catcher.mails().len();
    challenge(&told.town.house, OPERATOR, &heath, Some(fennel.address)).await.unwrap();
    let edit = ContactEdit { cover: Some(true), ..ContactEdit::default() };
    edit_contact(&told.town.house, OPERATOR, &heath, fennel.address, edit).await.unwrap();
    let (_, ends) = told.town.house.config.housekeeping.month_of(told.town.house.now()).unwrap();
    walk(&told.town, &mut told.engine, 24, ends).await;
    let theirs = |m: &&Caught| m.to == [fennel.address];
    let later = told.town.catcher.mails().split_off(before);
    let later: Vec<&Caught> = later.iter().filter(theirs).collect();
    let [asked, cover] = later[..] else { panic!("{} mails", later.len()) };
    let notice = told.mails.iter().find(theirs).unwrap();

    let (one, two, three) = (outside(notice), outside(asked), outside(cover));
    assert_eq!((&one.0, &one.1), (&two.0, &two.1));
    assert_eq!((&one.0, &one.1), (&three.0, &three.1));
    // Signatures of one key differ by a few bytes in length by chance.
    for other in [two.2, three.2] {
        assert!(one.2.abs_diff(other) <= 24, "{} and {other}", one.2);
    }
    assert!(cover.bytes.len() > 64 << 10);

    // Real gpg opens it; inside it says what it is.
    let Some(gpg) = Gpg::at(told.town.house.now()).await else { return };
    gpg.import_secret(&fennel.keys[0]).await;
    gpg.import(told.town.team_certificate()).await;
    let out = gpg.run(&["--decrypt"], armor(&cover.bytes).as_bytes()).await;
    assert!(out.ok() && says(&out, "GOODSIG"), "{}", out.complaint());
    let text = out.text();
    assert!(
        text.contains("this is a cover mail") && text.contains("nothing has happened."),
        "{text}"
    );

    // Its code proves that they read us, by whatever way it comes back.
    let is_code = |l: &&str| l.len() == 19 && l.matches('-').count() == 3;
    let code = text.lines().map(str::trim).find(is_code).unwrap();
    assert!(found(&told.town, fennel.address).await.contains(&"readability-unproven".to_owned()));
    let house = &told.town.house;
    let heath = find_distributor(house, fennel.name).await.unwrap();
    daybreak::casework::challenges::prove(house, OPERATOR, &heath, fennel.address, code)
        .await
        .unwrap();
    assert!(!found(&told.town, fennel.address).await.contains(&"readability-unproven".to_owned()));
}

#[tokio::test]
async fn what_was_refused_comes_again_and_what_may_have_left_does_not() {
    let town = town(Db::Sqlite).await.unwrap();
    let fennel = town.people.distributors[0].clone();
    let contact = add(&town, &fennel, true).await;
    let mut engine = started(&town).await;
    let refuse = Fault::RefuseRecipient { address: fennel.address.to_owned(), code: 451 };
    town.catcher.script(refuse, Times::Only(2));
    walk(&town, &mut engine, 12, date("2026-12-01T00:00:00Z")).await;
    let refused = said(&town, contact, "cover-mail-refused").await;
    assert!((1..=2).contains(&refused), "{refused}");
    town.catcher.behave();

    // The answer is lost: it may have arrived, and it did.
    let so_far = town.catcher.mails().len();
    assert!(so_far <= 1);
    town.catcher.script(Fault::LoseAnswer, Times::Only(1));
    walk(&town, &mut engine, 24, date("2027-01-01T00:00:00Z")).await;
    assert_eq!(town.catcher.mails().len(), so_far + 1);
    assert_eq!(said(&town, contact, "cover-mail-unknown").await, 1);
    assert!(found(&town, fennel.address).await.contains(&"cover-not-taken".to_owned()));

    // The engine dies while the relay has the mail and says nothing.
    town.catcher.script(Fault::Hang, Times::Only(1));
    let sending = async {
        loop {
            let all = town.house.store.read(|r| r.challenges()).await.unwrap();
            let newest = all.last().unwrap();
            let begun = newest.record.open(Reason::Review).sending == Sending::Begun;
            if begun && newest.sent_at >= date("2027-01-01T00:00:00Z") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = sending => {}
        () = walk(&town, &mut engine, 24, date("2027-02-01T00:00:00Z")) => panic!("nothing hung"),
    }
    drop(engine);
    let mut engine = started(&town).await;
    walk(&town, &mut engine, 24, date("2027-02-01T00:00:00Z")).await;
    assert_eq!(said(&town, contact, "cover-mail").await, refused + so_far + 2);
    assert_eq!(town.catcher.mails().len(), so_far + 1, "what may have left is not sent again");
}

#[tokio::test]
async fn never_to_a_list_never_in_clear_and_never_with_a_subject_of_its_own() {
    let town = town(Db::Sqlite).await.unwrap();
    let all = &town.people.distributors;
    let blocked = all.iter().find(|r| !r.should_read).unwrap();
    let contact = add(&town, blocked, true).await;
    let mut engine = started(&town).await;
    walk(&town, &mut engine, 24, date("2027-01-01T00:00:00Z")).await;
    assert!(!town.catcher.mails().iter().any(|m| m.to == [blocked.address]));
    assert_eq!(said(&town, contact, "cover-mail-blocked").await, 2, "once a month");
    assert_eq!(said(&town, contact, "cover-mail").await, 0);
    assert!(found(&town, blocked.address).await.contains(&"cover-blocked".to_owned()));

    let found = find_distributor(&town.house, blocked.name).await.unwrap();
    for edit in [
        ContactEdit { kind: Some(ContactKind::List), ..ContactEdit::default() },
        ContactEdit { clear_subject: Some(Some("[vs] x".into())), ..ContactEdit::default() },
    ] {
        let refused = edit_contact(&town.house, OPERATOR, &found, blocked.address, edit).await;
        assert!(refused.err().unwrap().to_string().contains("`cover`"));
    }
    let list = all.iter().find(|r| r.kind == ContactKind::List).unwrap();
    let new = NewContact {
        address: list.address.to_owned(),
        kind: ContactKind::List,
        profile: Profile { cover: true, ..Profile::default() },
        certificates: vec![("x.asc".to_owned(), list.keys[0].certificate.to_bytes())],
    };
    let refused = distributors::add_contact(&town.house, OPERATOR, &found, new, true).await;
    let why = refused.err().unwrap().to_string();
    assert!(why.contains("`cover`") && why.contains("list"), "{why}");
}
