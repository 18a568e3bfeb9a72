//! The step machine against its laws.

use super::*;
use crate::domain::action::RefMove;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::event::Happened;
use crate::domain::ids::{DisclosureId, EventId, PlanId};
use crate::domain::plan::{OnMove, PlanKind};
use crate::domain::receipt::{OutletError, Receipt, Seen};
use crate::domain::zone::T0;
use rstest::rstest;

mod pauses;

const T: At = At::from_secs(1_796_137_200);
const SAME_BYTES: Repeat = Repeat::SameBytes { after: Span::mins(2), max: 1 };

fn id(n: u8) -> StepId {
    StepId::new(At::from_secs(1), [n; 10])
}

fn step(n: u8, outlet: &str, phase: Phase) -> Step {
    let pack = Blob::new("b", vec![n], vec![]).about;
    let refs = vec![RefMove { name: "refs/heads/main".into(), old: None, new: "aa".into() }];
    let action = Action::Push { repository: "r".into(), place: None, refs, pack, remake: None };
    Step {
        id: id(n),
        outlet: outlet.into(),
        phase,
        not_before: T,
        after: vec![],
        action,
        sealing: None,
        on_move: Some(OnMove::Hold),
    }
}

struct Bench {
    run: Run,
    now: At,
}

impl Bench {
    fn manifest(kind: PlanKind, steps: Vec<Step>) -> Manifest {
        Manifest {
            salt: String::new(),
            plan: PlanId::new(T, [0; 10]),
            disclosure: DisclosureId::new(T, [0; 10]),
            number: 1,
            kind,
            made_at: T.plus(Span::days(-7)),
            t0: T0::new(T, chrono_tz::Tz::UTC),
            threshold: 1,
            early_lift: 1,
            announce_after: Span::mins(15),
            groups: vec![],
            announces: None,
            recipients: Sha256::of(b""),
            templates: vec![],
            resends: None,
            tells: None,
            past: None,
            steps,
        }
    }

    fn new(kind: PlanKind, steps: Vec<Step>) -> Self {
        Self::of(&Self::manifest(kind, steps))
    }

    fn of(manifest: &Manifest) -> Self {
        let facts = PlanFacts { state: PlanState::Approved, held: false, go: None, lifted: false };
        let repeats = [("safe", Repeat::Safe), ("mail", SAME_BYTES), ("human", Repeat::AskHuman)];
        let mut habits: BTreeMap<String, Habit> =
            repeats.map(|(n, r)| (n.to_owned(), r.into())).into();
        let slow = Habit { repeat: Repeat::Safe, settle: Span::mins(5) };
        habits.insert("slow".to_owned(), slow);
        let after = Span::mins(2);
        let looked = Habit { repeat: Repeat::SameBytes { after, max: 1 }, settle: after };
        habits.insert("looked-after".to_owned(), looked);
        habits.insert("slow-human".to_owned(), Habit { repeat: Repeat::AskHuman, ..slow });
        Self { run: Run::new(manifest, facts, habits), now: T }
    }

    fn release(steps: Vec<Step>) -> Self {
        Self::new(PlanKind::Release, steps)
    }

    fn gone(steps: Vec<Step>) -> Self {
        let mut bench = Self::release(steps);
        bench.facts(|f| f.go = Some(GoRow::Go(T)));
        bench
    }

    fn facts(&mut self, change: impl Fn(&mut PlanFacts)) {
        let mut facts = self.run.facts;
        change(&mut facts);
        self.run.learn(facts);
    }

    fn after(&mut self, span: Span) -> &mut Self {
        self.now = self.now.plus(span);
        self
    }

    fn tell(&mut self, n: u8, happened: Happened) -> &mut Self {
        let event = StepEvent {
            id: EventId::new(self.now, [0; 10]),
            step: id(n),
            at: self.now,
            epoch: 1,
            happened,
        };
        self.run.apply(&event);
        self
    }

    fn look(&mut self, n: u8, seen: Seen) -> &mut Self {
        self.tell(n, Happened::looked(seen))
    }

    fn fail(&mut self, n: u8, error: OutletError) -> &mut Self {
        self.tell(n, Happened::Intended).tell(n, Happened::Failed { error })
    }

    fn done(&mut self, n: u8) -> &mut Self {
        self.tell(n, Happened::Acted { receipt: Receipt::seen("") })
    }

    fn decide(&mut self) -> Vec<Command> {
        let mut all = self.run.decide(self.now, true);
        all.retain(|c| !matches!(c, Command::Page { .. }));
        all
    }

    fn pages(&mut self) -> Vec<&'static str> {
        let all = self.run.decide(self.now, true).into_iter();
        all.filter_map(|c| if let Command::Page { code, .. } = c { Some(code) } else { None })
            .collect()
    }
}

#[test]
fn nothing_of_a_public_plan_moves_before_t0_or_without_trust_in_the_clock() {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.now = T.plus(Span::millis(-1));
    assert!(bench.decide().is_empty());
    assert_eq!(bench.run.next_due(bench.now), Some(T));
    bench.now = T;
    assert!(bench.run.decide(T, false).is_empty());
    assert_eq!(bench.decide(), [Command::Go]);
}

#[rstest]
#[case(PlanState::Made, false)]
#[case(PlanState::Void, false)]
#[case(PlanState::Finished, false)]
#[case(PlanState::Approved, true)]
fn no_go_unless_approved_and_unheld(#[case] state: PlanState, #[case] held: bool) {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.facts(|f| (f.state, f.held) = (state, held));
    assert!(bench.decide().is_empty());
}

#[test]
fn abort_is_final() {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.facts(|f| f.go = Some(GoRow::Abort));
    assert!(bench.after(Span::days(1)).decide().is_empty());
}

#[test]
fn look_then_act_then_finish() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
    assert_eq!(bench.look(1, Seen::Absent).decide(), [Command::Act(id(1))]);
    assert!(bench.tell(1, Happened::Intended).decide().is_empty());
    assert_eq!(bench.done(1).decide(), [Command::Finish]);
}

#[test]
fn what_is_already_there_is_not_done_again() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    bench.look(1, Seen::Present(Receipt::seen("by hand")));
    assert_eq!(bench.decide(), [Command::Finish]);
}

#[test]
fn an_old_look_does_not_clear_an_act() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    bench.look(1, Seen::Absent).after(Span::secs(61));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
}

#[test]
fn a_conflict_waits_for_a_person_and_stops_nobody_else() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate), step(2, "safe", Phase::Gate)]);
    bench.look(1, Seen::Conflict("other object".into()));
    assert_eq!(bench.decide(), [Command::Look(id(2))]);
    assert_eq!(bench.pages(), ["step-blocked"]);
    bench.tell(1, Happened::Released { by: "ada".into(), reason: "moved away".into() });
    assert_eq!(bench.decide().len(), 2);
}

#[test]
fn announcements_wait_for_gates_but_not_for_ever() {
    let mut bench =
        Bench::gone(vec![step(1, "safe", Phase::Gate), step(2, "mail", Phase::Announce)]);
    bench.look(1, Seen::Conflict(String::new()));
    bench.after(Span::secs(899));
    assert!(bench.decide().is_empty());
    bench.after(Span::secs(1));
    assert_eq!(bench.decide(), [Command::Look(id(2))]);
    assert!(!bench.run.is_announced());
    bench.look(2, Seen::CannotTell).tell(2, Happened::Intended).done(2);
    assert!(bench.run.is_announced() && !bench.run.is_settled());
}

#[test]
fn lost_mail_is_repeated_once_after_two_minutes_then_a_person_decides() {
    let mut bench = Bench::gone(vec![step(1, "mail", Phase::Announce)]);
    bench.look(1, Seen::CannotTell).tell(1, Happened::Intended).tell(1, Happened::Lost);
    assert!(bench.decide().is_empty());
    assert_eq!(bench.run.next_due(bench.now), Some(T.plus(Span::mins(2))));
    bench.after(Span::mins(2));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
    assert_eq!(bench.look(1, Seen::CannotTell).decide(), [Command::Act(id(1))]);
    bench.fail(1, OutletError::unknown("cut", "")).after(Span::mins(2));
    assert!(bench.look(1, Seen::CannotTell).decide().is_empty());
    assert_eq!(bench.run.blocked(), [id(1)]);
}

#[test]
fn safe_effects_are_repeated_at_once_and_others_only_by_a_person() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate), step(2, "human", Phase::Gate)]);
    for n in [1, 2] {
        bench.look(n, Seen::Absent).tell(n, Happened::Intended).tell(n, Happened::Lost);
        bench.look(n, Seen::Absent);
    }
    assert_eq!(bench.decide(), [Command::Act(id(1))]);
    assert_eq!(bench.run.blocked(), [id(2)]);
}

#[test]
fn failures_back_off_and_are_shouted_about() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    for wait in [1, 2, 5, 10, 20, 40, 60, 60] {
        bench.look(1, Seen::Absent).fail(1, OutletError::later("unreachable", ""));
        assert!(bench.decide().is_empty());
        assert_eq!(bench.after(Span::secs(wait)).decide(), [Command::Look(id(1))]);
    }
    assert_eq!(bench.pages(), ["step-keeps-failing"]);
}

#[test]
fn a_moved_branch_is_held_or_left_aside() {
    let moved = || OutletError::ask_human("branch-moved", "");
    let mut leave = step(2, "safe", Phase::Gate);
    leave.on_move = Some(OnMove::Leave);
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate), leave]);
    for n in [1, 2] {
        bench.look(n, Seen::Absent).fail(n, moved());
    }
    assert_eq!(bench.run.blocked(), [id(1)]);
    assert_eq!(bench.decide(), [Command::Look(id(2))]);
    assert!(bench.run.progress(id(2)).unwrap().detoured);
    bench.look(2, Seen::Absent).fail(2, moved());
    assert_eq!(bench.run.blocked(), [id(1), id(2)]);
}

#[test]
fn late_looks_first() {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.after(Span::mins(14));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
    assert_eq!(bench.look(1, Seen::Absent).decide(), [Command::Go]);
}

#[test]
fn very_late_pages_and_waits_ten_minutes() {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.after(Span::hours(5));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
    bench.look(1, Seen::Absent);
    assert_eq!(bench.pages(), ["late-go-in-ten-minutes"]);
    assert!(bench.decide().is_empty());
    assert_eq!(bench.after(Span::mins(10)).decide(), [Command::Go]);
}

#[test]
fn later_than_six_hours_a_person_decides() {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.after(Span::hours(7));
    assert_eq!(bench.pages(), ["too-late-for-go"]);
    assert!(bench.decide().is_empty());
    bench.facts(|f| f.lifted = true);
    assert_eq!(bench.decide(), [Command::Go]);
}

#[test]
fn lifted_early_every_step_moves_with_go() {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.now = T.plus(Span::days(-3));
    assert!(bench.decide().is_empty());
    bench.facts(|f| f.lifted = true);
    assert_eq!(bench.decide(), [Command::Go]);
    let now = bench.now;
    bench.facts(|f| f.go = Some(GoRow::Go(now)));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
}

#[test]
fn after_go_a_clock_set_back_stops_nothing_that_go_opened() {
    let later = Step { not_before: T.plus(Span::mins(30)), ..step(2, "safe", Phase::Gate) };
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate), later]);
    bench.after(Span::hours(-1));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
}

/// Two notices a day before T0.
fn notices() -> Bench {
    let day_before = T.plus(Span::days(-1));
    let notice = |n| Step { not_before: day_before, ..step(n, "mail", Phase::Prepare) };
    let mut bench = Bench::new(PlanKind::Notice, vec![notice(1), notice(2)]);
    bench.now = day_before;
    bench
}

#[test]
fn notices_need_no_go_and_one_failure_never_delays_another() {
    let mut bench = notices();
    bench.look(1, Seen::CannotTell).fail(1, OutletError::never("refused", ""));
    assert_eq!(bench.decide(), [Command::Look(id(2))]);
    bench.facts(|f| f.held = true);
    assert!(bench.decide().is_empty());
}

#[test]
fn notices_wait_for_a_clock_that_can_be_trusted_and_end_at_t0() {
    let mut bench = notices();
    assert!(bench.run.decide(bench.now, false).is_empty());
    bench.now = T;
    assert!(bench.decide().is_empty());
}

#[test]
fn a_held_plan_at_t0_is_said() {
    let mut bench = Bench::release(vec![step(1, "safe", Phase::Gate)]);
    bench.facts(|f| f.held = true);
    assert_eq!(bench.pages(), ["held-at-t0"]);
    assert!(bench.decide().is_empty());
}

#[test]
fn a_day_that_is_held_half_way_is_said_until_it_goes_on_or_ends() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    bench.facts(|f| f.held = true);
    assert_eq!(bench.pages(), ["held-half-way"]);
    bench.facts(|f| f.held = false);
    assert!(bench.pages().is_empty());
    bench.look(1, Seen::Absent).tell(1, Happened::Intended).done(1);
    bench.facts(|f| f.held = true);
    assert!(bench.pages().is_empty(), "nothing is left to hold");
}

#[test]
fn without_announcements_it_is_public_once_the_gates_are() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    assert!(!bench.run.is_announced());
    bench.look(1, Seen::Absent).tell(1, Happened::Intended).done(1);
    assert!(bench.run.is_announced());
}

#[test]
fn an_old_look_keeps_its_doubt() {
    let mut bench = Bench::gone(vec![step(1, "mail", Phase::Announce)]);
    bench.look(1, Seen::CannotTell).tell(1, Happened::Intended).tell(1, Happened::Lost);
    bench.after(Span::mins(2)).look(1, Seen::CannotTell);
    bench.after(Span::mins(5)).look(1, Seen::CannotTell).tell(1, Happened::Intended);
    bench.tell(1, Happened::Lost).after(Span::mins(2)).look(1, Seen::CannotTell);
    assert_eq!(bench.run.blocked(), [id(1)], "one repeat, whatever happened between");
}

#[test]
fn hand_made_evidence_settles_and_late_answers_change_nothing() {
    let mut bench = Bench::gone(vec![step(1, "human", Phase::Gate)]);
    bench.look(1, Seen::Absent).tell(1, Happened::Intended);
    bench.tell(1, Happened::ByHand { by: "ada".into(), evidence: "https://x".into() });
    bench.tell(1, Happened::Failed { error: OutletError::later("late", "") });
    assert_eq!(bench.decide(), [Command::Finish]);
}

#[rstest]
#[case::delayed(Happened::Delayed { code: "4.2.2".into(), said: "full".into() })]
#[case::bounced(Happened::Bounced { code: "5.1.1".into(), said: "nobody".into() })]
#[case::read(Happened::Acknowledged { by: "F".into(), how: "reply".into() })]
fn whoever_writes_of_a_mail_has_had_it(#[case] later: Happened) {
    let mut bench = Bench::gone(vec![step(1, "mail", Phase::Gate), step(2, "mail", Phase::Gate)]);
    bench.look(1, Seen::CannotTell).tell(1, Happened::Intended).tell(1, Happened::Lost);
    bench.tell(1, later.clone()).tell(2, later);
    assert_eq!(bench.run.progress(id(1)).unwrap().status, Status::Done);
    assert_eq!(bench.run.progress(id(2)).unwrap().status, Status::Waiting, "it never left");
}

/// A wall clock that is set back by an hour while the monotonic one goes on.
struct SetBack(Bench, u64);

impl SetBack {
    fn new(mut bench: Bench) -> Self {
        bench.run.tick(bench.now, Mono::from_millis(0));
        bench.now = bench.now.plus(Span::hours(-1));
        bench.run.tick(bench.now, Mono::from_millis(0));
        Self(bench, 0)
    }

    fn after(&mut self, secs: u32) -> &mut Bench {
        self.1 += u64::from(secs) * 1000;
        self.0.now = self.0.now.plus(Span::secs(i64::from(secs)));
        self.0.run.tick(self.0.now, Mono::from_millis(self.1));
        &mut self.0
    }
}

#[test]
fn a_clock_set_back_lengthens_no_retry() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    bench.run.tick(bench.now, Mono::from_millis(0));
    bench.look(1, Seen::Absent).fail(1, OutletError::later("unreachable", ""));
    let mut back = SetBack::new(bench);
    assert!(back.after(0).decide().is_empty());
    let bench = back.after(1);
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
    // What fails now waits for its own time too, no more and no less.
    bench.look(1, Seen::Absent).fail(1, OutletError::later("unreachable", ""));
    assert!(back.after(1).decide().is_empty());
    assert_eq!(back.0.run.next_due(back.0.now), Some(back.0.now.plus(Span::secs(1))));
    assert_eq!(back.after(1).decide(), [Command::Look(id(1))]);
}

#[test]
fn a_clock_set_back_lengthens_no_doubt_and_loses_no_repeat() {
    let mut bench = Bench::gone(vec![step(1, "mail", Phase::Announce)]);
    bench.run.tick(bench.now, Mono::from_millis(0));
    bench.look(1, Seen::CannotTell).tell(1, Happened::Intended).tell(1, Happened::Lost);
    let mut back = SetBack::new(bench);
    assert!(back.after(119).decide().is_empty());
    assert_eq!(back.after(1).decide(), [Command::Look(id(1))]);
    assert_eq!(back.0.look(1, Seen::CannotTell).decide(), [Command::Act(id(1))]);
    back.0.tell(1, Happened::Intended).tell(1, Happened::Lost);
    back.after(120).look(1, Seen::CannotTell);
    assert_eq!(back.0.run.blocked(), [id(1)], "it was repeated once");
}

#[test]
fn a_clock_set_back_does_not_keep_announcements_from_going_anyway() {
    let steps = || vec![step(1, "safe", Phase::Gate), step(2, "mail", Phase::Announce)];
    let mut bench = Bench::gone(steps());
    bench.look(1, Seen::Conflict(String::new()));
    let mut back = SetBack::new(bench);
    assert!(back.after(899).decide().is_empty());
    assert_eq!(back.after(1).decide(), [Command::Look(id(2))]);
    // The same when the engine comes back to it after the clock was set.
    let mut bench = Bench::gone(steps());
    bench.look(1, Seen::Conflict(String::new()));
    bench.now = T.plus(Span::hours(-1));
    bench.run.tick(bench.now, Mono::from_millis(7));
    bench.run.tick(bench.now.plus(Span::mins(15)), Mono::from_millis(7 + 900_000));
    assert_eq!(bench.after(Span::mins(15)).decide(), [Command::Look(id(2))]);
}

/// A clock that was a day ahead for a moment, long before T0, hurries nothing after GO.
#[test]
fn a_clock_that_was_ahead_hurries_no_announcement() {
    let steps = vec![step(1, "safe", Phase::Gate), step(2, "mail", Phase::Announce)];
    let mut bench = Bench::release(steps);
    bench.run.tick(T.plus(Span::days(1)), Mono::from_millis(0));
    bench.run.tick(T, Mono::from_millis(1));
    bench.facts(|f| f.go = Some(GoRow::Go(T)));
    bench.look(1, Seen::Conflict(String::new()));
    assert!(bench.decide().is_empty());
    bench.run.tick(T.plus(Span::mins(15)), Mono::from_millis(1 + 900_000));
    assert_eq!(bench.after(Span::mins(15)).decide(), [Command::Look(id(2))]);
}

/// One notice that is due at `begin`.
fn notice(begin: At) -> Bench {
    let sealing = crate::domain::plan::Sealing {
        recipient: "con_1".into(),
        notice: crate::domain::news::NoticeKind::First,
        references: vec![],
        subject: "s".into(),
        clear_subject: "[...]".into(),
        fingerprints: vec![],
    };
    let mut notice = Step { not_before: begin, ..step(1, "mail", Phase::Prepare) };
    notice.sealing = Some(sealing);
    let mut bench = Bench::new(PlanKind::Notice, vec![notice]);
    bench.now = begin;
    bench
}

/// One notice, put off whenever it is tried, until it gives up; how long after the first try.
fn given_up_after(before_t0: Span) -> Span {
    let begin = T.plus(Span::millis(-before_t0.as_millis()));
    let mut bench = notice(begin);
    loop {
        bench.look(1, Seen::CannotTell).fail(1, OutletError::later("recipient-deferred", "451"));
        match bench.run.next_due(bench.now) {
            Some(at) if bench.run.blocked().is_empty() => bench.now = at,
            _ => break,
        }
    }
    let blocked = Status::Blocked { code: GAVE_UP.into() };
    assert_eq!(bench.run.progress(id(1)).unwrap().status, blocked);
    assert_eq!(bench.pages(), if bench.now < T { vec!["step-blocked"] } else { vec![] });
    // A person may let it try again, and it has its whole time again.
    bench.tell(1, Happened::Released { by: "ada".into(), reason: "greylisted".into() });
    bench.look(1, Seen::CannotTell).fail(1, OutletError::later("recipient-deferred", "451"));
    assert_eq!(bench.run.blocked(), []);
    bench.now.since(begin)
}

#[rstest]
#[case::a_week_ahead(Span::days(7), Span::mins(24 * 60 - 15), Span::days(1))]
#[case::half_a_day_ahead(Span::hours(12), Span::mins(11 * 60 - 15), Span::hours(11))]
#[case::at_the_last_moment(Span::mins(40), Span::mins(6), Span::mins(15))]
fn a_notice_that_is_put_off_gives_up_in_time_for_a_telephone_call(
    #[case] before_t0: Span,
    #[case] at_least: Span,
    #[case] at_most: Span,
) {
    let tried = given_up_after(before_t0);
    assert!(at_least <= tried && tried <= at_most, "{} s", tried.as_secs());
}

/// Held, or without an engine: nobody tried, so nobody gives up.
#[test]
fn only_time_in_which_it_was_tried_counts() {
    let begin = T.plus(Span::days(-10));
    let mut bench = notice(begin);
    let mut tries = 0;
    while bench.run.blocked().is_empty() {
        bench.look(1, Seen::CannotTell).tell(1, Happened::Intended);
        // The relay takes its time for the answer.
        bench.after(Span::secs(5));
        let error = OutletError::later("recipient-deferred", "451");
        bench.tell(1, Happened::Failed { error });
        tries += 1;
        bench.now = bench.run.next_due(bench.now).unwrap_or(bench.now);
        if [3, 40, 60].contains(&tries) {
            bench.after(Span::days(2));
        }
    }
    let took = bench.now.since(begin).minus(Span::days(6));
    assert!(
        Span::hours(23) < took && took <= Span::days(1).plus(Span::mins(1)),
        "{}",
        took.as_secs()
    );
    assert!((90..110).contains(&tries), "{tries} tries");
    // A clock that was set back undoes no try, and one set ahead is no try.
    let mut bench = notice(begin);
    for hours in [0, -3, 200, -200, 100] {
        bench.after(Span::hours(hours));
        bench.look(1, Seen::CannotTell).fail(1, OutletError::later("recipient-deferred", "451"));
        assert_eq!(bench.run.blocked(), [], "{hours}");
    }
}

#[test]
fn whoever_was_not_tried_comes_before_whoever_was() {
    let mut bench = notices();
    bench.look(1, Seen::CannotTell).fail(1, OutletError::later("deferred", ""));
    bench.after(Span::hours(1));
    assert_eq!(bench.decide(), [Command::Look(id(2)), Command::Look(id(1))]);
}

/// A Headsup that goes out at `T` and announces what happens `ahead` later.
fn headsup(ahead: Span, at_once: bool) -> Bench {
    let mut manifest = Bench::manifest(PlanKind::Headsup, vec![step(1, "mail", Phase::Announce)]);
    manifest.announces = Some(T.plus(ahead));
    manifest.made_at = if at_once { T } else { T.plus(Span::days(-1)) };
    Bench::of(&manifest)
}

#[test]
fn a_headsup_goes_at_its_own_instant_and_never_after_what_it_announces() {
    let mut bench = headsup(Span::days(7), false);
    bench.now = T.plus(Span::millis(-1));
    assert!(bench.decide().is_empty());
    bench.now = T;
    assert_eq!(bench.decide(), [Command::Go]);
    assert!(bench.run.decide(T, false).is_empty(), "not by a clock that cannot be trusted");
    bench.facts(|f| f.go = Some(GoRow::Go(T)));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
    assert!(bench.run.decide(T, false).is_empty(), "before T0 doubt sends nothing");
    bench.after(Span::days(7));
    assert!(bench.decide().is_empty(), "there is nothing left to announce");
    assert_eq!(bench.pages(), ["headsup-too-late"]);
    bench.facts(|f| f.go = None);
    assert!(bench.decide().is_empty());
    assert_eq!(bench.pages(), ["headsup-too-late"]);
}

#[test]
fn a_headsup_by_the_clock_is_late_and_one_at_once_is_not() {
    let mut by_clock = headsup(Span::days(7), false);
    by_clock.after(Span::hours(7));
    assert!(by_clock.decide().is_empty());
    assert_eq!(by_clock.pages(), ["too-late-for-go"]);
    let mut at_once = headsup(Span::days(7), true);
    at_once.after(Span::hours(7));
    assert_eq!(at_once.decide(), [Command::Go]);
    at_once.facts(|f| f.held = true);
    assert!(at_once.decide().is_empty());
}

/// Within the span in which the world may not show it yet, absence proves nothing.
#[rstest]
#[case("slow", vec![Command::Act(id(1))])]
#[case("slow-human", vec![])]
fn a_late_world_makes_nobody_act_twice(#[case] outlet: &str, #[case] then: Vec<Command>) {
    let mut bench = Bench::gone(vec![step(1, outlet, Phase::Gate)]);
    bench.look(1, Seen::Absent).fail(1, OutletError::unknown("cut", ""));
    for seconds in (0..300).step_by(10) {
        assert_eq!(bench.decide(), [Command::Look(id(1))], "after {seconds} s");
        bench.look(1, if seconds % 20 == 0 { Seen::Absent } else { Seen::CannotTell });
        assert!(bench.decide().is_empty() && bench.run.blocked().is_empty(), "{seconds} s");
        assert_eq!(bench.run.next_due(bench.now), Some(bench.now.plus(Span::secs(10))));
        bench.after(Span::secs(10));
    }
    // It appears late, and that is all.
    let mut late = Bench { run: bench.run.clone(), now: bench.now };
    assert_eq!(late.look(1, Seen::Present(Receipt::seen(""))).decide(), [Command::Finish]);
    // It does not appear: now that is certain.
    assert_eq!(bench.look(1, Seen::Absent).decide(), then);
    assert_eq!(bench.run.blocked().is_empty(), !then.is_empty());
}

#[test]
fn what_is_on_its_way_keeps_its_doubt_and_is_said_after_ten_minutes() {
    let mut bench = Bench::gone(vec![step(1, "mail", Phase::Announce)]);
    bench.look(1, Seen::CannotTell).fail(1, OutletError::unknown("cut", ""));
    bench.after(Span::mins(2));
    for _ in 0..60 {
        assert_eq!(bench.decide(), [Command::Look(id(1))]);
        let now = bench.now;
        assert!(bench.look(1, Seen::Underway(now)).decide().is_empty());
        bench.after(Span::secs(10));
    }
    assert!(bench.pages().is_empty());
    let now = bench.now;
    bench.look(1, Seen::Underway(now));
    assert_eq!(bench.pages(), ["step-not-seen"]);
    bench.after(Span::secs(10)).look(1, Seen::CannotTell);
    assert_eq!(bench.decide(), [Command::Act(id(1))]);
    bench.fail(1, OutletError::unknown("cut", "")).after(Span::mins(2)).look(1, Seen::Absent);
    assert_eq!(bench.run.blocked(), [id(1)], "it was repeated once");
}

#[test]
fn a_world_that_asks_to_be_left_alone_is() {
    let mut bench = Bench::gone(vec![step(1, "safe", Phase::Gate)]);
    let busy = OutletError::later("busy", "").not_within(Some(Span::secs(90)));
    bench.look(1, Seen::Absent).fail(1, busy).after(Span::secs(89));
    assert!(bench.decide().is_empty());
    assert_eq!(bench.after(Span::secs(1)).decide(), [Command::Look(id(1))]);
    let for_ever = OutletError::later("busy", "").not_within(Some(Span::days(9)));
    bench.look(1, Seen::Absent).fail(1, for_ever).after(Span::hours(1));
    assert_eq!(bench.decide(), [Command::Look(id(1))], "an hour at most");
}

/// The log is read again by an engine whose clock was set back meanwhile.
#[test]
fn a_repeat_is_counted_however_the_log_is_read() {
    let mut bench = Bench::gone(vec![step(1, "slow", Phase::Gate)]);
    bench.look(1, Seen::Absent).fail(1, OutletError::unknown("cut", ""));
    bench.after(Span::hours(-1)).look(1, Seen::Absent).tell(1, Happened::Intended);
    assert_eq!(bench.run.progress(id(1)).unwrap().repeats, 1);
}

/// A mail whose fate can be looked up is looked up before it would go again.
#[test]
fn a_mail_that_can_be_found_is_looked_for_before_it_is_repeated() {
    let mut bench = Bench::gone(vec![step(1, "looked-after", Phase::Announce)]);
    bench.look(1, Seen::Absent).fail(1, OutletError::unknown("cut", ""));
    for _ in 0..11 {
        assert!(bench.decide().is_empty());
        assert_eq!(bench.after(Span::secs(10)).decide(), [Command::Look(id(1))]);
        bench.look(1, Seen::Absent);
    }
    assert!(bench.decide().is_empty());
    let mut found = Bench { run: bench.run.clone(), now: bench.now };
    found.look(1, Seen::Present(Receipt::handed_over("")));
    assert_eq!(found.decide(), [Command::Finish]);
    bench.after(Span::secs(10));
    assert_eq!(bench.decide(), [Command::Look(id(1))]);
    assert_eq!(bench.look(1, Seen::Absent).decide(), [Command::Act(id(1))]);
}
