//! How somebody with a key reads a caught notice: RFC 3156 outside, OpenPGP, then the protected
//! header and the parts inside.

use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};

use super::Reader;
use crate::domain::time::At;
use crate::pgp::{self, Certificate, Fingerprint, OpenError, TeamKey};

/// Why a mail says nothing to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no mail.
    #[error("this is no mail")]
    NotAMail,
    /// It is a mail, but not RFC 3156 `multipart/encrypted`.
    #[error("this mail is not encrypted as RFC 3156 asks")]
    NotEncrypted,
    /// It stays closed.
    #[error(transparent)]
    Closed(#[from] OpenError),
    /// What is inside is no mail part.
    #[error("what is inside is no mail")]
    NothingInside,
}

/// A file in a letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A notice as its reader sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The real subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The files, in order.
    pub attachments: Vec<Attached>,
    /// Who signed it: the team, or nobody we know.
    pub signed_by: Option<Fingerprint>,
    /// The clear entity, byte for byte.
    pub entity: Vec<u8>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[letter with {} attachments]", self.attachments.len())
    }
}

impl Letter {
    /// The file of that name.
    pub fn attachment(&self, name: &str) -> Option<&Attached> {
        self.attachments.iter().find(|a| a.name == name)
    }
}

impl Reader {
    /// Reads a mail with all keys at hand; `team` is whom its signature should be by.
    pub fn decrypt(&self, mail: &[u8], team: &Certificate, at: At) -> Result<Letter, ReadError> {
        decrypt(mail, &self.keys, team, at)
    }
}

/// Reads a mail with `keys`.
pub fn decrypt(
    mail: &[u8],
    keys: &[TeamKey],
    team: &Certificate,
    at: At,
) -> Result<Letter, ReadError> {
    let armored = sealed_part(mail)?;
    let opened = pgp::open(&armored, keys, std::slice::from_ref(team), at)?;
    let inside = MessageParser::default().parse(&opened.bytes).ok_or(ReadError::NothingInside)?;
    let attachments = inside.attachments().map(|part| Attached {
        name: part.attachment_name().unwrap_or_default().to_owned(),
        bytes: part.contents().to_vec(),
    });
    Ok(Letter {
        subject: inside.subject().unwrap_or_default().to_owned(),
        text: inside.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
        attachments: attachments.collect(),
        signed_by: opened.signed_by,
        entity: opened.bytes.clone(),
    })
}

/// The OpenPGP message of an RFC 3156 mail: the second of exactly two parts.
fn sealed_part(mail: &[u8]) -> Result<Vec<u8>, ReadError> {
    let message = MessageParser::default().parse(mail).ok_or(ReadError::NotAMail)?;
    let root = message.parts.first().ok_or(ReadError::NotAMail)?;
    let encrypted = root.is_content_type("multipart", "encrypted");
    let PartType::Multipart(parts) = &root.body else { return Err(ReadError::NotEncrypted) };
    let [version, sealed] = parts.as_slice() else { return Err(ReadError::NotEncrypted) };
    let part = |n: &u32| part(&message, *n);
    match (part(version), part(sealed)) {
        (Some(v), Some(s))
            if encrypted
                && v.is_content_type("application", "pgp-encrypted")
                && s.is_content_type("application", "octet-stream") =>
        {
            Ok(s.contents().to_vec())
        }
        _ => Err(ReadError::NotEncrypted),
    }
}

fn part<'a>(message: &'a Message<'_>, n: u32) -> Option<&'a mail_parser::MessagePart<'a>> {
    usize::try_from(n).ok().and_then(|n| message.parts.get(n))
}
