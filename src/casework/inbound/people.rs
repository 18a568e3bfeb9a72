//! Whose signature on a reply counts, and for whom.

use crate::casework::members::{import, recall};
use crate::domain::advisory::Advisory;
use crate::domain::ids::ContactId;
use crate::domain::party::{ContactKind, Distributor, HeldCertificate};
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::pgp::{Certificate, Fingerprint};

/// How long a retired certificate still signs replies: mail that was on its way.
const RECENT: Span = Span::days(30);

/// Somebody whom a notice may have told.
pub(super) struct Person {
    /// The contact's or the reporter's id, as deliveries name it.
    pub who: String,
    /// As we know them.
    pub name: String,
    /// Their address.
    pub address: String,
    /// The contact, when it is one that may be asked for a proof: never a list.
    pub provable: Option<ContactId>,
    certificates: Vec<Certificate>,
}

/// Everybody, with the certificates that count at `now`. One that cannot be read any more is
/// left out: it can only fail to vouch.
pub(super) fn everybody(
    distributors: &[Distributor],
    advisories: &[Advisory],
    now: At,
) -> Vec<Person> {
    let mut all = Vec::new();
    for distributor in distributors {
        let record = distributor.record.open(Reason::Judging);
        for contact in &record.contacts {
            let list = contact.kind == ContactKind::List;
            // What a list's address reads with says nothing of who writes there.
            let held = if list { &contact.reply_certificates } else { &contact.certificates };
            all.push(Person {
                who: contact.id.to_string(),
                name: format!("{} <{}>", record.name, contact.address),
                address: contact.address.clone(),
                provable: (!list).then_some(contact.id),
                certificates: held
                    .iter()
                    .filter(|c| counts(c, now))
                    .filter_map(|c| recall(c).ok())
                    .collect(),
            });
        }
    }
    for advisory in advisories {
        for reporter in &advisory.text.open(Reason::Judging).reporters {
            let certificate = reporter.certificate.as_deref();
            let read = |armored: &str| import("certificate", armored.as_bytes()).ok();
            all.push(Person {
                who: reporter.id.map(|id| id.to_string()).unwrap_or_default(),
                name: format!("{} <{}>", reporter.name, reporter.address),
                address: reporter.address.clone(),
                provable: None,
                certificates: certificate.and_then(read).into_iter().collect(),
            });
        }
    }
    all
}

/// A certificate that waits to be confirmed, or was turned down, vouches for nobody.
fn counts(held: &HeldCertificate, now: At) -> bool {
    let in_force = held.change.as_ref().is_none_or(|c| c.in_force(now));
    in_force && held.retired_at.is_none_or(|at| at.plus(RECENT) >= now)
}

/// Every certificate of everybody, each once.
pub(super) fn certificates(everybody: &[Person]) -> Vec<Certificate> {
    let mut all: Vec<Certificate> = Vec::new();
    for certificate in everybody.iter().flat_map(|p| &p.certificates) {
        if !all.iter().any(|c| c.to_bytes() == certificate.to_bytes()) {
            all.push(certificate.clone());
        }
    }
    all
}

/// Whose certificate it is: several when a person is reached in several ways.
pub(super) fn with<'a>(everybody: &'a [Person], fingerprint: &Fingerprint) -> Vec<&'a Person> {
    let has = |p: &&Person| p.certificates.iter().any(|c| c.fingerprint() == *fingerprint);
    everybody.iter().filter(has).collect()
}
