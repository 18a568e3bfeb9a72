//! What an edit does to plans that were made before it: nobody hears what no longer holds,
//! and nothing is edited over a GO.

use daybreak::casework::{CaseError, disclosures, plans};
use daybreak::domain::deed::Actor;
use daybreak::domain::disclosure::{CellState, Disclosure};
use daybreak::domain::ids::PlanId;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::store::StoreError;
use daybreak::town::project::LINES;
use daybreak::town::{Options, Town, story};

use crate::ground::Db;
use crate::story::{Point, Story};

const START: At = At::from_secs(1_795_132_800);

struct Case {
    town: Town,
    disclosure: Disclosure,
    t0: T0,
    engine: Engine,
    notice: Plan,
}

/// Everybody with a week's lead has heard; one distributor's window is still closed.
async fn half_told() -> Case {
    let town = Town::build(Options::by_hand(START)).await.unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let t0 = prepared.disclosure.t0.unwrap();
    let notice = story::approved_plan(&town, &prepared.disclosure, PlanKind::Notice).await.unwrap();
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    town.hand.as_ref().unwrap().advance_to(t0.days_before(7));
    engine.settle().await.unwrap();
    let disclosure = story::again(&town.house, &prepared.disclosure).await.unwrap();
    assert_eq!(disclosure.stage, Stage::Embargoed);
    Case { town, disclosure, t0, engine, notice }
}

impl Case {
    async fn state(&self, plan: PlanId) -> PlanState {
        self.town.house.store.read(move |r| r.plan(plan)).await.unwrap().state
    }

    fn told(&self, address: &str) -> usize {
        self.town.catcher.mails().iter().filter(|m| m.to == [address]).count()
    }
}

/// The distributor that hears three days ahead.
const LATE: &str = "psirt@tarn.example";

#[tokio::test]
async fn staging_again_does_not_keep_anybody_from_hearing() {
    let mut case = half_told().await;
    let (disclosure, _) = story::stage(&case.town, case.disclosure.clone()).await.unwrap();
    assert_eq!(case.state(case.notice.id).await, PlanState::Running);
    let findings = disclosures::check(&case.town.house, &disclosure).await.unwrap();
    assert!(findings.iter().all(|f| f.code != "notice-stale"));
    case.town.hand.as_ref().unwrap().advance_to(case.t0.days_before(3));
    case.engine.settle().await.unwrap();
    assert_eq!(case.told(LATE), 1);
}

#[tokio::test]
async fn after_a_move_nobody_hears_the_old_date_and_the_team_is_told() {
    let mut case = half_told().await;
    let (house, old) = (case.town.house.clone(), &case.disclosure);
    let later = T0::new(case.t0.at.plus(Span::days(4)), case.t0.zone);
    let moved = disclosures::move_t0(&house, Actor::Operator, old, later, "a test").await.unwrap();
    assert!(moved.1.iter().any(|f| f.code == "told-old-date"));
    assert_eq!(case.state(case.notice.id).await, PlanState::Void);
    case.town.hand.as_ref().unwrap().advance_to(case.t0.days_before(3));
    case.engine.settle().await.unwrap();
    assert_eq!(case.told(LATE), 0);
    let findings = disclosures::check(&house, &moved.0).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "notice-stale"));
    let (draft, _) = story::plan(&case.town, &moved.0, PlanKind::Notice).await.unwrap();
    let findings = disclosures::check(&house, &moved.0).await.unwrap();
    assert!(findings.iter().any(|f| f.code == "notice-stale"), "a draft tells nobody");

    story::approve_by_all(&case.town, &draft).await.unwrap();
    case.town.hand.as_ref().unwrap().advance_to(later.days_before(3));
    case.engine.settle().await.unwrap();
    assert_eq!(case.told(LATE), 1);
    let mails = case.town.catcher.mails();
    let mail = mails.iter().rfind(|m| m.to == [LATE]).unwrap();
    let reader = case.town.people.reader(LATE).unwrap();
    let letter = reader.decrypt(&mail.bytes, case.town.team_certificate(), house.now()).unwrap();
    assert!(letter.text.contains(&later.at.spoken()), "{}", letter.text);
    assert!(!letter.text.contains(&case.t0.at.spoken()));
    let findings = disclosures::check(&house, &moved.0).await.unwrap();
    assert!(findings.iter().all(|f| f.code != "notice-stale"));
}

#[tokio::test]
async fn nothing_is_edited_over_a_go() {
    let mut case = half_told().await;
    let release =
        story::approved_plan(&case.town, &case.disclosure, PlanKind::Release).await.unwrap();
    let before = story::again(&case.town.house, &case.disclosure).await.unwrap();
    case.town.script("git").unwrap().then(
        &daybreak::town::faults::Fault::Fail(daybreak::domain::receipt::OutletError::later(
            "away", "",
        )),
        100,
    );
    case.town.hand.as_ref().unwrap().advance_to(case.t0.at);
    case.engine.settle().await.unwrap();
    assert_eq!(case.state(release.id).await, PlanState::Running);

    let (house, advisory) = (&case.town.house, {
        use daybreak::domain::secret::Reason;
        before.case.open(Reason::Judging).advisories[0]
    });
    let branch = story::branch(&LINES[0]);
    let edit = disclosures::mark(
        house,
        Actor::Operator,
        &before,
        advisory,
        branch,
        CellState::NotAffected,
    );
    let refused = edit.await.unwrap_err();
    assert!(matches!(refused, CaseError::Store(StoreError::Conflict(_))), "{refused}");
    let moved = T0::new(case.t0.at.plus(Span::days(9)), case.t0.zone);
    assert!(disclosures::move_t0(house, Actor::Operator, &before, moved, "late").await.is_err());
    assert!(disclosures::cancel(house, Actor::Operator, &before, "late").await.is_err());
    assert!(plans::make(house, Actor::Operator, &before, PlanKind::Release).await.is_err());
    assert_eq!(case.state(release.id).await, PlanState::Running);
    let now = story::again(house, &before).await.unwrap();
    assert_eq!(now.stage, Stage::Releasing);
}

#[tokio::test]
async fn a_release_that_nobody_heard_of_needs_a_reason() {
    let town = Town::build(Options::by_hand(START)).await.unwrap();
    let prepared = story::prepare(&town, Span::days(12)).await.unwrap();
    let made = plans::make(&town.house, Actor::Operator, &prepared.disclosure, PlanKind::Release);
    let Err(CaseError::Blocked(findings)) = made.await else { panic!("it was made") };
    assert!(findings.iter().any(|f| f.code == "notice-missing"), "{findings:?}");
    story::plan(&town, &prepared.disclosure, PlanKind::Notice).await.unwrap();
    story::plan(&town, &prepared.disclosure, PlanKind::Release).await.unwrap();
}

#[tokio::test]
async fn an_embargo_whose_release_is_not_armed_is_said_in_time() {
    let mut case = half_told().await;
    let hand = case.town.hand.clone().unwrap();
    let rang = |town: &Town, code: &str| {
        let bells = town.catcher.mails();
        bells.iter().any(|m| String::from_utf8_lossy(&m.bytes).contains(code))
    };
    for (ahead, code) in [
        (Span::hours(24), "not-armed-a-day-ahead"),
        (Span::hours(1), "not-armed-an-hour-ahead"),
        (Span::mins(10), "not-armed-ten-minutes-ahead"),
        (Span::ZERO, "not-armed-at-t0"),
    ] {
        assert!(!rang(&case.town, code), "{code} too early");
        hand.advance_to(case.t0.at.plus(Span::millis(-ahead.as_millis())));
        case.engine.settle().await.unwrap();
        assert!(rang(&case.town, code), "{code}");
    }
}

/// A second draft of a release disarms nothing: the first goes at T0, and then nothing takes its
/// place any more.
#[tokio::test]
async fn a_release_nobody_signed_disarms_no_day() {
    let told = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let town = &told.town;
    let (draft, _) = story::plan(town, &told.disclosure, PlanKind::Release).await.unwrap();
    assert_eq!(told.state(told.release()).await, PlanState::Approved);
    let mut engine = told.engine().await;
    told.at_t0(&mut engine).await;
    assert_eq!(told.state(told.release()).await, PlanState::Finished);
    let late = story::approve_by_all(town, &draft).await;
    assert!(late.is_err_and(|e| e.to_string().contains("has GO")), "a second release");
    assert_ne!(told.state(&draft).await, PlanState::Approved);
}

/// The second one approved is the one that goes.
#[tokio::test]
async fn a_release_approved_later_takes_the_place_of_the_earlier() {
    let told = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let (town, kind) = (&told.town, PlanKind::Release);
    let second = story::approved_plan(town, &told.disclosure, kind).await.unwrap();
    assert_eq!(told.state(told.release()).await, PlanState::Void);
    let mut engine = told.engine().await;
    told.at_t0(&mut engine).await;
    assert_eq!(told.state(&second).await, PlanState::Finished);
}
