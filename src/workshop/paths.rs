//! Which paths and link targets a patch may bring: nothing in git's own folder, nothing outside
//! the tree. git refuses these too; we refuse them first, with a reason a person understands.

/// Why `path`, relative to the top of the tree, may not be written; `None` when it may.
pub fn wrong_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("has an empty path");
    }
    if path.starts_with('/') || path.starts_with('\\') {
        return Some("leaves the tree: the path is absolute");
    }
    if path.chars().any(char::is_control) {
        return Some("has a control character in a path");
    }
    // A backslash separates folders where somebody on Windows checks this out.
    path.split(['/', '\\']).find_map(|part| match part {
        ".." => Some("leaves the tree: the path climbs with `..`"),
        "" | "." => Some("has an empty or `.` part in a path"),
        part if is_git_folder(part) => Some("touches git's own folder `.git`"),
        _ => None,
    })
}

/// `.git` as some file system would see it: any case (macOS, Windows), its short name
/// `git~1`, with trailing dots, spaces or a stream name (NTFS), with ignorable code points (HFS+).
fn is_git_folder(part: &str) -> bool {
    let seen: String = part.chars().filter(|c| !is_ignorable(*c)).collect();
    let seen = seen.split(':').next().unwrap_or_default();
    let seen = seen.trim_end_matches(['.', ' ']);
    seen.eq_ignore_ascii_case(".git") || seen.eq_ignore_ascii_case("git~1")
}

/// The code points HFS+ ignores in names.
const fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Whether a symbolic link at `path` with `target` points out of the tree or into `.git`.
pub fn link_escapes(path: &str, target: &str) -> bool {
    if target.starts_with('/') || target.contains('\\') {
        return true;
    }
    let mut depth = path.split('/').count().saturating_sub(1);
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            part if is_git_folder(part) => return true,
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_or_touch_git_are_refused() {
        for good in ["a", "a/b.c", ".gitignore", ".github/x", "git/x", "a..b", "ä/ö"] {
            assert_eq!(wrong_path(good), None, "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a/..",
            ".git/config",
            "a/.GIT/x",
            ".gIt",
            "git~1/x",
            ".git./x",
            ".git /x",
            ".g\u{200c}it/x",
            ".git::$INDEX/x",
            "a\\..\\b",
            "a//b",
            "./a",
            "a\nb",
        ] {
            assert!(wrong_path(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn links_stay_in_the_tree() {
        for (path, target) in [("a/b", "../c"), ("a", "b/c"), ("a/b/c", "../../d"), ("a", "./b")] {
            assert!(!link_escapes(path, target), "{path} -> {target}");
        }
        for (path, target) in
            [("a", "/etc"), ("a", "../x"), ("a/b", "../../x"), ("a", "b/../../x"), ("a", ".git/x")]
        {
            assert!(link_escapes(path, target), "{path} -> {target}");
        }
    }
}
