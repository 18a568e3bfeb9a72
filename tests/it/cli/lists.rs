//! The confidential list over the years: certificates renewed and retired with real gpg,
//! organisations that leave and come back.

use super::bench::{Bench, text};

const HEATH: &str = "security@heath.example";

#[test]
fn a_certificate_is_renewed_added_and_retired() {
    let Some(bench) = Bench::with_house() else { return };
    // A year from 2020 on: expired today, until its holder prolongs it.
    let past = ["--faked-system-time", "20200101T000000!"];
    bench.key(&format!("Heath <{HEATH}>"), &past);
    let old = bench.certificate(HEATH);
    let name = ["--name", "Heath", "--contact", HEATH, "--certificate", text(&old)];
    bench.ok(&[&["distributor", "add"], &name[..], &["--accept-unusable"]].concat());
    assert_eq!(bench.run(&["distributor", "check"]).code, 3);
    let fingerprint = fingerprints(&bench).remove(0);

    let renew = |file: &std::path::Path, address: &str| -> Vec<String> {
        ["distributor", "renew", "Heath", "--contact", address, "--certificate", text(file)]
            .map(str::to_owned)
            .to_vec()
    };
    let args = renew(&old, HEATH);
    bench.refused(&words(&args), 1, &["`certificate`", "nothing that was not known", "--export"]);
    let args = renew(&old, "night@heath.example");
    bench.refused(&words(&args), 1, &["night@heath.example", HEATH]);
    bench.gpg(&["--quick-set-expire", &fingerprint, "2y"], b"");
    bench.gpg(&["--quick-set-expire", &fingerprint, "2y", "*"], b"");
    let fresh = bench.certificate(HEATH);
    assert!(bench.ok(&words(&renew(&fresh, HEATH))).starts_with("dst_"));
    assert_eq!(bench.run(&["distributor", "check"]).code, 0);
    assert_eq!(fingerprints(&bench), [fingerprint.as_str()]);

    // Another key of the same contact.
    bench.key("Heath night <night@heath.example>", &[]);
    let more = bench.certificate("night@heath.example");
    let said = bench.run(&words(&renew(&more, HEATH)));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("[cert-pending]") && said.err.contains("another way"));
    assert!(said.err.contains("[bell-not-rung]"), "nobody listens at the relay: {said:?}");
    assert_eq!(fingerprints(&bench), [fingerprint.as_str()], "it is not used yet");
    // It is confirmed by two people who heard the fingerprint, or turned down.
    let shown = bench.json(&["distributor", "show", "Heath"]);
    let night = shown["record"]["contacts"][0]["certificates"][1]["fingerprint"].as_str().unwrap();
    let decide = |verb: &str, rest: &[&str]| -> Vec<String> {
        let args = ["distributor", verb, "Heath", "--contact", HEATH, "--fingerprint", night];
        args.iter().chain(rest).map(|&word| word.to_owned()).collect()
    };
    let by = |who: &str| decide("confirm", &["--how", "called them", "--as", who]);
    let nobody = decide("confirm", &["--how", "called them"]);
    bench.refused(&words(&nobody), 2, &["a member must be named", "--as"]);
    bench.ok(&words(&by("Ann")));
    bench.refused(&words(&by("Ann")), 1, &["this member confirmed it already"]);
    let table = bench.ok(&["distributor", "show", "Heath"]);
    assert!(table.contains("pending, 1 of 2 confirmations"), "{table}");
    let said = bench.run(&words(&by("Bob")));
    assert!(said.code == 0 && said.err.contains("is used from"), "{said:?}");
    let checked = bench.run(&["distributor", "check"]);
    let head = checked.out.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(head, "distributor address fingerprint now at sending T0 T0 + 14 days cure");
    assert!(checked.err.contains("[cert-pending]"), "{checked:?}");
    bench.ok(&words(&decide("reject", &["--reason", "not theirs"])));
    let table = bench.ok(&["distributor", "show", "Heath"]);
    assert!(table.lines().any(|l| l.contains(night) && l.ends_with("rejected")), "{table}");
    assert!(!bench.run(&["distributor", "check"]).err.contains("cert-pending"));
    let retire = |fingerprint: &str| {
        ["distributor", "retire", "Heath", "--contact", HEATH, "--fingerprint", fingerprint]
            .map(str::to_owned)
            .to_vec()
    };
    bench.refused(&words(&retire("ABCD")), 1, &["certificate in use", &fingerprint]);
    bench.ok(&words(&retire(&format!("0x{}", fingerprint.to_lowercase()))));
    let shown = bench.ok(&["distributor", "show", "Heath"]);
    let line = shown.lines().find(|l| l.contains(&fingerprint)).unwrap();
    assert!(line.ends_with("retired"), "{shown}");
}

#[test]
fn an_organisation_leaves_and_comes_back() {
    let Some(bench) = Bench::with_house() else { return };
    bench.distributor("Heath");
    let hears = |bench: &Bench| bench.json(&["distributor", "show", "Heath"])["active"].clone();
    bench.refused(&["distributor", "activate", "Heath"], 1, &["active already"]);
    bench.ok(&["distributor", "deactivate", "Heath"]);
    assert_eq!(hears(&bench), false);
    bench.ok(&["distributor", "activate", "Heath"]);
    assert_eq!(hears(&bench), true);
}

fn words(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn fingerprints(bench: &Bench) -> Vec<String> {
    let health = bench.json_any(&["distributor", "check"]);
    let all = health[0]["fingerprints"].as_array().unwrap();
    all.iter().map(|f| f.as_str().unwrap().to_owned()).collect()
}
