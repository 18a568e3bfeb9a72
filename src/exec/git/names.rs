//! Which texts may become git arguments: ref names and object ids that no option parser, shell
//! or ref syntax can read as anything else.

/// Whether `text` is a full object id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
pub fn is_oid(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

/// Whether `text` is a branch or tag name we use, without `refs/heads/` or `refs/tags/`:
/// narrower than git-check-ref-format allows.
pub fn is_ref_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '+');
    let part = |p: &str| {
        !p.is_empty() && !p.starts_with('.') && !p.ends_with('.') && !p.ends_with(".lock")
    };
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 200
        && text.chars().all(plain)
        && !text.contains("..")
        && text.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for good in ["main", "1.4.x", "v1.2.3+build", "security/DSA-1"] {
            assert!(is_ref_name(good), "{good}");
        }
        for bad in [
            "", "-f", "--force", "+main", "a..b", "a b", "a\nb", "a:b", "a^", "a~1", "a@{1}", "/a",
            "a/", "a//b", ".a", "a/.b", "a.lock", "a.", "ä", "$(id)", "a;b", "a\\b",
        ] {
            assert!(!is_ref_name(bad), "{bad}");
        }
    }

    #[test]
    fn an_object_id_is_full_and_lower_case() {
        assert!(is_oid(&"a1".repeat(20)) && is_oid(&"0f".repeat(32)));
        for bad in ["abc", "", "HEAD", &"A1".repeat(20), &"g1".repeat(20)] {
            assert!(!is_oid(bad), "{bad}");
        }
    }
}
