//! Days that never were: whatever goes wrong, nothing goes out early and no day stops half-way.
//! More of them are lived by `daybreak simulate`.

use std::sync::OnceLock;

use daybreak::town::simulate::{Case, many, one};

/// Kept as long as the tests run: the town that the case was made in lives on it.
pub fn case() -> &'static Case {
    static CASE: OnceLock<(tokio::runtime::Runtime, Case)> = OnceLock::new();
    let (_, case) = CASE.get_or_init(|| {
        let town = tokio::runtime::Builder::new_multi_thread();
        let town = { town }.worker_threads(1).enable_all().build().unwrap();
        let case = town.block_on(Case::new()).unwrap();
        (town, case)
    });
    case
}

#[test]
fn every_day_goes_as_it_must() {
    let summary = many(case(), 0..60, &|_, _| {});
    assert!(summary.failures.is_empty(), "{:#?}", summary.failures);
    assert_eq!(summary.days, 60);
    assert!(summary.happened > 200, "hardly anything happened: {}", summary.happened);
}

/// Each showed a fault once. 180: a clock ahead of T0 put right again. 62: a line of a wrong clock
/// in the log, after which people and engine counted a wait differently; 406: the same again. 7004:
/// somebody set a clock by less than anybody can notice, which is no wrong clock.
#[test]
fn days_that_went_wrong_once_go_as_they_must() {
    for seed in [62, 180, 406, 7004] {
        let day = one(case(), seed);
        assert_eq!(day.broken, None, "seed {seed}");
    }
}

#[test]
fn the_same_seed_is_the_same_day() {
    for seed in [3, 17, 40] {
        let (first, again) = (one(case(), seed), one(case(), seed));
        assert_eq!(first.trace, again.trace, "seed {seed}");
        assert_ne!(first.trace, one(case(), seed + 1).trace);
    }
}
