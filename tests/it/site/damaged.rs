//! Publications that were damaged in the database stand in nobody else's way: not in the new
//! one's on its day, nor in any other's after a restart.

use std::collections::BTreeSet;

use daybreak::casework::{advisories, papers, preflight, publications};
use daybreak::domain::deed::{Actor, Deed};
use daybreak::domain::ids::AdvisoryId;
use daybreak::domain::preflight::Family;
use daybreak::domain::secret::Embargoed;
use daybreak::domain::stage::Stage;
use daybreak::store::{StoreError, StoredDocument};
use daybreak::town::story as steps;

use super::*;
use crate::ground::Db;
use crate::story::{Point, Story};

/// One that has been public for long, with that entry instead of its own, if one is given.
async fn old(story: &Story, id: &str, entry: Option<&str>) -> AdvisoryId {
    let house = &story.town.house;
    let mut text = steps::text(&story.town.people, house.now());
    text.public_id = id.to_owned();
    let drafted = advisories::create(house, Actor::Operator, text).await.unwrap().0.id;
    let made = published(&advisory(id), BASE, AT);
    let entry = entry.map_or(made.entry, |e| e.as_bytes().to_vec());
    let mut documents: Vec<_> = made.documents.into_iter().map(|d| (d.name, d.bytes)).collect();
    documents.push((format!("{id}.entry.json"), entry));
    let deed = Deed::new(Actor::Operator, "publish", drafted, house.now());
    let write = house.store.write(&deed, move |tx| {
        for (position, (name, bytes)) in (0..).zip(documents) {
            let (media_type, bytes) = ("text/html".to_owned(), Embargoed::new(bytes));
            tx.add_document(drafted, &StoredDocument { name, position, media_type, bytes })?;
        }
        Ok::<_, StoreError>(())
    });
    write.await.unwrap();
    // Its day and its plan are of no interest here.
    let plan = story.notice.id;
    story.meddle(&format!(
        "PRAGMA foreign_keys = OFF; \
         INSERT INTO publications (advisory, plan, at) VALUES ('{drafted}', '{plan}', 1)"
    ));
    drafted
}

fn page(id: &str) -> String {
    format!("/advisories/{id}.html")
}

async fn shows(site: &Serving, path: &str) -> bool {
    let answer = raw(site.address(), "GET", path).await;
    assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 404"), "{answer}");
    answer.starts_with("HTTP/1.1 200")
}

async fn everything_else_is_shown(site: &Serving, whole: &[&str], gone: &[&str]) {
    let index = raw(site.address(), "GET", "/").await;
    for id in whole {
        assert!(shows(site, &page(id)).await, "{id}");
        assert!(index.contains(id), "{id}: {index}");
    }
    for id in gone {
        assert!(!shows(site, &page(id)).await, "{id}");
        assert!(!index.contains(id), "{id}: {index}");
    }
    assert!(shows(site, "/readyz").await, "a damaged row is no missing database");
}

#[tokio::test]
async fn a_damaged_publication_keeps_no_other_off_the_site() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let house = story.town.house.clone();
    papers::renew(&house).await.unwrap();
    let [whole, page_spoiled, entry_lost, case_spoiled, mute] =
        [1, 2, 3, 4, 5].map(|n| format!("x_meadow-2020-000{n}"));
    old(&story, &whole, None).await;
    let spoiled = old(&story, &page_spoiled, None).await;
    let lost = old(&story, &entry_lost, None).await;
    let case = old(&story, &case_spoiled, None).await;
    let says_nothing = old(&story, &mute, Some("{}")).await;
    let serving = async || {
        let web = Web { freshness: Span::ZERO, ..Web::of_house(house.clone()) };
        serve("127.0.0.1:0".parse().unwrap(), web).await.unwrap()
    };
    let site = serving().await;
    let sound = [&*whole, &page_spoiled, &entry_lost, &case_spoiled];
    everything_else_is_shown(&site, &sound, &[&mute, steps::PUBLIC_ID]).await;

    story.meddle(&format!(
        "UPDATE documents SET sealed = X'00' WHERE advisory = '{spoiled}' AND name LIKE '%.html'; \
         DELETE FROM documents WHERE advisory = '{lost}' AND name LIKE '%.entry.json'; \
         UPDATE advisories SET sealed = X'00' WHERE id = '{case}'"
    ));
    let found = publications::findings(&house.store).await.unwrap();
    let places: BTreeSet<_> = found.into_iter().map(|f| f.place).collect();
    assert_eq!(places, [spoiled, lost, says_nothing].map(|id| id.to_string()).into());
    let report = preflight::of(&house, story.release()).await.unwrap();
    let ahead = report.found.iter().filter(|c| c.finding.code == "publication-damaged");
    assert_eq!(ahead.filter(|c| c.family == Family::Targets).count(), 3, "said ahead of the day");
    assert!(!report.is_red(), "and no day waits for it");

    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(story.stage().await, Stage::Public);
    let (shown, gone) =
        ([&*whole, &case_spoiled, steps::PUBLIC_ID], [&*page_spoiled, &entry_lost, &mute]);
    everything_else_is_shown(&site, &shown, &gone).await;
    everything_else_is_shown(&serving().await, &shown, &gone).await;
}
