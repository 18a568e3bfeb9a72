//! Tests of `changes`: whatever differs is named, and nothing else.

use super::*;
use crate::domain::view::{Audience, ReleaseView};
use crate::domain::zone::T0;
use crate::formats::sample::{PATCH, notice};

fn view() -> NoticeView {
    notice(Audience::Distributor)
}

#[test]
fn what_is_the_same_is_not_a_change() {
    let again = NoticeView { made_at: crate::domain::time::At::from_secs(9), ..view() };
    assert!(changes(&view(), &again, Some("a reason")).is_empty());
}

#[test]
fn every_field_that_differs_is_named() {
    let mut now = view();
    now.t0 = T0::parse("2026-12-02 16:00 Europe/Berlin").unwrap();
    let it = &mut now.advisories[0];
    it.title = "Another title".into();
    it.aliases.push("CVE-2026-2".into());
    it.severity = vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()];
    it.cwe.clear();
    it.affected[0].versions.push("1.3".into());
    it.description.push('!');
    it.remedy.clear();
    it.mitigation.clear();
    it.references.clear();
    it.credits.clear();
    now.branches[0].state = "not affected".into();
    now.releases[0].version = "1.4.3".into();
    let other = ReleaseView { branch: "1.x".into(), version: "1.3.9".into(), tag: "v1.3.9".into() };
    now.releases.push(other);
    now.patches[0].base = "ef".repeat(20);
    let said = changes(&view(), &now, Some("a distributor asked"));
    insta::assert_snapshot!("every_field", said.join("\n"));
    assert_eq!(changes(&now, &view(), None).len(), said.len(), "back again, the same fields");
}

#[test]
fn advisories_come_and_go() {
    let mut now = view();
    now.advisories[0].public_id = "x_meadow-2026-0002".into();
    let said = changes(&view(), &now, None);
    assert_eq!(
        said,
        [
            "x_meadow-2026-0002: this advisory is new.",
            "x_meadow-2026-0001: no longer part of this disclosure.",
        ]
    );
}

fn mbox(commits: &[(&str, &str)]) -> Vec<u8> {
    let n = commits.len();
    let one = |(at, (title, body)): (usize, &(&str, &str))| {
        let id = format!("{at:x}").repeat(40);
        format!("From {id} Mon Sep 17 00:00:00 2001\nSubject: [PATCH {at}/{n}] {title}\n\n{body}\n")
    };
    (1..).zip(commits).map(one).collect::<String>().into_bytes()
}

#[test]
fn a_series_is_compared_commit_by_commit() {
    let with = |commits: &[(&str, &str)]| {
        let mut view = view();
        view.patches[0].bytes = mbox(commits);
        view
    };
    let old = with(&[("Close", "a"), ("Test", "b"), ("Note", "c")]);
    let new = with(&[("Prepare", "z"), ("Close", "a2"), ("Test", "b")]);
    assert_eq!(
        changes(&old, &new, None),
        [
            "meadow-main.patch, commit 1 \"Prepare\": new.",
            "meadow-main.patch, commit 2 \"Close\": changed.",
            "meadow-main.patch, commit \"Note\": dropped.",
        ]
    );
    // Only ids and numbers differ.
    let made_again = {
        let mut view = with(&[("Close", "a"), ("Test", "b"), ("Note", "c")]);
        let text = String::from_utf8(view.patches[0].bytes.clone()).unwrap();
        view.patches[0].bytes = text.replace(&"1".repeat(40), &"9".repeat(40)).into_bytes();
        view
    };
    assert_eq!(changes(&old, &made_again, None), ["meadow-main.patch, changed in its form only."]);
    let mut gone = old.clone();
    gone.patches[0].file_name = "meadow-1.x.patch".into();
    gone.patches[0].bytes = PATCH.into();
    let said = changes(&old, &gone, None);
    assert!(said[0].starts_with("meadow-1.x.patch: a new patch, on cdcd"), "{said:?}");
    assert_eq!(said[1], "meadow-main.patch: withdrawn, do not use it.");
}
