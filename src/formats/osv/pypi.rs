//! What PyPI's rules demand of names (PEP 503) and versions (PEP 440). A client that reads a
//! version it cannot parse fails the whole scan, so it is refused here.

/// PEP 503: lower case, runs of `-`, `_` and `.` as one `-`.
pub(super) fn normalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            other => out.extend(other.to_lowercase()),
        }
    }
    out
}

/// Whether `text` is a version by PEP 440, appendix B, its accepted spellings included.
pub(super) fn is_version(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let rest = lower.strip_prefix('v').unwrap_or(&lower);
    let (public, local) = match rest.split_once('+') {
        Some((public, local)) => (public, Some(local)),
        None => (rest, None),
    };
    let rest = match public.split_once('!') {
        Some((epoch, rest)) if is_number(epoch) => rest,
        Some(_) => return false,
        None => public,
    };
    let Some(rest) = release(rest) else { return false };
    let rest = tagged(rest, &["alpha", "a", "beta", "b", "preview", "pre", "c", "rc"]);
    let rest = post(rest);
    let rest = tagged(rest, &["dev"]);
    rest.is_empty() && local.is_none_or(is_local)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What follows `1.2.3`; `None` when there is no number at all.
fn release(text: &str) -> Option<&str> {
    let mut rest = digits(text)?;
    while let Some(next) = rest.strip_prefix('.').and_then(digits) {
        rest = next;
    }
    Some(rest)
}

fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// What follows an optional `-rc.1`.
fn tagged<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let bare = text.strip_prefix(['.', '-', '_']).unwrap_or(text);
    let after = words.iter().filter_map(|word| bare.strip_prefix(word)).min_by_key(|r| r.len());
    let Some(after) = after else { return text };
    let numbered = after.strip_prefix(['.', '-', '_']).unwrap_or(after);
    digits(numbered).unwrap_or(after)
}

/// What follows an optional `.post1` or `-1`.
fn post(text: &str) -> &str {
    match text.strip_prefix('-').and_then(digits) {
        Some(rest) => rest,
        None => tagged(text, &["post", "rev", "r"]),
    }
}

fn is_local(text: &str) -> bool {
    text.split(['.', '-', '_'])
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        assert_eq!(normalised("Foo__Bar.-baz"), "foo-bar-baz");
    }

    #[test]
    fn versions_of_pep_440_pass_and_others_do_not() {
        for good in [
            "1",
            "1.0",
            "3.10",
            "1.0a1",
            "1.0.b2",
            "1.0-rc.1",
            "1.0rc",
            "2!1.0",
            "1.0.post3",
            "1.0-1",
            "1.0.dev4",
            "1.0rc1.post2.dev3",
            "v1.0",
            "1.0+ubuntu-1",
            "0",
            "1.0preview2",
        ] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "main", "1..0", "1.0-foo", "1.0+", "1.x", "<2", "1.0 2.0", "!1", "1.0."] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
