//! What the team is called for besides bounces and silence: notices that will not go by
//! themselves, because they are blocked or their plan is void.

use daybreak::casework::{controls, ledger};
use daybreak::domain::ledger::{DeliveryState, PLAN_VOID};
use daybreak::domain::plan::{PlanKind, PlanState};
use daybreak::domain::time::Span;
use daybreak::town::catcher::Times;
use daybreak::town::story as told;

use super::ground::{FENNEL, OPERATOR};
use crate::ground::Db;
use crate::story::{Point, Story, TEAM};

#[tokio::test]
async fn blocked_notices_and_a_plan_that_became_void_half_way_are_said_once() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    story.town.catcher.spare(TEAM);
    story.refuse(FENNEL, 550, Times::Always);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    let (house, id) = (&story.town.house, story.disclosure.id);
    let fennel = story.mail_to(&story.notice, FENNEL).id;
    let all = ledger::worries(house, id).await.unwrap();
    let blocked = all.iter().find(|w| w.step == Some(fennel)).unwrap();
    assert_eq!(
        (blocked.state, blocked.code.as_str()),
        (DeliveryState::Blocked, "recipient-refused")
    );
    // The plan and the look at its deliveries say it together, once for each.
    let rung = story.rings("step-blocked");
    assert_eq!(rung, all.len());
    story.pass(&mut engine, &[Span::mins(2); 3]).await;
    assert_eq!(story.rings("step-blocked"), rung);
    // An hour later nobody sends the rest: its plan was aborted.
    let plan = story.standing(&story.notice).await.plan;
    controls::abort(house, OPERATOR, &plan, "the wrong file").await.unwrap();
    story.pass(&mut engine, &[Span::mins(2); 3]).await;
    assert_eq!(story.rings("notice-void"), 1);
    let all = ledger::worries(house, id).await.unwrap();
    assert!(all.iter().any(|w| w.code == PLAN_VOID && w.step.is_some()), "{all:?}");
}

#[tokio::test]
async fn an_approved_notice_that_became_void_before_it_began_is_said() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let house = &story.town.house;
    let worries = async || ledger::worries(house, story.disclosure.id).await.unwrap();
    // Two have no usable certificate, which is known before anything leaves.
    assert!(worries().await.iter().all(|w| w.step.is_some()));
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    assert_eq!(story.rings("notice-void"), 0);
    let plan = story.standing(&story.notice).await.plan;
    controls::abort(house, OPERATOR, &plan, "the wrong date").await.unwrap();
    let all = worries().await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((all[0].plan, all[0].step, all[0].code.as_str()), (plan.id, None, PLAN_VOID));
    story.pass(&mut engine, &[Span::mins(2); 3]).await;
    assert_eq!(story.rings("notice-void"), 1);
}

/// A draft beside it neither hides that nor is mistaken for it.
#[tokio::test]
async fn of_drafts_that_became_void_nothing_is_said_and_they_hide_nothing() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let house = &story.town.house;
    let void = async || {
        let all = ledger::worries(house, story.disclosure.id).await.unwrap();
        all.iter().filter(|w| w.step.is_none()).map(|w| w.plan).collect::<Vec<_>>()
    };
    let now = story.disclosure_now().await;
    let draft = async || told::plan(&story.town, &now, PlanKind::Notice).await.unwrap().0;
    let [older, newer] = [draft().await, draft().await];
    told::approve(&story.town, &newer, &story.town.people.ada, told::Form::Inline).await.unwrap();
    told::approve_by_all(&story.town, &older).await.unwrap();
    assert_eq!(story.state(&newer).await, PlanState::Void);
    assert_eq!(void().await, [], "another one took its place");

    let later = draft().await;
    for plan in [&later, &older] {
        let plan = story.standing(plan).await.plan;
        controls::abort(house, OPERATOR, &plan, "the wrong date").await.unwrap();
    }
    assert_eq!(void().await, [older.id]);
}
