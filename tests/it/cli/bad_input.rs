//! Bad input: each refused with the field, what would be right, its exit code, and nothing
//! half-written.

use super::bench::{Bench, text};

const ID: &str = "x_meadow-2026-0001";

#[test]
fn certificates_that_cannot_be_used() {
    let Some(bench) = Bench::with_house() else { return };
    let add = |file: &str| {
        vec![
            "distributor".to_owned(),
            "add".to_owned(),
            "--name".to_owned(),
            "Heath".to_owned(),
            "--contact".to_owned(),
            "security@heath.example".to_owned(),
            "--certificate".to_owned(),
            file.to_owned(),
        ]
    };
    let refused = |file: &str, code: i32, says: &[&str]| {
        let args = add(file);
        bench.refused(&args.iter().map(String::as_str).collect::<Vec<_>>(), code, says);
    };
    bench.key("Heath <security@heath.example>", &[]);
    let secret = bench.write(
        "secret.asc",
        bench.gpg(&["--armor", "--export-secret-keys", "security@heath.example"], b""),
    );
    refused(text(&secret), 1, &["certificate secret.asc", "SECRET", "burnt"]);
    refused(
        text(&bench.write("none.asc", "hello")),
        1,
        &["certificate none.asc", "gpg --armor --export"],
    );
    refused("missing.asc", 1, &["missing.asc", "check the path"]);
    let past = ["--faked-system-time", "20200101T000000!"];
    bench.key("Old <old@heath.example>", &past);
    let old = bench.certificate("old@heath.example");
    refused(text(&old), 3, &["stop", "old@heath.example.asc", "expired"]);
    let two: Vec<u8> = [bench.certificate("security@heath.example"), old.clone()]
        .iter()
        .flat_map(|f| std::fs::read(f).unwrap())
        .collect();
    refused(text(&bench.write("two.asc", two)), 1, &["several certificates", "one"]);
    let good = bench.certificate("security@heath.example");
    bench.refused(
        &[
            "distributor",
            "add",
            "--name",
            "Heath",
            "--contact",
            "Heath <security@heath.example>",
            "--certificate",
            text(&good),
        ],
        1,
        &["`contact`", "name@host"],
    );
    bench.refused(
        &[
            "distributor",
            "add",
            "--name",
            "Heath",
            "--contact",
            "a@b.example",
            "--clear-subject",
            "a\nBcc: x",
            "--certificate",
            text(&good),
        ],
        1,
        &["`clear_subject`", "line"],
    );
    bench.refused(
        &[
            "team",
            "add",
            "--name",
            "Old",
            "--address",
            "old@heath.example",
            "--certificate",
            text(&old),
        ],
        3,
        &["cert-cannot-sign", "renew it"],
    );
    let args = add(text(&old));
    let accepted =
        [args.iter().map(String::as_str).collect::<Vec<_>>(), vec!["--accept-unusable"]].concat();
    assert!(bench.ok(&accepted).starts_with("dst_"));
    assert_eq!(bench.run(&["distributor", "check"]).code, 3);
}

#[test]
fn texts_and_dates_that_cannot_work() {
    let Some(bench) = Bench::with_house() else { return };
    let file = bench.advisory_file(ID);
    let good = std::fs::read_to_string(&file).unwrap();
    let unknown = bench.write("unknown.toml", good.replace("remedy", "remedies"));
    bench.refused(
        &["advisory", "new", "--from", text(&unknown)],
        1,
        &["unknown.toml", "line 25", "`remedies`", "--template"],
    );
    let id = bench.write("id.toml", good.replace(ID, "MEADOW-1"));
    bench.refused(
        &["advisory", "new", "--from", text(&id)],
        3,
        &["public_id", "x_PROJECT-YEAR-NUMBER"],
    );
    bench.ok(&["advisory", "new", "--from", text(&file)]);
    bench.refused(
        &["advisory", "new", "--from", text(&file)],
        1,
        &["`public_id`", "choose another"],
    );
    let renamed = bench.write("renamed.toml", good.replace(ID, "x_meadow-2026-0002"));
    bench.refused(
        &["advisory", "edit", ID, "--from", text(&renamed)],
        1,
        &["`public_id`", "draft another"],
    );
    for (at, code, says) in [
        ("2020-01-07 16:00 UTC", 3, ["t0-past", "in the future"]),
        (
            "2027-03-28 02:30 Europe/Berlin",
            2,
            ["does not exist in Europe/Berlin", "choose another"],
        ),
        ("2027-10-31 02:30 Europe/Berlin", 2, ["exists twice", "02:30+02:00 Europe/Berlin"]),
        ("2027-03-02 16:00 Europe/Atlantis", 2, ["Atlantis", "Europe/Berlin"]),
        ("tomorrow", 2, ["`at`", "2026-12-01 16:00 Europe/Berlin"]),
    ] {
        bench.refused(&["disclosure", "new", "--at", at, "--advisory", ID], code, &says);
    }
    bench.ok(&[
        "disclosure",
        "new",
        "--at",
        "2027-10-31 02:30+02:00 Europe/Berlin",
        "--advisory",
        ID,
    ]);
    bench.refused(
        &["disclosure", "new", "--advisory", ID],
        1,
        &["`advisory`", "belongs to dis_", "cancel"],
    );
    bench.refused(
        &["disclosure", "move", ID, "--at", "2020-01-07 16:00 UTC", "--reason", "x"],
        3,
        &["t0-past"],
    );
    bench.refused(
        &["plan", "make", ID, "--kind", "notice"],
        3,
        &["meadow:main", "cell-open", "meadow:1.x"],
    );
    bench.refused(
        &["plan", "make", ID, "--kind", "headsup"],
        1,
        &["no list hears a headsup", "headsup = true"],
    );
    bench.refused(
        &["plan", "make", ID, "--kind", "release", "--at", &Bench::days_ahead(3)],
        2,
        &["--at is for a headsup"],
    );
    bench.refused(
        &["plan", "make", ID, "--kind", "correction"],
        1,
        &["correction", "notice, headsup and release"],
    );
    assert_eq!(bench.run(&["disclosure", "check", ID]).code, 3);
}

#[test]
fn branches_patches_tags_and_files_that_do_not_fit() {
    let Some(bench) = Bench::with_house() else { return };
    bench.advisory(ID);
    bench.ok(&["disclosure", "new", "--at", &Bench::days_ahead(20), "--advisory", ID]);
    let work = text(&bench.path("work")).to_owned();
    let patch = |branch: &str, range: &str, code: i32, says: &[&str]| {
        let args = ["disclosure", "add-patch", ID, "--branch", branch, "--from-git", &work, range];
        bench.refused(&args, code, says);
    };
    patch("2.x", "main..fix", 1, &["supported branch", "`2.x`", "meadow:main, meadow:1.x"]);
    patch("main", "main...fix", 1, &["`patch`", "two dots"]);
    patch("main", "fix..fix", 1, &["`patch`", "no commits"]);
    patch("1.x", "main..fix", 1, &["`patch`", "not a commit of the public branch"]);
    let nothing = bench.run(&["disclosure", "add-patch", ID, "--branch", "main"]);
    assert!(nothing.code == 2 && nothing.err.contains("<FILES>"), "{nothing:?}");
    let not = bench.write("not.patch", "hello\n");
    bench.refused(
        &["disclosure", "add-patch", ID, "--branch", "main", text(&not)],
        1,
        &["`patch`", "not.patch"],
    );
    bench.ok(&[
        "disclosure",
        "add-patch",
        ID,
        "--branch",
        "main",
        "--from-git",
        &work,
        "main..fix",
    ]);
    bench.ok(&[
        "disclosure",
        "add-patch",
        ID,
        "--branch",
        "1.x",
        "--from-git",
        &work,
        "1.x..fix-1.x",
    ]);

    let release = |more: &[&str], code: i32, says: &[&str]| {
        bench.refused(
            &[&["disclosure", "add-release", ID, "--branch", "main"], more].concat(),
            code,
            says,
        );
    };
    release(
        &["--version", "1.4.2", "--upload", "pypi"],
        1,
        &["command", "`pypi`", "configured are: files"],
    );
    release(&["--version", "1.4 2"], 1, &["`version`", "letters, digits"]);
    release(
        &["--version", "1.4.2", "--kind", "built-from-tag", "--expect", "x"],
        2,
        &["PATTERN=COUNT", "=3'"],
    );
    release(&["--version", "1.4.2", "--bump-message", "m", "--bump", "x"], 2, &["PATH=FILE"]);
    bench.refused(
        &["disclosure", "add-post", ID, "--list", "nobody"],
        1,
        &["`nobody`", "configured are: announce"],
    );

    // The tag exists in public: this branch is not staged, the other one is.
    bench.ok(&["disclosure", "add-release", ID, "--branch", "1.x", "--version", "1.0.0"]);
    bench.refused(
        &["disclosure", "stage", ID, "--branch", "1.x"],
        1,
        &["meadow:1.x was not staged", "1.0.0"],
    );
    let partly = bench.run(&["disclosure", "stage", ID]);
    assert_eq!(partly.code, 5, "{partly:?}");
    assert_eq!(partly.out.lines().filter(|l| l.starts_with("can_")).count(), 1, "{partly:?}");
    bench.refused(
        &["disclosure", "stage", ID, "--branch", "main", "--bundle", text(&not)],
        1,
        &["`bundle`"],
    );

    bench.ok(&["disclosure", "add-release", ID, "--branch", "main", "--version", "1.4.2"]);
    let file = bench.write("meadow-1.4.2.tar.gz", "built");
    let add = ["disclosure", "add-artefact", ID, "--release", "1.4.2", text(&file)];
    bench.refused(&add, 1, &["not staged", "stage it"]);
    bench.ok(&["disclosure", "stage", ID, "--branch", "main"]);
    let wrong = "0".repeat(64);
    bench.refused(
        &[&add[..], &["--sha256", &wrong]].concat(),
        1,
        &["`meadow-1.4.2.tar.gz`", "has the digest", "build again"],
    );
    let odd = [&add[..], &["--sha256", &wrong, "--sha256", &wrong]].concat();
    bench.refused(&odd, 2, &["once for each file"]);
    bench.ok(&add);
    let full = text(&bench.path("work")).to_owned();
    bench.refused(
        &["disclosure", "export-candidate", ID, "--branch", "main", "--out", &full],
        1,
        &["not empty", "new or an empty"],
    );
}

#[test]
fn a_configuration_that_could_break_a_header() {
    let Some(bench) = Bench::with_house() else { return };
    let writes = bench.writes();
    let file = bench.path("house/daybreak.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let spoilt = [
        (
            "announce@lists.example",
            "announce@lists.example\\nBcc: x@y.example",
            "list.announce.address",
        ),
        ("[list.announce]", "[list.announce]\ncolour = 1", "colour"),
        ("name = \"main\"", "name = \"--upload-pack\"", "repository.meadow.branches"),
        ("tls = \"none\"", "tls = \"maybe\"", "maybe"),
    ];
    for (from, to, field) in spoilt {
        std::fs::write(&file, good.replace(from, to)).unwrap();
        for args in [&["config", "check"][..], &["team", "list"], &["doctor"]] {
            let said = bench.run(args);
            assert_eq!(said.code, 1, "{field} {args:?}: {said:?}");
            assert!(said.err.contains(field) && said.err.contains("help: "), "{field}: {said:?}");
        }
    }
    std::fs::write(&file, good).unwrap();
    assert_eq!(bench.writes(), writes);
}

#[test]
fn names_that_mean_nothing_or_two_things() {
    let Some(bench) = Bench::with_house() else { return };
    bench.advisory("x_meadow-2026-0001");
    bench.advisory("x_heath-2026-0001");
    bench.refused(
        &["advisory", "show", "2026-0001"],
        1,
        &["`advisory`", "more than one", "write more"],
    );
    bench.refused(
        &["advisory", "show", "x_moor-2026-0001"],
        1,
        &["no advisory `x_moor-2026-0001`", "advisory list"],
    );
    bench.ok(&["advisory", "show", "meadow-2026-0001"]);
    bench.refused(&["--as", "Carl", "advisory", "list"], 1, &["no member `Carl`", "team list"]);
    bench.refused(
        &["--as", "meadow.example", "advisory", "list"],
        1,
        &["`member`", "more than one"],
    );
    bench.refused(&["plan", "show", "pln_00"], 1, &["no plan", "disclosure show"]);
    bench.refused(&["plan", "done", "0123abcd", "--evidence", "x"], 1, &["no step", "plan show"]);
}
