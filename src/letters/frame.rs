//! What every mail of ours begins with, and the one place where values enter a header: a
//! value with a line break or another control character is refused, never repaired.

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, Headers};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, SinglePart};

use super::LetterError;
use crate::domain::address::is_plain;
use crate::domain::blob::{Slot, SlotName};
use crate::domain::time::At;

/// Longest subject we write, in characters.
const LONGEST: usize = 400;

/// The first headers of a mail, all but its type.
pub(super) struct Frame<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub date: At,
    pub subject: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// Whether a machine wrote it unasked (RFC 3834): stops vacation replies.
    pub auto: bool,
}

impl Frame<'_> {
    /// Name and value of each header, in the order they stand in the mail.
    pub(super) fn fields(&self) -> Result<Vec<(&'static str, String)>, LetterError> {
        checked_address("from", self.from)?;
        checked_address("to", self.to)?;
        checked_line("subject", self.subject)?;
        if !is_plain(self.message_id) || self.message_id.len() > 250 {
            return Err(LetterError::field(
                "message_id",
                "is not a plain Message-ID",
                "use hexadecimal digits, `@` and the configured domain, without brackets",
            ));
        }
        let mut fields = vec![
            ("From", self.from.to_owned()),
            ("To", self.to.to_owned()),
            ("Date", self.date.rfc5322()),
            ("Subject", self.subject.to_owned()),
            ("Message-ID", format!("<{}>", self.message_id)),
        ];
        if self.auto {
            fields.push(("Auto-Submitted", "auto-generated".to_owned()));
        }
        Ok(fields)
    }

    fn builder(&self) -> Result<MessageBuilder, LetterError> {
        let mut builder = Message::builder();
        for (name, value) in self.fields()? {
            builder = builder.raw_header(header(name, value));
        }
        Ok(builder)
    }

    /// The whole mail around several parts.
    pub(super) fn around(&self, parts: MultiPart) -> Result<Vec<u8>, LetterError> {
        finished(self.builder()?.multipart(parts))
    }

    /// The whole mail around one part.
    pub(super) fn around_one(&self, part: SinglePart) -> Result<Vec<u8>, LetterError> {
        finished(self.builder()?.singlepart(part))
    }
}

fn finished(made: Result<Message, lettre::error::Error>) -> Result<Vec<u8>, LetterError> {
    // The values were checked above; what the library refuses beyond that is an address.
    made.map(|mail| mail.formatted()).map_err(|_| not_an_address("from"))
}

fn not_an_address(field: &str) -> LetterError {
    LetterError::field(field, "is not a plain mail address", "write it as name@host")
}

fn checked_address(field: &str, address: &str) -> Result<(), LetterError> {
    let parses = is_plain(address) && address.parse::<Mailbox>().is_ok();
    parses.then_some(()).ok_or_else(|| not_an_address(field))
}

/// Refuses what could end a header line or hide in it.
pub(super) fn checked_line(field: &str, text: &str) -> Result<(), LetterError> {
    if text.chars().any(char::is_control) {
        return Err(LetterError::field(
            field,
            "holds a line break or another control character",
            "write it on one line",
        ));
    }
    if text.chars().count() > LONGEST {
        return Err(LetterError::field(field, "is too long", "use at most 400 characters"));
    }
    Ok(())
}

/// Refuses a boundary that RFC 2046 section 5.1.1 does not allow, or that is not random enough.
pub(super) fn checked_boundary(boundary: &str) -> Result<(), LetterError> {
    let fits =
        (16..=70).contains(&boundary.len()) && boundary.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(()).ok_or_else(|| {
        LetterError::field(
            "boundary",
            "is not a usable MIME boundary",
            "use 16 to 70 random letters and digits",
        )
    })
}

/// A header whose value is encoded (RFC 2047) and folded as it needs.
fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// One finished header line with its CRLF.
pub(super) fn line(name: &'static str, value: String) -> String {
    let mut headers = Headers::new();
    headers.insert_raw(header(name, value));
    headers.to_string()
}

/// A media type that we wrote ourselves.
pub(super) fn media_type(text: &str) -> Result<ContentType, LetterError> {
    ContentType::parse(text).map_err(|_| {
        LetterError::field("media type", "cannot be written", "use letters, digits, `.` and `-`")
    })
}

/// A text part that survives the mail's travel byte for byte.
pub(super) fn text_part(text: &str) -> SinglePart {
    use lettre::message::header::ContentTransferEncoding::QuotedPrintable;
    SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .header(QuotedPrintable)
        .body(Body::dangerous_pre_encoded(super::quoted::encode(text), QuotedPrintable))
}

/// Where the dates stand in the header section of `mail`, 31 bytes each.
pub(super) fn date_slots(mail: &[u8], names: &[&str]) -> Vec<Slot> {
    const WIDTH: usize = 31;
    let mut slots = Vec::new();
    let mut offset = 0;
    for line in mail.split_inclusive(|b| *b == b'\n') {
        if line == b"\r\n" {
            break;
        }
        for name in names {
            if line.starts_with(name.as_bytes()) && line.len() == name.len() + WIDTH + 2 {
                let at = offset + name.len();
                slots.push(Slot { name: SlotName::Date, offset: at, len: WIDTH });
            }
        }
        offset += line.len();
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame<'a>() -> Frame<'a> {
        Frame {
            from: "security@meadow.example",
            to: "a@b.example",
            date: At::from_secs(0),
            subject: "[...]",
            message_id: "00ff@meadow.example",
            auto: true,
        }
    }

    #[test]
    fn values_that_could_end_a_header_are_refused() {
        for bad in ["a\r\nBcc: x@y", "a\nb", "a\0b", "a\u{7f}"] {
            assert!(Frame { subject: bad, ..frame() }.fields().is_err(), "{bad:?}");
            assert!(Frame { to: bad, ..frame() }.fields().is_err(), "{bad:?}");
            assert!(Frame { from: bad, ..frame() }.fields().is_err(), "{bad:?}");
            assert!(Frame { message_id: bad, ..frame() }.fields().is_err(), "{bad:?}");
        }
        assert!(frame().fields().is_ok());
    }

    #[test]
    fn boundaries_are_plain_and_long() {
        assert!(checked_boundary("0123456789abcdef").is_ok());
        for bad in ["", "short", "0123456789abcde\"", "0123456789abcdef\r\n"] {
            assert!(checked_boundary(bad).is_err(), "{bad:?}");
        }
    }
}
