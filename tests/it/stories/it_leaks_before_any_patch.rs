//! It is public, and there is no patch. The mitigation is published at once; no text claims a fixed
//! version, whoever waives what; the branches stay open until a release closes them.

use daybreak::casework::leaks::{Wish, publish_now};
use daybreak::casework::mitigations::{self, open_branches};
use daybreak::casework::{CaseError, advisories, disclosures, plans};
use daybreak::domain::action::Action;
use daybreak::domain::stage::Stage;
use daybreak::engine::Engine;
use daybreak::town::story;

use crate::verbs::unfixed::{ME, honest, leak, reported};
use crate::world::documents;

#[tokio::test]
async fn the_mitigation_is_published_and_no_fix_is_claimed() {
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
