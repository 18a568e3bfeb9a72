//! `daybreak bench` tells the truth about small runs; what the figures are is no test's matter.

use std::ffi::OsStr;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

fn bench(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(["--json", "bench", "fanout"])
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn fanout_puts_both_beside_each_other_after_gpg_opened_a_sample() {
    if !super::bench::have("gpg") {
        return;
    }
    let said = bench(&["--recipients", "2", "--rounds", "1", "--size", "3000", "--no-bound"]);
    assert_eq!((said["recipients"].as_u64(), said["size"].as_u64()), (Some(2), Some(3000)));
    let rows = said["rows"].as_array().unwrap();
    let ways: Vec<_> = rows.iter().map(|r| r["way"].as_str().unwrap()).collect();
    assert_eq!(ways, ["full", "shared"]);
    for row in rows {
        for figure in [&row["ours"]["cpu_ms"], &row["gpg"]["wall_ms"]] {
            assert!(figure.as_f64().unwrap() > 0.0, "{row}");
        }
        // Counted in steps of ten milliseconds, which two short runs may not reach.
        assert!(row["gpg"]["cpu_ms"].as_f64().unwrap() >= 0.0, "{row}");
        assert!(row["bound_ms"].is_null());
    }
}

#[test]
fn sealing_a_large_body_to_many_takes_little_memory() {
    // Ten bodies of 20 MB are 200 MB of text and 270 MB of armor.
    let said = bench(&["--memory-of", "full", "--recipients", "10", "--size", "20000000"]);
    let above = said["peak_bytes"].as_u64().unwrap() - said["idle_bytes"].as_u64().unwrap();
    assert!(above < 64 << 20, "{above} bytes above idle");
}

fn against_schleuder(path: &OsStr, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(["--json", "bench", "schleuder"])
        .args(args)
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn a_missing_schleuder_is_said_with_the_line_that_installs_it() {
    let output = against_schleuder(OsStr::new("/nonexistent"), &[]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), b"".as_slice()));
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(said["error"].as_str().unwrap().contains("schleuder is not installed"), "{said}");
    assert_eq!(said["help"], "apt-get install --no-install-recommends schleuder");
}

/// Runs where somebody installed it; nobody must, as it brings a mail server and all of Ruby.
#[test]
fn schleuder_and_ours_bring_one_text_to_the_same_people() {
    let path = std::env::var_os("PATH").unwrap();
    if !Command::new("schleuder").arg("version").output().is_ok_and(|o| o.status.success()) {
        eprintln!("not run: no schleuder");
        return;
    }
    let args = ["--recipients", "2", "--rounds", "1", "--size", "900"];
    let output = against_schleuder(&path, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((said["recipients"].as_u64(), said["size"].as_u64()), (Some(2), Some(900)));
    let lists = said["schleuder"].as_array().unwrap();
    let keys: Vec<_> = lists.iter().map(|list| list["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["RSA 4096", "Ed25519"]);
    for side in lists.iter().chain([&said["ours"]]) {
        for figure in ["cpu_ms", "wall_ms", "peak_bytes", "mail_bytes"] {
            assert!(side[figure].as_f64().unwrap() > 0.0, "{side}");
        }
    }
}
