//! A bell as a complete mail: plain, ASCII, unsigned, the same for everybody but for its
//! address, code and day.

pub mod probe;
pub mod returned;

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, SinglePart};

use super::LetterError;
use super::frame::Frame;
use crate::domain::time::At;
use crate::formats::bell_text::Bell;

/// A finished bell: the only mail that needs no permit, because only a [`Bell`] or a probe
/// makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct BellMail {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) bytes: Vec<u8>,
}

impl BellMail {
    /// MAIL FROM; the header's From too, unless a challenge has a sender of its own.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The one address.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Value of Message-ID without angle brackets.
    pub fn message_id(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let mut head = text.lines().take_while(|line| !line.is_empty());
        let value = head.find_map(|line| line.strip_prefix("Message-ID: "))?;
        value.trim().strip_prefix('<')?.strip_suffix('>')
    }

    /// The message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The mail. `message_id` is without angle brackets.
pub fn compose(
    bell: &Bell,
    from: &str,
    to: &str,
    message_id: &str,
    date: At,
) -> Result<BellMail, LetterError> {
    let seven = ContentTransferEncoding::SevenBit;
    let body = bell.text().trim_end().lines().collect::<Vec<_>>().join("\r\n").into_bytes();
    let part = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .header(seven)
        .body(Body::dangerous_pre_encoded(body, seven));
    let frame = Frame { from, to, date, subject: bell.subject(), message_id, auto: true };
    let bytes = frame.around_one(part)?;
    Ok(BellMail { from: from.to_owned(), to: to.to_owned(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::bell_text::{Code, PublicUrl};

    #[test]
    fn a_bell_is_a_whole_mail_that_says_nothing() {
        let bell = Bell::PleaseContactUs {
            page: PublicUrl::parse("https://security.meadow.example/").unwrap(),
            code: Code::new([7; 8]),
        };
        let at = At::parse_rfc3339("2026-11-20T10:00:00Z").unwrap();
        let mail = compose(&bell, "s@meadow.example", "r@e.example", "0a@meadow.example", at);
        let mail = mail.unwrap();
        assert_eq!(mail.message_id(), Some("0a@meadow.example"));
        let mail = mail.bytes();
        assert!(mail.is_ascii());
        let read = mail_parser::MessageParser::default().parse(mail).unwrap();
        assert_eq!(read.subject(), Some("Please contact us"));
        assert_eq!(read.message_id(), Some("0a@meadow.example"));
        assert_eq!(read.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
        assert!(read.body_text(0).unwrap().contains("0707-0707-0707-0707"));
    }
}
