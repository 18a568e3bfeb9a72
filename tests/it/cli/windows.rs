//! Groups, windows, wishes and the word ahead of the day, as somebody types them.

use super::bench::{Bench, text};

const ID: &str = "x_meadow-2026-0001";
const HEATH: &str = "security@heath.example";

#[test]
fn groups_wishes_and_a_headsup_are_said_and_shown() {
    let Some(bench) = Bench::with_house() else { return };
    bench.configure(
        "[list.early]\naddress = \"early@lists.example\"\nsigning = \"none\"\nheadsup = true\n",
    );
    bench.advisory(ID);
    bench.distributor("Heath");
    bench.distributor("Alder");
    bench.refused(
        &["disclosure", "new", "--advisory", ID, "--groups", "embedded"],
        1,
        &["there is no group `embedded`", "--group NAME"],
    );
    bench.ok(&["distributor", "edit", "Heath", "--group", "embedded", "cloud", "--lead-days", "3"]);
    let wishes = ["--contact", HEATH, "--poc", "yes", "--json-advisory", "no"];
    bench.ok(&[&["distributor", "edit-contact", "Heath"], &wishes[..]].concat());
    let shown = bench.ok(&["distributor", "show", "Heath"]);
    for word in ["3 days", "cloud and embedded", "patches, poc"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
    let soon = bench.run(&["distributor", "edit", "Heath", "--lead-days", "soon"]);
    assert!(soon.code == 2 && soon.err.contains("write a number of days"), "{soon:?}");
    bench.refused(
        &["distributor", "edit", "Heath", "--longest-embargo-days", "0"],
        1,
        &["`longest_embargo_days`", "at least 1"],
    );

    let at = Bench::days_ahead(20);
    let new = ["disclosure", "new", "--at", &at, "--advisory", ID, "--groups", "cloud,embedded"];
    bench.ok(&new);
    for branch in ["main", "1.x"] {
        let mark = ["disclosure", "mark", ID, "--advisory", ID, "--branch", branch];
        bench.ok(&[&mark[..], &["--will-not-fix", "its end is near"]].concat());
    }
    let poc = bench.write("latch.py", "open(latch)\n");
    let attachment = bench.ok(&["disclosure", "add-attachment", ID, text(&poc), "--kind", "poc"]);
    assert!(attachment.starts_with("att_"), "{attachment}");
    let shown = bench.ok(&["disclosure", "show", ID]);
    for word in ["only the groups cloud and embedded", "latch.py", "contacts that asked for it"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
    bench.ok(&["plan", "make", ID, "--kind", "notice"]);
    let shown = bench.ok(&["plan", "show", &format!("{ID}/1")]);
    assert!(shown.contains("only the groups cloud and embedded"), "{shown}");
    assert!(shown.contains(&format!("mail to {HEATH} (notice+poc-json.entity)")), "{shown}");
    assert!(!shown.contains("alder"), "{shown}");
    let manifest = bench.ok(&["plan", "show", &format!("{ID}/1"), "--manifest"]);
    assert!(manifest.contains("\ngroup cloud\ngroup embedded\n"), "{manifest}");

    let before = bench.run(&["plan", "show", &format!("{ID}/1")]);
    assert!(before.out.contains("never") && before.err.contains("not-rehearsed"), "{before:?}");
    let kept = bench.path("kept");
    let played = bench.run(&["plan", "rehearse", &format!("{ID}/1"), "--out", text(&kept)]);
    assert!(played.code == 0 && played.out.contains("GREEN"), "{played:?}");
    assert!(played.out.contains(&format!("mail to {HEATH}: done")), "{played:?}");
    assert!(kept.join("REPORT.txt").is_file() && kept.join("mail/001.eml").is_file());
    let shown = bench.run(&["plan", "show", &format!("{ID}/1")]);
    assert!(shown.out.contains("green on") && !shown.err.contains("rehears"), "{shown:?}");

    // What was pinned otherwise is void, and that is said at once.
    let said = bench.run(&["distributor", "edit", "Heath", "--lead-days", "default"]);
    assert!(said.err.contains("voided: notice plan 1 (was made)"), "{said:?}");
    bench.ok(&["plan", "make", ID, "--kind", "notice"]);
    let said = bench.run(&["disclosure", "tell", ID, "--all"]);
    assert!(said.err.contains("voided: notice plan 2 (was made)"), "{said:?}");
    let said = bench.run(&["disclosure", "remove-attachment", ID, "latch.py"]);
    assert_eq!(said.code, 0, "{said:?}");

    let made = bench.run(&["plan", "make", ID, "--kind", "headsup", "--at", &Bench::days_ahead(8)]);
    assert_eq!(made.code, 0, "{made:?}");
    assert!(
        made.err.contains("It is PUBLIC") && made.err.contains("[headsup-before-notice]"),
        "{made:?}"
    );
    let shown = bench.ok(&["plan", "show", &format!("{ID}/3")]);
    for word in ["goes out", "announces T0", "the date is public", "mail to early@lists.example"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
    assert!(!shown.contains("mail to announce@"), "{shown}");
    let out = bench.path("preview");
    bench.ok(&["plan", "preview", &format!("{ID}/3"), "--out", text(&out)]);
    let post = std::fs::read_to_string(out.join("headsup-early.eml")).unwrap();
    assert!(post.contains("Security issues: 1") && !post.contains(ID), "{post}");
    let json = bench.json(&["plan", "show", &format!("{ID}/3")]);
    assert!(json["announces"].is_string() && json["kind"] == "headsup", "{json}");
}
