//! From an empty directory to an approved notice, typed as a maintainer types it.

use super::bench::{Bench, Said, text};
use assert_cmd::Command;

const ID: &str = "x_meadow-2026-0001";

/// Everything up to staged candidates with a file; returns the disclosure's id.
fn staged(bench: &Bench) -> String {
    bench.distributor("Heath");
    bench.advisory(ID);
    let at = Bench::days_ahead(20);
    let said = bench.run(&["disclosure", "new", "--at", &at, "--advisory", ID]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains(" UTC (") && said.err.contains("day)"), "{said:?}");
    let disclosure = said.out.trim_end().to_owned();
    assert!(disclosure.starts_with("dis_") && disclosure.len() == 36, "{disclosure}");
    let work = bench.path("work");
    for (branch, range) in [("main", "main..fix"), ("1.x", "1.x..fix-1.x")] {
        let patch = bench.ok(&[
            "disclosure",
            "add-patch",
            &disclosure,
            "--branch",
            branch,
            "--from-git",
            text(&work),
            range,
        ]);
        assert!(patch.starts_with("pat_"), "{patch}");
    }
    let bump = bench.write("version.py", "VERSION = '1.4.2'\n");
    let bump = format!("version.py={}", text(&bump));
    bench.ok(&[
        "disclosure",
        "add-release",
        &disclosure,
        "--branch",
        "main",
        "--version",
        "1.4.2",
        "--upload",
        "files",
        "--bump-message",
        "Version 1.4.2",
        "--bump",
        &bump,
    ]);
    bench.ok(&["disclosure", "add-post", &disclosure, "--list", "announce"]);
    let candidates = bench.ok(&["disclosure", "stage", &disclosure]);
    assert_eq!(candidates.lines().filter(|l| l.starts_with("can_")).count(), 2, "{candidates}");
    let out = bench.path("build");
    bench.ok(&[
        "disclosure",
        "export-candidate",
        &disclosure,
        "--branch",
        "main",
        "--out",
        text(&out),
    ]);
    let parser = std::fs::read_to_string(out.join("parser.py")).unwrap();
    assert!(parser.contains("line 10, bounded"));
    assert_eq!(std::fs::read_to_string(out.join("version.py")).unwrap(), "VERSION = '1.4.2'\n");
    let built = bench.write("meadow-1.4.2.tar.gz", "built from the candidate");
    bench.ok(&["disclosure", "add-artefact", &disclosure, "--release", "1.4.2", text(&built)]);
    disclosure
}

#[test]
fn a_maintainer_gets_from_nothing_to_an_approved_notice() {
    let Some(bench) = Bench::with_house() else { return };
    let disclosure = staged(&bench);
    assert_eq!(bench.run(&["disclosure", "check", ID]).code, 0);
    let shown = bench.ok(&["disclosure", "show", ID]);
    for word in [&disclosure, "meadow:1.x", "patched", "1.4.2", "announce", "drafting"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }

    let plan = bench.ok(&["plan", "make", &disclosure, "--kind", "notice"]);
    let exported = bench.path("plan.asc");
    bench.ok(&["plan", "export", &plan, "--to-team", text(&exported)]);
    approver_reads(&bench, &exported);

    // Ann clear-signs what she unpacked; Bob sends a detached signature over the same text.
    let approval = text(&bench.path("plan-1/APPROVAL.txt")).to_owned();
    let clear = bench
        .gpg(&["--local-user", "ann@meadow.example", "--clear-sign", "-o", "-", &approval], b"");
    let said = bench.run_with(&["plan", "approve"], &clear);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.err.contains("Ann approved plan 1 (notice): 1 of 2, 1 more approval needed"),
        "{said:?}"
    );
    let detached = bench.gpg(
        &["--local-user", "bob@meadow.example", "--armor", "--detach-sign", "-o", "-", &approval],
        b"",
    );
    let detached = bench.write("bob.sig", detached);
    let said = bench.run(&["plan", "approve", text(&detached)]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("2 of 2, approved; it sends at "), "{said:?}");

    let number = format!("{ID}/1");
    let shown = bench.ok(&["plan", "show", &number]);
    for word in ["approved", "2 of 2: Ann, Bob", "mail to security@heath.example", "waiting"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
    assert!(!shown.contains("it is public"), "{shown}");
    assert_eq!(bench.json(&["plan", "show", &plan])["state"], "approved");

    bench.ok(&["--as", "Ann", "plan", "hold", &plan, "--reason", "wait for Heath"]);
    assert!(bench.ok(&["plan", "show", &plan]).contains("approved, HELD"));
    bench.ok(&["plan", "resume", &plan, "--reason", "Heath is ready"]);
    let timeline = bench.ok(&["audit", "export", ID]);
    assert!(timeline.contains("plan-approve") && timeline.contains("wait for Heath"), "{timeline}");
    release_plan(&bench, &disclosure);
    assert_eq!(bench.run(&["doctor"]).code, 0);
}

/// With gpg, tar and sha256sum only.
fn approver_reads(bench: &Bench, exported: &std::path::Path) {
    let team = std::fs::read(bench.path("house/team.asc")).unwrap();
    bench.gpg(&["--import"], &team);
    let packed = bench.gpg(&["--decrypt", text(exported)], b"");
    Command::new("tar")
        .args(["x", "-f", "-"])
        .current_dir(bench.path("."))
        .write_stdin(packed)
        .assert()
        .success();
    let folder = bench.path("plan-1");
    let checked =
        Command::new("sha256sum").args(["-c", "MANIFEST"]).current_dir(&folder).assert().success();
    let checked = String::from_utf8(checked.get_output().stdout.clone()).unwrap();
    assert!(checked.contains("notice.entity: OK"), "{checked}");
    let notice = std::fs::read_to_string(folder.join("notice-001.eml")).unwrap();
    assert!(notice.contains("security@heath.example"));
    // The same bytes as the house shows to its own people.
    let manifest = std::fs::read_to_string(folder.join("MANIFEST")).unwrap();
    assert_eq!(bench.run(&["plan", "show", &format!("{ID}/1"), "--manifest"]).out, manifest);
    let approval = std::fs::read_to_string(folder.join("APPROVAL.txt")).unwrap();
    assert_eq!(bench.run(&["plan", "show", &format!("{ID}/1"), "--approval-text"]).out, approval);
    let out = bench.path("preview");
    bench.ok(&["plan", "preview", &format!("{ID}/1"), "--out", text(&out)]);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name();
        let (ours, theirs) = (std::fs::read(out.join(&name)), std::fs::read(folder.join(&name)));
        assert_eq!(ours.unwrap(), theirs.unwrap(), "{name:?}");
    }
    private(&out, 0o700);
    private(&out.join("MANIFEST"), 0o600);
    private(exported, 0o600);
}

fn private(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{path:?}");
}

/// The line is drawn before the first step that anybody outside can see.
fn release_plan(bench: &Bench, disclosure: &str) {
    let plan = bench.ok(&["plan", "make", disclosure, "--kind", "release"]);
    let shown = bench.ok(&["plan", "show", &plan]);
    let line = shown.find("--- after this step it is public ---").unwrap();
    assert!(line < shown.find("  gate  ").unwrap(), "{shown}");
    assert!(shown.contains("0 of 2") && shown.contains("GO"), "{shown}");
    let rows: Vec<_> = bench.ok(&["plan", "list", disclosure]).lines().map(str::to_owned).collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    bench.refused(
        &["disclosure", "publish-now", disclosure, "--reason", "it leaked"],
        2,
        &["--as MEMBER"],
    );
    bench.refused(
        &["--as", "Ann", "disclosure", "publish-now", disclosure, "--reason", "it leaked"],
        4,
        &["no release plan is approved"],
    );
    // An edit voids what was pinned, and says so.
    let said = bench.run(&["disclosure", "stage", disclosure, "--branch", "1.x"]);
    assert_eq!(said.code, 0, "{said:?}");
    let voided = |said: &Said| -> Vec<String> {
        said.err.lines().filter(|l| l.starts_with("voided: ")).map(str::to_owned).collect()
    };
    let again = "make it again and have it approved";
    assert_eq!(voided(&said), [format!("voided: release plan 2 (was made): {again}")], "{said:?}");
    let said =
        bench.run(&["advisory", "edit", ID, "--from", text(&bench.path(&format!("{ID}.toml")))]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(voided(&said), [format!("voided: notice plan 1 (was approved): {again}")]);
    assert!(voided(&bench.run(&["disclosure", "show", disclosure])).is_empty());
    assert!(bench.ok(&["plan", "list", disclosure]).lines().skip(1).all(|l| l.contains("void")));
}
