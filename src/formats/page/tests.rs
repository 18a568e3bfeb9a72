//! Tests of `page`: the promises that the file above makes.

use super::*;
use crate::domain::blob::{SlotName, fill};
use crate::domain::time::At;
use crate::formats::entry::sample;
use crate::formats::index;
use crate::formats::sample::{HOSTILE, advisory as ours, hostile, public};

fn templates() -> Templates {
    Templates::load(None).unwrap()
}

fn html(view: AdvisoryView) -> String {
    let made = advisory(&templates(), &view, &public(view.clone())).unwrap();
    String::from_utf8(made.bytes).unwrap()
}

fn masthead() -> Masthead {
    Masthead::of(&public(ours()))
}

#[test]
fn the_page_shows_what_a_reader_needs() {
    let page = html(ours());
    for wanted in [
        "<html lang=\"en\">",
        "x_meadow-2026-0001",
        "CVE-2026-12345",
        "High</strong> 7.5",
        "CVSS:3.1",
        "all before 1.4.2",
        "v1.4.2",
        "patched",
        "<strong>latch</strong>",
        "Upgrade to 1.4.2.",
        "Keep the gate shut.",
        "cwe.mitre.org",
        "Ada",
        "finder",
        "Skip to the content",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing in {page}");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    assert_eq!(page.matches("<main").count(), 1);
}

#[test]
fn the_days_are_slots_and_no_hour_is_stated() {
    let view = ours();
    let made = advisory(&templates(), &view, &public(view.clone())).unwrap();
    assert!(made.slots.iter().all(|s| s.len == 10));
    for name in [SlotName::Published, SlotName::Modified] {
        assert_eq!(made.slots.iter().filter(|s| s.name == name).count(), 2);
    }
    let mut bytes = made.bytes.clone();
    fill(&mut bytes, &made.slots, At::parse_rfc3339("2026-12-01T15:04:05Z").unwrap()).unwrap();
    let page = String::from_utf8(bytes).unwrap();
    assert_eq!(page.matches("2026-12-01").count(), 4);
    assert!(!page.contains("1970") && !page.contains("15:04"));
}

#[test]
fn nothing_typed_becomes_markup() {
    let page = html(hostile());
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(!page.contains(" style=") && !page.contains("javascript:"), "{page}");
    assert!(page.contains("{{ 7 }}"), "what is typed is no template");
}

#[test]
fn a_hostile_link_is_shown_and_leads_nowhere() {
    let mut view = ours();
    view.references[0].url = "javascript:alert(1)".into();
    assert!(!html(view).contains("href=\"javascript"));
}

#[test]
fn the_index_is_newest_first_and_has_an_empty_state() {
    let (old, mut new) =
        (sample("x_m-1", "2026-01-01T00:00:00Z"), sample("x_m-2", "2026-02-01T00:00:00Z"));
    new.title = HOSTILE.into();
    let page = index::page(&templates(), &masthead(), &[old, new]).unwrap();
    let page = String::from_utf8(page.bytes).unwrap();
    assert!(page.find("x_m-2").unwrap() < page.find("x_m-1").unwrap());
    assert!(!page.contains("<script"), "{page}");
    let empty = index::page(&templates(), &masthead(), &[]).unwrap();
    assert!(String::from_utf8(empty.bytes).unwrap().contains("No advisories have been published"));
}

#[test]
fn a_site_below_a_path_links_below_it() {
    let mut head = masthead();
    head.base_url = "https://meadow.example/security".into();
    let page = not_found(&templates(), &head).unwrap();
    let page = String::from_utf8(page.bytes).unwrap();
    assert!(page.contains("href=\"/security/site.css\""), "{page}");
}
