//! `daybreak bench day` and `bench queue` do what they say in small runs; what the figures are is
//! no test's matter, except that nothing is ever early.

use assert_cmd::Command;
use serde_json::Value;

/// What a bench printed; a missed bound is no failure here.
fn bench(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(["--json", "bench"])
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    let said = serde_json::from_slice(&output.stdout);
    let said: Value =
        said.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), said["met"].as_bool().unwrap(), "{said}");
    said
}

/// Every figure is a number; those that have a bound say which.
fn bounds(said: &Value) -> Vec<(String, f64)> {
    let figures = said["figures"].as_array().unwrap();
    assert!(figures.iter().all(|f| f["value"].is_number()), "{said}");
    let bound = figures.iter().filter(|f| !f["bound"].is_null());
    bound.map(|f| (f["name"].as_str().unwrap().to_owned(), f["value"].as_f64().unwrap())).collect()
}

#[test]
fn queue_measures_commits_effects_and_turns() {
    if !super::bench::have("git") {
        return;
    }
    let small = ["--rounds", "1", "--commits", "8", "--steps", "5", "--past", "3"];
    let said = bench(&[&["queue"], small.as_slice()].concat());
    let bounds = bounds(&said);
    let names: Vec<_> = bounds.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "commits by appends",
            "among others by alone",
            "a turn, with the steps by nothing there",
            "a turn, with the past by nothing there",
            "a turn after a write, with the steps by nothing there",
            "a turn after a write, with the past by nothing there",
        ]
    );
    assert!(bounds.iter().all(|(_, value)| *value > 0.0), "{said}");
}

#[test]
fn day_measures_its_beginning_its_pushes_and_its_length_and_nothing_is_early() {
    if !super::bench::have("git") {
        return;
    }
    let said = bench(&["day", "--times", "1", "--rounds", "1"]);
    let bounds = bounds(&said);
    let names: Vec<_> = bounds.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "GO after T0, p99",
            "early",
            "at once by in a row",
            "first to last public byte, p50",
            "days with an early byte",
        ]
    );
    let early = |name: &str| bounds.iter().find(|(n, _)| n == name).unwrap().1;
    assert_eq!((early("early"), early("days with an early byte")), (0.0, 0.0), "{said}");
}
