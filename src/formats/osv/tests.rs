//! Tests of `osv`: the promises that the file above makes.

use super::*;
use crate::domain::affected::{Event, Range, RangeKind};
use crate::domain::blob::{equal_outside_slots, fill};
use crate::domain::time::At;
use crate::formats::sample::{HOSTILE, advisory, affected, hostile, public};

fn json(document: &Document) -> serde_json::Value {
    serde_json::from_slice(&document.bytes).unwrap()
}

fn exported(advisory: AdvisoryView) -> serde_json::Value {
    json(&export(&advisory, &public(advisory.clone())).unwrap())
}

fn refused(advisory: AdvisoryView) -> String {
    export(&advisory, &public(advisory.clone())).unwrap_err().to_string()
}

/// The official schema, if it is at hand.
fn validate(record: &serde_json::Value) {
    let Some(folder) = std::env::var_os("DAYBREAK_TEST_DATA") else {
        eprintln!("not run: no DAYBREAK_TEST_DATA");
        return;
    };
    let path = std::path::PathBuf::from(folder).join("schemas/osv-schema.json");
    let schema: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(record).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn the_record_says_what_the_view_says() {
    let record = exported(advisory());
    validate(&record);
    assert_eq!(record["schema_version"], "1.7.5");
    assert_eq!(record["id"], "x_meadow-2026-0001");
    assert_eq!(record["affected"][0]["package"]["name"], "meadow-gate");
    assert_eq!(record["affected"][0]["package"]["purl"], "pkg:pypi/meadow-gate");
    assert_eq!(record["affected"][0]["versions"][2], "1.10");
    assert_eq!(record["severity"][0]["type"], "CVSS_V3");
    assert_eq!(record["credits"][0], serde_json::json!({"name": "Ada", "type": "FINDER"}));
    assert_eq!(record["database_specific"]["cwe_ids"][0], "CWE-476");
    let details = record["details"].as_str().unwrap();
    assert!(details.contains("## Remedy\n\nUpgrade") && details.ends_with("Keep the gate shut."));
    let urls: Vec<_> = record["references"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["url"].as_str().unwrap())
        .collect();
    assert_eq!(
        urls,
        [
            "https://e.example/a",
            "https://security.meadow.example/advisories/x_meadow-2026-0001.html",
            "https://security.meadow.example/osv/x_meadow-2026-0001.json",
        ]
    );
}

#[test]
fn the_times_are_slots_and_filling_them_gives_a_valid_record() {
    let advisory = advisory();
    let made = export(&advisory, &public(advisory.clone())).unwrap();
    let mut sent = made.bytes.clone();
    fill(&mut sent, &made.slots, At::parse_rfc3339("2026-12-01T15:00:00Z").unwrap()).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&sent).unwrap();
    assert_eq!(record["published"], "2026-12-01T15:00:00Z");
    assert_eq!(record["modified"], "2026-12-01T15:00:00Z");
    assert!(equal_outside_slots(&made.bytes, &sent, &made.slots));
    assert_eq!(made.slots.len(), 2);
    validate(&record);
}

#[test]
fn empty_lists_are_left_out_not_null() {
    let mut bare = advisory();
    bare.aliases.clear();
    bare.severity.clear();
    bare.credits.clear();
    bare.cwe.clear();
    let record = exported(bare);
    validate(&record);
    for field in ["aliases", "severity", "credits", "database_specific"] {
        assert!(record.get(field).is_none(), "{field}");
    }
    assert!(!record.to_string().contains("null"));
}

#[test]
fn entries_of_one_package_become_one() {
    let mut two = advisory();
    let mut older = affected();
    older.name = "meadow.gate".into();
    older.versions = vec!["2.0".into(), "1.4.0".into()];
    older.ranges[0].events = vec![Event::Introduced("2.0".into()), Event::Fixed("2.0.1".into())];
    older.ranges[0].kind = RangeKind::Semver;
    two.affected.push(older);
    let record = exported(two);
    validate(&record);
    assert_eq!(record["affected"].as_array().unwrap().len(), 1);
    assert_eq!(record["affected"][0]["ranges"].as_array().unwrap().len(), 1);
    assert_eq!(record["affected"][0]["ranges"][0]["type"], "ECOSYSTEM");
    assert_eq!(record["affected"][0]["ranges"][0]["events"].as_array().unwrap().len(), 4);
    assert_eq!(
        record["affected"][0]["versions"],
        serde_json::json!(["1.4.0", "1.4.1", "1.10", "2.0"])
    );
}

#[test]
fn commits_of_a_known_forge_are_linked() {
    let mut it = advisory();
    let repo = Some("https://github.com/meadow/meadow.git".to_owned());
    let events = vec![Event::Introduced("0".into()), Event::Fixed("ab".repeat(20))];
    it.affected[0].ranges.push(Range { kind: RangeKind::Git, repo, events });
    let record = exported(it);
    validate(&record);
    let fix = format!("https://github.com/meadow/meadow/commit/{}", "ab".repeat(20));
    let wanted = serde_json::json!({"type": "FIX", "url": fix});
    assert!(record["references"].as_array().unwrap().contains(&wanted));
}

#[test]
fn what_would_break_a_client_is_refused_by_field() {
    let with = |change: fn(&mut AdvisoryView)| {
        let mut it = advisory();
        change(&mut it);
        refused(it)
    };
    for (error, field) in [
        (with(|a| a.affected.clear()), "`affected`"),
        (with(|a| a.public_id = "../x".into()), "`public_id`"),
        (with(|a| a.severity = vec!["high".into()]), "`severity[0]`"),
        (with(|a| a.references[0].kind = "BLOG".into()), "`references[0].type`"),
        (with(|a| a.references[0].url = "javascript:x".into()), "`references[0].url`"),
        (with(|a| a.credits[0].role = "HERO".into()), "`credits[0].role`"),
        (with(|a| a.affected[0].versions.push("next".into())), "`affected[0].versions[3]`"),
        (
            with(|a| a.affected[0].ranges[0].events[1] = Event::Fixed("1.4-next".into())),
            "`affected[0].ranges[0].events`",
        ),
        (
            with(|a| a.affected[0].ranges[0].events = vec![Event::Fixed("1".into())]),
            "`affected[0].ranges[0]`",
        ),
        (with(|a| a.affected[0].ranges[0].kind = RangeKind::Git), "names no repository"),
    ] {
        assert!(error.contains(field), "{error} should name {field}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let mut it = hostile();
    it.affected[0].versions.clear();
    let record = exported(it);
    assert_eq!(record["summary"], HOSTILE);
}

#[test]
fn what_is_exported_comes_back() {
    let before = advisory();
    let made = export(&before, &public(before.clone())).unwrap();
    let after = import(&made.bytes, "a.json").unwrap();
    assert_eq!(after.text.aliases, before.aliases);
    assert_eq!(after.text.severity, before.severity);
    assert_eq!(after.text.cwe, before.cwe);
    assert_eq!(after.text.credits, before.credits);
    assert_eq!(after.text.affected[0].versions, before.affected[0].versions);
    assert_eq!(after.text.affected[0].ranges, before.affected[0].ranges);
}
