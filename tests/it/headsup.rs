//! The public word ahead of the day: it goes out at its own instant to the lists, says date,
//! versions and count, and moves nothing else. The day, the notices and the site know nothing
//! of it.

use std::collections::{BTreeMap, BTreeSet};

use daybreak::casework::pages::StorePages;
use daybreak::casework::plans::{self, Order};
use daybreak::casework::{CaseError, controls, disclosures, papers};
use daybreak::domain::action::Action;
use daybreak::domain::blob::equal_outside_slots;
use daybreak::domain::deed::Actor;
use daybreak::domain::effect::Permit;
use daybreak::domain::ids::EventId;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::receipt::OutletError;
use daybreak::domain::secret::Reason;
use daybreak::domain::stage::Stage;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::outlets::static_site::Pages as _;
use daybreak::store::{Claim, StoreError};
use daybreak::town::catcher::Caught;
use daybreak::town::faults::Fault;
use daybreak::town::story;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{Point, Story, just_before};
use crate::world::WorldView;

const ME: Actor = Actor::Operator;
const LISTS: [&str; 2] = ["announce@lists.meadow.example", "oss-security@lists.openwall.example"];

/// A made and approved Headsup that goes out `days` ahead.
async fn approved(story: &Story, days: u32) -> Plan {
    let order = Order { at: Some(at(story, days)), ..Order::default() };
    let house = &story.town.house;
    let disclosure = story::again(house, &story.disclosure).await.unwrap();
    let made = plans::make_as(house, ME, &disclosure, PlanKind::Headsup, &order).await;
    story::approve_by_all(&story.town, &made.unwrap().0).await.unwrap()
}

fn at(story: &Story, days: u32) -> T0 {
    T0::new(story.t0.days_before(days), story.t0.zone)
}

/// What the lists have got so far.
fn posts(story: &Story) -> Vec<Caught> {
    let ours = |m: &Caught| LISTS.iter().any(|list| m.to == [*list]);
    story.letters().into_iter().filter(ours).collect()
}

/// The whole site, byte for byte.
async fn site(story: &Story) -> Vec<(String, Vec<u8>)> {
    let house = &story.town.house;
    papers::renew(house).await.unwrap();
    let templates = std::sync::Arc::clone(&house.templates);
    StorePages::new(house.store.clone(), templates, house.masthead(), &house.dir)
        .tree()
        .await
        .unwrap()
}

/// Everything that must not change when a Headsup goes out, its own posts aside.
async fn surface(story: &Story) -> (WorldView, Vec<(String, Vec<u8>)>) {
    let mut world = WorldView::of(&story.town).await;
    world.posts = 0;
    (world, site(story).await)
}

/// The transaction itself, without the engine's own care before it.
#[rstest]
#[tokio::test]
async fn its_go_gives_leave_to_post_and_only_ahead_of_what_it_announces(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(story) = Story::at(db, Point::Ready).await else { return };
    let _engine = story.engine().await;
    let headsup = approved(&story, 5).await;
    let manifest = plans::manifest_of(&headsup).unwrap();
    let house = &story.town.house;
    let epoch = house.store.read(|r| r.lease()).await.unwrap().epoch;
    let claim = Claim {
        plan: headsup.id,
        digest: headsup.digest,
        threshold: manifest.threshold,
        early_lift: manifest.early_lift,
        announces: manifest.announces,
        epoch,
    };
    let go = async || {
        let deed = house.deed(ME, "test", headsup.id);
        house.store.write(&deed, move |tx| tx.write_go(&claim)).await
    };
    let leave = async |n: usize| {
        let (step, event) = (manifest.steps[n].id, house.fresh(EventId::new));
        let deed = house.deed(ME, "test", step);
        house.store.write(&deed, move |tx| tx.intend(&claim, step, event)).await
    };
    story.hand.advance_to(just_before(story.t0.days_before(5)));
    assert!(matches!(go().await, Err(StoreError::NotPermitted(_))), "before its instant");
    story.hand.advance_to(story.t0.days_before(5));
    assert!(matches!(leave(0).await, Err(StoreError::NotPermitted(_))), "without its GO");
    go().await.unwrap();
    assert!(matches!(leave(0).await, Ok(Permit::Headsup(_))), "leave to post, and no more");
    story.hand.advance_to(story.t0.at);
    assert!(
        matches!(leave(1).await, Err(StoreError::NotPermitted(_))),
        "what it announces is here"
    );
}

#[rstest]
#[tokio::test]
async fn the_date_is_public_at_its_instant_and_nothing_else_is(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(story) = Story::at(db, Point::Ready).await else { return };
    let mut engine = story.engine().await;
    let before = surface(&story).await;
    let headsup = approved(&story, 5).await;
    let preview = story::look_through(&story.town, &headsup).await.unwrap();
    story.hand.advance_to(just_before(story.t0.days_before(5)));
    engine.settle().await.unwrap();
    assert_eq!(posts(&story).len(), 0, "before its instant");
    let stage = story.stage().await;
    assert_eq!(stage, Stage::Embargoed, "distributors heard two days before");

    story.hand.advance_to(story.t0.days_before(5));
    engine.settle().await.unwrap();
    let told = posts(&story);
    assert_eq!(told.iter().map(|m| m.to[0].as_str()).collect::<Vec<_>>(), LISTS);
    for post in &told {
        let text = String::from_utf8(post.bytes.clone()).unwrap();
        for said in ["2.0.1", "1.4.3", &story.t0.at.spoken(), "Security issues: 1"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(text.contains("Highest severity: high"), "{text}");
        for word in story::PLANTED.iter().chain(&[story::PUBLIC_ID, "CWE", "unpack", "archive"]) {
            assert!(!text.to_lowercase().contains(&word.to_lowercase()), "{word}: {text}");
        }
        let same = |f: &plans::preview::File| {
            f.name.starts_with("headsup-") && equal_outside_slots(&f.bytes, &post.bytes, &f.slots)
        };
        assert!(preview.iter().any(same), "not what was approved");
    }
    assert_eq!(story.state(&headsup).await, PlanState::Finished);
    assert!(surface(&story).await == before, "something else became public");
    assert_eq!(story.stage().await, stage, "a headsup tells nobody what it is about");
    assert_eq!(story.state(&story.notice).await, PlanState::Running, "notices go on");
    // Its GO makes nothing else public, whoever asks.
    let (advisory, plan) = (story.advisory.id, headsup.id);
    let deed = story.town.house.deed(ME, "test", plan);
    let published = story.town.house.store.write(&deed, move |tx| tx.publish(advisory, plan)).await;
    assert!(matches!(published, Err(StoreError::NotFound("GO"))), "{published:?}");

    // The last distributor hears, and the day is as it would have been.
    story.hand.advance_to(story.t0.days_before(3));
    engine.settle().await.unwrap();
    assert_eq!(story.letters().iter().filter(|m| m.to == ["psirt@tarn.example"]).count(), 1);
    let disclosure = story.disclosure_now().await;
    let release = story::approved_plan(&story.town, &disclosure, PlanKind::Release).await.unwrap();
    story.hand.advance_to(just_before(story.t0.at));
    engine.settle().await.unwrap();
    assert!(surface(&story).await == before, "public too early");
    story.at_t0(&mut engine).await;
    assert_eq!(story.state(&release).await, PlanState::Finished);
    assert_eq!(story.stage().await, Stage::Public);
    assert_eq!(posts(&story).len(), 4);
    assert_eq!(surface(&story).await.0.published, [story::PUBLIC_ID]);
    story.is_recorded().await;
    engine.end().await.unwrap();
}

#[tokio::test]
async fn aborting_the_one_does_not_touch_the_other() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let house = &story.town.house;
    let mut engine = story.engine().await;
    let headsup = approved(&story, 5).await;
    let disclosure = story.disclosure_now().await;
    let release = story::approved_plan(&story.town, &disclosure, PlanKind::Release).await.unwrap();
    controls::abort(house, ME, &headsup, "not now").await.unwrap();
    story.hand.advance_to(story.t0.days_before(4));
    engine.settle().await.unwrap();
    assert_eq!(posts(&story).len(), 0);
    assert_eq!(story.state(&headsup).await, PlanState::Void);
    assert_eq!(story.state(&release).await, PlanState::Approved);
    assert_eq!(story.state(&story.notice).await, PlanState::Running);

    // The other way round: what would have been released is not, and the word still goes.
    let headsup = approved(&story, 2).await;
    assert_eq!(story.state(&release).await, PlanState::Approved, "a plan of another kind");
    controls::abort(house, ME, &release, "not now").await.unwrap();
    story.hand.advance_to(story.t0.days_before(2));
    engine.settle().await.unwrap();
    assert_eq!(story.state(&headsup).await, PlanState::Finished);
    let over = controls::abort(house, ME, &headsup, "too late").await.unwrap_err();
    assert!(matches!(over, CaseError::NotNow { .. }), "{over}");
    story.at_t0(&mut engine).await;
    assert_eq!(posts(&story).len(), 2, "a headsup arms nothing");
    assert_eq!(story.stage().await, Stage::Embargoed);
    assert!(story.rang("not-armed-at-t0"));
    engine.end().await.unwrap();
}

/// Long enough for every retry, and for mail whose fate is unknown to be repeated.
const PATIENCE: [Span; 4] = [Span::secs(1), Span::secs(10), Span::secs(121), Span::secs(121)];

/// The engine dies before the write after the first `n`; whether it did.
async fn dies(story: &mut Story, instant: At, n: u32) -> bool {
    let mut engine = story.engine().await;
    engine.halt_after(n);
    let mut died = false;
    story.hand.advance_to(just_before(instant));
    engine = story.survive(engine, &mut died).await;
    assert_eq!(posts(story).len(), 0, "before its instant");
    story.hand.advance_to(instant);
    engine = story.survive(engine, &mut died).await;
    for span in PATIENCE {
        story.hand.advance(span);
        engine = story.survive(engine, &mut died).await;
    }
    engine.end().await.unwrap();
    died
}

async fn deaths(db: Db, first: u32, stride: usize) {
    for n in (first..).step_by(stride) {
        let Some(mut story) = Story::at(db, Point::Ready).await else { return };
        // Before the first window: only the headsup happens.
        let headsup = approved(&story, 9).await;
        let before = surface(&story).await;
        let instant = story.t0.days_before(9);
        let died = dies(&mut story, instant, n).await;
        let about = format!("after {n} writes");
        let mut copies: BTreeMap<Vec<String>, Vec<Vec<u8>>> = BTreeMap::new();
        for post in posts(&story) {
            copies.entry(post.to).or_default().push(post.bytes);
        }
        assert_eq!(copies.len(), 2, "{about}");
        for (to, bytes) in copies {
            assert!(bytes.len() <= 1 + usize::from(died), "{about}: {to:?}");
            assert!(bytes.iter().all(|b| *b == bytes[0]), "{about}: other bytes to {to:?}");
        }
        assert_eq!(story.state(&headsup).await, PlanState::Finished, "{about}");
        assert_eq!(story.stage().await, Stage::Drafting, "{about}");
        assert!(surface(&story).await == before, "{about}");
        assert_eq!(story.state(&story.notice).await, PlanState::Approved, "{about}");
        story.is_recorded().await;
        if !died {
            assert!(n > 6, "a headsup has more than {n} writes");
            return;
        }
    }
}

#[tokio::test]
async fn a_death_before_every_write_changes_nothing() {
    deaths(Db::Sqlite, 0, 1).await;
}

#[tokio::test]
async fn on_postgresql_too() {
    deaths(Db::Postgres, 1, 4).await;
}

#[tokio::test]
async fn what_no_longer_holds_is_not_said_and_what_was_said_is_pointed_at() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let house = &story.town.house;
    let mut engine = story.engine().await;
    let headsup = approved(&story, 9).await;
    let to_oss =
        story.step(&headsup, |s| matches!(&s.action, Action::Mail { to, .. } if to == LISTS[1]));
    let away = Fault::Fail(OutletError::later("away", ""));
    let ours = to_oss.id;
    story.town.script("mail").unwrap().then_for(move |i| i.step == ours, &away, 1);
    story.hand.advance_to(story.t0.days_before(9));
    engine.settle().await.unwrap();
    assert_eq!((posts(&story).len(), story.state(&headsup).await), (1, PlanState::Running));
    let again = plans::make(house, ME, &story.disclosure_now().await, PlanKind::Headsup).await;
    assert!(again.unwrap_err().to_string().contains("being posted"));

    // Staging says nothing new to anybody; another T0 does.
    let (disclosure, _) = story::stage(&story.town, story.disclosure_now().await).await.unwrap();
    assert_eq!(story.state(&headsup).await, PlanState::Running);
    let later = T0::new(story.t0.at.plus(Span::days(1)), story.t0.zone);
    let (moved, _) = disclosures::move_t0(house, ME, &disclosure, later, "a test").await.unwrap();
    assert_eq!(story.state(&headsup).await, PlanState::Void);
    story.pass(&mut engine, &PATIENCE).await;
    assert_eq!(posts(&story).len(), 1, "the second list hears no old date");
    let findings = disclosures::check(house, &moved).await.unwrap();
    let outdated = findings.iter().find(|f| f.code == "headsup-outdated").unwrap();
    assert!(outdated.message.contains(&story.t0.at.spoken()), "{}", outdated.message);

    let order = Order { at: Some(T0::new(later.days_before(6), later.zone)), ..Order::default() };
    let (made, _) = plans::make_as(house, ME, &moved, PlanKind::Headsup, &order).await.unwrap();
    story::approve_by_all(&story.town, &made).await.unwrap();
    story.hand.advance_to(later.days_before(6));
    engine.settle().await.unwrap();
    assert_eq!(posts(&story).len(), 3);
    let moved = story::again(house, &moved).await.unwrap();
    let findings = disclosures::check(house, &moved).await.unwrap();
    assert!(findings.iter().all(|f| f.code != "headsup-outdated"), "{findings:?}");
    engine.end().await.unwrap();
}

#[tokio::test]
async fn it_never_follows_what_it_announces() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let house = &story.town.house;
    let mut engine = story.engine().await;
    let disclosure = story.disclosure_now().await;
    let make = async |at: At| {
        let order = Order { at: Some(T0::new(at, story.t0.zone)), ..Order::default() };
        plans::make_as(house, ME, &disclosure, PlanKind::Headsup, &order).await
    };
    for at in [story.t0.at, story.t0.at.plus(Span::days(1)), house.now().plus(Span::mins(-1))] {
        let refused = make(at).await.err().unwrap().to_string();
        assert!(refused.contains("choose an instant from now on"), "{refused}");
    }
    let (waiting, _) = make(story.t0.at.plus(Span::mins(-30))).await.unwrap();
    let waiting = story::approve_by_all(&story.town, &waiting).await.unwrap();
    assert_eq!(waiting.state, PlanState::Approved);
    // It leaked: the release starts early, and the word ahead of it makes no sense any more.
    let lifted =
        controls::publish_now(house, story.member().await, &disclosure, "it leaked").await.unwrap();
    assert_eq!(lifted.plan.kind, PlanKind::Release, "a headsup is no release");
    engine.settle().await.unwrap();
    assert_eq!(story.stage().await, Stage::Public);
    assert_eq!(story.state(&waiting).await, PlanState::Void);
    story.at_t0(&mut engine).await;
    let heard: BTreeSet<String> = posts(&story).into_iter().flat_map(|m| m.to).collect();
    assert_eq!((posts(&story).len(), heard.len()), (2, 2), "the release's own posts");
    engine.end().await.unwrap();
}

/// Without an instant of its own it goes when the last person says yes, however long that took.
#[tokio::test]
async fn at_once_is_when_the_last_person_says_yes() {
    let story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    story.hand.advance_to(story.t0.at.plus(Span::mins(-100)));
    let (made, findings) =
        story::plan(&story.town, &story.disclosure_now().await, PlanKind::Headsup).await.unwrap();
    assert!(findings.is_empty(), "{findings:?}");
    let text = plans::approval_text(&made).unwrap();
    assert!(text.contains("EFFECT: SENDS AT ONCE ON THE LAST APPROVAL"), "{text}");
    let mut engine = story.engine().await;
    story.pass(&mut engine, &[Span::mins(40)]).await;
    assert_eq!(posts(&story).len(), 0);
    let approved = story::approve_by_all(&story.town, &made).await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!((posts(&story).len(), story.state(&approved).await), (2, PlanState::Finished));

    // Too late to approve, too late to send.
    let (late, _) =
        story::plan(&story.town, &story.disclosure_now().await, PlanKind::Headsup).await.unwrap();
    controls::abort(&story.town.house, ME, story.release(), "a test").await.unwrap();
    story.at_t0(&mut engine).await;
    let refused = story::approve_by_all(&story.town, &late).await.err().unwrap().to_string();
    assert!(refused.contains("nothing left to tell in advance"), "{refused}");
    let case = story.disclosure_now().await;
    let made = plans::make(&story.town.house, ME, &case, PlanKind::Headsup).await;
    assert!(made.unwrap_err().to_string().contains("its T0 has passed"));
    assert_eq!(case.case.open(Reason::Judging).posts.len(), 2);
    engine.end().await.unwrap();
}
