//! What a message's bytes must be so that a relay passes them on unchanged.

use crate::domain::finding::Finding;
use crate::domain::receipt::OutletError;

/// Most bytes of a line without its CRLF (RFC 5321 section 4.5.3.1.6); relays break longer
/// ones, and with them the signature.
const LINE: usize = 998;

/// Refuses a CR without LF or LF without CR (RFC 5321 section 2.3.8): relays differ in what
/// they take for a line's end, and a forged end of message could hide behind it.
pub(super) fn check(bytes: &[u8]) -> Result<(), OutletError> {
    let mut before = None;
    for &byte in bytes {
        if (byte == b'\n') != (before == Some(b'\r')) {
            return Err(bare());
        }
        before = Some(byte);
    }
    if before == Some(b'\r') { Err(bare()) } else { Ok(()) }
}

fn bare() -> OutletError {
    OutletError::never("bare-newline", "every line of a message must end in CR LF")
}

/// What would be altered on the way.
pub(super) fn findings(bytes: &[u8]) -> Vec<Finding> {
    let long = bytes.split(|b| *b == b'\n').any(|line| line.len() > LINE + 1);
    if !long {
        return Vec::new();
    }
    vec![
        Finding::stop("line-too-long", "mail", format!("a line is longer than {LINE} bytes"))
            .cure("encode that part as quoted-printable or base64"),
    ]
}

/// The message as it must be handed to lettre, which ends every message with CR LF of its
/// own: without this, one empty line more would arrive than was approved.
pub(super) fn body(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\r\n").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_line_ends_pass() {
        for good in ["", "a", "a\r\n", "a\r\n\r\n.\r\nb"] {
            assert!(check(good.as_bytes()).is_ok(), "{good:?}");
        }
        for bad in ["\n", "a\nb", "a\rb", "a\r", "a\r\r\n", "a\r\n\n", "a\n\r"] {
            assert_eq!(check(bad.as_bytes()).unwrap_err().code, "bare-newline", "{bad:?}");
        }
    }

    #[test]
    fn long_lines_are_found() {
        let line = |n: usize| format!("a\r\n{}\r\n", "x".repeat(n));
        assert!(findings(line(998).as_bytes()).is_empty());
        assert_eq!(findings(line(999).as_bytes()).len(), 1);
    }
}
