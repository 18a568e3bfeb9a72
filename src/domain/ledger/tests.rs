//! The ledger by rows: what happened, and what is known then.

use super::*;
use crate::domain::action::Action;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::{DisclosureId, EventId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Phase, Plan, PlanKind, PlanState, Sealing, Step};
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::run::{PlanFacts, Run};
use crate::domain::secret::Embargoed;
use crate::domain::zone::T0;
use DeliveryState as D;

/// Everything begins a week before T0.
const T: At = At::from_secs(1_796_137_200);
const BEGIN: At = T.plus(Span::days(-7));
const HOUR: Span = Span::hours(1);

fn step() -> Step {
    Step {
        id: StepId::new(BEGIN, [1; 10]),
        outlet: "mail".into(),
        phase: Phase::Prepare,
        not_before: BEGIN,
        after: vec![],
        action: Action::Mail {
            from: "a@b".into(),
            envelope_from: "a@b".into(),
            to: "c@d".into(),
            message_id: "1@b".into(),
            message: Blob::new("m", vec![], vec![]).about,
        },
        sealing: Some(Sealing {
            recipient: "con_1".into(),
            notice: crate::domain::news::NoticeKind::First,
            references: vec![],
            subject: "s".into(),
            clear_subject: "[...]".into(),
            fingerprints: vec!["F".into()],
        }),
        on_move: None,
    }
}

fn plan(number: i64, state: PlanState) -> Plan {
    Plan {
        id: PlanId::new(BEGIN, [u8::try_from(number).unwrap(); 10]),
        disclosure: DisclosureId::new(BEGIN, [0; 10]),
        number,
        kind: PlanKind::Notice,
        state,
        held: false,
        t0: T,
        made_at: BEGIN.plus(Span::hours(-1)),
        digest: Sha256::of(b""),
        manifest: Embargoed::new(String::new()),
    }
}

/// What is known `after` the beginning, when these things happened, an hour apart.
fn known(number: i64, state: PlanState, happened: &[Happened], after: Span) -> Delivery {
    let plan = plan(number, state);
    let manifest = Manifest {
        groups: vec![],
        announces: None,
        salt: String::new(),
        plan: plan.id,
        disclosure: plan.disclosure,
        number,
        kind: PlanKind::Notice,
        made_at: plan.made_at,
        t0: T0::new(T, chrono_tz::Tz::UTC),
        threshold: 1,
        early_lift: 1,
        announce_after: HOUR,
        recipients: Sha256::of(b""),
        templates: vec![],
        steps: vec![step()],
        resends: None,
        tells: None,
        past: None,
    };
    let facts = PlanFacts { state, held: false, go: None, lifted: false };
    let repeat = Repeat::SameBytes { after: Span::mins(2), max: 1 };
    let mut run = Run::new(&manifest, facts, [("mail".to_owned(), repeat.into())].into());
    let mut at = BEGIN;
    let mut events = Vec::new();
    for happened in happened.iter().cloned() {
        let id = EventId::new(at, [events.len() as u8; 10]);
        let event = StepEvent { id, step: step().id, at, epoch: 1, happened };
        run.apply(&event);
        events.push(event);
        at = at.plus(HOUR);
    }
    let sent = Sent { plan: &plan, revision: 1, run: &run, events: &events };
    deliveries(&sent, BEGIN.plus(after)).remove(0)
}

fn go() -> Happened {
    Happened::Intended
}
fn looked() -> Happened {
    Happened::looked(Seen::CannotTell)
}
fn taken() -> Happened {
    Happened::Acted { receipt: Receipt::handed_over("250 2.0.0 queued as 7") }
}
fn failed(error: OutletError) -> Happened {
    Happened::Failed { error }
}
fn put_off() -> Happened {
    failed(OutletError::later("recipient-deferred", "451 greylisted"))
}
fn refused() -> Happened {
    failed(OutletError::never("recipient-refused", "550 nobody here"))
}
fn lost() -> Happened {
    failed(OutletError::unknown("answer-lost", "the connection broke"))
}
fn delayed() -> Happened {
    Happened::Delayed { code: "4.4.1".into(), said: "still trying".into() }
}
fn bounced() -> Happened {
    Happened::Bounced { code: "5.1.1".into(), said: "nobody".into() }
}
fn read() -> Happened {
    Happened::Acknowledged { by: "F".into(), how: "reply".into() }
}
fn told() -> Happened {
    Happened::ByHand { by: "Ada".into(), evidence: "a call".into() }
}
fn skipped() -> Happened {
    Happened::Skipped { by: "Ada".into(), reason: "left the list".into() }
}
fn released() -> Happened {
    Happened::Released { by: "Ada".into(), reason: "mended".into() }
}

/// State, code, and the hour since when.
type Row = (Vec<Happened>, D, &'static str, i64);

#[test]
fn what_happened_is_what_is_known() {
    let rows: Vec<Row> = vec![
        // Our own side.
        (vec![], D::Queued, "", -1),
        (vec![looked()], D::Queued, "", -1),
        (vec![go()], D::Unknown, "", 0),
        (vec![go(), put_off()], D::Queued, "recipient-deferred", 1),
        (vec![go(), refused()], D::Blocked, "recipient-refused", 1),
        (vec![go(), refused(), released()], D::Queued, "", -1),
        (vec![go(), lost()], D::Unknown, "", 1),
        (vec![go(), Happened::Lost], D::Unknown, "", 1),
        (vec![go(), lost(), looked(), go(), lost(), looked()], D::Unknown, "nobody-can-tell", 5),
        (vec![go(), taken()], D::HandedOver, "", 1),
        (vec![skipped()], D::Skipped, "", 0),
        (vec![told()], D::ByHand, "", 0),
        // Heard later.
        (vec![go(), taken(), delayed()], D::Delayed, "4.4.1", 2),
        (vec![go(), taken(), delayed(), delayed()], D::Delayed, "4.4.1", 3),
        (vec![go(), taken(), bounced()], D::Bounced, "5.1.1", 2),
        (vec![go(), taken(), delayed(), bounced()], D::Bounced, "5.1.1", 3),
        (vec![go(), taken(), read()], D::Acknowledged, "", 2),
        (vec![go(), taken(), told()], D::ByHand, "", 2),
        // In any order.
        (vec![go(), taken(), bounced(), delayed()], D::Bounced, "5.1.1", 2),
        (vec![go(), taken(), bounced(), bounced()], D::Bounced, "5.1.1", 2),
        (vec![go(), taken(), bounced(), read()], D::Acknowledged, "", 3),
        (vec![go(), taken(), read(), bounced()], D::Acknowledged, "", 2),
        (vec![go(), taken(), read(), read()], D::Acknowledged, "", 2),
        (vec![go(), taken(), read(), told()], D::Acknowledged, "", 2),
        (vec![go(), taken(), bounced(), told()], D::ByHand, "", 3),
        (vec![go(), taken(), told(), bounced()], D::ByHand, "", 2),
        (vec![go(), taken(), told(), read()], D::Acknowledged, "", 3),
        // A word from further on ends a doubt, also before our own relay's answer.
        (vec![go(), Happened::Lost, bounced()], D::Bounced, "5.1.1", 2),
        (vec![go(), bounced(), taken()], D::Bounced, "5.1.1", 1),
        (vec![go(), lost(), read()], D::Acknowledged, "", 2),
        (vec![go(), refused(), told()], D::ByHand, "", 2),
        (vec![go(), lost(), skipped(), bounced()], D::Skipped, "", 2),
        (vec![go(), lost(), skipped(), read()], D::Acknowledged, "", 3),
        // Nobody can have had what never left.
        (vec![bounced()], D::Queued, "", -1),
        (vec![looked(), read()], D::Queued, "", -1),
    ];
    for (happened, state, code, hours) in rows {
        let known = known(1, PlanState::Running, &happened, Span::hours(8));
        let expected = (state, code, BEGIN.plus(Span::hours(hours)));
        assert_eq!((known.state, known.code.as_str(), known.since), expected, "{happened:?}");
    }
}

#[test]
fn the_words_of_the_relay_are_kept() {
    let detail = |happened: &[Happened]| known(1, PlanState::Running, happened, HOUR).detail;
    assert_eq!(detail(&[go(), taken()]), "250 2.0.0 queued as 7");
    assert_eq!(detail(&[go(), refused()]), "recipient-refused: 550 nobody here");
    let off = detail(&[go(), put_off()]);
    assert!(off.starts_with("recipient-deferred: 451 greylisted; again at 20"), "{off}");
    assert_eq!(detail(&[go(), taken(), read()]), "F: reply");
}

#[test]
fn what_an_ended_plan_did_not_send_is_blocked_and_the_rest_goes_on() {
    let state = |plan, happened: &[Happened]| {
        let known = known(1, plan, happened, Span::hours(8));
        (known.state, known.code)
    };
    let blocked = (D::Blocked, PLAN_VOID.to_owned());
    assert_eq!(state(PlanState::Void, &[]), blocked);
    assert_eq!(state(PlanState::Void, &[go(), put_off()]), blocked);
    assert_eq!(state(PlanState::Void, &[go(), taken()]).0, D::HandedOver);
    assert_eq!(state(PlanState::Void, &[go(), Happened::Lost]).0, D::Unknown);
    assert_eq!(state(PlanState::Finished, &[go(), taken(), bounced()]).0, D::Bounced);
    assert_eq!(state(PlanState::Finished, &[go(), taken(), bounced(), told()]).0, D::ByHand);
    let late = known(1, PlanState::Running, &[go(), put_off()], Span::days(7));
    assert_eq!((late.state, late.code.as_str()), (D::Blocked, TOO_LATE));
}

#[test]
fn silence_is_a_state() {
    let after = |happened: &[Happened], span| known(1, PlanState::Finished, happened, span).state;
    let sent = [go(), taken()];
    let just_before = Span::millis(Span::days(3).plus_hour().as_millis() - 1);
    assert_eq!(after(&sent, just_before), D::HandedOver);
    assert_eq!(after(&sent, Span::days(3).plus_hour()), D::Silent);
    for sign in [delayed(), bounced(), read(), told()] {
        let happened = [go(), taken(), sign];
        assert_ne!(after(&happened, Span::days(6)), D::Silent, "{happened:?}");
    }
    // A telephone call needs time: with two days left, a day of silence is enough.
    assert_eq!(silent_after(T.plus(Span::days(-2)), T), Span::days(1));
    assert_eq!(silent_after(T.plus(Span::days(-20)), T), SILENT_AFTER);
    assert_eq!(silent_after(T.plus(HOUR), T), SILENT_AFTER);
}

trait PlusHour {
    fn plus_hour(self) -> Span;
}
impl PlusHour for Span {
    fn plus_hour(self) -> Span {
        Span::millis(self.as_millis() + HOUR.as_millis())
    }
}

#[test]
fn a_resend_takes_the_place_of_what_it_repeats_unless_that_was_read() {
    let one = |number, state, happened: &[Happened]| known(number, state, happened, HOUR);
    let (live, void) = (PlanState::Running, PlanState::Void);
    let sent = [go(), taken()];
    let rows = [
        (vec![go(), refused()], one(2, live, &[]), D::Queued, 2),
        (vec![go(), taken(), bounced()], one(2, live, &sent), D::HandedOver, 2),
        (vec![go(), taken()], one(2, live, &[go(), refused()]), D::Blocked, 2),
        (vec![go(), taken(), read()], one(2, live, &sent), D::Acknowledged, 1),
        (vec![go(), taken(), told()], one(2, live, &sent), D::ByHand, 1),
        (vec![go(), taken(), told()], one(2, live, &[go(), taken(), read()]), D::Acknowledged, 2),
        (vec![go(), taken(), bounced()], one(2, void, &[]), D::Bounced, 1),
    ];
    for (before, resend, state, number) in rows {
        let ledger = Ledger::of([vec![one(1, live, &before)], vec![resend]]);
        let [kept] = ledger.all() else { panic!("{before:?}") };
        assert_eq!((kept.state, kept.number), (state, number), "{before:?}");
    }
}

#[test]
fn everybody_counts_with_their_newest() {
    let delivery = |revision, recipient: &str, happened: &[Happened]| Delivery {
        revision,
        recipient: recipient.to_owned(),
        ..known(revision, PlanState::Running, happened, Span::hours(8))
    };
    let ledger = Ledger::of([
        vec![delivery(1, "a", &[go(), refused()]), delivery(1, "only", &[go(), refused()])],
        vec![
            delivery(2, "a", &[go(), taken()]),
            delivery(2, "b", &[go(), taken(), read()]),
            delivery(2, "c", &[go(), taken(), bounced()]),
            delivery(2, "d", &[skipped()]),
            delivery(2, "e", &[told()]),
        ],
    ]);
    assert_eq!((ledger.all().len(), ledger.newest().count()), (7, 6));
    let tally = ledger.tally().unwrap();
    assert_eq!(
        (tally.revision, tally.of, tally.have, tally.read),
        (2, 5, 3, 1),
        "who is not in the second has what the first brought, or not"
    );
    assert!(!tally.is_complete());
    assert_eq!(tally.states.get(&D::Bounced), Some(&1));
    assert_eq!(Ledger::default().tally(), None);
}
