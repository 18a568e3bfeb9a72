//! Tests of `post_text`: the promises that the file above makes.

use super::*;
use crate::formats::sample::{PATCH, advisory, public};

fn made(patches: Patches) -> PostText {
    render(&Templates::load(None).unwrap(), &public(advisory()), patches).unwrap()
}

#[test]
fn the_post_stands_alone() {
    let post = made(Patches::Inline);
    assert_eq!(post.subject, "CVE-2026-12345: Meadow: Gate parser accepts unbalanced latches");
    for wanted in [
        "Meadow 1.4.2 (branch main, tag v1.4.2)",
        "x_meadow-2026-0001",
        "all before 1.4.2",
        "fixed in: 1.4.2",
        "Keep the gate shut.",
        "Ada (finder)",
        "https://security.meadow.example/advisories/x_meadow-2026-0001.html",
        "main: x_meadow-2026-0001 patched",
        PATCH.trim_end(),
    ] {
        assert!(post.text.contains(wanted), "{wanted} is missing in {}", post.text);
    }
    for leftover in ["EMBARGO", "TLP", "UTC"] {
        assert!(!post.text.contains(leftover), "{leftover}");
    }
}

#[test]
fn a_patch_that_does_not_fit_is_named() {
    let post = made(Patches::Named);
    assert!(!post.text.contains("open = False"));
    assert!(post.text.contains(&"ab".repeat(20)));
    assert!(post.text.contains(&Sha256::of(PATCH.as_bytes()).to_string()));
}

#[test]
fn bytes_that_are_no_text_are_never_inline() {
    let mut view = public(advisory());
    view.patches[0].bytes = vec![0xff, 0xfe];
    let post = render(&Templates::load(None).unwrap(), &view, Patches::Inline).unwrap();
    assert!(!post.text.contains("---- begin"));
}

#[test]
fn a_release_without_advisory_is_just_announced() {
    let mut view = public(advisory());
    view.advisories.clear();
    view.branches.clear();
    let post = render(&Templates::load(None).unwrap(), &view, Patches::Named).unwrap();
    assert_eq!(post.subject, "Meadow 1.4.2 released");
}
