//! An imagined day, as people and programs read it.

use super::figures::{Figures, Open};
use super::steps::{GoLine, PlanRecord, StepRecord, Yes};
use super::*;

const T: At = At::from_secs(1_796_137_200);

fn at(millis: i64) -> When {
    When(T.plus(Span::millis(millis)))
}

fn line(millis: i64, who: &str, what: &str, detail: &str) -> Line {
    Line {
        at: at(millis),
        planned: Some(at(0)),
        who: who.into(),
        what: what.into(),
        detail: detail.into(),
    }
}

fn step(number: usize, phase: &'static str, what: &str, settled: i64) -> StepRecord {
    StepRecord {
        number,
        id: format!("stp_{number}"),
        phase,
        outlet: "git".into(),
        what: what.into(),
        planned: at(0),
        began: Some(at(100)),
        settled: Some(at(settled)),
        late_ms: Some(settled),
        status: "done",
        attempts: 1,
        failures: 0,
        evidence: Some("seen"),
        detail: "there".into(),
        by: None,
    }
}

fn imagined() -> Record {
    let by_hand = StepRecord {
        evidence: Some("by-hand"),
        detail: "https://lists.example.org/42".into(),
        by: Some("Bea Olsen".into()),
        ..step(2, "announce", "mail to oss-security@lists.example.org", 61_250)
    };
    let release = PlanRecord {
        id: "pla_2".into(),
        number: 2,
        kind: "release",
        state: "finished",
        digest: "ab".repeat(32),
        made_at: at(-7_200_000),
        t0: at(0),
        needed: 2,
        approvals: vec![
            Yes { who: "Ada Ngo".into(), at: at(-3_600_000) },
            Yes { who: "Bea Olsen".into(), at: at(-3_500_000) },
        ],
        go: Some(GoLine { word: "GO", at: at(12), late_ms: 12, reason: "T0".into() }),
        steps: vec![step(1, "gate", "push refs/tags/v1.4.2 to meadow", 214), by_hand],
    };
    Record {
        format: FORMAT,
        disclosure: "dis_1".into(),
        advisories: vec!["x_meadow-2026-0001".into()],
        stage: "public".into(),
        t0: Some("2026-12-01 16:00 Europe/Berlin".into()),
        as_of: Some(at(70_000)),
        figures: Figures {
            t0: Some(at(0)),
            go: Some(at(12)),
            go_late_ms: Some(12),
            first_public: Some(at(214)),
            last_public: Some(at(214)),
            spread_ms: Some(0),
            steps: 2,
            done: 1,
            late: 1,
            by_hand: 1,
            skipped: 0,
            recipients: 3,
            had_it: 2,
            silent: 1,
            bells: 1,
        },
        open: vec![Open {
            code: "settled-by-hand",
            about: "plan 2: mail to oss-security@lists.example.org".into(),
            what: "Bea Olsen vouches for it: https://lists.example.org/42".into(),
        }],
        plans: vec![release],
        decisions: vec![Decision {
            at: at(-600_000),
            who: "Ada Ngo".into(),
            what: "plan-pause".into(),
            about: "plan 2 (release)".into(),
            reason: "before announce, at most 600 s: see the tags | first\nof all".into(),
        }],
        notices: vec![Told {
            who: "Fennel OS".into(),
            address: "vulns@fennel.example".into(),
            revision: 1,
            plan: 1,
            state: "acknowledged",
            since: at(-500_000_000),
            detail: "a reply".into(),
        }],
        seen: vec![line(214, "git", "push refs/tags/v1.4.2 to meadow", "there")],
        bells: vec![line(30_000, "engine", "step-blocked", "plan 2 (release)")],
        timeline: vec![
            line(12, "engine", "go, plan 2", ""),
            line(61_250, "Bea Olsen", "done by hand, plan 2: mail", "https://lists.example.org/42"),
        ],
    }
}

#[test]
fn a_day_for_people() {
    insta::assert_snapshot!(as_markdown(&imagined()));
}

#[test]
fn a_day_for_programs() {
    insta::assert_snapshot!(as_json(&imagined()).unwrap());
}
