//! What a mail is: a report, wholly encrypted, or in clear. There is no fourth.

use super::decode;
use super::dsn::{self, Dsn};
use super::{Entity, Refused, armor};
use crate::domain::message::Enclosed;

/// Most bytes kept of a text.
const TEXT: usize = 1024 * 1024;
/// Most bytes of a detached signature: a handful of signatures.
const SIGNATURE: usize = 32 * 1024;

/// What a mail is.
pub enum Shape {
    /// A report on deliveries (RFC 3464).
    Report(Dsn),
    /// One OpenPGP message, binary, and nothing else.
    Encrypted(Vec<u8>),
    /// Everything else.
    Clear(Piece),
}

/// What can be shown of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// The first text.
    pub text: String,
    /// The rest, named only.
    pub enclosed: Vec<Enclosed>,
}

/// A part signed by itself (RFC 3156 section 5), as some programs put it into an encrypted one.
pub struct Signed<'a> {
    /// Exactly what was signed.
    pub over: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The part.
    pub entity: &'a Entity<'a>,
}

/// Says what a mail is; refuses what is half one thing and half another.
pub fn shape(mail: &Entity<'_>) -> Result<Shape, Refused> {
    let report =
        mail.parameter("report-type").is_some_and(|t| t.eq_ignore_ascii_case("delivery-status"));
    if mail.media_type == "multipart/report" && report {
        return dsn::read(mail).map(Shape::Report);
    }
    if let Some(message) = sealed(mail)? {
        return Ok(Shape::Encrypted(message));
    }
    Ok(Shape::Clear(piece(mail)?))
}

/// The one OpenPGP message that is the whole mail. Beside it there may be RFC 3156's version
/// part and blank texts, which Exchange adds when it turns `multipart/encrypted` into
/// `multipart/mixed`; anything else beside it, and the mail is refused.
fn sealed(mail: &Entity<'_>) -> Result<Option<Vec<u8>>, Refused> {
    let mut found = Vec::new();
    let (mut beside, mut ciphertext) = (false, claims(mail));
    for leaf in mail.leaves() {
        let bytes = decode::bytes(leaf)?;
        if let Some(message) = armor::whole(&bytes)? {
            found.push(message);
            continue;
        }
        let version = leaf.media_type == "application/pgp-encrypted";
        let blank = leaf.media_type.starts_with("text/") && is_blank(&bytes);
        ciphertext |= version || armor::is_in(&bytes);
        beside |= !(version || blank);
    }
    match (found.pop(), found.is_empty()) {
        (Some(message), true) if !beside => Ok(Some(message)),
        (Some(_), _) => Err(Refused::Mixed),
        (None, _) if ciphertext && beside => Err(Refused::Mixed),
        (None, _) if ciphertext => Err(Refused::Malformed),
        (None, _) => Ok(None),
    }
}

/// Whether any part says that it is encrypted.
fn claims(entity: &Entity<'_>) -> bool {
    entity.media_type == "multipart/encrypted" || entity.parts.iter().any(claims)
}

/// Nothing to be read; Exchange writes non-breaking spaces.
fn is_blank(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).chars().all(|c| c.is_whitespace() || c == '\u{fffd}')
}

/// What can be shown of an opened entity, and its own signature if it has one. Ciphertext in
/// it is refused: nothing is opened twice.
pub fn inside<'a>(entity: &'a Entity<'a>) -> Result<(Piece, Option<Signed<'a>>), Refused> {
    match sealed(entity) {
        Ok(None) => {}
        _ => return Err(Refused::Nested),
    }
    let [first, second] = entity.parts.as_slice() else { return Ok((piece(entity)?, None)) };
    let detached = entity.media_type == "multipart/signed"
        && second.media_type == "application/pgp-signature"
        && second.body.len() <= SIGNATURE;
    if !detached {
        return Ok((piece(entity)?, None));
    }
    let signature = decode::bytes(second)?;
    let signed = Signed { over: crlf(first.raw), signature, entity: first };
    Ok((piece(first)?, Some(signed)))
}

/// Signed text has CRLF line ends whatever it travelled with (RFC 3156 section 5).
fn crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut before = 0;
    for byte in raw {
        if *byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(*byte);
        before = *byte;
    }
    out
}

fn piece(entity: &Entity<'_>) -> Result<Piece, Refused> {
    let mut piece = Piece::default();
    let mut shown = false;
    for leaf in entity.leaves() {
        if !shown && leaf.media_type == "text/plain" && !leaf.is_attachment() {
            piece.text = decode::text(leaf)?.chars().take(TEXT).collect();
            shown = true;
            continue;
        }
        piece.enclosed.push(Enclosed {
            name: leaf.file_name().unwrap_or_default().chars().take(200).collect(),
            media_type: leaf.media_type.chars().take(100).collect(),
            len: decode::bytes(leaf)?.len() as u64,
        });
    }
    Ok(piece)
}
