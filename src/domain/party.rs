//! People and organisations: members who approve, distributors on the confidential list.

use serde::{Deserialize, Serialize};

use super::change::Change;
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
    /// When it was taken out of use; kept for the record.
    pub retired_at: Option<At>,
    /// How it came to be used, unless it was there when its contact was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Why another contact has the same certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Sharing>,
}

/// Why two contacts have the same certificate, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// Why.
    pub reason: String,
    /// Who, as the audit names them.
    pub by: String,
    /// When.
    pub at: At,
}

impl HeldCertificate {
    /// Whether mail may be sealed to it at `at`.
    pub fn in_force(&self, at: At) -> bool {
        let changed = self.change.as_ref().is_none_or(|c| c.in_force(at));
        self.retired_at.is_none() && changed
    }

    /// Whether a planned notice may be sealed to it: whoever had to confirm it did, and no
    /// cool-down runs past a planned notice.
    pub fn confirmed(&self) -> bool {
        let changed = self.change.as_ref().is_none_or(|c| c.confirmed_at().is_some());
        self.retired_at.is_none() && changed
    }

    /// Whether somebody asked for it and it is not used yet.
    pub fn pending(&self, at: At) -> bool {
        self.retired_at.is_none() && !self.in_force(at)
    }
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
    /// Named groups it belongs to: a disclosure may be for some of them only.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Its addresses.
    pub contacts: Vec<Contact>,
}

/// Longest embargo of a list that says nothing else: what linux-distros asks of its users.
pub const LIST_EMBARGO_DAYS: u32 = 14;

impl DistributorRecord {
    /// Longest embargo that `contact` of this organisation accepts, in days.
    pub fn longest_embargo(&self, contact: &Contact) -> Option<u32> {
        let list = (contact.kind == ContactKind::List).then_some(LIST_EMBARGO_DAYS);
        self.longest_embargo_days.or(list)
    }

    /// Whether a disclosure for `groups` is for this organisation; no group means everybody.
    pub fn is_in(&self, groups: &[String]) -> bool {
        groups.is_empty() || self.groups.iter().any(|g| groups.contains(g))
    }
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
    /// Gets the text without the patches.
    pub without_patches: bool,
    /// Gets the text without the machine-readable advisory.
    pub without_json: bool,
    /// Asked for proofs of concept.
    pub poc: bool,
    /// The configured list at which whoever told this contact owes a public post at T0.
    pub requires_public_post: Option<String>,
    /// Whether the engine asks it to show that it can read us; never a list.
    pub receipts: bool,
    /// Whether it gets a cover mail each month; never a list.
    pub cover: bool,
    /// Whether each of its notices has a code of its own, by which a leaked text is known
    /// again, and says so; never a list.
    pub watermark: bool,
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
    /// Certificates in use at `at`: not those that wait to be confirmed, and not those that
    /// another one replaced.
    pub fn current(&self, at: At) -> impl Iterator<Item = &HeldCertificate> {
        self.certificates.iter().filter(move |c| c.in_force(at) && !self.replaced(c, at))
    }

    /// Certificates that a notice plan made at `at` pins: those in use, and those that will be
    /// when it is sent. What was pinned stays good for that plan, replaced or not.
    pub fn for_notice(&self, at: At) -> impl Iterator<Item = &HeldCertificate> {
        self.certificates.iter().filter(move |c| c.confirmed() && !self.replaced(c, at))
    }

    /// Certificates that were asked for and are not used yet.
    pub fn pending(&self, at: At) -> impl Iterator<Item = &HeldCertificate> {
        self.certificates.iter().filter(move |c| c.pending(at))
    }

    /// Whether a change that is in force took a certificate's place. It stays so when the
    /// newer one is retired: its owner gave the older one up.
    pub fn replaced(&self, certificate: &HeldCertificate, at: At) -> bool {
        let instead = |c: &Change| c.instead_of.as_deref() == Some(&certificate.fingerprint);
        // Only what came later, so that somebody may go back to an older key.
        let mut later = self.certificates.iter().skip_while(|c| c.id != certificate.id).skip(1);
        later.any(|c| c.change.as_ref().is_some_and(|c| c.in_force(at) && instead(c)))
    }

    /// The subject that stands in clear.
    pub fn clear_subject(&self) -> &str {
        self.profile.clear_subject.as_deref().unwrap_or(CLEAR_SUBJECT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_was_kept_before_there_were_changes_is_in_use() {
        let at = At::from_secs(1);
        let id = CertificateId::new(at, [1; 10]);
        let old = format!(
            r#"{{"id":"{id}","fingerprint":"AB","armored":"","added_at":1000,"retired_at":null}}"#
        );
        let held: HeldCertificate = serde_json::from_str(&old).unwrap();
        assert!(held.in_force(at) && held.confirmed() && !held.pending(at));
        // And it is written as it was, for whoever reads it with an older program.
        assert_eq!(serde_json::to_string(&held).unwrap(), old);
    }
}
