//! The nightly round: owners and the team hear of the end of a certificate 60, 30, 14 and 7 days
//! ahead, each once, whatever else goes on.

use daybreak::casework::distributors::{self, NewContact, NewDistributor};
use daybreak::domain::deed::Actor;
use daybreak::domain::party::{ContactKind, Profile};
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::pgp::{TeamKey, samples};
use daybreak::town::catcher::{Fault, Times};
use daybreak::town::{Options, Town, config};

const START: At = At::from_secs(1_795_132_800);
const HEATH: &str = "security@heath.example";

/// A town with one distributor whose certificate is this.
async fn town_with(key: &TeamKey) -> Town {
    let town = Town::build(Options { distributors: 0, ..Options::by_hand(START) }).await.unwrap();
    let contact = NewContact {
        address: HEATH.to_owned(),
        kind: ContactKind::Role,
        profile: Profile::default(),
        certificates: vec![("heath.asc".to_owned(), key.certificate.armored().into_bytes())],
    };
    let new = NewDistributor {
        groups: vec![],
        name: "Heath".to_owned(),
        lead_days: None,
        longest_embargo_days: None,
        contact,
        accept_unusable: false,
    };
    distributors::add(&town.house, Actor::Operator, new).await.unwrap();
    town
}

/// Bells so far: to the owner, to the team.
fn bells(town: &Town) -> (usize, usize) {
    let mails = town.catcher.mails();
    let to = |address: &str, words: &str| {
        let mine = mails.iter().filter(|m| m.to == [address]);
        mine.filter(|m| String::from_utf8_lossy(&m.bytes).contains(words)).count()
    };
    (to(HEATH, "certificate that you registered"), to(config::ADDRESS, "certificate-ends-in-"))
}

async fn nights(town: &Town, engine: &mut Engine, n: u32) {
    for _ in 0..n {
        town.hand.as_ref().unwrap().advance(Span::days(1));
        engine.settle().await.unwrap();
    }
}

#[tokio::test]
async fn each_threshold_rings_once_and_a_restart_rings_nothing_again() {
    let key = samples::expiring("Heath <security@heath.example>", START, 63).unwrap();
    let town = town_with(&key).await;
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(bells(&town), (0, 0), "a start is no reason");
    // How many nights pass, and how many bells were rung then.
    for (pass, rung) in [(2, 0), (2, 1), (28, 1), (3, 2), (16, 3), (6, 4), (10, 4)] {
        nights(&town, &mut engine, pass).await;
        assert_eq!(bells(&town), (rung, rung), "{} days on", pass);
        engine.end().await.unwrap();
        engine = Engine::start(town.house.clone()).await.unwrap();
        engine.settle().await.unwrap();
        assert_eq!(bells(&town), (rung, rung), "a restart rang");
    }
    let mails = town.catcher.mails();
    let text = String::from_utf8(mails[0].bytes.clone()).unwrap();
    assert!(text.contains("expires on 2027-01-"), "{text}");
    assert!(!text.contains("Heath") && !text.to_lowercase().contains("distributor"), "{text}");
}

#[tokio::test]
async fn a_renewed_certificate_begins_anew_and_a_deaf_owner_silences_nobody() {
    let key = samples::expiring("Heath <security@heath.example>", START, 5).unwrap();
    let town = town_with(&key).await;
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    engine.settle().await.unwrap();
    let refuse = Fault::RefuseRecipient { address: HEATH.to_owned(), code: 550 };
    town.catcher.script(refuse, Times::Only(1));
    nights(&town, &mut engine, 1).await;
    assert_eq!(bells(&town), (0, 1), "the team hears although the owner does not");
    nights(&town, &mut engine, 2).await;
    assert_eq!(bells(&town), (1, 1));

    let fresh = samples::prolonged(&key, town.house.now(), 20).unwrap().certificate.armored();
    let renewal = distributors::Renewal {
        address: HEATH.to_owned(),
        certificate: fresh.into_bytes(),
        signed_by_old: None,
        instead_of: None,
    };
    let heath = distributors::list(&town.house).await.unwrap().remove(0);
    distributors::renew(&town.house, Actor::Operator, &heath, renewal).await.unwrap();
    nights(&town, &mut engine, 2).await;
    assert_eq!(bells(&town), (2, 2), "another end, and 30 days ahead of it");
    nights(&town, &mut engine, 6).await;
    assert_eq!(bells(&town), (3, 3));
}
