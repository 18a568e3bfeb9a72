//! Manners: where things are printed, what a closed pipe does, what `init` never overwrites.

use super::bench::{Bench, text};

#[test]
fn data_goes_out_as_json_and_errors_stay_on_stderr() {
    let Some(bench) = Bench::with_house() else { return };
    assert_eq!(bench.json(&["team", "list"]).as_array().unwrap().len(), 2);
    bench.distributor("Heath");
    let made =
        bench.json(&["advisory", "new", "--from", text(&bench.advisory_file("x_m-2026-0001"))]);
    assert!(made["id"].as_str().unwrap().starts_with("adv_"));
    bench.json(&["disclosure", "new", "--advisory", "x_m-2026-0001"]);
    for args in [
        &["distributor", "list"][..],
        &["distributor", "show", "Heath"],
        &["distributor", "check"],
        &["advisory", "list"],
        &["advisory", "show", "x_m-2026-0001"],
        &["advisory", "check", "x_m-2026-0001"],
        &["disclosure", "list"],
        &["disclosure", "show", "x_m-2026-0001"],
        &["plan", "list", "x_m-2026-0001"],
        &["config", "show"],
        &["audit", "export", "x_m-2026-0001"],
        &["doctor"],
    ] {
        bench.json(args);
    }
    let said = bench.run(&["--json", "plan", "make", "x_m-2026-0001", "--kind", "notice"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    let error: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert!(error["error"].as_str().unwrap().contains("no instant is set"), "{error}");
    assert!(error["help"].as_str().unwrap().contains("disclosure move"), "{error}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test closes the pipe that the program writes to")]
fn a_reader_that_stops_reading_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_daybreak"))
        .args(["advisory", "new", "--template"])
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    assert_eq!(status.stderr, b"");
}

#[test]
fn usage_is_told_apart_and_help_goes_to_stdout() {
    let Some(bench) = Bench::new() else { return };
    assert_eq!(bench.run(&["team", "fly"]).code, 2);
    assert_eq!(bench.run(&["plan", "make", "x", "--kind", "party"]).code, 2);
    let help = bench.run(&["disclosure", "add-patch", "--help"]);
    assert!(help.code == 0 && help.out.contains("Example:") && help.err.is_empty(), "{help:?}");
    let none = bench.run(&["team", "list"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("daybreak init DIR"), "{none:?}");
}

#[test]
fn init_takes_over_no_ones_files() {
    let Some(bench) = Bench::new() else { return };
    let house = bench.path("house");
    let init = ["init", text(&house), "--name", "Meadow", "--address", "s@meadow.example"];
    bench.key("Team <s@meadow.example>", &[]);
    let key = bench.gpg(&["--armor", "--export-secret-keys", "s@meadow.example"], b"");
    let file = bench.write("house/team.key", &key);
    let said = bench.run(&[&init[..], &["--team-key", text(&file)]].concat());
    assert!(said.code == 1 && said.err.contains("team.key"), "{said:?}");
    assert_eq!(std::fs::read(&file).unwrap(), key, "the only copy of a secret key");
    assert!(!house.join("vault.key").exists() && !house.join("daybreak.toml").exists());

    let moved = bench.path("moved.key");
    std::fs::rename(&file, &moved).unwrap();
    let bad =
        bench.run(&["init", text(&house), "--name", "Mea\"dow", "--address", "s@meadow.example"]);
    assert!(bad.code == 1 && bad.err.contains("`name`"), "{bad:?}");
    let public = bench.certificate("s@meadow.example");
    let bad = bench.run(&[&init[..], &["--team-key", text(&public)]].concat());
    assert!(bad.code == 1 && bad.err.contains("`team key`"), "{bad:?}");
    assert_eq!(std::fs::read_dir(&house).unwrap().count(), 0, "something was left behind");

    let made = bench.ok(&[&init[..], &["--team-key", text(&moved)]].concat());
    assert!(made.contains("fingerprint") && made.contains("team.asc"), "{made}");
    let again = bench.run(&init);
    assert!(again.code == 1 && again.err.contains("holds a house already"), "{again:?}");
    assert_eq!(bench.run(&["doctor"]).code, 0);
}

#[test]
fn what_an_editor_left_is_never_lost() {
    let Some(bench) = Bench::with_house() else { return };
    let with_editor = |script: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let editor = bench.write("editor", format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).unwrap();
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_daybreak"))
            .args(["advisory", "new"])
            .env("DAYBREAK_DIR", bench.path("house"))
            .env_remove("VISUAL")
            .env("EDITOR", editor)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let drafts = || std::fs::read_dir(bench.path("house/drafts")).unwrap().count();
    let (code, said) = with_editor("true");
    assert!(code == 1 && said.contains("nothing was changed"), "{said}");
    assert_eq!(drafts(), 0);
    let (code, said) = with_editor("sed -i 's/^title/titel/' \"$1\"");
    assert!(code == 1 && said.contains("`titel`"), "{said}");
    let kept =
        said.split("is kept in ").nth(1).unwrap().split(": correct").next().unwrap().to_owned();
    assert!(std::fs::read_to_string(&kept).unwrap().contains("titel = "));
    std::fs::write(&kept, std::fs::read_to_string(&kept).unwrap().replace("titel", "title"))
        .unwrap();
    assert!(bench.ok(&["advisory", "new", "--from", &kept]).starts_with("adv_"));
    let (code, said) = with_editor("sed -i 's/2026-0001/2026-0002/' \"$1\"; echo backup > \"$1~\"");
    assert_eq!(code, 0, "{said}");
    assert_eq!(drafts(), 1, "only the refused text is kept");
}
