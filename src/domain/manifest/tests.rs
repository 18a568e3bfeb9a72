//! A MANIFEST reads back exactly, and nothing else reads at all.

use super::*;
use crate::domain::action::{Action, Expected, RefMove};
use crate::domain::blob::{Blob, Slot, SlotName};
use crate::domain::ids::StepId;
use crate::domain::news::NoticeKind;
use crate::domain::plan::{OnMove, Phase, Sealing};
use crate::domain::remake::{Remake, Way};

fn step(n: u8, action: Action) -> Step {
    Step {
        id: StepId::new(At::from_secs(1), [n; 10]),
        outlet: "mail".into(),
        phase: Phase::Gate,
        not_before: At::from_secs(1_796_137_200),
        after: vec![StepId::new(At::from_secs(1), [0; 10])],
        action,
        sealing: None,
        on_move: None,
    }
}

pub(crate) fn sample() -> Manifest {
    let blob = |name: &str, slots| Blob::new(name, name.as_bytes().to_vec(), slots).about;
    let slot = Slot { name: SlotName::Date, offset: 3, len: 31 };
    let mut mail = step(
        1,
        Action::Mail {
            from: "a@b".into(),
            envelope_from: "c@d".into(),
            to: "e@f".into(),
            message_id: "1@b".into(),
            message: blob("mail.eml", vec![slot]),
        },
    );
    mail.sealing = Some(Sealing {
        recipient: "con_1".into(),
        notice: NoticeKind::Revision,
        subject: "Two words, and \\n no line".into(),
        clear_subject: "[...]".into(),
        references: vec!["1@b".into(), "2@b".into()],
        fingerprints: vec!["AB".into(), "CD".into()],
    });
    let mut push = step(
        2,
        Action::Push {
            repository: "r".into(),
            place: Some(Sha256::of(b"https://git.example/r.git")),
            refs: vec![RefMove { name: "refs/tags/1".into(), old: None, new: "ff".into() }],
            pack: blob("main.bundle", vec![]),
            remake: Some(Remake {
                way: Way::Merge,
                name: "Meadow Team".into(),
                address: "s@b".into(),
                says: "Merge it\n\nwith two paragraphs\n".into(),
                at: None,
            }),
        },
    );
    push.on_move = Some(OnMove::Merge);
    let ask = Action::Ask {
        owner: "o".into(),
        deputy: String::new(),
        instruction: "first\nsecond\r\n\\third".into(),
        paste: String::new(),
        due: At::from_secs(5),
    };
    let publish = Action::Publish {
        public_id: "x_1".into(),
        documents: vec![blob("a.html", vec![]), blob("a.json", vec![])],
        entries: vec![blob("a.entry", vec![])],
    };
    let wait = Action::Await {
        look: "pypi".into(),
        args: vec!["meadow".into()],
        expected: vec![Expected { pattern: "meadow-*.whl".into(), count: 3 }],
    };
    let run = Action::Run {
        command: "pypi".into(),
        args: vec!["x".into()],
        files: vec![blob("f.whl", vec![])],
    };
    let call = Action::Post {
        webhook: "chat".into(),
        url: "https://hooks.example/a".into(),
        event: blob("event.json", vec![]),
    };
    Manifest {
        salt: "00".repeat(32),
        plan: PlanId::new(At::from_secs(1), [9; 10]),
        disclosure: DisclosureId::new(At::from_secs(1), [8; 10]),
        number: 1,
        kind: PlanKind::Release,
        made_at: At::from_secs(1_795_000_000),
        t0: T0::parse("2026-12-01 16:00 Europe/Berlin").unwrap(),
        threshold: 2,
        early_lift: 1,
        announce_after: Span::mins(15),
        groups: vec!["embedded".into()],
        announces: Some(At::from_secs(1_796_137_200)),
        recipients: Sha256::of(b""),
        resends: Some(PlanId::new(At::from_secs(1), [7; 10])),
        tells: Some(Sha256::of(b"told")),
        past: Some(Sha256::of(b"past")),
        templates: vec![("notice.txt".into(), Sha256::of(b"t"))],
        steps: vec![
            mail,
            push,
            step(3, ask),
            step(4, publish),
            step(5, wait),
            step(6, run),
            step(7, call),
        ],
    }
}

#[test]
fn every_kind_of_step_reads_back() {
    let manifest = sample();
    let text = manifest.render();
    assert_eq!(Manifest::parse(&text), Ok(manifest));
}

/// A MANIFEST is never rendered anew: what was approved before places were pinned stays readable.
#[test]
fn a_push_of_an_older_plan_names_no_place() {
    let mut manifest = sample();
    let with = manifest.render();
    if let Action::Push { place, .. } = &mut manifest.steps[1].action {
        *place = None;
    }
    let lines = with.lines().filter(|l| !l.starts_with("place "));
    let older: String = lines.flat_map(|l| [l, "\n"]).collect();
    assert_eq!(Manifest::parse(&older), Ok(manifest.clone()));
    assert_eq!(manifest.render(), older);
}

#[test]
fn a_subject_cannot_forge_a_line() {
    let mut manifest = sample();
    if let Some(sealing) = manifest.steps[0].sealing.as_mut() {
        sealing.subject = "x\nseal-to EVIL".into();
    }
    let read = Manifest::parse(&manifest.render()).unwrap();
    assert_eq!(read.steps[0].sealing.as_ref().unwrap().fingerprints, ["AB", "CD"]);
}

#[test]
fn any_dropped_doubled_or_changed_line_is_refused_or_means_something_else() {
    let manifest = sample();
    let text = manifest.render();
    let lines: Vec<_> = text.lines().collect();
    for i in 0..lines.len() {
        let mut dropped = lines.clone();
        dropped.remove(i);
        let dropped = dropped.join("\n") + "\n";
        assert_ne!(Manifest::parse(&dropped), Ok(manifest.clone()), "dropped line {i}");
        let mut doubled = lines.clone();
        doubled.insert(i, lines[i]);
        let doubled = doubled.join("\n") + "\n";
        assert_ne!(Manifest::parse(&doubled), Ok(manifest.clone()), "doubled line {i}");
    }
    assert!(Manifest::parse(&text.replace('\n', "\r\n")).is_err());
    assert!(Manifest::parse(&format!("{text}\n")).is_err());
}
