//! After the day: the record names every decision with the person who took it, from the database
//! alone.

use std::os::unix::fs::PermissionsExt as _;

use assert_cmd::Command;
use daybreak::casework::pauses::{self, Asker};
use daybreak::casework::record::{self, Record};
use daybreak::casework::{calls, controls, find_member, hands, rehearsals};
use daybreak::domain::action::Action;
use daybreak::domain::deed::{Actor, Subject};
use daybreak::domain::escalation::Said;
use daybreak::domain::ids::MemberId;
use daybreak::domain::plan::{Phase, PlanState};
use daybreak::domain::time::Span;
use daybreak::town::story as tale;
use rstest::rstest;

use crate::ground::Db;
use crate::story::{Point, Story};

/// A day on which people do everything that people can do to it.
async fn eventful(db: Db) -> Option<(Story, MemberId)> {
    let story = Story::at(db, Point::Told).await?;
    let (house, plan) = (&story.town.house, story.release().clone());
    let ada = story.member().await;
    let actor = Actor::Member(ada);
    let bea = find_member(house, story.town.people.bea.name).await.unwrap();
    let now = story.disclosure_now().await;
    let named = hands::name(house, actor, &now, None, Some(&bea)).await.unwrap();
    hands::take(house, bea.id, &named).await.unwrap();
    controls::hold(house, actor, &plan, "wait for Heath").await.unwrap();
    controls::resume(house, actor, &plan, "Heath is ready").await.unwrap();
    let who = Asker { actor, by: "Ada Ngo" };
    pauses::place(house, who, &plan, Phase::Announce, None, "see the tags").await.unwrap();
    let is_mail = |to: &'static str| move |s: &daybreak::domain::plan::Step| matches!(&s.action, Action::Mail { to: list, .. } if list.starts_with(to));
    let (first, last) =
        (story.step(&plan, is_mail("announce")), story.step(&plan, is_mail("oss-security")));
    controls::skip(house, actor, "Ada Ngo", &plan, first.id, "the list is gone").await.unwrap();
    story.hand.advance(Span::hours(1));
    rehearsals::record(house, actor, &plan, Vec::new()).await.unwrap();
    let mut engine = story.engine().await;
    rang_for_the_house(&story).await;
    controls::publish_now(house, ada, &story.disclosure_now().await, "it leaked").await.unwrap();
    engine.settle().await.unwrap();
    controls::done(house, actor, "Bea Olsen", &plan, last.id, "posted by webmail").await.unwrap();
    pauses::go_on(house, who, &plan, None, "they are right").await.unwrap();
    engine.settle().await.unwrap();
    assert_eq!(story.state(&plan).await, PlanState::Finished);
    engine.end().await.unwrap();
    Some((story, ada))
}

/// A bell that is about no disclosure, and so about each whose day it is.
async fn rang_for_the_house(story: &Story) {
    let epoch = story.town.house.store.read(|r| r.lease()).await.unwrap().epoch;
    let first = story.hand_now();
    let (code, call) = ("database-away".to_owned(), "abcd-efgh".to_owned());
    let said = Said { code, step: None, tier: 0, call, first };
    calls::said(&story.town.house, Actor::Operator, &Subject::house(), &said, epoch).await.unwrap();
}

async fn record_of(story: &Story) -> Record {
    record::of(&story.town.house, &story.disclosure_now().await).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn it_names_each_decision_with_the_person(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((story, _)) = eventful(db).await else { return };
    let record = record_of(&story).await;
    let ada = "Ada Ngo";
    let decided = |what: &str, who: &str, why: &str| {
        let fits = |d: &&record::Decision| d.what == what && d.who == who && d.reason.contains(why);
        let all = &record.decisions;
        assert!(all.iter().any(|d| fits(&d)), "no {what} by {who}: {all:?}");
    };
    decided("plan-hold", ada, "wait for Heath");
    decided("plan-resume", ada, "Heath is ready");
    decided("plan-pause", ada, "see the tags");
    decided("plan-go-on", ada, "they are right");
    decided("publish-now", ada, "it leaked");
    decided("disclosure-deputy", ada, "deputy ");
    decided("disclosure-take", "Bea Olsen", "");
    decided("step-skip", "Ada Ngo", "the list is gone");
    decided("step-done", "Bea Olsen", "posted by webmail");

    let decisions = record.decisions.iter().map(|d| d.what.as_str());
    assert!(!decisions.clone().any(|d| d == "plan-rehearse"), "a rehearsal decides nothing");
    let rang: Vec<_> = record.bells.iter().map(|b| b.what.as_str()).collect();
    assert!(rang.contains(&"database-away"), "{rang:?}");

    let figures = &record.figures;
    assert_eq!((figures.skipped, figures.by_hand), (1, 1));
    assert_eq!(figures.go_late_ms, Some(-3_600_000));
    assert!(figures.first_public <= figures.last_public && figures.spread_ms.is_some());
    let codes: Vec<&str> = record.open.iter().map(|o| o.code).collect();
    for code in ["started-early", "skipped", "settled-by-hand"] {
        assert!(codes.contains(&code), "{code} is not asked: {codes:?}");
    }
    let release = record.plans.last().unwrap();
    assert_eq!((release.kind, release.approvals.len()), ("release", 2));
    assert_eq!(release.go.as_ref().unwrap().word, "GO");
    assert!(release.steps.iter().all(|s| s.settled.is_some()));
    // Started an hour early, each step was due an hour early.
    assert!(release.steps.iter().all(|s| s.planned.0 == release.go.as_ref().unwrap().at.0));
    assert!(!record.seen.is_empty() && !record.notices.is_empty());
    let text = record::as_markdown(&record);
    for word in ["Open questions", "Bea Olsen", "posted by webmail", tale::PUBLIC_ID] {
        assert!(text.contains(word), "no {word} in\n{text}");
    }
}

#[tokio::test]
async fn the_same_database_gives_the_same_record() {
    let Some((story, _)) = eventful(Db::Sqlite).await else { return };
    let first = record::as_json(&record_of(&story).await).unwrap();
    story.hand.advance(Span::days(30));
    assert_eq!(record::as_json(&record_of(&story).await).unwrap(), first);

    // The same on the command line, in a file that only its owner reads.
    let out = story.town.dir().join("post-mortem.json");
    let mut daybreak = Command::new(env!("CARGO_BIN_EXE_daybreak"));
    let line = ["--json", "disclosure", "timeline", tale::PUBLIC_ID, "--out"];
    daybreak.arg("--dir").arg(story.town.dir()).args(line).arg(&out).assert().success();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), format!("{first}\n"));
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
}
