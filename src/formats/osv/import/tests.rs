//! Tests of `import`: the promises that the file above makes.

use super::*;
use crate::domain::finding::Severity;

const YAML: &str = "
id: PYSEC-2026-1
modified: 2026-12-01T15:00:00Z
published: 2026-12-01
details: 'Meadow mishandles gates.

  More.'
aliases: [CVE-2026-1]
affected:
- package: {ecosystem: PyPI, name: meadow}
  ranges:
  - type: ECOSYSTEM
    events:
    - introduced: 0
    - fixed: 3.10
  versions:
  - 3.1
  - 3.10
  - 1e3
  - 0x10
  - 007
  - 3.0
  - true
";

#[test]
fn scalars_stay_text() {
    let text = import(YAML.as_bytes(), "a.yaml").unwrap().text;
    let affected = &text.affected[0];
    assert_eq!(affected.versions, ["3.1", "3.10", "1e3", "0x10", "007", "3.0", "true"]);
    assert_eq!(
        affected.ranges[0].events,
        [Event::Introduced("0".into()), Event::Fixed("3.10".into())]
    );
}

#[test]
fn a_missing_summary_is_made_and_told() {
    let imported = import(YAML.as_bytes(), "").unwrap();
    assert_eq!(imported.text.title, "Meadow mishandles gates. More.");
    let codes: Vec<_> = imported.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["import-not-kept", "import-made-title", "import-foreign-id"]);
}

#[test]
fn what_is_not_kept_is_told() {
    let json = r#"{"id":"x_m-1","modified":"2026-12-01T15:00:00Z","summary":"S","colour":1,
      "withdrawn":"2026-12-02T00:00:00Z","related":["CVE-2026-2"],
      "severity":[{"type":"CVSS_V2","score":"AV:N"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}],
      "affected":[{"package":{"ecosystem":"PyPI","name":"m"},"ecosystem_specific":{"a":1},
        "ranges":[{"type":"MOON","events":[]}]},
        {"ranges":[{"type":"GIT","repo":"https://g.example/r","events":[{"introduced":"0"}]}]}],
      "credits":[{"name":"Ada","contact":["mailto:a@b"]}],
      "database_specific":{"cwe_ids":["CWE-20"],"nvd":null}}"#;
    let imported = import(json.as_bytes(), "a.json").unwrap();
    assert_eq!(imported.text.cwe, ["CWE-20"]);
    assert_eq!(imported.text.severity, ["CVSS:3.1/AV:N"]);
    assert_eq!(imported.text.affected.len(), 1);
    assert_eq!(imported.text.affected[0].ranges[0].kind, RangeKind::Git);
    let places: Vec<_> = imported.findings.iter().map(|f| f.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "colour",
            "withdrawn",
            "related",
            "affected[0].ecosystem_specific",
            "affected[0].ranges[0]",
            "severity[0]",
            "database_specific.nvd",
            "credits[0].contact",
        ]
    );
    assert!(imported.findings.iter().all(|f| f.severity != Severity::Stop));
}

#[test]
fn what_is_no_record_is_refused_by_place() {
    let ossa = import(b"id: OSSA-1\ndate: 2026-05-11\n", "a.yaml");
    assert_eq!(ossa, Err(ImportError::NotOsv("modified")));
    assert_eq!(import(b"{}", "a.json"), Err(ImportError::NotOsv("id")));
    assert_eq!(import(&[0xff, 0xfe], "a.json"), Err(ImportError::NotText));
    assert_eq!(import(&vec![b' '; LARGEST + 1], "a.json"), Err(ImportError::TooLarge));
    let number = import(b"{\"id\":\"x\",\n\"modified\":\"m\",\"aliases\":[3.1]}", "a.json");
    assert!(matches!(number, Err(ImportError::Malformed { line: 2, .. })), "{number:?}");
    let two = import(b"id: a\nmodified: b\n---\nid: c\n", "a.yaml");
    assert!(matches!(two, Err(ImportError::Malformed { .. })), "{two:?}");
}

#[test]
fn yaml_that_unfolds_is_refused() {
    let mut laughs = String::from("a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (this, last) in "bcdefghij".chars().zip("abcdefghi".chars()) {
        let ten = vec![format!("*{last}"); 10].join(",");
        laughs.push_str(&format!("{this}: &{this} [{ten}]\n"));
    }
    laughs.push_str("id: x\nmodified: y\n");
    assert!(matches!(import(laughs.as_bytes(), "a.yaml"), Err(ImportError::Malformed { .. })));

    // One long scalar named very often, as text and as what looks like a number.
    for long in ["p".repeat(200_000), format!("1.{}", "0".repeat(200_000))] {
        let copies = vec!["*l"; 100_000].join(",");
        let bomb = format!("id: &l {long}\nmodified: y\naliases: [{copies}]\n");
        assert!(matches!(import(bomb.as_bytes(), "a.yaml"), Err(ImportError::Malformed { .. })));
    }
}

/// Real records, when they are at hand.
#[test]
fn real_records_are_taken_in() {
    let Some(folder) = std::env::var_os("DAYBREAK_TEST_DATA") else {
        eprintln!("not run: no DAYBREAK_TEST_DATA");
        return;
    };
    let folder = std::path::PathBuf::from(folder).join("advisories");
    for (file, versions) in
        [("PYSEC-2023-254.yaml", 42), ("PYSEC-2023-112.yaml", 5), ("GHSA-jfhm-5ghh-2f97.json", 0)]
    {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let imported = import(&bytes, file).unwrap();
        assert_eq!(imported.text.affected[0].name, "cryptography", "{file}");
        assert_eq!(imported.text.affected[0].versions.len(), versions, "{file}");
        assert!(file.starts_with(&imported.text.public_id), "{file}");
    }
    for file in ["OSSA-2026-012.yaml", "CVE-2023-49083.json", "va-24-201-01.csaf.json"] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        assert!(matches!(import(&bytes, file), Err(ImportError::NotOsv(_))), "{file}");
    }
}
