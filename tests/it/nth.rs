//! The Nth call of the database fails, for all N, on a full day: each such day ends as one on which
//! nothing failed, nothing early, nothing twice. And a database that fails around T0 for long.
//!
//! Every thirteenth call unless `DAYBREAK_NTH=1` asks for each: a full day is a quarter of a second.

use std::sync::OnceLock;

use daybreak::domain::time::Span;
use daybreak::store::Fault;
use daybreak::town::simulate::{Stroke, Struck, struck};
use rstest::rstest;

use crate::simulate::case;

/// The day on which nothing fails.
fn calm(notices: bool) -> &'static Struck {
    static DAYS: [OnceLock<Struck>; 2] = [const { OnceLock::new() }; 2];
    DAYS[usize::from(notices)].get_or_init(|| {
        let calm = struck(case(), notices, Stroke::None);
        assert_eq!((&calm.broken, calm.struck), (&None, 0));
        assert!(calm.calls > 100, "{} calls are no full day", calm.calls);
        assert!(calm.end.iter().filter(|e| e.ends_with("done")).count() > 5, "{calm:?}");
        calm
    })
}

/// Every day on which something happens to the call after the first `first`, `first + stride`
/// and so on, until there is no such call any more.
fn every(notices: bool, (many, fault): (u64, Fault), first: u64) {
    let calm = calm(notices);
    let stride: usize = std::env::var("DAYBREAK_NTH").map_or(13, |n| n.parse().unwrap());
    let first = first % u64::try_from(stride).unwrap();
    for after in (first..).step_by(stride) {
        let day = struck(case(), notices, Stroke::Calls { after, many, fault });
        assert_eq!((&day.broken, &day.end), (&None, &calm.end), "after {after} calls: {day:?}");
        if !notices {
            let gone = day.gone.unwrap();
            assert!(gone >= Span::ZERO && gone < Span::mins(5), "after {after} calls: {day:?}");
        }
        if day.struck == 0 {
            assert!(after >= calm.calls, "nothing happened to call {after}");
            return;
        }
    }
}

/// Taken away, done but unanswered, or twenty in a row.
#[rstest]
fn a_call_that_fails_changes_no_day(
    #[values(false, true)] notices: bool,
    #[values((1, Fault::Away, 0), (1, Fault::AnswerLost, 3), (20, Fault::Away, 6))] stroke: (
        u64,
        Fault,
        u64,
    ),
) {
    let (many, fault, first) = stroke;
    every(notices, (many, fault), first);
}

/// A minute before T0 the disk is full or the database is gone, for six minutes: a person is
/// called before T0, nothing is early or without its durable intent, and the day goes late.
#[rstest]
fn a_database_that_fails_over_t0_delays_the_day_and_a_person_hears(
    #[values(Fault::Full, Fault::Away)] fault: Fault,
) {
    let (from, to) = (Span::secs(-60), Span::mins(5));
    let day = struck(case(), false, Stroke::While { from, to, fault });
    let calm = calm(false);
    assert_eq!((&day.broken, &day.end), (&None, &calm.end), "{day:?}");
    let gone = day.gone.unwrap();
    assert!(gone >= to && gone < to.plus(Span::secs(30)), "{day:?}");
    assert!(day.struck > 20 && day.bells > calm.bells, "nobody heard by T0: {day:?}");
}
