//! It is disclosed before there is a fix.

use daybreak::casework::leaks::Wish;
use daybreak::casework::mitigations;
use daybreak::casework::{advisories, disclosures};
use daybreak::domain::advisory::{Advisory, AdvisoryText};
use daybreak::domain::affected::Event;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::plan::PlanKind;
use daybreak::domain::secret::Reason;
use daybreak::domain::time::Span;
use daybreak::town::{Town, story};

use crate::ground::Db;
use crate::world::town;

pub const ME: Actor = Actor::Operator;

/// A report, no patch.
pub async fn reported() -> (Town, Advisory, Disclosure) {
    let town = town(Db::Sqlite).await.unwrap();
    story::add_members(&town).await.unwrap();
    story::add_distributors(&town).await.unwrap();
    let (advisory, _) = story::draft(&town).await.unwrap();
    let t0 = story::t0_in(&town, Span::days(12));
    let (disclosure, _) = story::open(&town, &advisory, t0).await.unwrap();
    let disclosure = story::post(&town, disclosure).await.unwrap();
    (town, advisory, disclosure)
}

/// The text of somebody who has no fix.
pub fn honest(advisory: &Advisory) -> AdvisoryText {
    let mut text = advisory.text.open(Reason::Editing).clone();
    for range in text.affected.iter_mut().flat_map(|a| &mut a.ranges) {
        range.events.retain(|e| !matches!(e, Event::Fixed(_)));
    }
    text.remedy = "There is no fix yet. We write again when there is one.".to_owned();
    text
}

pub fn leak() -> Wish {
    let leak = Some("https://lists.example/1".to_owned());
    Wish { reason: "it was posted".to_owned(), leak, ..Wish::default() }
}

#[tokio::test]
async fn a_notice_without_a_fix_claims_none_and_a_fix_ends_it() {
    let (town, advisory, disclosure) = reported().await;
    let house = &town.house;
    let why = "used against people";
    let disclosure = mitigations::without_fix(house, ME, &disclosure, why).await.unwrap();
    let blocked = story::plan(&town, &disclosure, PlanKind::Notice).await.map(|_| ());
    assert!(blocked.is_err(), "the text promises versions");
    advisories::edit(house, ME, &advisory, honest(&advisory)).await.unwrap();
    let disclosure = story::again(house, &disclosure).await.unwrap();
    let (notice, _) = story::plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    for file in story::look_through(&town, &notice).await.unwrap() {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        assert!(!text.contains("1.4.3") && !text.contains("\"fixed\""), "{}: {text}", file.name);
    }
    // A patch and the word that there is none do not go together.
    let disclosure = story::patch(&town, disclosure, advisory.id).await.unwrap();
    let findings = disclosures::check(house, &disclosure).await.unwrap();
    let stop = findings.iter().find(|f| f.code == "mitigation-with-fix").unwrap();
    assert!(stop.cure.contains("--off"), "{stop:?}");
    let disclosure = mitigations::with_fix(house, ME, &disclosure).await.unwrap();
    let findings = disclosures::check(house, &disclosure).await.unwrap();
    assert!(!findings.iter().any(|f| f.code == "mitigation-with-fix" || f.code == "cell-pending"));
}
