//! The watch by itself; whole days by bad clocks are in `tests/it/clock.rs`.

use super::*;

fn at(secs: i64) -> At {
    At::from_secs(1_000_000 + secs)
}

fn mono(secs: u64) -> Mono {
    Mono::from_millis(secs * 1000)
}

fn watch(high_water: At) -> ClockWatch {
    ClockWatch::new(high_water, config::Clock::default())
}

#[test]
fn steady_clocks_are_trusted() {
    let mut watch = watch(at(0));
    for s in 0..100 {
        assert_eq!(watch.observe(at(s), mono(s as u64)), None);
    }
}

#[test]
fn a_jump_either_way_is_suspect_until_steady_for_a_minute() {
    for jump in [86_400, -86_400, 3, -3] {
        let mut watch = watch(at(-200_000));
        assert_eq!(watch.observe(at(0), mono(0)), None);
        assert_eq!(watch.observe(at(1 + jump), mono(1)), Some(Suspicion::Jumped));
        assert_eq!(watch.observe(at(60 + jump), mono(60)), Some(Suspicion::Jumped));
        assert_eq!(watch.observe(at(61 + jump), mono(61)), None);
    }
}

#[test]
fn many_small_steps_are_one_large_one() {
    let mut watch = watch(at(0));
    assert_eq!(watch.observe(at(0), mono(0)), None);
    assert_eq!(watch.observe(At::from_millis(at(11).millis() + 500), mono(10)), None);
    assert_eq!(watch.observe(at(23), mono(20)), Some(Suspicion::Jumped));
}

/// 500 millionths are the most by which a time server's client bends a clock.
#[test]
fn a_clock_that_is_bent_into_place_is_trusted() {
    let mut watch = watch(at(0));
    for s in 0..20_000_i64 {
        let bent = At::from_millis(at(s).millis() + s / 2);
        assert_eq!(watch.observe(bent, mono(s as u64)), None, "after {s} s");
    }
}

#[test]
fn one_wrong_reading_forbids_nothing_for_longer_than_a_minute() {
    let mut watch = watch(at(0));
    assert_eq!(watch.observe(at(0), mono(0)), None);
    assert!(watch.observe(at(72_000), mono(1)).is_some());
    assert!(watch.observe(at(2), mono(2)).is_some());
    assert_eq!(watch.high_water(), at(0));
    assert_eq!(watch.observe(at(62), mono(62)), None);
    assert_eq!(watch.high_water(), at(0), "it was set, and nobody vouches for it");
    watch.hear(Testimony::Shows(at(63)), (at(63), at(63)));
    assert_eq!(watch.observe(at(63), mono(63)), None);
    assert_eq!(watch.high_water(), at(63));
}

#[test]
fn a_clock_behind_the_database_is_not_trusted() {
    let mut watch = watch(at(100));
    assert_eq!(watch.observe(at(0), mono(0)), Some(Suspicion::Behind));
    assert_eq!(watch.observe(at(99), mono(99)), None);
}

#[test]
fn a_clock_that_nobody_keeps_is_not_trusted_and_raises_no_mark() {
    let mut watch = watch(at(0));
    let now = (at(0), at(0));
    watch.hear(Testimony::Unsynchronised, now);
    assert_eq!(watch.observe(at(0), mono(0)), Some(Suspicion::Unsynchronised));
    assert_eq!(watch.observe(at(90), mono(90)), Some(Suspicion::Unsynchronised));
    assert_eq!(watch.high_water(), at(0));
    watch.hear(Testimony::Silent, now);
    assert_eq!(watch.observe(at(91), mono(91)), Some(Suspicion::Unsynchronised));
    watch.hear(Testimony::Synchronised { within: Span::millis(3) }, now);
    assert_eq!(watch.observe(at(92), mono(92)), None);
    assert_eq!(watch.high_water(), at(92), "it never jumped");
}

#[test]
fn a_witness_that_need_not_be_heeded_stops_nothing() {
    let heeds = config::Clock { require_sync: false, ask_database: false };
    let mut watch = ClockWatch::new(at(0), heeds);
    watch.hear(Testimony::Unsynchronised, (at(0), at(0)));
    watch.hear(Testimony::Shows(at(500)), (at(0), at(0)));
    assert_eq!(watch.observe(at(0), mono(0)), None);
}

/// How long the answer took is no disagreement.
#[test]
fn the_databases_clock_may_lie_anywhere_between_question_and_answer() {
    for (shows, trusted) in [(-3, false), (-2, true), (0, true), (5, true), (7, true), (8, false)] {
        let mut watch = watch(at(0));
        watch.hear(Testimony::Shows(at(shows)), (at(0), at(5)));
        let wanted = (!trusted).then_some(Suspicion::Disagrees);
        assert_eq!(watch.observe(at(5), mono(5)), wanted, "{shows}");
    }
}

#[test]
fn who_asks_for_a_start_at_once_needs_no_witness_but_a_clock_that_stands() {
    let bars = |s: Suspicion| (s.bars(false), s.bars(true));
    assert_eq!(bars(Suspicion::Jumped), (true, true));
    assert_eq!(bars(Suspicion::Behind), (true, true));
    assert_eq!(bars(Suspicion::Unsynchronised), (true, false));
    assert_eq!(bars(Suspicion::Disagrees), (true, false));
}
