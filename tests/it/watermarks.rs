//! Individual copies: who asked for one is told that it is one, nobody else can tell, approvers
//! see the place, and a leaked text leads to the delivery it was made for.

use std::collections::BTreeSet;

use daybreak::casework::distributors::{ContactEdit, edit_contact};
use daybreak::casework::plans::{self, preview::File};
use daybreak::casework::traces::{is_code, trace};
use daybreak::casework::{CaseError, find_distributor};
use daybreak::domain::blob::{SlotName, equal_outside_slots};
use daybreak::domain::deed::Actor;
use daybreak::domain::finding::Finding;
use daybreak::domain::party::ContactKind;
use daybreak::domain::plan::PlanKind;
use daybreak::domain::secret::Reason;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::exec::Process;
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::people::Reader;
use daybreak::town::{Town, story};

use crate::gpg::{Gpg, says};
use crate::ground::Db;
use crate::whole_day::{Told, armor};
use crate::world::town;

const OPERATOR: Actor = Actor::Operator;

async fn mark(town: &Town, reader: &Reader) -> Result<Vec<Finding>, CaseError> {
    let found = find_distributor(&town.house, reader.name).await.unwrap();
    let edit = ContactEdit { watermark: Some(true), ..ContactEdit::default() };
    let edited = edit_contact(&town.house, OPERATOR, &found, reader.address, edit).await;
    edited.map(|(_, findings)| findings)
}

fn mail_to<'a>(told: &'a Told, reader: &Reader) -> &'a [u8] {
    &told.mails.iter().find(|m| m.to == [reader.address]).unwrap().bytes
}

/// The text of a reader's notice.
fn text(told: &Told, reader: &Reader) -> String {
    let (team, now) = (told.town.team_certificate(), told.town.house.now());
    reader.decrypt(mail_to(told, reader), team, now).unwrap().text
}

fn code(text: &str) -> Option<&str> {
    text.lines().filter_map(|l| l.strip_prefix("Copy: ")).next_back()
}

fn copy_slots(file: &File) -> usize {
    file.slots.iter().filter(|s| s.name == SlotName::Copy).count()
}

#[tokio::test]
async fn a_leaked_text_leads_to_the_delivery_it_was_made_for() {
    let town = town(Db::Sqlite).await.unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let people = town.people.clone();
    let (fennel, larch) = (&people.distributors[0], &people.distributors[3]);
    for reader in [fennel, larch] {
        mark(&town, reader).await.unwrap();
    }
    // What is not taken at once leaves later as it was.
    let refuse = Fault::RefuseRecipient { address: fennel.address.to_owned(), code: 451 };
    town.catcher.script(refuse, Times::Only(1));
    let told = Told::from(town, prepared.disclosure).await;
    let house = &told.town.house;

    // Who asked has a code of their own and is told so; nobody else has any.
    let readers: Vec<&Reader> = people.readers().filter(|r| r.should_read).collect();
    let mut codes = BTreeSet::new();
    for reader in &readers {
        let text = text(&told, reader);
        let marked = [fennel.address, larch.address].contains(&reader.address);
        assert_eq!(text.contains("This copy is individual"), marked, "{}", reader.address);
        assert_eq!(code(&text).is_some(), marked);
        codes.extend(code(&text).map(str::to_owned));
    }
    assert_eq!(codes.len(), 2);
    assert!(!codes.contains("0000-0000-0000-0000"));
    // From outside nobody can tell: every mail has one size, but for what a key costs.
    let sizes: Vec<usize> = [0, 3, 2].map(|n| mail_to(&told, &people.distributors[n]).len()).into();
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    assert!(most - least < 1024, "{sizes:?}");

    // Approvers see the place, and what left is equal to what they saw outside of it.
    let plan = plans::of(house, told.disclosure.id).await.unwrap();
    let plan = plan.iter().find(|p| p.kind == PlanKind::Notice).unwrap();
    let manifest = plan.manifest.open(Reason::Review);
    assert!(manifest.contains("notice+copy.entity") && manifest.contains("\nslot copy "));
    assert_eq!(
        told.preview.iter().filter(|f| copy_slots(f) == 1).count(),
        3,
        "two mails, one group"
    );
    let approved = told.approved(fennel.address);
    assert_eq!(copy_slots(approved), 1);
    let list = told.preview.iter().find(|f| f.name == "SLOTS").unwrap();
    let list = String::from_utf8_lossy(&list.bytes);
    assert!(list.contains(&format!("{} copy ", approved.name)), "{list}");
    if let Some(gpg) = Gpg::at(house.now()).await {
        gpg.import_secret(&fennel.keys[0]).await;
        gpg.import(told.town.team_certificate()).await;
        let out = gpg.run(&["--decrypt"], armor(mail_to(&told, fennel)).as_bytes()).await;
        assert!(out.ok() && says(&out, "GOODSIG"), "{}", out.complaint());
        let got = out.text();
        assert!(equal_outside_slots(&approved.bytes, got.as_bytes(), &approved.slots));
        assert_ne!(approved.bytes, got.as_bytes());
    }

    // A text that turns up somewhere leads home, whole, in pieces or in capitals.
    let leaked = text(&told, fennel);
    let code = code(&leaked).unwrap().to_owned();
    let scrap = format!("> seen in a forum: {}!", code.to_uppercase());
    for found in [leaked.as_str(), &scrap, &code] {
        let found = trace(house, found).await.unwrap();
        let [one] = &found[..] else { panic!("{found:?}") };
        assert_eq!((one.address.as_str(), one.distributor.as_str()), (fennel.address, fennel.name));
        assert_eq!((one.plan, one.disclosure), (plan.id, told.disclosure.id));
    }
    let both = format!("{leaked}\n{}", text(&told, larch));
    assert_eq!(trace(house, &both).await.unwrap().len(), 2);
    let stranger = text(&told, &people.distributors[2]);
    for none in [stranger.as_str(), "0000-0000-0000-0000", "", "dead-beef-dead-beef"] {
        assert!(trace(house, none).await.unwrap().is_empty(), "{none}");
    }
    assert!(is_code(&code) && !is_code("leaked.txt") && !is_code(&scrap));

    // The same on the command line.
    let (dir, clock) = (told.town.dir(), daybreak::clock::SystemClock::new());
    let daybreak = |args: &[&str]| {
        let program = Process::new(env!("CARGO_BIN_EXE_daybreak"));
        program.arg("--dir").arg(&dir).args(args.iter().copied())
    };
    let file = told.town.world().join("leaked.txt");
    std::fs::write(&file, &leaked).unwrap();
    for given in [code.as_str(), file.to_str().unwrap()] {
        let out = daybreak(&["notice", "trace", given, "--json"]).run(&clock).await.unwrap();
        assert!(out.ok(), "{}", out.complaint());
        assert!(out.text().contains(fennel.address), "{}", out.text());
    }
    let none = daybreak(&["notice", "trace", "dead-beef-dead-beef"]).run(&clock).await.unwrap();
    assert!(!none.ok() && none.complaint().contains("no code"), "{}", none.complaint());
}

#[tokio::test]
async fn an_equal_body_has_no_watermark_and_that_is_said() {
    let mut town = town(Db::Sqlite).await.unwrap();
    let file = town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[signing]\nshared_body = true\n")).unwrap();
    town.reopen().unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let fennel = town.people.distributors[0].clone();
    let lost = |all: &[Finding]| all.iter().any(|f| f.code == "watermark-lost");
    assert!(lost(&mark(&town, &fennel).await.unwrap()));
    let (plan, findings) =
        plans::make(&town.house, OPERATOR, &prepared.disclosure, PlanKind::Notice).await.unwrap();
    assert!(lost(&findings));
    assert!(!plan.manifest.open(Reason::Review).contains("slot copy"));

    let list = town.people.distributors.iter().find(|r| r.kind == ContactKind::List).unwrap();
    let refused = mark(&town, list).await.err().unwrap().to_string();
    assert!(refused.contains("`watermark`") && refused.contains("list"), "{refused}");
}

#[tokio::test]
async fn whatever_dies_while_it_is_sealed_each_copy_has_one_code() {
    let mut town = town(Db::Sqlite).await.unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let fennel = town.people.distributors[0].clone();
    mark(&town, &fennel).await.unwrap();
    let disclosure = prepared.disclosure;
    story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    let t0 = disclosure.t0.unwrap();
    let hand = town.hand.clone().unwrap();
    hand.advance_to(t0.days_before(7));
    for writes in [1, 3, 5, 8] {
        let mut engine = Engine::start(town.house.clone()).await.unwrap();
        engine.halt_after(writes);
        let _died = engine.settle().await;
        drop(engine);
        town.reopen().unwrap();
    }
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    for _ in 0..4 {
        engine.settle().await.unwrap();
        hand.advance(Span::mins(3));
    }
    let mails = town.catcher.mails();
    let theirs: Vec<_> = mails.iter().filter(|m| m.to == [fennel.address]).collect();
    assert!(!theirs.is_empty());
    for mail in theirs {
        let letter = fennel.decrypt(&mail.bytes, town.team_certificate(), town.house.now());
        let text = letter.unwrap().text;
        let found = trace(&town.house, &text).await.unwrap();
        assert_eq!(found.len(), 1, "the copy that arrived is the one on record");
    }
}
