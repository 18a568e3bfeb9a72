//! Every state, from what a relay really answers.

use daybreak::casework::{CaseError, controls, ledger};
use daybreak::domain::time::Span;
use daybreak::town::catcher::{Fault, Times};
use rstest::rstest;

use super::ground::{
    ALDER, BRACKEN, FENNEL, JUNIPER, LARCH, MAREN, MOSS, OPERATOR, SEDGE, TARN, bounced, delayed,
    read,
};
use crate::ground::Db;
use crate::story::{Point, Story, TEAM, halted};

#[rstest]
#[tokio::test]
async fn every_state_is_reached_by_what_a_relay_answers(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(story) = Story::at(db, Point::Ready).await else { return };
    let plan = &story.notice;
    story.town.catcher.spare(TEAM);
    story.refuse(FENNEL, 550, Times::Always);
    story.refuse(LARCH, 451, Times::Always);
    story.town.catcher.script(Fault::LoseAnswer, Times::Only(1));
    let mut engine = story.engine().await;
    assert_eq!(story.delivery_state(FENNEL).await, "queued");
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    let (all, tally) = story.ledger().await;
    let of = |address: &str| &all[address];
    let word = |address: &str| of(address).state.word();
    assert_eq!((word(FENNEL), of(FENNEL).code.as_str()), ("blocked", "recipient-refused"));
    assert!(of(FENNEL).detail.contains("550"), "{}", of(FENNEL).detail);
    assert_eq!((word(LARCH), of(LARCH).code.as_str()), ("queued", "recipient-deferred"));
    assert!(of(LARCH).detail.contains("451") && of(LARCH).detail.contains("again at 20"));
    for nobody in [MOSS, BRACKEN] {
        assert_eq!((word(nobody), of(nobody).code.as_str()), ("blocked", "no-usable-certificate"));
    }
    assert_eq!(word(TARN), "queued");
    assert!(of(TARN).detail.contains(&story.t0.days_before(3).rfc3339()), "{}", of(TARN).detail);
    let taken: Vec<_> = all.values().filter(|d| d.state.word() == "handed-over").collect();
    assert_eq!((taken.len(), tally.of, tally.have, tally.read), (3, 9, 3, 0));
    for delivery in taken {
        assert!(delivery.detail.starts_with("250 2.0.0 taken as number"), "{}", delivery.detail);
        assert_eq!(delivery.since, story.hand_now());
    }
    let unknown: Vec<_> = all.values().filter(|d| d.state.word() == "unknown").collect();
    assert_eq!(unknown.len(), 1, "the answer to one mail was lost");

    // The same bytes again, and the relay answers.
    story.pass(&mut engine, &[Span::secs(121)]).await;
    assert_eq!(story.delivery_state(&unknown[0].address).await, "handed-over");
    story.town.catcher.behave();
    story.refuse(FENNEL, 550, Times::Always);
    story.pass(&mut engine, &[Span::mins(5)]).await;
    assert_eq!(story.delivery_state(LARCH).await, "handed-over");

    // What is heard later, and what people do.
    assert!(story.hear(plan, ALDER, bounced()).await);
    assert!(story.hear(plan, JUNIPER, delayed()).await);
    assert!(story.hear(plan, SEDGE, read()).await);
    let step = story.mail_to(plan, MOSS).id;
    controls::skip(&story.town.house, OPERATOR, "Ada", plan, step, "they left").await.unwrap();
    assert_eq!(story.told_by_hand(FENNEL).await.state.word(), "by-hand");
    let states = story.states().await;
    let expected = [
        (FENNEL, "by-hand"),
        (LARCH, "handed-over"),
        (MOSS, "skipped"),
        (BRACKEN, "blocked"),
        (ALDER, "bounced"),
        (JUNIPER, "delayed"),
        (SEDGE, "acknowledged"),
        (TARN, "queued"),
        (MAREN, "handed-over"),
    ];
    assert_eq!(states, expected.map(|(a, s)| (a.to_owned(), s)).into());

    // Three days without a word.
    story.pass(&mut engine, &[Span::days(3)]).await;
    assert_eq!(story.delivery_state(LARCH).await, "silent");
    assert_eq!(story.delivery_state(SEDGE).await, "acknowledged");
    let (_, tally) = story.ledger().await;
    assert_eq!((tally.of, tally.have, tally.read), (8, 2, 1), "silence is not having it");
    story.pass(&mut engine, &[Span::mins(1), Span::mins(1), Span::mins(1)]).await;
    assert_eq!((story.rings("notice-bounced"), story.rings("notice-silent")), (1, 1));
    story.told_by_hand(LARCH).await;
    assert_eq!(story.delivery_state(LARCH).await, "by-hand");
    story.is_recorded().await;
}

#[tokio::test]
async fn who_is_put_off_for_a_day_is_given_up_and_a_person_is_called() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    story.refuse(LARCH, 451, Times::Always);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    story.pass(&mut engine, &[Span::secs(10), Span::secs(30), Span::mins(1), Span::mins(5)]).await;
    let blocked = story.rings("step-blocked");
    story.pass(&mut engine, &[Span::mins(15); 90]).await;
    assert_eq!(story.delivery_state(LARCH).await, "queued", "23 hours");
    story.pass(&mut engine, &[Span::mins(15); 6]).await;
    let delivery = story.delivery(LARCH).await;
    assert_eq!((delivery.state.word(), delivery.code.as_str()), ("blocked", "gave-up"));
    assert!(delivery.detail.contains("451"), "{}", delivery.detail);
    assert_eq!(story.rings("step-blocked"), blocked + 1);
    // A person lets it try again, and the relay has come to its senses.
    story.town.catcher.behave();
    let (house, plan) = (&story.town.house, &story.notice);
    let step = story.mail_to(plan, LARCH).id;
    controls::retry(house, OPERATOR, "Ada", plan, step, "they mended it").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.delivery_state(LARCH).await, "handed-over");
}

/// A night in which a person held the plan, and one without an engine, are nobody's refusal.
#[tokio::test]
async fn nobody_is_given_up_for_a_night_in_which_nobody_tried() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    story.refuse(LARCH, 451, Times::Always);
    let mut engine = story.engine().await;
    story.hand.advance_to(story.t0.days_before(7));
    engine.settle().await.unwrap();
    let quarters = [Span::mins(15); 8];
    story.pass(&mut engine, &quarters).await;
    let (house, plan) = (&story.town.house, &story.notice);
    story.hold(plan).await;
    story.pass(&mut engine, &[Span::hours(30)]).await;
    let held = story.standing(plan).await.plan;
    controls::resume(house, OPERATOR, &held, "go on").await.unwrap();
    story.pass(&mut engine, &quarters).await;
    assert_eq!(story.delivery_state(LARCH).await, "queued", "it was held for 30 hours");
    engine.end().await.unwrap();
    story.hand.advance(Span::hours(30));
    let mut engine = story.engine().await;
    story.pass(&mut engine, &quarters).await;
    assert_eq!(story.delivery_state(LARCH).await, "queued", "no engine ran for 30 hours");
    // Six hours were tried; after eighteen more it is enough.
    story.pass(&mut engine, &[Span::mins(15); 64]).await;
    assert_eq!(story.delivery_state(LARCH).await, "queued");
    story.pass(&mut engine, &[Span::mins(15); 16]).await;
    assert_eq!(story.delivery(LARCH).await.code, "gave-up");
}

#[tokio::test]
async fn a_mark_needs_evidence_and_a_mail_that_did_not_arrive() {
    let story = Story::at(Db::Sqlite, Point::Ready).await.unwrap();
    let (house, disclosure) = (&story.town.house, &story.disclosure);
    let mark = async |address: &str, evidence: &str| {
        ledger::mark_by_hand(house, OPERATOR, "Ada", disclosure, address, evidence).await
    };
    let revision = story.revision().await;
    let none = mark(FENNEL, " ").await.unwrap_err();
    assert!(matches!(none, CaseError::Invalid { field, .. } if field == "evidence"));
    let goes_by_itself = mark(FENNEL, "rang").await.unwrap_err();
    assert!(goes_by_itself.to_string().contains("still goes by itself"), "{goes_by_itself}");
    let stranger = mark("nobody@elsewhere.example", "rang").await.unwrap_err();
    assert!(matches!(stranger, CaseError::Unknown { .. }));
    let plan = &story.notice;
    let step = story.mail_to(plan, FENNEL).id;
    let id = house.fresh(daybreak::domain::ids::EventId::new);
    let never = ledger::note_delivery(house, OPERATOR, plan.id, step, id, bounced()).await;
    assert!(never.unwrap_err().to_string().contains("never left"));
    assert_eq!(story.revision().await, revision, "nothing was written");
}

/// The engine dies before any write of the notices' day and comes back.
#[rstest]
#[tokio::test]
async fn a_death_keeps_the_ledger_right(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let stride = if db == Db::Sqlite { 4 } else { 11 };
    for n in (1..60).step_by(stride) {
        let Some(mut story) = Story::at(db, Point::Ready).await else { return };
        story.refuse(FENNEL, 550, Times::Always);
        let mut engine = story.engine().await;
        engine.halt_after(n);
        story.hand.advance_to(story.t0.days_before(7));
        let died = halted(engine.settle().await);
        if died {
            engine = story.after_crash(engine).await;
        }
        // Nothing is said to be handed over that no relay took, and nothing that it took is
        // said to be waiting or blocked.
        for (address, state) in story.states().await {
            let took = story.letters_to(&address) > 0;
            match state {
                "handed-over" => assert!(took, "after {n}: {address}"),
                "queued" | "blocked" => assert!(!took, "after {n}: {address} is {state}"),
                _ => assert_eq!(state, "unknown", "after {n}: {address}"),
            }
        }
        engine.settle().await.unwrap();
        story.pass(&mut engine, &[Span::secs(1), Span::secs(121)]).await;
        let states = story.states().await;
        let count = |word: &str| states.values().filter(|s| **s == word).count();
        let counts = (count("handed-over"), count("blocked"), count("queued"));
        assert_eq!(counts, (5, 3, 1), "after {n}: {states:?}");
        story.is_recorded().await;
        if !died {
            return;
        }
    }
}
