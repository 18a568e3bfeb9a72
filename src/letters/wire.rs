//! The outside of a notice: exactly the headers that a stranger on the way may see, around
//! ciphertext (RFC 3156 section 4). Nothing here comes from the notice's content.

use lettre::message::header::{ContentDisposition, ContentTransferEncoding};
use lettre::message::{Body, MultiPart, SinglePart};

use super::LetterError;
use super::entity::Delivery;
use super::frame::{checked_boundary, media_type};

/// Longest line of armor we pass on.
const LONGEST: usize = 100;

/// The complete mail. `armored` is one OpenPGP message without armor headers; `boundary` is
/// random and used nowhere else.
pub fn sealed(
    delivery: &Delivery<'_>,
    armored: &[u8],
    boundary: &str,
) -> Result<Vec<u8>, LetterError> {
    checked_boundary(boundary)?;
    let seven = ContentTransferEncoding::SevenBit;
    let version = SinglePart::builder()
        .header(media_type("application/pgp-encrypted")?)
        .header(seven)
        .body(Body::dangerous_pre_encoded(b"Version: 1".to_vec(), seven));
    let message = SinglePart::builder()
        .header(media_type("application/octet-stream; name=\"encrypted.asc\"")?)
        .header(ContentDisposition::inline_with_name("encrypted.asc"))
        .header(seven)
        .body(Body::dangerous_pre_encoded(plain_armor(armored)?, seven));
    let parts = MultiPart::encrypted("application/pgp-encrypted".to_owned())
        .boundary(boundary)
        .singlepart(version)
        .singlepart(message);
    delivery.outer().around(parts)
}

/// The armor with CRLF between its lines and none at its end. Refuses armor headers, which
/// name programs, and anything before or after the message.
fn plain_armor(armored: &[u8]) -> Result<Vec<u8>, LetterError> {
    let text = std::str::from_utf8(armored).map_err(|_| LetterError::NotSealed)?;
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let inside = match lines.as_slice() {
        ["-----BEGIN PGP MESSAGE-----", "", inside @ .., "-----END PGP MESSAGE-----"] => inside,
        _ => return Err(LetterError::NotSealed),
    };
    let armor = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let fine = |line: &&str| !line.is_empty() && line.len() <= LONGEST && line.bytes().all(armor);
    if inside.is_empty() || !inside.iter().all(fine) {
        return Err(LetterError::NotSealed);
    }
    Ok(lines.join("\r\n").into_bytes())
}

#[cfg(test)]
mod tests;
