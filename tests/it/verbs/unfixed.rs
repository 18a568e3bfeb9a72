//! It is disclosed before there is a fix.

use daybreak::casework::leaks::{Wish, publish_now};
use daybreak::casework::mitigations::{self, open_branches};
use daybreak::casework::{CaseError, advisories, disclosures, plans};
use daybreak::domain::action::Action;
use daybreak::domain::advisory::{Advisory, AdvisoryText};
use daybreak::domain::affected::Event;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::plan::PlanKind;
use daybreak::domain::secret::Reason;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::{Town, story};

use crate::ground::Db;
use crate::world::{documents, town};

const ME: Actor = Actor::Operator;

/// A report, no patch.
async fn reported() -> (Town, Advisory, Disclosure) {
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
fn honest(advisory: &Advisory) -> AdvisoryText {
    let mut text = advisory.text.open(Reason::Editing).clone();
    for range in text.affected.iter_mut().flat_map(|a| &mut a.ranges) {
        range.events.retain(|e| !matches!(e, Event::Fixed(_)));
    }
    text.remedy = "There is no fix yet. We write again when there is one.".to_owned();
    text
}

fn leak() -> Wish {
    let leak = Some("https://lists.example/1".to_owned());
    Wish { reason: "it was posted".to_owned(), leak, ..Wish::default() }
}

#[tokio::test]
async fn a_leak_before_any_patch_publishes_the_mitigation_and_claims_no_fix() {
    let (town, advisory, disclosure) = reported().await;
    let house = &town.house;
    let member = house.store.read(|r| r.members()).await.unwrap()[0].id;
    // The text still promises versions that nobody made.
    let stopped = publish_now(house, member, &disclosure, &leak()).await.map(|_| ());
    let Err(CaseError::Blocked(findings)) = stopped else { panic!("{stopped:?}") };
    let claims: Vec<_> = findings.iter().filter(|f| f.code == "fixed-version-claimed").collect();
    assert!(claims.iter().any(|f| f.place.ends_with("affected[0]")), "{claims:?}");
    assert!(claims.iter().any(|f| f.place.ends_with("remedy")), "{claims:?}");
    let waived = Wish { waived: vec!["fixed-version-claimed".to_owned()], ..leak() };
    assert!(publish_now(house, member, &disclosure, &waived).await.is_err(), "a lie is not waived");

    advisories::edit(house, ME, &advisory, honest(&advisory)).await.unwrap();
    let disclosure = story::again(house, &disclosure).await.unwrap();
    let done = publish_now(house, member, &disclosure, &leak()).await.unwrap();
    assert!(done.notice.is_none(), "nobody was told, and nobody can be told ahead");
    let (release, _) = done.release.unwrap().unwrap();
    let steps = plans::manifest_of(&release).unwrap().steps;
    assert!(!steps.iter().any(|s| matches!(s.action, Action::Push { .. } | Action::Run { .. })));
    assert_eq!(open_branches(&done.disclosure), Vec::<String>::new(), "nobody knows yet");

    let mut engine = Engine::start(house.clone()).await.unwrap();
    story::approve_by_all(&town, &release).await.unwrap();
    engine.settle().await.unwrap();
    let public = story::again(house, &disclosure).await.unwrap();
    assert_eq!(public.stage, Stage::Public);
    for (name, bytes) in documents(&town, story::PUBLIC_ID).await {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains("\"fixed\"") && !text.contains("1.4.3"), "{name}: {text}");
        assert!(text.contains("windrow"), "the mitigation is in {name}");
    }
    let lists: Vec<_> = house.config.list.values().map(|l| l.address.clone()).collect();
    let posts: Vec<_> =
        town.catcher.mails().into_iter().filter(|m| lists.contains(&m.to[0])).collect();
    assert_eq!(posts.len(), 2);
    for post in posts {
        let text = String::from_utf8(post.bytes).unwrap();
        assert!(text.contains("no release with a fix yet"), "{text}");
        assert!(!text.contains("1.4.3") && !text.contains("2.0.1"), "{text}");
    }
    // The branches stay open, and nothing but a public release closes them.
    assert_eq!(open_branches(&public).len(), house.supported().len());
    let (other, _) = disclosures::create(house, ME, None, vec![], None).await.unwrap();
    assert!(mitigations::close(house, ME, &public, &other).await.is_err());
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
