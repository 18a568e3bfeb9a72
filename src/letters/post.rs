//! A public mail to one list: signed, final, with only its Date left open.
//!
//! It is signed before approval; the Date stands outside the signature. When the full text
//! is larger than the list takes, the short one goes; when that is too large, nobody guesses.

use async_trait::async_trait;
use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType};
use lettre::message::{Body, MultiPart, SinglePart};

use super::LetterError;
use super::frame::{Frame, checked_boundary, checked_line, date_slots, media_type, text_part};
use crate::config::{List, PostSigning};
use crate::domain::blob::{Blob, Slot};
use crate::domain::time::At;

/// Room kept for headers and signature when it is judged which text fits, in bytes.
const HEADROOM: usize = 4096;
/// Longest line sent as it is (RFC 5322 section 2.1.1 allows 998).
const LONGEST: usize = 990;

/// A detached signature over bytes of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// Armored, ASCII.
    pub armored: Vec<u8>,
    /// RFC 3156 section 5: `pgp-sha512`.
    pub micalg: String,
}

/// Whoever signs posts. Errors are words for people and carry no content.
#[async_trait]
pub trait PostSigner: Send + Sync {
    /// A detached binary signature over exactly `bytes`.
    async fn detached(&self, bytes: &[u8]) -> Result<Detached, String>;
    /// `text` in the cleartext signature framework (RFC 9580 section 7), dash-escaped.
    async fn clearsign(&self, text: &str) -> Result<String, String>;
}

/// What is to be posted.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    /// Where to.
    pub list: &'a List,
    /// The team's address, unless the list has its own.
    pub from: &'a str,
    /// Without the list's prefix.
    pub subject: &'a str,
    /// The text with everything in it.
    pub full: &'a str,
    /// The text that names instead of quoting.
    pub short: &'a str,
    /// Without angle brackets; kept on every retry.
    pub message_id: &'a str,
    /// Random; pinned with the rest.
    pub boundary: &'a str,
}

/// A finished post.
#[derive(Clone, PartialEq, Eq)]
pub struct Posted {
    /// The header's From.
    pub from: String,
    /// MAIL FROM.
    pub envelope_from: String,
    /// The list.
    pub to: String,
    /// The bytes, Date blank.
    pub bytes: Vec<u8>,
    /// The Date.
    pub slots: Vec<Slot>,
    /// Whether the full text went in.
    pub full: bool,
}

impl Posted {
    /// The same bytes as a plan pins them.
    pub fn blob(self, name: impl Into<String>) -> Blob {
        Blob::new(name, self.bytes, self.slots)
    }
}

/// Makes the mail for one list.
pub async fn compose(post: &Post<'_>, signer: &dyn PostSigner) -> Result<Posted, LetterError> {
    checked_boundary(post.boundary)?;
    let from = post.list.from.as_deref().unwrap_or(post.from);
    let prefix = post.list.subject_prefix.trim();
    let subject = match prefix.is_empty() {
        true => post.subject.to_owned(),
        false => format!("{prefix} {}", post.subject),
    };
    checked_line("subject", &subject)?;
    let frame = Frame {
        from,
        to: &post.list.address,
        date: At::from_secs(0),
        subject: &subject,
        message_id: post.message_id,
        auto: false,
    };
    let limit = usize::try_from(post.list.max_bytes).unwrap_or(usize::MAX);
    let mut smallest = usize::MAX;
    for (text, full) in [(post.full, true), (post.short, false)] {
        let guess = text_part(text).formatted().len().saturating_add(HEADROOM);
        smallest = smallest.min(guess);
        if guess > limit {
            continue;
        }
        let bytes = mail(&frame, post, text, signer).await?;
        smallest = smallest.min(bytes.len());
        if bytes.len() <= limit {
            let slots = date_slots(&bytes, &["Date: "]);
            let envelope_from = post.list.envelope_from.as_deref().unwrap_or(from).to_owned();
            let to = post.list.address.clone();
            return Ok(Posted { from: from.to_owned(), envelope_from, to, bytes, slots, full });
        }
    }
    Err(LetterError::TooLarge { bytes: smallest, limit })
}

async fn mail(
    frame: &Frame<'_>,
    post: &Post<'_>,
    text: &str,
    signer: &dyn PostSigner,
) -> Result<Vec<u8>, LetterError> {
    match post.list.signing {
        PostSigning::None => frame.around_one(text_part(text)),
        PostSigning::Clearsign => {
            let signed = signer.clearsign(text).await.map_err(LetterError::Unsigned)?;
            if !signed.starts_with("-----BEGIN PGP SIGNED MESSAGE-----") {
                return Err(LetterError::Unsigned("it gave back no clearsigned text".to_owned()));
            }
            frame.around_one(untouched(&signed))
        }
        PostSigning::Mime => {
            let part = text_part(text);
            let bytes = part.formatted();
            // The last CRLF belongs to the boundary that follows (RFC 3156 section 5).
            let signed = bytes.strip_suffix(b"\r\n").unwrap_or(&bytes);
            let signature = signer.detached(signed).await.map_err(LetterError::Unsigned)?;
            let parts = signature_part(&signature)?;
            let known = |m: &str| m.starts_with("pgp-") && m.bytes().all(|b| b.is_ascii_graphic());
            if !known(&signature.micalg) || signature.micalg.contains('"') {
                return Err(LetterError::Unsigned("it named no digest".to_owned()));
            }
            let kind = MultiPart::signed("application/pgp-signature".to_owned(), signature.micalg);
            frame.around(kind.boundary(post.boundary).singlepart(part).singlepart(parts))
        }
    }
}

fn signature_part(signature: &Detached) -> Result<SinglePart, LetterError> {
    let no = || LetterError::Unsigned("it gave back no armored signature".to_owned());
    let text = std::str::from_utf8(&signature.armored).map_err(|_| no())?;
    if !text.is_ascii() || !text.starts_with("-----BEGIN PGP SIGNATURE-----") {
        return Err(no());
    }
    let seven = ContentTransferEncoding::SevenBit;
    let body = text.trim_end().lines().collect::<Vec<_>>().join("\r\n").into_bytes();
    Ok(SinglePart::builder()
        .header(media_type("application/pgp-signature; name=\"signature.asc\"")?)
        .header(ContentDisposition::attachment("signature.asc"))
        .header(seven)
        .body(Body::dangerous_pre_encoded(body, seven)))
}

/// Clearsigned text is checked from what a reader sees: plain where nothing on the way has a
/// reason to touch it, else quoted-printable.
fn untouched(text: &str) -> SinglePart {
    let risky = |line: &str| {
        line.len() > LONGEST || line.starts_with("From ") || line.ends_with([' ', '\t'])
    };
    if !text.is_ascii() || text.contains('\0') || text.lines().any(risky) {
        return text_part(text);
    }
    let seven = ContentTransferEncoding::SevenBit;
    let body = text.trim_end().lines().collect::<Vec<_>>().join("\r\n").into_bytes();
    SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .header(seven)
        .body(Body::dangerous_pre_encoded(body, seven))
}

#[cfg(test)]
mod tests;
