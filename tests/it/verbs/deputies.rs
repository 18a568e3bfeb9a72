//! The coordinator is silent.

use daybreak::casework::{CaseError, find_member, hands};
use daybreak::domain::deed::Actor;
use daybreak::domain::party::Member;
use daybreak::domain::plan::PlanState;
use daybreak::domain::secret::Reason;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;

use super::record;
use crate::ground::Db;
use crate::story::{Point, Story};

/// Bells of a deputy, at their own address.
fn called(story: &Story, deputy: &Member) -> usize {
    let address = deputy.record.open(Reason::Review).address.clone();
    let mails = story.town.catcher.mails().into_iter().filter(|m| m.to == [address.clone()]);
    let bells = mails.map(|m| String::from_utf8(m.bytes).unwrap());
    bells.filter(|text| text.contains("reason: deputy-wanted")).count()
}

/// The day before, with a deputy; nobody was called.
async fn with_deputy() -> (Story, Engine, Member) {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let house = story.town.house.clone();
    let bo = find_member(&house, story.town.people.maintainers()[1].name).await.unwrap();
    let now = story.disclosure_now().await;
    let named = hands::name(&house, Actor::Operator, &now, None, Some(&bo)).await.unwrap();
    assert_eq!(named.case.open(Reason::Review).hands.deputy, Some(bo.id));
    assert_eq!(story.state(&story.notice).await, PlanState::Approved, "no plan is void by it");
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(called(&story, &bo), 0);
    (story, engine, bo)
}

/// Somebody of the team looks at whatever rang so far.
async fn answer(story: &Story, bo: &Member) {
    story.hand.advance(Span::secs(1));
    let now = story.disclosure_now().await;
    hands::name(&story.town.house, Actor::Operator, &now, None, Some(bo)).await.unwrap();
}

#[tokio::test]
async fn a_day_ahead_the_deputy_says_that_they_are_ready_or_is_called() {
    let (story, mut engine, bo) = with_deputy().await;
    story.hand.advance_to(story.t0.at.plus(Span::hours(-25)));
    engine.settle().await.unwrap();
    assert_eq!(called(&story, &bo), 0);
    answer(&story, &bo).await;
    story.pass(&mut engine, &[Span::hours(2), Span::mins(5), Span::mins(5)]).await;
    assert_eq!(called(&story, &bo), 1, "once");
    story.is_recorded().await;

    let (story, mut engine, bo) = with_deputy().await;
    let house = &story.town.house;
    let now = story.disclosure_now().await;
    let ada = find_member(house, story.town.people.ada.name).await.unwrap();
    let other = hands::take(house, ada.id, &now).await;
    assert!(matches!(other, Err(CaseError::NotNow { .. })), "only the deputy takes it");
    hands::take(house, bo.id, &now).await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::hours(-23)));
    engine.settle().await.unwrap();
    assert_eq!(called(&story, &bo), 0, "they said that they are ready");
    let record = record(&story).await;
    assert!(record.contains(&format!("{} | disclosure-take ", bo.id)), "{record}");
}

#[tokio::test]
async fn a_bell_that_nobody_answers_calls_the_deputy_after_half_an_hour() {
    for answered in [false, true] {
        let (story, mut engine, bo) = with_deputy().await;
        let house = &story.town.house;
        let now = story.disclosure_now().await;
        hands::take(house, bo.id, &now).await.unwrap();
        // Told a date, and no release is armed: the team hears a day ahead.
        for days in [7, 3] {
            story.hand.advance_to(story.t0.days_before(days));
            engine.settle().await.unwrap();
            answer(&story, &bo).await;
            story.pass(&mut engine, &[Span::mins(1)]).await;
        }
        story.hand.advance_to(story.t0.at.plus(Span::hours(-20)));
        engine.settle().await.unwrap();
        assert!(story.rang("not-armed-a-day-ahead"), "{:?}", story.bells());
        story.pass(&mut engine, &[Span::mins(20)]).await;
        assert_eq!(called(&story, &bo), 0);
        if answered {
            answer(&story, &bo).await;
        }
        story.pass(&mut engine, &[Span::mins(11), Span::mins(10)]).await;
        assert_eq!(called(&story, &bo), usize::from(!answered));
    }
}

/// What is said again stands in the audit, and since when it waits.
#[tokio::test]
async fn a_restart_begins_no_half_hour_anew() {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let house = story.town.house.clone();
    let bo = find_member(&house, story.town.people.maintainers()[1].name).await.unwrap();
    let now = story.disclosure_now().await;
    hands::name(&house, Actor::Operator, &now, None, Some(&bo)).await.unwrap();
    hands::take(&house, bo.id, &story.disclosure_now().await).await.unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    story.hold(story.release()).await;
    answer(&story, &bo).await;
    story.at_t0(&mut engine).await;
    assert!(story.rang("held-at-t0"), "{:?}", story.bells());
    story.pass(&mut engine, &[Span::mins(10), Span::mins(10)]).await;
    let mut engine = story.after_crash(engine).await;
    engine.settle().await.unwrap();
    assert_eq!(called(&story, &bo), 0);
    story.pass(&mut engine, &[Span::mins(12)]).await;
    assert_eq!(called(&story, &bo), 1);
}

#[tokio::test]
async fn nobody_is_their_own_deputy() {
    let (story, _, bo) = with_deputy().await;
    let now = story.disclosure_now().await;
    let own = hands::name(&story.town.house, Actor::Operator, &now, Some(&bo), None).await;
    let Err(CaseError::Invalid { right, .. }) = own.map(|_| ()) else { panic!() };
    assert!(right.contains("somebody else"), "{right}");
}
