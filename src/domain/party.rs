//! People and organisations: members who approve, distributors on the confidential list.

use serde::{Deserialize, Serialize};

use super::ids::{CertificateId, ContactId, DistributorId, MemberId};
use super::secret::Embargoed;
use super::time::At;

/// Somebody who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Id.
    pub id: MemberId,
    /// Whether they may approve now.
    pub active: bool,
    /// Name, address, certificate.
    pub record: Embargoed<MemberRecord>,
}

/// What we know of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Name.
    pub name: String,
    /// Address.
    pub address: String,
    /// Certificate.
    pub certificate: HeldCertificate,
}

/// An OpenPGP certificate with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCertificate {
    /// Id.
    pub id: CertificateId,
    /// Primary fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
    /// ASCII armor, public parts only.
    pub armored: String,
    /// When it was taken in.
    pub added_at: At,
    /// When it was replaced or removed; kept for the record.
    pub retired_at: Option<At>,
}

/// One organisation on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distributor {
    /// Id.
    pub id: DistributorId,
    /// 1, 2, …
    pub revision: i64,
    /// Whether it hears of new disclosures.
    pub active: bool,
    /// Everything else.
    pub record: Embargoed<DistributorRecord>,
}

/// What we know of a distributor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributorRecord {
    /// Name.
    pub name: String,
    /// Days before T0 at which it hears; the house's default unless said.
    pub lead_days: Option<u32>,
    /// Longest embargo it accepts, in days from its first mail.
    pub longest_embargo_days: Option<u32>,
    /// Its addresses.
    pub contacts: Vec<Contact>,
}

/// What reads a contact's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactKind {
    /// One person.
    Person,
    /// Several people with one address, and perhaps several certificates.
    Role,
    /// A list that re-encrypts to its members.
    List,
}

impl ContactKind {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Role => "role",
            Self::List => "list",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Person, Self::Role, Self::List].into_iter().find(|k| k.word() == word)
    }
}

/// How a contact wants its mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Clear subject, shown at approval as CLEAR TEXT; `[...]` unless said.
    pub clear_subject: Option<String>,
    /// Whether the engine asks it to show that it can read us; never a list.
    pub receipts: bool,
}

/// The clear subject of a notice unless the contact's profile says otherwise (RFC 9788
/// section 3.2.1).
pub const CLEAR_SUBJECT: &str = "[...]";

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Id.
    pub id: ContactId,
    /// Plain address.
    pub address: String,
    /// What reads it.
    pub kind: ContactKind,
    /// How it wants its mail.
    pub profile: Profile,
    /// Certificates, with history.
    pub certificates: Vec<HeldCertificate>,
    /// Whose signatures on replies count besides: the members of a list answer with keys of
    /// their own. Nothing is ever encrypted to these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reply_certificates: Vec<HeldCertificate>,
}

impl Contact {
    /// Certificates in use.
    pub fn current(&self) -> impl Iterator<Item = &HeldCertificate> {
        self.certificates.iter().filter(|c| c.retired_at.is_none())
    }

    /// The subject that stands in clear.
    pub fn clear_subject(&self) -> &str {
        self.profile.clear_subject.as_deref().unwrap_or(CLEAR_SUBJECT)
    }
}
