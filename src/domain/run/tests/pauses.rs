//! Pauses delay and never stop.

use super::*;
use crate::domain::ids::HolderId;
use crate::domain::pause::{Pause, Word};
use crate::domain::secret::Embargoed;

fn pause(phase: Phase, holds: Span) -> Pause {
    let word = Word { by: "Ada".into(), reason: "to see".into() };
    Pause { phase, holds, until: None, session: None, word: Embargoed::new(word) }
}

/// A pause of a terminal that was alive until then.
fn attended(phase: Phase, until: At) -> Pause {
    let session = Some(HolderId::new(T, [7; 10]));
    Pause { until: Some(until), session, ..pause(phase, Span::mins(10)) }
}

fn day() -> Vec<Step> {
    vec![
        step(1, "safe", Phase::Gate),
        step(2, "safe", Phase::Gate),
        step(3, "mail", Phase::Announce),
        Step { after: vec![id(3)], ..step(4, "safe", Phase::Announce) },
        step(5, "safe", Phase::FollowUp),
    ]
}

impl Bench {
    fn paused(steps: Vec<Step>, pauses: &[Pause]) -> Self {
        let mut bench = Self::release(steps);
        bench.run.heed(pauses);
        bench
    }

    fn go(&mut self) -> &mut Self {
        let now = self.now;
        self.facts(|f| f.go = Some(GoRow::Go(now)));
        self
    }
}

#[test]
fn a_pause_before_the_gate_keeps_go_back_and_ends_by_itself() {
    let mut bench = Bench::paused(day(), &[pause(Phase::Gate, Span::mins(10))]);
    bench.now = T.plus(Span::secs(-1));
    assert!(bench.decide().is_empty() && bench.pages().is_empty(), "nothing waits for it yet");
    bench.now = T;
    assert!(bench.decide().is_empty());
    assert_eq!(bench.pages(), ["paused-between-phases"]);
    assert_eq!(bench.run.next_due(T), Some(T.plus(Span::mins(10))));
    bench.now = T.plus(Span::mins(10)).plus(Span::millis(-1));
    assert!(bench.decide().is_empty());
    // Late as it is now, it looks first; nobody has to say anything.
    bench.now = T.plus(Span::mins(10));
    assert_eq!(bench.decide().len(), 5);
    (1..=5).for_each(|n| _ = bench.look(n, Seen::Absent));
    assert_eq!(bench.decide(), [Command::Go]);
}

#[test]
fn a_word_before_t0_brings_no_go_before_t0() {
    let mut bench = Bench::paused(day(), &[pause(Phase::Gate, Span::mins(10))]);
    bench.now = T.plus(Span::hours(-1));
    bench.run.heed(&[]);
    assert!(bench.decide().is_empty());
    bench.now = T;
    assert_eq!(bench.decide(), [Command::Go]);
    // The word comes three seconds late: that is still on time.
    let mut bench = Bench::paused(day(), &[pause(Phase::Gate, Span::mins(10))]);
    assert!(bench.after(Span::secs(3)).decide().is_empty());
    bench.run.heed(&[]);
    assert_eq!(bench.decide(), [Command::Go]);
}

#[test]
fn whoever_starts_a_plan_early_passes_a_pause_before_go() {
    let mut bench = Bench::paused(day(), &[pause(Phase::Gate, Span::mins(10))]);
    bench.now = T.plus(Span::days(-1));
    bench.facts(|f| f.lifted = true);
    assert_eq!(bench.decide(), [Command::Go]);
}

#[test]
fn a_pause_between_phases_holds_from_when_the_phase_is_reached() {
    let mut bench = Bench::paused(day(), &[pause(Phase::Announce, Span::mins(5))]);
    bench.go();
    assert_eq!(bench.decide(), [Command::Look(id(1)), Command::Look(id(2))]);
    bench.look(1, Seen::Present(Receipt::seen(""))).after(Span::mins(4));
    assert_eq!(bench.run.paused_until(Phase::Announce, bench.now), None, "not reached");
    bench.look(2, Seen::Present(Receipt::seen("")));
    assert!(bench.decide().is_empty());
    assert_eq!(bench.pages(), ["paused-between-phases"]);
    assert_eq!(bench.run.next_due(bench.now), Some(bench.now.plus(Span::mins(5))));
    let mut told = Bench { run: bench.run.clone(), now: bench.now };
    told.run.heed(&[]);
    assert_eq!(told.decide(), [Command::Look(id(3))]);
    // Without a word it goes on by itself, and asking anew prolongs nothing.
    bench.run.heed(&[pause(Phase::Announce, Span::mins(5))]);
    assert_eq!(bench.after(Span::mins(5)).decide(), [Command::Look(id(3))]);
    assert!(bench.pages().is_empty());
}

#[test]
fn no_pause_outlasts_what_goes_anyway() {
    let mut bench = Bench::paused(day(), &[pause(Phase::Announce, Span::mins(10))]);
    bench.go().look(1, Seen::Present(Receipt::seen(""))).after(Span::mins(12));
    bench.look(2, Seen::Present(Receipt::seen("")));
    assert!(bench.decide().is_empty());
    assert!(bench.after(Span::secs(179)).decide().is_empty());
    let all = [3, 4, 5].map(|n| Command::Look(id(n)));
    assert_eq!(bench.after(Span::secs(1)).decide(), all);
}

#[test]
fn what_began_goes_on() {
    let mut bench = Bench::paused(day(), &[]);
    bench.go();
    (1..=2).for_each(|n| _ = bench.look(n, Seen::Present(Receipt::seen(""))));
    bench.look(3, Seen::Absent).tell(3, Happened::Intended);
    bench.run.heed(&[pause(Phase::Announce, Span::mins(10))]);
    bench.tell(3, Happened::Failed { error: OutletError::later("unreachable", "") });
    assert_eq!(bench.after(Span::secs(1)).decide(), [Command::Look(id(3))]);
    bench.look(3, Seen::Absent);
    assert_eq!(bench.decide(), [Command::Act(id(3))], "its phase is under way");
    bench.done(3);
    assert!(bench.decide().is_empty(), "the next of the phase had not begun");
}

#[test]
fn a_terminal_that_is_gone_keeps_nothing_waiting() {
    let lapses = T.plus(Span::secs(30));
    let mut bench = Bench::paused(day(), &[attended(Phase::Gate, lapses)]);
    assert!(bench.decide().is_empty());
    assert!(bench.pages().is_empty(), "whoever is asked sits at it");
    bench.now = lapses;
    assert_eq!(bench.decide().len(), 5, "it looks, then goes");
    // Renewed, it holds on; after a minute without an answer the others hear of it.
    bench.run.heed(&[attended(Phase::Gate, T.plus(Span::mins(9)))]);
    bench.now = T.plus(Span::secs(60));
    assert!(bench.decide().is_empty());
    assert_eq!(bench.pages(), ["paused-between-phases"]);
}

#[test]
fn a_clock_set_back_lengthens_no_pause() {
    let mut bench = Bench::paused(day(), &[pause(Phase::Announce, Span::mins(5))]);
    bench.go().run.tick(T, Mono::from_millis(0));
    (1..=2).for_each(|n| _ = bench.look(n, Seen::Present(Receipt::seen(""))));
    let mut back = SetBack::new(bench);
    assert!(back.after(299).decide().is_empty());
    assert_eq!(back.after(1).decide(), [Command::Look(id(3))]);
}

/// The log read again knows since when a phase could begin.
#[test]
fn a_restart_begins_no_pause_anew() {
    let mut bench = Bench::paused(day(), &[pause(Phase::FollowUp, Span::mins(5))]);
    bench.go();
    for n in [1, 2, 3, 4] {
        bench.look(n, Seen::Present(Receipt::handed_over("")));
    }
    // Later words about a mail are no reason to wait longer.
    bench.after(Span::mins(4));
    bench.tell(3, Happened::Delayed { code: "4.2.2".into(), said: String::new() });
    assert!(bench.decide().is_empty());
    assert_eq!(bench.after(Span::mins(1)).decide(), [Command::Look(id(5))]);
}
