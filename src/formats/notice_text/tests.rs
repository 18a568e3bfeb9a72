//! Tests of `notice_text`: the promises that the file above makes.

use super::*;
use crate::domain::view::AdvisoryView;
use crate::formats::sample::{advisory, notice};

fn text(view: &NoticeView, changes: &str) -> String {
    render(&Templates::load(None).unwrap(), view, changes).unwrap()
}

#[test]
fn the_first_lines_say_embargo_instant_and_reference() {
    let text = text(&notice(Audience::Distributor), "");
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "EMBARGOED until 2026-12-01 15:00:00 UTC (Tuesday); 2026-12-01 16:00 in \
             Europe/Berlin. TLP:AMBER+STRICT."
        )
    );
    let second = "Reference MDW-7F3A, revision 1, from the Meadow security team.";
    assert_eq!(lines.next(), Some(second));
}

#[test]
fn a_distributor_gets_everything_needed_to_build() {
    let view = notice(Audience::Distributor);
    let text = text(&view, "");
    for wanted in [
        "Gate parser accepts unbalanced latches",
        "CVE-2026-12345",
        "high, 7.5",
        "all before 1.4.2",
        "You may not publish",
        "You may prepare",
        "base:    cdcd",
        view.patches[0].sha256.as_str(),
        "git am meadow-main.patch",
        "applies to the tip of main",
        "1.4.2 from main, tag v1.4.2",
        "main: x_meadow-2026-0001 patched",
        "Reply to security@meadow.example, encrypted and signed",
        "sha256sum -c SHA256SUMS",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in {text}");
    }
    assert!(!text.contains("What changed"));
}

#[test]
fn a_reporter_gets_the_date_and_no_patch() {
    let text = text(&notice(Audience::Reporter), "");
    for wanted in ["Thank you for your report", "2026-12-01 15:00:00 UTC", "Ada (finder)"] {
        assert!(text.contains(wanted), "{wanted} is missing in {text}");
    }
    for secret in ["git am", "meadow-main.patch", "cdcdcd", "main:"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[test]
fn a_later_revision_says_what_changed() {
    let mut view = notice(Audience::Distributor);
    view.revision = 2;
    let text = text(&view, "The instant moved by a day.");
    assert!(text.contains("revision 2") && text.contains("The instant moved by a day."));
}

#[test]
fn without_a_fix_none_is_claimed() {
    let mut bare: AdvisoryView = advisory();
    bare.affected[0].ranges[0].events.pop();
    let view = NoticeView { advisories: vec![bare], ..notice(Audience::Distributor) };
    assert!(text(&view, "").contains("no fixed version is known"));
}

#[test]
fn the_subject_keeps_its_beginning() {
    let one = notice(Audience::Distributor);
    let two = NoticeView { advisories: vec![advisory(), advisory()], ..one.clone() };
    assert!(subject(&one).starts_with("Meadow security notice MDW-7F3A"));
    assert!(subject(&two).starts_with("Meadow security notice MDW-7F3A"));
}
