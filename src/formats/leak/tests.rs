//! Tests of `leak`: the promises that the file above makes.

use super::*;
use crate::domain::finding::{Severity, any_stop};
use crate::formats::sample::advisory;

fn codes(text: &str) -> Vec<String> {
    leaks("message", text, &[advisory()]).into_iter().map(|f| f.code).collect()
}

#[test]
fn what_a_masked_message_says_passes() {
    for fine in [
        "Security fix\n\nThis commit fixes a security issue. Details follow shortly.\n",
        "[...]",
        "v1.4.2",
        "Meadow 1.4.2\n\nThis release contains a security fix. Please upgrade.",
        "refs/tags/v1.4.2",
        "Signed-off-by: Ada <ada@meadow.example>",
    ] {
        assert_eq!(codes(fine), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn names_of_the_flaw_stop() {
    for bad in [
        "x_meadow-2026-0001",
        "Fix cve-2026-12345",
        "fix-CVE-2030-99999-main",
        "GHSA-jfhm-5ghh-2f97",
        "see CWE-79",
    ] {
        assert!(codes(bad).contains(&"leak-id".to_owned()), "{bad}");
    }
}

#[test]
fn words_of_the_title_stop_in_any_number() {
    for bad in ["Balance the latch", "LATCHES", "parsers", "unbalanced"] {
        assert!(codes(bad).contains(&"leak-title".to_owned()), "{bad}");
    }
}

#[test]
fn words_of_weaknesses_stop() {
    for bad in [
        "Fix heap overflow",
        "use-after-free",
        "Avoid out-of-bounds read",
        "prevents SQL injection",
        "XSS",
        "path traversal",
    ] {
        assert!(codes(bad).contains(&"leak-weakness".to_owned()), "{bad}");
    }
    assert!(!codes("forget it, the forest is dry").contains(&"leak-weakness".to_owned()));
}

#[test]
fn paths_warn_only() {
    let found = leaks("message", "Touch src/gates/hinge.py and README", &[advisory()]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity, found[0].code.as_str()), (Severity::Warn, "leak-path"));
    assert!(!any_stop(&found));
}
