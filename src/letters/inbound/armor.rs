//! ASCII armor around one OpenPGP message (RFC 9580 section 6.2), as mail programs leave it.

use super::Refused;
use super::decode::unbase64_dense;

const BEGIN: &[u8] = b"-----BEGIN PGP MESSAGE-----";
const END: &[u8] = b"-----END PGP MESSAGE-----";
/// Most armor headers: `Version`, `Comment`, `Hash`, `MessageID`, `Charset`.
const HEADERS: usize = 20;

/// Whether an armored message begins anywhere in it.
pub(super) fn is_in(bytes: &[u8]) -> bool {
    bytes.split(|b| *b == b'\n').any(|line| line.trim_ascii() == BEGIN)
}

/// The message, when `bytes` are one armored message and nothing else but white space;
/// `None` when it does not begin like one, `Mixed` when something stands after it.
pub(super) fn whole(bytes: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
    let Some(rest) = bytes.trim_ascii().strip_prefix(BEGIN) else { return Ok(None) };
    let mut lines = rest.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    if lines.next() != Some(b"") {
        return Err(Refused::Malformed);
    }
    let mut inside = Vec::with_capacity(rest.len());
    let mut headers = 0;
    // Headers end at an empty line; some programs forget it when there are none.
    let mut in_headers = true;
    for line in lines.by_ref() {
        if line == END {
            let clear = lines.any(|l| !l.is_empty());
            return if clear { Err(Refused::Mixed) } else { unbase64_dense(&inside).map(Some) };
        }
        if in_headers && line.contains(&b':') {
            headers += 1;
            if headers > HEADERS {
                return Err(Refused::Malformed);
            }
            continue;
        }
        in_headers = false;
        // The checksum adds nothing: the message has an integrity check of its own.
        if !line.starts_with(b"=") {
            inside.extend_from_slice(line);
        }
    }
    Err(Refused::Malformed)
}
