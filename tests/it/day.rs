//! The day, end to end, on both databases: from a private draft to everything public, with
//! nothing public before T0 and every byte as it was approved.

use daybreak::domain::blob::{Sha256, equal_outside_slots};
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::{At, Span};
use daybreak::engine::Engine;
use daybreak::town::story;
use rstest::rstest;

use crate::ground::Db;
use crate::world::{self, START, WorldView, town};

/// How far ahead T0 is chosen: more than the lead of a week.
const AHEAD: Span = Span::days(12);

#[rstest]
#[tokio::test]
async fn everything_happens_at_its_time_and_as_approved(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(town) = town(db).await else { return };
    let hand = town.hand.clone().unwrap();
    let prepared = story::prepare(&town, AHEAD).await.unwrap();
    let disclosure = prepared.disclosure;
    let t0 = disclosure.t0.unwrap();
    let mut engine = Engine::start(town.house.clone()).await.unwrap();

    let notice = story::approved_plan(&town, &disclosure, PlanKind::Notice).await.unwrap();
    let notice_preview = story::look_through(&town, &notice).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(town.catcher.mails().len(), 0, "no window is open yet");
    assert_eq!(story::again(&town.house, &disclosure).await.unwrap().stage, Stage::Drafting);

    for days in (1..=11).rev() {
        hand.advance_to(t0.days_before(days));
        engine.settle().await.unwrap();
    }
    let told = town.catcher.mails();
    world::everybody_reads_only_their_own(&town, &told, &notice_preview);
    world::everybody_hears_at_their_window(&town, &told, &t0);
    assert_eq!(story::again(&town.house, &disclosure).await.unwrap().stage, Stage::Embargoed);

    let release = story::approved_plan(&town, &disclosure, PlanKind::Release).await.unwrap();
    let preview = story::look_through(&town, &release).await.unwrap();
    let before = WorldView::of(&town).await;
    engine.settle().await.unwrap();
    hand.advance_to(t0.at.plus(Span::millis(-1)));
    engine.settle().await.unwrap();
    let mails_before = town.catcher.mails().len();
    assert_eq!(WorldView::of(&town).await, before, "something became public before T0");

    hand.advance_to(t0.at);
    engine.settle().await.unwrap();
    let after = WorldView::of(&town).await;
    assert_ne!(after.refs, before.refs, "nothing was pushed");
    assert!(!after.files.is_empty(), "no release was uploaded");
    assert_eq!(after.published.len(), 1, "the page is not public");

    let posts: Vec<_> = town
        .catcher
        .mails()
        .split_off(mails_before)
        .into_iter()
        .filter(|m| m.to != ["security@meadow.example"])
        .collect();
    assert_eq!(posts.len(), 2, "two lists hear");
    for post in &posts {
        let same = |f: &&daybreak::casework::plans::preview::File| {
            f.name.starts_with("post-") && equal_outside_slots(&f.bytes, &post.bytes, &f.slots)
        };
        assert!(preview.iter().any(|f| same(&f)), "a post is not what was approved");
    }
    for name in &after.published {
        let documents = world::documents(&town, name).await;
        for (file, bytes) in documents {
            let approved = preview.iter().find(|f| f.name == file).unwrap();
            assert!(equal_outside_slots(&approved.bytes, &bytes, &approved.slots), "{file}");
        }
    }
    for file in &after.files {
        let approved = preview.iter().find(|f| f.name == file.0).unwrap();
        assert_eq!(Sha256::of(&approved.bytes), file.1, "{}", file.0);
    }
    let done = story::again(&town.house, &disclosure).await.unwrap();
    assert_eq!(done.stage, Stage::Public);
    let id = release.id;
    let plan = town.house.store.read(move |r| r.plan(id)).await.unwrap();
    assert_eq!(plan.state, PlanState::Finished);
    let verdict = daybreak::casework::audits::verify(&town.house).await.unwrap();
    assert!(matches!(verdict, daybreak::store::Verdict::Intact { .. }));
    engine.end().await.unwrap();
}

#[test]
fn the_start_is_a_weekday_with_time_ahead() {
    assert!(START < At::from_secs(1_796_137_200));
}
