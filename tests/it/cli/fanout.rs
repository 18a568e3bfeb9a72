//! `daybreak bench` tells the truth about small runs; what the figures are is no test's matter.

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
        for figure in [&row["ours"]["cpu_ms"], &row["gpg"]["cpu_ms"], &row["gpg"]["wall_ms"]] {
            assert!(figure.as_f64().unwrap() > 0.0, "{row}");
        }
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
