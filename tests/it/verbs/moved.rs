//! The date moves.

use daybreak::casework::instants::{To, move_to};
use daybreak::casework::plans::{self, Order};
use daybreak::casework::{Case, CaseError};
use daybreak::clock::Clock as _;
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::finding::Finding;
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::domain::zone::T0;
use daybreak::town::story;

use super::record;
use crate::ground::Db;
use crate::story::{Point, Story};
use crate::world::WorldView;

pub async fn shift(
    story: &Story,
    by: Span,
    overridden: Option<&str>,
) -> Case<(Disclosure, Vec<Finding>)> {
    let disclosure = story.disclosure_now().await;
    let t0 = T0::new(story.t0.at.plus(by), story.t0.zone);
    let to = To { t0, reason: "A distributor asked.", overridden };
    move_to(&story.town.house, Actor::Operator, &disclosure, to).await
}

/// Everybody has heard, and it is four days before T0.
pub async fn told() -> Story {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    engine.end().await.unwrap();
    story.hand.advance_to(story.t0.days_before(4));
    story
}

#[tokio::test]
async fn inside_a_day_nobody_moves_it_later_without_saying_why() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let refused = shift(&story, Span::days(1), None).await.map(|_| ());
    let Err(CaseError::Blocked(findings)) = refused else { panic!("{refused:?}") };
    let stop = findings.iter().find(|f| f.code == "moved-too-shortly").unwrap();
    assert!(stop.message.contains("less than 24 hours ahead"), "{stop:?}");
    assert!(stop.message.contains("publish at"), "the hazard: {stop:?}");
    assert!(stop.cure.contains("--override REASON"), "{stop:?}");
    assert_eq!(story.state(story.release()).await, PlanState::Approved, "still armed");

    // Earlier is the point of it, and needs no word.
    let (moved, _) = shift(&story, Span::mins(-30), None).await.unwrap();
    assert_eq!(moved.t0.unwrap().at, story.t0.at.plus(Span::mins(-30)));

    shift(&story, Span::days(1), Some(" ")).await.unwrap_err();
    shift(&story, Span::days(1), Some("they were all called")).await.unwrap();
    assert_eq!(story.state(story.release()).await, PlanState::Void);
    let record = record(&story).await;
    assert!(record.contains("A distributor asked.; overridden: they were all called"), "{record}");
    // Nothing of ours fires at the old instant.
    let before = WorldView::of(&story.town).await;
    let mut engine = story.engine().await;
    story.at_t0(&mut engine).await;
    assert_eq!(WorldView::of(&story.town).await, before);
    assert_eq!(story.stage().await, Stage::Embargoed);
    // Whoever overrode it answers for those who did not hear: the release may be armed.
    let kind = PlanKind::Release;
    let now = story.disclosure_now().await;
    let (plan, _) = story::plan(&story.town, &now, kind).await.unwrap();
    let plan = story::approve_by_all(&story.town, &plan).await.unwrap();
    assert_eq!(plan.state, PlanState::Approved);
}

#[tokio::test]
async fn an_earlier_release_waits_for_nobody() {
    let story = told().await;
    let (moved, _) = shift(&story, Span::days(-2), None).await.unwrap();
    let release = story::approved_plan(&story.town, &moved, PlanKind::Release).await.unwrap();
    assert_eq!(release.state, PlanState::Approved);
    assert!(story.hand.wall() < release.t0);
    let manifest = plans::manifest_of(&release).unwrap();
    assert_eq!(manifest.threshold, story.town.house.config.plans.release);
}

#[tokio::test]
async fn ninety_days_are_not_exceeded_in_silence() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let refused = shift(&story, Span::days(100), None).await.map(|_| ());
    let Err(CaseError::Blocked(findings)) = refused else { panic!("{refused:?}") };
    assert!(findings.iter().any(|f| f.code == "past-90-days"), "{findings:?}");
    let (_, findings) = shift(&story, Span::days(100), Some("the reporter agreed")).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "past-90-days"), "it is said all the same");
}

/// An override lets through what it overrode: there is time enough to tell them.
#[tokio::test]
async fn whoever_exceeds_ninety_days_still_tells_those_who_know_before_anything_is_armed() {
    let story = told().await;
    let (town, house) = (&story.town, &story.town.house);
    let (moved, findings) = shift(&story, Span::days(100), Some("they agreed")).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "past-90-days"), "{findings:?}");
    let accept = vec!["embargo-too-long".to_owned()];
    let order = Order { accept, ..Order::default() };
    let me = Actor::Operator;
    let release = plans::make_as(house, me, &moved, PlanKind::Release, &order).await;
    let (release, findings) = release.unwrap();
    assert!(findings.iter().any(|f| f.code == "old-date-stands"), "{findings:?}");
    let refused = story::approve_by_all(town, &release).await.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("do not have the new one yet"), "{refused}");
    assert_eq!(story.state(&release).await, PlanState::Made);

    let notice = plans::make_as(house, me, &moved, PlanKind::Notice, &order).await.unwrap().0;
    story::approve_by_all(town, &notice).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    let release = story::approve_by_all(town, &release).await.unwrap();
    assert_eq!(release.state, PlanState::Approved, "they have heard");
}

/// Nobody was told the date that was overridden, and there are days until the one they know.
#[tokio::test]
async fn an_override_waives_nobody_who_counts_on_a_later_date_than_it_was_about() {
    let story = told().await;
    shift(&story, Span::hours(-84), None).await.unwrap();
    let (moved, findings) = shift(&story, Span::days(2), Some("all called")).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "moved-too-shortly"), "{findings:?}");
    let (release, findings) = story::plan(&story.town, &moved, PlanKind::Release).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "old-date-stands"), "{findings:?}");
    let refused = story::approve_by_all(&story.town, &release).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("do not have the new one yet"), "{refused}");
}
