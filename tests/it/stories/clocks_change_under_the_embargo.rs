//! In October a team chooses 09:00 in Los Angeles for a day in November; in between the clocks go
//! back. The instant is one, every text says the same, and the window opens at the same hour of
//! the wall.

use daybreak::domain::plan::PlanKind;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::town::{Options, Town, story};

use crate::world::WorldView;

/// 2026-10-20 12:00 UTC, a Tuesday.
const OCTOBER: At = At::from_secs(1_792_497_600);

#[tokio::test]
async fn the_instant_is_one_and_every_text_agrees() {
    let town = Town::build(Options::by_hand(OCTOBER)).await.unwrap();
    let t0 = T0::parse("2026-11-03 09:00 America/Los_Angeles").unwrap();
    assert_eq!(t0.at.rfc3339(), "2026-11-03T17:00:00Z");
    let disclosure = prepared(&town, t0).await;
    let plan = story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    let preview = story::look_through(&town, &plan).await.unwrap();
    let hand = town.hand.clone().unwrap();
    let mut engine = Engine::start(town.house.clone()).await.unwrap();

    // Seven days before, at nine in Los Angeles, which is 16:00 UTC still.
    let window = t0.days_before(7);
    assert_eq!(window.rfc3339(), "2026-10-27T16:00:00Z");
    hand.advance_to(window.plus(Span::secs(-1)));
    engine.settle().await.unwrap();
    assert!(town.catcher.mails().is_empty(), "a notice left an hour early");
    hand.advance_to(window);
    engine.settle().await.unwrap();
    assert!(!town.catcher.mails().is_empty(), "a notice waits an hour too long");

    let spoken = "2026-11-03 17:00:00 UTC (Tuesday); 2026-11-03 09:00 in America/Los_Angeles";
    assert_eq!(t0.spoken(), spoken);
    let notices: Vec<_> = preview.iter().filter(|f| f.name.starts_with("notice-")).collect();
    assert!(notices.len() > 3);
    for notice in notices {
        let text = String::from_utf8_lossy(&notice.bytes).replace("=\r\n", "").replace("\r\n", " ");
        assert!(text.contains("2026-11-03 17:00:00 UTC (Tuesday)"), "{}: {text}", notice.name);
        assert!(!text.contains("16:00:00 UTC"), "{} says another hour", notice.name);
    }

    let (release, _) = story::plan(&town, &disclosure, PlanKind::Release).await.unwrap();
    story::approve_by_all(&town, &release).await.unwrap();
    let before = WorldView::of(&town).await;
    // An hour early is what summer time would have made of it.
    hand.advance_to(t0.at.plus(Span::mins(-60)));
    engine.settle().await.unwrap();
    hand.advance_to(t0.at.plus(Span::millis(-1)));
    engine.settle().await.unwrap();
    assert_eq!(WorldView::of(&town).await, before);
    hand.advance_to(t0.at);
    engine.settle().await.unwrap();
    assert_eq!(WorldView::of(&town).await.published.len(), 1);
}

async fn prepared(town: &Town, t0: T0) -> daybreak::domain::disclosure::Disclosure {
    story::add_members(town).await.unwrap();
    story::add_distributors(town).await.unwrap();
    let (advisory, _) = story::draft(town).await.unwrap();
    let (disclosure, _) = story::open(town, &advisory, t0).await.unwrap();
    let disclosure = story::patch(town, disclosure, advisory.id).await.unwrap();
    let disclosure = story::release(town, disclosure).await.unwrap();
    let disclosure = story::post(town, disclosure).await.unwrap();
    let (disclosure, _) = story::stage(town, disclosure).await.unwrap();
    story::build_files(town, disclosure).await.unwrap()
}
