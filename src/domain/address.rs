//! Mail addresses as we accept them: plain `name@host`, nothing that could end a header
//! line, an SMTP command or an argument.

/// Whether `text` is a plain address: printable ASCII, one `@`, a dotted or literal host,
/// no space, quote, angle bracket, comma or control character (a strict part of RFC 5321's
/// Mailbox).
pub fn is_plain(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let local_ok = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let host_ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    !local.is_empty()
        && !local.starts_with('-')
        && local.len() <= 64
        && local.chars().all(local_ok)
        && !host.is_empty()
        && host.len() <= 253
        && !host.starts_with(['-', '.'])
        && !host.ends_with(['-', '.'])
        && host.chars().all(host_ok)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_plain_addresses_pass() {
        for good in ["security@example.org", "o'neil+x@mail-1.example", "root@localhost"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b\nBcc: c@d",
            "A <a@b>",
            "a@b,c@d",
            "-f@b",
            "a@-b",
            "a@b@c",
            "ä@b",
        ] {
            assert!(!is_plain(bad), "{bad}");
        }
    }
}
