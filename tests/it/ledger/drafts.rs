//! A draft ends nothing: a plan that was approved tells on until another one is approved, and
//! that one is refused when it no longer fits who was told.

use std::collections::BTreeMap;
use std::sync::Arc;

use daybreak::casework::controls;
use daybreak::domain::effect::Intended;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::receipt::OutletError;
use daybreak::engine::Engine;
use daybreak::town::catcher::Times;
use daybreak::town::faults::Fault;
use daybreak::town::story::{self, Form};
use rstest::rstest;

use super::ground::{LARCH, OPERATOR, TARN};
use crate::ground::Db;
use crate::story::until;
use crate::story::{Point, Story};

const ROWAN: &str = "security@rowan.example";

/// Everybody with a week's lead has heard; Tarn hears three days ahead.
async fn half_told(db: Db) -> Option<(Story, Engine)> {
    let story = Story::at(db, Point::Ready).await?;
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    Some((story, engine))
}

impl Story {
    async fn is_refused(&self, plan: &Plan, why: &str) {
        let (town, revision) = (&self.town, self.revision().await);
        let refused = story::approve(town, plan, &town.people.ada, Form::Inline).await;
        let refused = refused.map(|a| a.given).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(self.revision().await, revision, "something was written");
    }

    /// How many mails everybody got.
    fn counts(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for mail in self.letters() {
            *all.entry(mail.to[0].clone()).or_default() += 1;
        }
        all
    }
}

#[rstest]
#[tokio::test]
async fn a_draft_that_nobody_signs_stops_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((story, mut engine)) = half_told(db).await else { return };
    let drafts = [story.broken().await, story.broken().await];
    // One of two has signed.
    let ada = &story.town.people.ada;
    story::approve(&story.town, &drafts[1], ada, Form::Inline).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(&story.notice).await, PlanState::Running);
    story.hand.advance_to(story.t0.days_before(3));
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(TARN), 1, "its window opened, and a draft kept it from hearing");

    // Now somebody knows who did not when the drafts were made.
    for draft in &drafts {
        let word = "somebody was told";
        let revision = story.revision().await;
        let town = &story.town;
        let by_all = story::approve_by_all(town, draft).await;
        let refused = by_all.unwrap_err().to_string();
        assert!(refused.contains(word) || refused.contains("already"), "{refused}");
        assert_eq!(story.revision().await, revision);
        assert_eq!(story.state(draft).await, PlanState::Made);
    }
    let bea = story.town.people.maintainers()[1];
    let second = story::approve(&story.town, &drafts[1], bea, Form::Detached).await;
    assert!(second.map(|a| a.given).unwrap_err().to_string().contains("somebody was told"));
    engine.settle().await.unwrap();
    assert!(story.counts().values().all(|n| *n == 1), "{:?}", story.counts());

    // Made again it is right for everybody, and ends the others in one go.
    let again = story.broken().await;
    assert_eq!(story.state(&story.notice).await, PlanState::Running);
    story::approve_by_all(&story.town, &again).await.unwrap();
    for ended in [&story.notice, &drafts[0], &drafts[1]] {
        assert_eq!(story.state(ended).await, PlanState::Void);
    }
    engine.settle().await.unwrap();
    let counts = story.counts();
    assert!(counts.len() == 7 && counts.values().all(|n| *n == 2), "{counts:?}");
    story.is_refused(&drafts[0], "is void").await;
    story.is_recorded().await;
}

#[rstest]
#[tokio::test]
async fn an_approved_one_takes_over_whoever_waited(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((story, mut engine)) = half_told(db).await else { return };
    let [first, other] = [story.broken().await, story.broken().await];
    story::approve_by_all(&story.town, &first).await.unwrap();
    assert_eq!(story.state(&story.notice).await, PlanState::Void);
    assert_eq!(story.state(&other).await, PlanState::Void, "the newer draft");
    engine.settle().await.unwrap();
    let counts = story.counts();
    assert!(counts.values().all(|n| *n == 2) && !counts.contains_key(TARN), "{counts:?}");
    story.hand.advance_to(story.t0.days_before(3));
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(TARN), 1, "by the new plan, and only by that");
    assert_eq!(story.delivery(TARN).await.plan, first.id);
    story.is_recorded().await;
}

/// Nobody can tell what the recipient of a mail under way must hear: it is asked again.
#[rstest]
#[case::it_arrives(false)]
#[case::it_is_refused(true)]
#[tokio::test]
async fn nothing_is_approved_while_a_mail_it_ends_is_under_way(#[case] refused: bool) {
    let (story, mut engine) = half_told(Db::Sqlite).await.unwrap();
    let step = story.mail_to(&story.notice, TARN).id;
    let script = Arc::clone(story.town.script("mail").unwrap());
    script.then_for(move |i: &Intended| i.step == step, &Fault::Hang, 1);
    if refused {
        story.refuse(TARN, 550, Times::Always);
    }
    story.hand.advance_to(story.t0.days_before(3));
    until(&mut engine, "it hangs", || script.hanging() == 1).await;
    let draft = story.broken().await;
    let ada = &story.town.people.ada;
    story::approve(&story.town, &draft, ada, Form::Inline).await.unwrap();
    let last = story.town.people.maintainers()[1];
    let approve = async || story::approve(&story.town, &draft, last, Form::Inline).await;
    let why = approve().await.map(|a| a.given).unwrap_err().to_string();
    assert!(why.contains("is just being sent") && why.contains("in a moment"), "{why}");
    script.release();
    engine.settle().await.unwrap();
    if refused {
        // It counted as told, and was not: they would hear news of what they never heard of.
        let why = approve().await.map(|a| a.given).unwrap_err().to_string();
        assert!(why.contains("no longer holds"), "{why}");
        return;
    }
    approve().await.unwrap();
    engine.settle().await.unwrap();
    let counts = story.counts();
    assert!(counts.len() == 7 && counts.values().all(|n| *n == 2), "{counts:?}");
}

#[tokio::test]
async fn a_plan_for_newcomers_leaves_the_others_to_the_one_that_runs() {
    let (story, mut engine) = half_told(Db::Sqlite).await.unwrap();
    story.joins("Rowan Linux", ROWAN).await;
    let now = story.disclosure_now().await;
    let (draft, _) = story::plan(&story.town, &now, PlanKind::Notice).await.unwrap();
    story.hand.advance_to(story.t0.days_before(3));
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(TARN), 1);
    // That Tarn would be told was counted on.
    story::approve_by_all(&story.town, &draft).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(&story.notice).await, PlanState::Running, "two cannot be encrypted to");
    let counts = story.counts();
    assert!(counts.len() == 8 && counts.values().all(|n| *n == 1), "{counts:?}");

    // What was counted on is given up: Tarn would hear of neither plan.
    let (story, mut engine) = half_told(Db::Sqlite).await.unwrap();
    story.joins("Rowan Linux", ROWAN).await;
    let now = story.disclosure_now().await;
    let (draft, _) = story::plan(&story.town, &now, PlanKind::Notice).await.unwrap();
    let running = story.standing(&story.notice).await.plan;
    controls::abort(&story.town.house, OPERATOR, &running, "a wrong patch").await.unwrap();
    story.is_refused(&draft, "a plan that it counts on ended").await;
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(ROWAN), 0);
}

#[tokio::test]
async fn a_resend_of_what_arrived_meanwhile_is_refused() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let refuse = OutletError::never("recipient-refused", "550");
    let larch = story.mail_to(&story.notice, LARCH).id;
    let script = story.town.script("mail").unwrap();
    script.then_for(move |i: &Intended| i.step == larch, &Fault::Fail(refuse), 1);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    let (house, now) = (&story.town.house, story.disclosure_now().await);
    let resend = async || {
        let made = daybreak::casework::plans::resend(house, OPERATOR, &now, LARCH).await;
        made.unwrap().0
    };
    let [one, two] = [resend().await, resend().await];
    // Somebody lets the first plan try once more, and now they have it.
    controls::retry(house, OPERATOR, "Ada", &story.notice, larch, "mended").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(LARCH), 1);
    for plan in [&one, &two] {
        story.is_refused(plan, "somebody was told").await;
    }
    engine.settle().await.unwrap();
    assert_eq!(story.letters_to(LARCH), 1);
}
