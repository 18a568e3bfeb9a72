//! Tests of `notice_text`: the promises that the file above makes.

use super::*;
use crate::domain::view::AdvisoryView;
use crate::domain::zone::T0;
use crate::formats::sample::{advisory, notice};

fn said(view: &NoticeView, news: &News) -> String {
    render(&Templates::load(None).unwrap(), view, news).unwrap()
}

fn text(view: &NoticeView) -> String {
    said(view, &News::First)
}

#[test]
fn the_first_lines_say_embargo_instant_and_reference() {
    let text = text(&notice(Audience::Distributor));
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
    let text = text(&view);
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
    let text = text(&notice(Audience::Reporter));
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
    let text = said(&view, &revision());
    assert!(text.contains("revision 2, from the Meadow"), "{text}");
    assert!(text.contains("This replaces revision 1"), "{text}");
    assert!(text.contains("\n  THE DATE: it moved.\n  main.patch: changed.\n"), "{text}");
    assert!(text.contains("changes.interdiff"), "{text}");
    // Everything is said again.
    assert!(text.contains("Gate parser accepts") && text.contains("git am meadow-main.patch"));
}

fn revision() -> News {
    News::Revision {
        since: 1,
        changes: vec!["THE DATE: it moved.".into(), "main.patch: changed.".into()],
        interdiff: b"diff".to_vec(),
    }
}

fn old() -> T0 {
    T0::parse("2026-11-30 16:00 Europe/Berlin").unwrap()
}

fn tidings() -> [News; 5] {
    [
        News::Schedule { old: old(), reason: "A distributor\nasked for a day.".into() },
        News::Broken {
            old: Some(old()),
            public: "A stranger posted the flaw.".into(),
            may_say: "That a fix is coming.".into(),
        },
        News::AtOnce { old: Some(old()), public: "It is public: https://lists.example/1".into() },
        News::Cancellation { told: old(), reason: "It is no flaw.".into(), holds: String::new() },
        News::Cancellation {
            told: old(),
            reason: "It is no flaw.".into(),
            holds: "You may speak.".into(),
        },
    ]
}

#[test]
fn news_alone_holds_no_advisory_no_patch_and_no_name_of_the_flaw() {
    for audience in [Audience::Distributor, Audience::Reporter] {
        let view = notice(audience);
        for news in tidings() {
            let text = said(&view, &news);
            let whole = format!("{} {text}", subject(&view, &news));
            for secret in ["Gate parser", "CVE-", "x_meadow", "latch", "git am", "cdcd", "main"] {
                assert!(!whole.contains(secret), "{secret} is in {whole}");
            }
        }
    }
}

/// The texts as they stand: whoever changes a template sees here what readers will see.
#[test]
fn each_kind_says_what_it_must() {
    let whole = |audience, news: &News| {
        let mut view = notice(audience);
        view.revision = 2;
        let shown = said(&view, news);
        format!("Subject: {}\n\n{shown}", subject(&view, news))
    };
    let mut all = String::new();
    for news in tidings() {
        for audience in [Audience::Distributor, Audience::Reporter] {
            all.push_str(&format!("=== {} to a {audience:?}\n", news.kind()));
            all.push_str(&whole(audience, &news));
        }
    }
    insta::assert_snapshot!("tidings", all);
    insta::assert_snapshot!("revision", whole(Audience::Distributor, &revision()));
}

#[test]
fn without_a_fix_none_is_claimed() {
    let mut bare: AdvisoryView = advisory();
    bare.affected[0].ranges[0].events.pop();
    let view = NoticeView { advisories: vec![bare], ..notice(Audience::Distributor) };
    assert!(text(&view).contains("no fixed version is known"));
}

#[test]
fn the_subject_keeps_its_beginning() {
    let one = notice(Audience::Distributor);
    let two = NoticeView { advisories: vec![advisory(), advisory()], ..one.clone() };
    assert!(subject(&one, &News::First).starts_with("Meadow security notice MDW-7F3A"));
    assert!(subject(&two, &revision()).starts_with("Meadow security notice MDW-7F3A"));
    for news in tidings() {
        assert!(subject(&one, &news).starts_with("Meadow security notice MDW-7F3A"));
    }
}
