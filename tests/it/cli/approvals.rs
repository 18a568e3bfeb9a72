//! Approvals that are none: by a stranger, twice, over an older plan, over altered bytes.

use super::bench::{Bench, text};

const ID: &str = "x_meadow-2026-0001";

/// A disclosure whose branches need no patch, with a notice plan; returns the plan's id.
fn plan(bench: &Bench) -> String {
    bench.distributor("Heath");
    bench.advisory(ID);
    bench.ok(&["disclosure", "new", "--at", &Bench::days_ahead(20), "--advisory", ID]);
    for branch in ["main", "meadow:1.x"] {
        bench.ok(&[
            "disclosure",
            "mark",
            ID,
            "--advisory",
            ID,
            "--branch",
            branch,
            "--will-not-fix",
            "mitigated",
        ]);
    }
    bench.ok(&["plan", "make", ID, "--kind", "notice"])
}

fn sign(bench: &Bench, who: &str, plan: &str) -> Vec<u8> {
    let approval = bench.run(&["plan", "show", plan, "--approval-text"]).out;
    bench.gpg(&["--local-user", who, "--clear-sign"], approval.as_bytes())
}

#[test]
fn only_members_once_over_this_plans_own_bytes() {
    let Some(bench) = Bench::with_house() else { return };
    let first = plan(&bench);
    bench.key("Eve <eve@elsewhere.example>", &[]);
    let eve = sign(&bench, "eve@elsewhere.example", &first);
    bench.refused_with(
        &["plan", "approve"],
        &eve,
        1,
        &["`approval`", "stranger", "sign with the key"],
    );

    let ann = sign(&bench, "ann@meadow.example", &first);
    let altered = String::from_utf8(ann.clone()).unwrap().replace("early-lift 1", "early-lift 2");
    bench.refused_with(
        &["plan", "approve"],
        altered.as_bytes(),
        1,
        &["`approval`", "altered", "sign it again"],
    );
    bench.refused_with(
        &["plan", "approve"],
        b"I approve\n",
        1,
        &["`approval`", "gpg --clear-sign"],
    );
    let wrong = bench.write("other.txt", "daybreak-approval 1\nsomething else\n");
    let other = bench
        .gpg(&["--local-user", "ann@meadow.example", "--clear-sign", "-o", "-", text(&wrong)], b"");
    bench.refused_with(&["plan", "approve"], &other, 1, &["`approval`", "sign exactly what"]);

    assert_eq!(bench.run_with(&["plan", "approve"], &ann).code, 0);
    bench.refused_with(
        &["plan", "approve"],
        &ann,
        1,
        &["approved this plan already", "another member"],
    );
    let inline = bench.run(&["plan", "show", &first, "--approval-text"]).out;
    let inline = bench.gpg(&["--local-user", "ann@meadow.example", "--sign"], inline.as_bytes());
    bench.refused_with(&["plan", "approve"], &inline, 1, &["approved this plan already"]);

    // A detached signature given with other bytes than were signed.
    let signed = bench.write("text", bench.run(&["plan", "show", &first, "--approval-text"]).out);
    let detached = bench.gpg(
        &["--local-user", "bob@meadow.example", "--detach-sign", "-o", "-", text(&signed)],
        b"",
    );
    bench.refused_with(
        &["plan", "approve", "--text", text(&wrong)],
        &detached,
        1,
        &["`approval`", "altered"],
    );

    // Another plan was approved: Bob's signature over the old one counts for nothing, in any
    // form. Until then both are drafts.
    let second = bench.ok(&["plan", "make", ID, "--kind", "notice"]);
    assert_eq!(bench.json(&["plan", "show", &first])["state"], "made");
    assert_eq!(bench.json(&["plan", "show", &second])["approved_by"], serde_json::json!([]));
    let [ann, bob] = ["ann", "bob"].map(|n| sign(&bench, &format!("{n}@meadow.example"), &second));
    assert_eq!(bench.run_with(&["plan", "approve"], &ann).code, 0);
    let said = bench.run_with(&["plan", "approve"], &bob);
    let voided = said.err.lines().filter(|l| l.starts_with("voided: ")).collect::<Vec<_>>();
    assert_eq!((said.code, voided), (0, vec!["voided: notice plan 1 (was made)"]));
    let bob = sign(&bench, "bob@meadow.example", &first);
    bench.refused_with(&["plan", "approve"], &bob, 1, &["plan 1 is void", "newest plan"]);
    bench.refused_with(&["plan", "approve"], &detached, 1, &["plan 1 is void"]);
    let again = sign(&bench, "bob@meadow.example", &second);
    bench.refused_with(&["plan", "approve"], &again, 1, &["plan 2 is approved already"]);
}
