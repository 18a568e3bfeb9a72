//! Mail that came to us: what it is, whose it is, and what we believe of it.
//!
//! Everything in one is somebody else's word. Nothing of it is ever sent on.

use serde::{Deserialize, Serialize};

use super::ids::{ChallengeId, ContactId, DisclosureId, MessageId, StepId};
use super::secret::Embargoed;
use super::time::At;

/// What kind of mail it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// Wholly encrypted, and opened by us.
    Encrypted,
    /// Wholly encrypted, and not to be opened with the keys this machine holds.
    Unopened,
    /// In clear, from somebody who should have encrypted.
    PlainReply,
    /// In clear, and no answer to anything of ours.
    Clear,
    /// In clear, written by a machine: an absence note.
    Automatic,
    /// A report on the delivery of one of our mails (RFC 3464).
    Report,
}

impl MessageKind {
    /// The word for people and programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Unopened => "unopened",
            Self::PlainReply => "plain-reply",
            Self::Clear => "clear",
            Self::Automatic => "automatic",
            Self::Report => "report",
        }
    }
}

/// Who stands behind a mail, as far as a signature inside the encryption shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Standing {
    /// Signed by a certificate of somebody we know.
    Verified {
        /// Their certificate.
        fingerprint: String,
        /// The contact's or the reporter's id.
        who: String,
        /// Their name, as we know them.
        name: String,
    },
    /// Signed, but by none of the certificates we hold.
    Stranger,
    /// Not signed.
    Unsigned,
    /// Signed, and the signature does not hold.
    BadSignature,
    /// Not looked at: what is in clear proves nothing.
    NotAsked,
}

impl Standing {
    /// The word for people and programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::Stranger => "stranger",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad-signature",
            Self::NotAsked => "not-asked",
        }
    }
}

/// A file that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosed {
    /// Its name, as the sender wrote it.
    pub name: String,
    /// Its media type, as the sender wrote it.
    pub media_type: String,
    /// Its size in bytes.
    pub len: u64,
}

/// What we keep of a mail besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// What it is.
    pub kind: MessageKind,
    /// Who stands behind it.
    pub standing: Standing,
    /// From, as it says.
    pub from: String,
    /// The subject, the protected one if there is one.
    pub subject: String,
    /// The first text in it.
    pub text: String,
    /// Everything else in it.
    pub enclosed: Vec<Enclosed>,
    /// The delivery it is about.
    pub step: Option<StepId>,
    /// The delivery that an encrypted mail names only outside its encryption, where anybody on
    /// the way can write: shown to a person, believed by nobody.
    #[serde(default)]
    pub hint: Option<StepId>,
    /// The length of the whole mail in bytes, when only its beginning was kept.
    #[serde(default)]
    pub cut: Option<u64>,
}

/// One mail that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Id.
    pub id: MessageId,
    /// The disclosure it belongs to, when that is known.
    pub disclosure: Option<DisclosureId>,
    /// When we received it.
    pub received_at: At,
    /// Bytes that it takes of the room for mail of nobody; 0 when it belongs to a delivery, a
    /// disclosure or somebody we know, and is kept whatever happens.
    pub counts: u64,
    /// The rest.
    pub record: Embargoed<MessageRecord>,
}

/// Asking one contact to show that it can read us, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Id.
    pub id: ChallengeId,
    /// Whom.
    pub contact: ContactId,
    /// When it was sent; of a proof that nobody asked for, when it came.
    pub sent_at: At,
    /// When the code, or a signed answer, came back.
    pub answered_at: Option<At>,
    /// The rest.
    pub record: Embargoed<ChallengeRecord>,
}

/// What we keep of a challenge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeRecord {
    /// The code; empty when nothing was asked.
    pub code: String,
    /// Message-ID of the mail, without angle brackets.
    pub message_id: String,
    /// MAIL FROM of the mail.
    pub envelope_from: String,
    /// What proved it.
    pub how: String,
    /// Whether it is a cover mail: it asks for nothing, and its code may come back all the same.
    #[serde(default)]
    pub cover: bool,
    /// What is known of its sending.
    #[serde(default)]
    pub sending: Sending,
}

/// What is known of the sending of a challenge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sending {
    /// It was about to leave, and nobody can tell whether it did.
    Begun,
    /// The relay did not take it.
    Refused,
    /// The relay took it; what was kept before this was recorded counts as that.
    #[default]
    Taken,
}

/// When a contact's cover mail of one month is due: drawn by lot, and kept so that a restart
/// does not draw again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// Whose.
    pub contact: ContactId,
    /// When that month begins.
    pub begins: At,
    /// When the mail is due.
    pub due_at: At,
}
