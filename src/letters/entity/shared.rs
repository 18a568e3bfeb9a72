//! An entity that is the same for everybody in a group, so that one signature does for all.
//!
//! Whatever belongs to one delivery is left out: To, Date and Message-ID inside, and the
//! outer Subject, which is each contact's own. A plan pins it whole; nothing is added later.

use super::{LetterError, bucket_of, checked_line, line, padded};

/// How it begins; a group begins with its Content-Type.
const FIRST: &str = "From";

/// The whole entity: From, the real Subject, the group's bytes, the padding.
pub fn shared(group: &[u8], from: &str, subject: &str) -> Result<Vec<u8>, LetterError> {
    checked_line("from", from)?;
    checked_line("subject", subject)?;
    let header = [
        line(FIRST, from.to_owned()),
        line("Subject", subject.to_owned()),
        line("HP-Outer", format!("{FIRST}: {from}")),
    ];
    padded(&header.concat(), group, bucket_of(group.len())?)
}

/// Whether pinned bytes are a whole entity and not a group.
pub fn is_shared(pinned: &[u8]) -> bool {
    pinned.starts_with(b"From: ")
}
