//! A disclosure is cancelled: what comes back of its mails is still heard, for as long as
//! somebody may count on the old date the team is called, and nothing is sent because of it.

use daybreak::casework::{disclosures, plans};
use daybreak::domain::deed::Actor;
use daybreak::domain::event::Happened;
use daybreak::domain::plan::{Plan, PlanKind, PlanState};
use daybreak::domain::stage::Stage;
use daybreak::domain::time::Span;
use daybreak::town::story;
use rstest::rstest;

use super::bounces::{VERP, postfix, told_with};
use super::replies::{Desk, pgp_mime, thunderbird};
use super::{id_of, notice_to, step_to, taken, words};
use crate::ground::Db;
use crate::whole_day::Told;

const TEAM: &str = "security@meadow.example";
const FENNEL: &str = "vulns@fennel.example";
const TARN: &str = "psirt@tarn.example";

/// How often the team was called for a bounce.
fn calls(told: &Told) -> usize {
    let mails = told.town.catcher.mails();
    let bells = mails.iter().filter(|m| m.to == [TEAM]);
    bells.filter(|m| String::from_utf8_lossy(&m.bytes).contains("notice-bounced")).count()
}

/// Time passes, looked at by the engine; no mail but the team's own leaves.
async fn goes_on(told: &mut Told, span: Span) {
    let letters = |told: &Told| told.town.catcher.mails().iter().filter(|m| m.to != [TEAM]).count();
    let before = letters(told);
    for step in [span, Span::mins(1), Span::mins(1)] {
        told.town.hand.as_ref().unwrap().advance(step);
        told.engine.settle().await.unwrap();
    }
    assert_eq!(letters(told), before, "something was sent");
}

async fn state(told: &Told, plan: &Plan) -> PlanState {
    plans::standing(&told.town.house, plan).await.unwrap().plan.state
}

#[rstest]
#[tokio::test]
async fn what_comes_back_after_a_cancellation_is_heard(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut told) = told_with(db, VERP).await else { return };
    let house = told.town.house.clone();
    let now = story::again(&house, &told.disclosure).await.unwrap();
    disclosures::cancel(&house, Actor::Operator, &now, "It is no flaw.").await.unwrap();
    goes_on(&mut told, Span::mins(5)).await;

    // A bounce of what was sent before.
    let first = notice_to(&told, FENNEL).clone();
    let report = postfix(&first.from, &id_of(&first), FENNEL, "failed", "5.1.1");
    let report = taken(&told.town, &report).await;
    assert_eq!(report.happened, Some("bounced"));
    assert_eq!(report.message.disclosure, Some(told.disclosure.id));
    assert!(
        matches!(&words(&told, FENNEL).await[..], [Happened::Bounced { code, .. }] if code == "5.1.1")
    );
    goes_on(&mut told, Span::mins(1)).await;
    assert_eq!(calls(&told), 1, "they count on the date and do not know better");

    // A late answer, made after the cancellation.
    let larch = &told.town.people.distributors[3];
    let theirs = larch.address;
    if let Some(desk) = Desk::of(&told, &larch.keys[0]).await {
        let text = thunderbird(&id_of(notice_to(&told, theirs)), "We are ready.");
        let reply = taken(&told.town, &pgp_mime(theirs, "", &desk.sealed(&text).await)).await;
        assert_eq!(reply.happened, Some("acknowledged"));
        assert_eq!(reply.message.disclosure, Some(told.disclosure.id));
        assert!(matches!(&words(&told, theirs).await[..], [Happened::Acknowledged { .. }]));
    }

    // The word that it is off bounces too, after the old date.
    let now = story::again(&house, &told.disclosure).await.unwrap();
    let off = story::approved_plan(&told.town, &now, PlanKind::Notice).await.unwrap();
    told.engine.settle().await.unwrap();
    let mails = told.town.catcher.mails();
    let last = mails.iter().rfind(|m| m.to == [TARN]).unwrap().clone();
    let old_date = told.t0.at.since(house.now()).plus(Span::hours(1));
    goes_on(&mut told, old_date).await;
    let before = state(&told, &off).await;
    let report = postfix(&last.from, &id_of(&last), TARN, "failed", "5.2.1");
    assert_eq!(taken(&told.town, &report).await.happened, Some("bounced"));
    let standing = plans::standing(&house, &off).await.unwrap();
    let step = step_to(&off, TARN);
    let heard = |e: &&daybreak::domain::event::StepEvent| e.step == step && e.happened.is_heard();
    assert_eq!(standing.events.iter().filter(heard).count(), 1);
    goes_on(&mut told, Span::mins(1)).await;
    assert_eq!(calls(&told), 2);

    // Days later it is written down, and nobody is called any more.
    goes_on(&mut told, Span::days(4)).await;
    let calls_by_then = calls(&told);
    let alder = "response@alder.example";
    let first = notice_to(&told, alder).clone();
    let report = postfix(&first.from, &id_of(&first), alder, "failed", "5.1.1");
    assert_eq!(taken(&told.town, &report).await.happened, Some("bounced"));
    goes_on(&mut told, Span::mins(1)).await;
    assert_eq!(calls(&told), calls_by_then);
    assert_eq!(state(&told, &off).await, before);
    assert_eq!(story::again(&house, &told.disclosure).await.unwrap().stage, Stage::Cancelled);
}
