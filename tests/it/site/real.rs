//! The site of a real house: what goes on behind it does not show (law 8).

use daybreak::casework::opening::{KeySource, Setup, create, open};
use daybreak::casework::{House, advisories, disclosures, papers};
use daybreak::domain::advisory::AdvisoryText;
use daybreak::domain::deed::Actor;
use daybreak::domain::secret::Embargoed;
use daybreak::domain::stage::Stage;
use daybreak::domain::zone::T0;
use daybreak::store::{StoreError, StoredDocument};

use super::*;

const PLANTED: &str = "zanzibarite";

async fn house(dir: &std::path::Path) -> Arc<House> {
    let clock = Arc::new(SystemClock::new());
    let setup = Setup {
        name: "Meadow".into(),
        address: "security@meadow.example".into(),
        base_url: BASE.into(),
        database: "sqlite:daybreak.sqlite".into(),
        threshold: 1,
        key: KeySource::Generate,
    };
    create(dir, &setup, clock.as_ref()).unwrap();
    let house = open(dir, clock, Arc::new(Generator::from_seed([3; 32]))).unwrap();
    papers::renew(&house).await.unwrap();
    Arc::new(house)
}

/// One running embargo: an advisory with its finished documents, told to distributors.
async fn embargo(house: &House, number: u32) {
    let view = advisory(&format!("x_meadow-2026-000{number}"));
    let text = AdvisoryText {
        public_id: view.public_id.clone(),
        title: format!("{PLANTED} {number}"),
        description: PLANTED.into(),
        aliases: vec![],
        affected: view.affected.clone(),
        severity: view.severity.clone(),
        cwe: vec![],
        remedy: String::new(),
        mitigation: String::new(),
        references: vec![],
        credits: vec![],
        reporters: vec![],
        private_notes: PLANTED.into(),
    };
    let (drafted, _) = advisories::create(house, Actor::Operator, text).await.unwrap();
    let t0 = house.now().plus(Span::days(8)).rfc3339();
    let t0 = T0::parse(&format!("{} 16:00 Europe/Berlin", t0.split_once('T').unwrap().0)).unwrap();
    let made = disclosures::create(house, Actor::Operator, Some(t0), vec![drafted.id], None).await;
    let (mut running, _) = made.unwrap();
    running.stage = Stage::Embargoed;
    let published = published(&view, BASE, AT);
    let deed = house.deed(Actor::Operator, "notice", running.id);
    let write = house.store.write(&deed, move |tx| {
        tx.save_disclosure(&running)?;
        for (position, document) in (0..).zip(&published.documents) {
            let stored = StoredDocument {
                name: document.name.clone(),
                position,
                media_type: document.media_type.clone(),
                bytes: Embargoed::new(document.bytes.clone()),
            };
            tx.add_document(drafted.id, &stored)?;
        }
        Ok::<_, StoreError>(())
    });
    write.await.unwrap();
}

#[tokio::test]
async fn three_embargoes_leave_the_surface_as_none() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir.path().join("house")).await;
    let web = Web { freshness: Span::ZERO, ..Web::of_house(house.clone()) };
    let serving = serve("127.0.0.1:0".parse().unwrap(), web).await.unwrap();
    let mut asked: Vec<String> = paths(&Shelf::default()).into_keys().collect();
    for number in 1..=3 {
        asked.push(format!("/advisories/x_meadow-2026-000{number}.html"));
        asked.push(format!("/osv/x_meadow-2026-000{number}.json"));
    }
    asked.extend(["/healthz", "/readyz", "/nothing", "/sitemap.xml"].map(str::to_owned));
    let crawl = async || {
        let mut all = Vec::new();
        for path in &asked {
            for method in ["GET", "HEAD", "OPTIONS", "POST"] {
                all.push((method, path, raw(serving.address(), method, path).await));
            }
        }
        all
    };
    let quiet = crawl().await;
    assert!(quiet.iter().any(|(_, _, answer)| answer.contains("No advisories")));
    assert!(quiet.iter().any(|(_, _, answer)| answer.contains("BEGIN PGP SIGNED MESSAGE")));
    assert!(quiet.iter().any(|(_, _, answer)| answer.contains("BEGIN PGP PUBLIC KEY BLOCK")));
    for number in 1..=3 {
        embargo(&house, number).await;
    }
    let busy = crawl().await;
    for (before, after) in quiet.iter().zip(&busy) {
        assert_eq!(before, after);
        assert!(!after.2.contains(PLANTED));
    }
}
