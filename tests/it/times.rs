//! When things leave: at the wall-clock hour of the disclosure's zone, whatever the clocks do
//! in between, and not one millisecond before.

use std::collections::BTreeMap;
use std::sync::Arc;

use daybreak::casework::advisories;
use daybreak::clock::Clock as _;
use daybreak::domain::deed::Actor;
use daybreak::domain::ids::ContactId;
use daybreak::domain::party::{Contact, ContactKind, DistributorRecord, Profile};
use daybreak::domain::plan::PlanKind;
use daybreak::domain::planner::notice_at;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::engine::Engine;
use daybreak::town::catcher::Caught;
use daybreak::town::{Options, Town, story};
use rstest::rstest;
use tokio::sync::watch;

/// Sunday, 1 March 2026: before clocks change in America, then Europe, then back in Australia.
const START: At = At::from_secs(1_772_323_200);

fn instant(text: &str) -> At {
    At::parse_rfc3339(text).unwrap()
}

/// Worked out by hand from the published rules of each zone: T0, and the same hour on the
/// wall 14, 7 and 3 days before it; where that hour or day never was, sooner rather than later.
#[rstest]
#[case::clocks_go_forward("2026-04-01 16:00 Europe/Berlin", "2026-04-01T14:00:00Z",
    ["2026-03-18T15:00:00Z", "2026-03-25T15:00:00Z", "2026-03-29T14:00:00Z"])]
#[case::clocks_go_back("2026-10-28 16:00 Europe/Berlin", "2026-10-28T15:00:00Z",
    ["2026-10-14T14:00:00Z", "2026-10-21T14:00:00Z", "2026-10-25T15:00:00Z"])]
#[case::america_in_spring("2026-03-11 10:00 America/New_York", "2026-03-11T14:00:00Z",
    ["2026-02-25T15:00:00Z", "2026-03-04T15:00:00Z", "2026-03-08T14:00:00Z"])]
#[case::half_an_hour("2026-04-08 09:00 Australia/Lord_Howe", "2026-04-07T22:30:00Z",
    ["2026-03-24T22:00:00Z", "2026-03-31T22:00:00Z", "2026-04-04T22:30:00Z"])]
#[case::never_changes("2026-04-01 09:15 Asia/Kathmandu", "2026-04-01T03:30:00Z",
    ["2026-03-18T03:30:00Z", "2026-03-25T03:30:00Z", "2026-03-29T03:30:00Z"])]
#[case::an_hour_that_was_skipped("2026-04-05 02:30 Europe/Berlin", "2026-04-05T00:30:00Z",
    ["2026-03-22T01:30:00Z", "2026-03-29T01:30:00Z", "2026-04-02T00:30:00Z"])]
#[case::an_hour_that_came_twice("2026-11-01 02:30 Europe/Berlin", "2026-11-01T01:30:00Z",
    ["2026-10-18T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-29T01:30:00Z"])]
#[case::a_day_that_was_skipped("2012-01-02 08:00 Pacific/Apia", "2012-01-01T18:00:00Z",
    ["2011-12-19T18:00:00Z", "2011-12-26T18:00:00Z", "2011-12-29T18:00:00Z"])]
fn windows_keep_the_hour_on_the_wall(
    #[case] t0: &str,
    #[case] at: &str,
    #[case] before: [&str; 3],
) {
    let t0 = T0::parse(t0).unwrap();
    assert_eq!(t0.at.rfc3339(), at);
    for (days, expected) in [14, 7, 3].into_iter().zip(before) {
        let long_before = At::from_secs(0);
        let contact = Contact {
            reply_certificates: vec![],
            id: ContactId::new(long_before, [0; 10]),
            address: "a@d.example".to_owned(),
            kind: ContactKind::Person,
            profile: Profile::default(),
            certificates: vec![],
        };
        let record = DistributorRecord {
            name: "D".to_owned(),
            lead_days: Some(days),
            longest_embargo_days: None,
            groups: vec![],
            contacts: vec![],
        };
        let opens = notice_at(&t0, &record, &contact, 7, long_before);
        assert_eq!(opens.rfc3339(), expected, "{days} days");
    }
}

/// One disclosure of an advisory of its own, its notice approved.
async fn embargo(town: &Town, number: u32, t0: &str) {
    let mut text = story::text(&town.people, town.house.now());
    text.public_id = format!("x_meadow-2026-000{number}");
    let (drafted, _) = advisories::create(&town.house, Actor::Operator, text).await.unwrap();
    let (disclosure, _) = story::open(town, &drafted, T0::parse(t0).unwrap()).await.unwrap();
    let disclosure = story::patch(town, disclosure, drafted.id).await.unwrap();
    story::approved_plan(town, &disclosure, PlanKind::Notice).await.unwrap();
}

fn notices(town: &Town) -> Vec<Caught> {
    let mut mails = town.catcher.mails();
    mails.retain(|m| m.to != ["security@meadow.example"]);
    mails
}

async fn three_zones() -> Town {
    let town = Town::build(Options::by_hand(START)).await.unwrap();
    story::add_members(&town).await.unwrap();
    story::add_distributors(&town).await.unwrap();
    embargo(&town, 1, "2026-03-11 10:00 America/New_York").await;
    embargo(&town, 2, "2026-04-01 16:00 Europe/Berlin").await;
    embargo(&town, 3, "2026-04-08 09:00 Australia/Lord_Howe").await;
    town
}

/// Tarn hears three days ahead, everybody else seven.
const DUE: [(&str, bool); 6] = [
    ("2026-03-04T15:00:00Z", false),
    ("2026-03-08T14:00:00Z", true),
    ("2026-03-25T15:00:00Z", false),
    ("2026-03-29T14:00:00Z", true),
    ("2026-03-31T22:00:00Z", false),
    ("2026-04-04T22:30:00Z", true),
];

#[tokio::test]
async fn notices_leave_at_their_instant_and_not_a_millisecond_before() {
    let town = three_zones().await;
    let hand = town.hand.clone().unwrap();
    let mut engine = Engine::start(town.house.clone()).await.unwrap();
    let mut sent = 0;
    for (due, late_one) in DUE {
        let due = instant(due);
        for early in [Span::hours(1), Span::mins(30), Span::secs(1), Span::millis(1)] {
            hand.advance_to(due.plus(Span::millis(-early.as_millis())));
            engine.settle().await.unwrap();
            assert_eq!(notices(&town).len(), sent, "{} ms before {due}", early.as_millis());
        }
        hand.advance_to(due);
        engine.settle().await.unwrap();
        let new = notices(&town).split_off(sent);
        let to: BTreeMap<_, _> = new.iter().map(|m| (m.to[0].as_str(), m.at)).collect();
        assert!(to.values().all(|at| *at == due), "{due}");
        assert_eq!(to.contains_key("psirt@tarn.example"), late_one, "{due}");
        assert_eq!((new.len(), to.len()), if late_one { (1, 1) } else { (6, 6) }, "{due}");
        sent += new.len();
    }
}

/// The same by an engine that runs by itself: whoever moves the clock only follows where it
/// wants to be woken.
#[tokio::test]
async fn a_running_engine_wakes_at_the_instant() {
    let town = Town::build(Options::by_hand(START)).await.unwrap();
    story::add_members(&town).await.unwrap();
    story::add_distributors(&town).await.unwrap();
    embargo(&town, 1, "2026-03-11 10:00:07 America/New_York").await;
    let hand = Arc::clone(town.hand.as_ref().unwrap());
    let (stop, stopped) = watch::channel(false);
    let engine = Engine::start(town.house.clone()).await.unwrap();
    let running = tokio::spawn(engine.run(stopped));
    let due = instant("2026-03-04T15:00:07Z");
    hand.wait_for_sleepers(1).await;
    hand.advance_to(due.plus(Span::millis(-3_700)));
    // Hop from one wake to the next; none of them lies beyond the instant.
    while hand.wall() < due {
        hand.wait_for_sleepers(1).await;
        let wake = hand.next_wake().unwrap();
        let hop = wake.since(hand.mono());
        if hop > Span::ZERO {
            assert!(hand.wall().plus(hop) <= due, "it would sleep past the instant");
            assert!(notices(&town).is_empty(), "{}", hand.wall());
            hand.advance(hop);
        }
        tokio::task::yield_now().await;
    }
    let mails = town.catcher.wait_for(6).await;
    assert!(mails.iter().all(|m| m.at == due), "a mail left at another time");
    stop.send_replace(true);
    running.await.unwrap().unwrap();
}
