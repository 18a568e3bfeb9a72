//! The clear inside of a notice: one `multipart/mixed` with its own protected header
//! (RFC 9788), padded to one of six sizes so that length tells nothing.
//!
//! The group is pinned once per content group; composing adds only what belongs to one
//! delivery. All deliveries of a group have the same size.

use lettre::message::header::{ContentDisposition, ContentTransferEncoding};
use lettre::message::{Body, MultiPart, SinglePart};

use super::LetterError;
use super::frame::{
    Frame, checked_boundary, checked_line, date_slots, line, media_type, text_part,
};
use crate::domain::address::is_plain;
use crate::domain::blob::{Sha256, Slot};
use crate::domain::time::At;

/// The sizes an entity may have, in bytes.
pub const BUCKETS: [usize; 6] = [64 << 10, 256 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20];
/// Room kept for the header copies of a delivery: the bucket depends on the group alone.
const HEADROOM: usize = 8 << 10;
/// The list of digests, in the form `sha256sum -c` reads.
const SUMS: &str = "SHA256SUMS";

/// One attachment.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `[A-Za-z0-9._+-]`, beginning with a letter or digit.
    pub file_name: String,
    /// `text/x-patch`, `application/json`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What is equal for everybody who gets the same content: pinned by the plan.
#[derive(Clone, PartialEq, Eq)]
pub struct Group {
    /// Content-Type header and parts, without any address, date or id.
    pub body: Vec<u8>,
    /// Size of every entity made from it, in bytes.
    pub bucket: usize,
    /// What of the body is filled for each delivery.
    pub slots: Vec<Slot>,
}

/// What belongs to one delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The team's address.
    pub from: &'a str,
    /// The one address.
    pub to: &'a str,
    /// The real subject: inside only.
    pub subject: &'a str,
    /// The subject everybody on the way sees.
    pub clear_subject: &'a str,
    /// Without angle brackets; kept on every retry.
    pub message_id: &'a str,
    /// What this recipient got earlier, oldest first, without angle brackets: named inside
    /// only, because on the way nobody must see which mails belong together.
    pub references: &'a [String],
    /// When it is sent; `At::from_secs(0)` leaves the blank of a slot.
    pub date: At,
}

impl Delivery<'_> {
    pub(super) fn outer(&self) -> Frame<'_> {
        Frame {
            from: self.from,
            to: self.to,
            date: self.date,
            subject: self.clear_subject,
            message_id: self.message_id,
            auto: true,
        }
    }
}

/// Builds the part that is pinned: the text, the attachments, and their digests.
pub fn group(text: &str, attachments: &[Attachment], boundary: &str) -> Result<Group, LetterError> {
    checked_boundary(boundary)?;
    check_names(attachments)?;
    // `hp` is RFC 9788's; `protected-headers` is what deployed clients read.
    let kind = media_type(&format!(
        "multipart/mixed; boundary=\"{boundary}\"; protected-headers=\"v1\"; hp=\"cipher\""
    ))?;
    let mut parts = MultiPart::builder().header(kind).build().singlepart(text_part(text));
    for it in attachments {
        parts = parts.singlepart(attached(&it.file_name, it.media_type, &it.bytes)?);
    }
    if !attachments.is_empty() {
        let sums: String = attachments
            .iter()
            .map(|it| format!("{}  {}\n", Sha256::of(&it.bytes), it.file_name))
            .collect();
        parts = parts.singlepart(attached(SUMS, "text/plain", sums.as_bytes())?);
    }
    let body = parts.formatted();
    let bucket = bucket_of(body.len())?;
    Ok(Group { body, bucket, slots: Vec::new() })
}

/// Lengthens a group's body to `len` bytes by blank lines that readers do not show; a body
/// that is as long already stays as it is.
pub fn lengthen(body: &mut Vec<u8>, len: usize) {
    pad(body, len.saturating_sub(body.len()));
}

/// The size of every entity of a group whose body has `len` bytes.
fn bucket_of(len: usize) -> Result<usize, LetterError> {
    let needed = len.saturating_add(HEADROOM);
    let limit = BUCKETS.last().copied().unwrap_or_default();
    BUCKETS
        .into_iter()
        .find(|bucket| *bucket >= needed)
        .ok_or(LetterError::TooLarge { bytes: needed, limit })
}

/// The entity to be sealed: header copies, `HP-Outer` lines (RFC 9788 section 2.2), the
/// group's bytes and the padding.
///
/// What [`shared()`] made is whole already and stays as it is.
pub fn compose(group: &[u8], delivery: &Delivery<'_>) -> Result<Vec<u8>, LetterError> {
    if is_shared(group) {
        return Ok(group.to_vec());
    }
    let bucket = bucket_of(group.len())?;
    checked_line("subject", delivery.subject)?;
    let outer = delivery.outer().fields()?;
    let mut header = String::new();
    for (name, value) in &outer {
        let inner = if *name == "Subject" { delivery.subject } else { value.as_str() };
        header.push_str(&line(name, inner.to_owned()));
    }
    header.push_str(&thread(delivery.references)?);
    for (name, value) in &outer {
        header.push_str(&line("HP-Outer", format!("{name}: {value}")));
    }
    padded(&header, group, bucket)
}

fn padded(header: &str, group: &[u8], bucket: usize) -> Result<Vec<u8>, LetterError> {
    let used = header.len().saturating_add(group.len());
    let padding = match bucket.checked_sub(used) {
        Some(padding) if header.len() <= HEADROOM => padding,
        _ => return Err(LetterError::field("subject", "is too long", "use a shorter one")),
    };
    let mut entity = Vec::with_capacity(bucket);
    entity.extend_from_slice(header.as_bytes());
    entity.extend_from_slice(group);
    pad(&mut entity, padding);
    Ok(entity)
}

/// Earlier mails named in one header at most.
const THREAD: usize = 12;

/// In-Reply-To and References (RFC 5322 section 3.6.4): the first mail and the newest ones.
fn thread(references: &[String]) -> Result<String, LetterError> {
    let Some(last) = references.last() else { return Ok(String::new()) };
    if references.iter().any(|id| !is_plain(id) || id.len() > 250) {
        return Err(LetterError::field(
            "references",
            "holds what is not a plain Message-ID",
            "use Message-IDs of earlier notices, without brackets",
        ));
    }
    let skipped = references.len().saturating_sub(THREAD);
    let newest = references.iter().skip(skipped.saturating_add(1));
    let named: Vec<String> =
        references.iter().take(1).chain(newest).map(|id| format!("<{id}>")).collect();
    // Folded by hand: an encoder could take an id for a word to be encoded.
    Ok(format!("In-Reply-To: <{last}>\r\nReferences: {}\r\n", named.join("\r\n ")))
}

/// Where the dates of an entity stand, for a preview.
pub fn slots_of(entity: &[u8]) -> Vec<Slot> {
    date_slots(entity, &["Date: ", "HP-Outer: Date: "])
}

/// Appends `count` bytes of blank lines to the epilogue, which readers do not show
/// (RFC 2046 section 5.1.1). A count of 1 is one space, which belongs to what follows.
fn pad(entity: &mut Vec<u8>, count: usize) {
    const LINE: usize = 78;
    let mut left = count;
    while left > 0 {
        // Never leaves a single byte, which could not be a line end.
        let take = if left > LINE && left - LINE == 1 { LINE - 1 } else { left.min(LINE) };
        entity.extend(std::iter::repeat_n(b' ', take.saturating_sub(2)));
        entity.extend_from_slice(if take >= 2 { b"\r\n" } else { b" " });
        left -= take;
    }
}

/// Base64 even for text: a saved attachment must have the bytes its digest was made of.
fn attached(name: &str, kind: &str, bytes: &[u8]) -> Result<SinglePart, LetterError> {
    let charset = match kind.starts_with("text/") && std::str::from_utf8(bytes).is_ok() {
        true => "; charset=utf-8",
        false => "",
    };
    let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64)
        .map_err(|_| LetterError::field("attachment", "cannot be encoded", "report this"))?;
    Ok(SinglePart::builder()
        .header(media_type(&format!("{kind}{charset}; name=\"{name}\""))?)
        .header(ContentDisposition::attachment(name))
        .header(ContentTransferEncoding::Base64)
        .body(body))
}

fn check_names(attachments: &[Attachment]) -> Result<(), LetterError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let mut seen = vec![SUMS.to_ascii_lowercase()];
    for (at, it) in attachments.iter().enumerate() {
        let name = &it.file_name;
        let field = || format!("patches[{at}].file_name");
        let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.len() <= 120
            && name.chars().all(plain);
        if !good {
            return Err(LetterError::field(
                field(),
                "is not a plain file name",
                "use at most 120 letters, digits and `._+-`, beginning with a letter or digit",
            ));
        }
        // Some file systems do not tell case apart: the second would overwrite the first.
        if seen.contains(&name.to_ascii_lowercase()) {
            return Err(LetterError::field(field(), "is used twice", "give each file its name"));
        }
        seen.push(name.to_ascii_lowercase());
    }
    Ok(())
}

pub mod copy;
mod shared;

pub use shared::{is_shared, shared};

#[cfg(test)]
mod tests;
