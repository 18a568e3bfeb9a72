//! Whether a disclosure without a fix claims none: neither in what it holds nor in any text.

use crate::domain::advisory::AdvisoryText;
use crate::domain::disclosure::{Case, CellState};
use crate::domain::finding::Finding;

/// Words that promise a version which somebody can install.
const PROMISES: [&str; 8] = [
    "fixed in",
    "fixed by",
    "upgrade to",
    "update to",
    "patched in",
    "releases with the fix",
    "install version",
    "available in",
];
/// How many words after a promise a version may stand.
const REACH: usize = 4;

/// What a case holds that belongs together with a fix only, or without one only.
pub fn check(case: &Case) -> Vec<Finding> {
    let pending = case.cells.iter().filter(|c| c.state == CellState::Pending);
    if case.mitigation_only.is_none() {
        let open = pending.map(|cell| {
            Finding::stop(
                "cell-pending",
                cell.branch.to_string(),
                "it waits for a fix, which only a disclosure without fixes may say",
            )
            .cure("daybreak disclosure add-patch or mark, or disclosure mitigation-only")
        });
        return open.collect();
    }
    let mut found = Vec::new();
    for (place, holds) in [
        ("patches", !case.patches.is_empty()),
        ("candidates", !case.candidates.is_empty()),
        ("releases", !case.releases.is_empty()),
    ] {
        if holds {
            found.push(
                Finding::stop(
                    "mitigation-with-fix",
                    place,
                    "it goes without a fix, and holds one: distributors and readers would be told \
                     two things",
                )
                .cure("daybreak disclosure mitigation-only DISC --off, or leave the fix to another disclosure"),
            );
        }
    }
    found
}

/// What an advisory says of a fix that is not there.
pub fn check_text(text: &AdvisoryText) -> Vec<Finding> {
    let mut found = Vec::new();
    for (i, affected) in text.affected.iter().enumerate() {
        if affected.fixed_versions().next().is_some() {
            found.push(claimed(
                format!("affected[{i}]"),
                "a range ends with `fixed`",
                "end the range with last_affected, or leave its end open",
            ));
        }
    }
    for (place, words) in [
        ("title", &text.title),
        ("description", &text.description),
        ("remedy", &text.remedy),
        ("mitigation", &text.mitigation),
    ] {
        found.extend(check_words(place, words));
    }
    if text.mitigation.trim().is_empty() {
        found.push(
            Finding::stop(
                "mitigation-missing",
                "mitigation",
                "there is neither a fix nor a mitigation",
            )
            .cure("say what helps until there is a fix"),
        );
    }
    found
}

/// What a rendered text promises. `place` names the text.
pub fn check_words(place: &str, text: &str) -> Vec<Finding> {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || "<>\"".contains(c))
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    let plain = |w: &String| w.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let plain: Vec<String> = words.iter().map(plain).collect();
    let mut found = Vec::new();
    for promise in PROMISES {
        let parts: Vec<&str> = promise.split(' ').collect();
        let said =
            plain.windows(parts.len()).enumerate().filter(|(_, w)| w.iter().eq(parts.iter()));
        for (at, _) in said {
            let whole = promise == "releases with the fix";
            if whole || names_version(&words, &plain, at.saturating_add(parts.len())) {
                found.push(claimed(
                    place.to_owned(),
                    &format!("it says `{promise}` and a version"),
                    "say what helps until there is a fix, and name no version",
                ));
            }
        }
    }
    found.dedup();
    found
}

/// A record for machines that names a fix.
pub fn claims_a_fix(place: &str) -> Finding {
    claimed(place.to_owned(), "a range ends with `fixed`", "end the range with last_affected")
}

/// Whether a version stands among the words from `at` on, before the sentence ends.
fn names_version(words: &[String], plain: &[String], at: usize) -> bool {
    for (word, plain) in words.iter().zip(plain).skip(at).take(REACH) {
        if is_version(plain) {
            return true;
        }
        if word.ends_with(['.', ';', ',']) {
            return false;
        }
    }
    false
}

fn is_version(word: &str) -> bool {
    let word = word.strip_prefix('v').unwrap_or(word);
    word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.')
}

fn claimed(place: String, what: &str, cure: &str) -> Finding {
    let says = format!("{what}, but no fix is out: readers would look for what is not there");
    Finding::stop("fixed-version-claimed", place, says).cure(cure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::affected::{Affected, Event, Range, RangeKind};
    use crate::domain::disclosure::MitigationOnly;
    use rstest::rstest;

    #[rstest]
    #[case("Upgrade to meadow 2.0.1 or later.", true)]
    #[case("fixed in: 1.4.3", true)]
    #[case("<td>Fixed in</td><td>1.4.3</td>", true)]
    #[case("New releases with the fix:", true)]
    #[case("fixed in: no fixed version is known\n  Description", false)]
    #[case("There is nothing to upgrade to yet; since 1.2.0 unpack writes anywhere.", false)]
    #[case("Versions 1.2.0 to 2.0.0 are affected.", false)]
    fn words_that_promise_a_version(#[case] text: &str, #[case] claims: bool) {
        assert_eq!(!check_words("post", text).is_empty(), claims);
    }

    #[test]
    fn a_text_without_a_fix_names_none_and_says_what_helps() {
        let range = |end: Event| Range {
            kind: RangeKind::Ecosystem,
            repo: None,
            events: vec![Event::Introduced("0".into()), end],
        };
        let text = |end: Event, mitigation: &str| AdvisoryText {
            affected: vec![Affected {
                ecosystem: "PyPI".into(),
                name: "m".into(),
                purl: None,
                ranges: vec![range(end)],
                versions: vec![],
            }],
            mitigation: mitigation.into(),
            ..AdvisoryText::default()
        };
        let codes = |t: &AdvisoryText| -> Vec<String> {
            check_text(t).into_iter().map(|f| f.code).collect()
        };
        let last = || Event::LastAffected("2".into());
        assert!(codes(&text(last(), "Turn it off.")).is_empty());
        assert_eq!(codes(&text(last(), " ")), ["mitigation-missing"]);
        assert_eq!(codes(&text(Event::Fixed("3".into()), "x")), ["fixed-version-claimed"]);
    }

    #[test]
    fn only_a_case_without_fixes_may_wait_for_one() {
        let mut case = Case::default();
        assert!(check(&case).is_empty());
        let branch =
            crate::domain::disclosure::BranchRef { repository: "m".into(), branch: "a".into() };
        let at = crate::domain::time::At::from_secs(1);
        let advisory = crate::domain::ids::AdvisoryId::new(at, [0; 10]);
        case.set_cell(advisory, branch, CellState::Pending);
        assert_eq!(check(&case)[0].code, "cell-pending");
        case.mitigation_only = Some(MitigationOnly { reason: "r".into(), closed_by: None });
        assert!(check(&case).is_empty());
    }
}
