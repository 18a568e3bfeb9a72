//! One certificate at two contacts: whoever holds its key reads both, so somebody must say why.
//!
//! The contact that had it first goes on; every other one is blocked until it is explained. A
//! mistake in a new entry must not keep an old reader from hearing.

use std::borrow::Borrow;

use super::certificates::plain;
use super::{contact_of, save};
use crate::casework::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::finding::{Finding, Severity};
use crate::domain::party::{Contact, Distributor, HeldCertificate, Sharing};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

/// Says why a contact has the same certificate as another one.
pub async fn explain(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    fingerprint: &str,
    reason: &str,
) -> Case<Distributor> {
    crate::casework::members::check_name("reason", reason)?;
    let wanted = plain(fingerprint);
    let mut record = distributor.record.open(Reason::Editing).clone();
    let contact = contact_of(&mut record, address)?;
    let held = contact.certificates.iter_mut();
    let mut held = held.filter(|c| c.retired_at.is_none() && c.fingerprint == wanted);
    let Some(held) = held.next() else {
        let cure = "see `daybreak distributor check`";
        return Err(CaseError::unknown("certificate of this contact", fingerprint, cure));
    };
    let (reason, by) = (reason.to_owned(), actor.to_string());
    held.shared = Some(Sharing { reason, by, at: house.now() });
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    save(house, actor, "distributor-explain-sharing", changed).await
}

/// Whether another contact had this certificate first and nobody said why both have it.
pub fn unexplained(
    all: &[impl Borrow<Distributor>],
    contact: &Contact,
    held: &HeldCertificate,
    at: At,
) -> bool {
    held.shared.is_none() && other_holder(all, contact, held, at).is_some()
}

/// The contact that had this certificate first: its organisation and address.
fn other_holder(
    all: &[impl Borrow<Distributor>],
    contact: &Contact,
    held: &HeldCertificate,
    at: At,
) -> Option<(String, String)> {
    // Who was taken off the list may hold the key still.
    all.iter().map(Borrow::borrow).find_map(|distributor: &Distributor| {
        let record = distributor.record.open(Reason::Judging);
        let others = record.contacts.iter().filter(|c| c.id != contact.id);
        let has = |c: &&Contact| {
            let earlier = |h: &HeldCertificate| {
                h.fingerprint == held.fingerprint && (h.added_at, h.id) < (held.added_at, held.id)
            };
            c.current(at).any(earlier)
        };
        others.into_iter().find(has).map(|c| (record.name.clone(), c.address.clone()))
    })
}

/// Certificates of a new contact that others have already, said while it is added: it is
/// taken, and blocked until somebody says why.
pub(super) fn of_new(all: &[Distributor], contact: &Contact, at: At) -> Vec<Finding> {
    let shared = contact.certificates.iter().filter_map(|held| shared(all, contact, held, at));
    let mild = |finding| Finding { severity: Severity::Warn, ..finding };
    shared.map(mild).collect()
}

/// The same as a finding that stops.
pub fn shared(
    all: &[impl Borrow<Distributor>],
    contact: &Contact,
    held: &HeldCertificate,
    at: At,
) -> Option<Finding> {
    if held.shared.is_some() {
        return None;
    }
    let (name, address) = other_holder(all, contact, held, at)?;
    let message = format!(
        "{} is the certificate of {address} ({name}) as well: whoever holds its key reads both",
        held.fingerprint
    );
    Some(Finding::stop("cert-shared", &contact.address, message).cure(
        "give a certificate of its own, or say why both have it: `daybreak distributor explain \
         DIST --contact ADDRESS --fingerprint FINGERPRINT --reason TEXT`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{CertificateId, ContactId, DistributorId};
    use crate::domain::party::{ContactKind, DistributorRecord, Profile};

    const AT: At = At::from_secs(1_795_000_000);

    fn distributor(n: u8, added: At) -> Distributor {
        let held = HeldCertificate {
            id: CertificateId::new(added, [n; 10]),
            fingerprint: "AB".into(),
            armored: String::new(),
            added_at: added,
            retired_at: None,
            change: None,
            shared: None,
        };
        let contact = Contact {
            reply_certificates: vec![],
            id: ContactId::new(AT, [n; 10]),
            address: format!("{n}@x.example"),
            kind: ContactKind::Role,
            profile: Profile::default(),
            certificates: vec![held],
        };
        let record = DistributorRecord {
            groups: vec![],
            name: n.to_string(),
            lead_days: None,
            longest_embargo_days: None,
            contacts: vec![contact],
        };
        let id = DistributorId::new(AT, [n; 10]);
        Distributor { id, revision: 1, active: true, record: Embargoed::new(record) }
    }

    fn blocked(all: &[Distributor], n: usize) -> bool {
        let contact = &all[n].record.open(Reason::Judging).contacts[0];
        unexplained(all, contact, &contact.certificates[0], AT)
    }

    #[test]
    fn who_had_it_first_goes_on_and_an_explanation_unblocks() {
        let mut all = vec![distributor(2, AT), distributor(1, At::from_secs(1))];
        assert!(blocked(&all, 0) && !blocked(&all, 1));
        let mut record = all[0].record.open(Reason::Editing).clone();
        let sharing = Sharing { reason: "one team".into(), by: "operator".into(), at: AT };
        record.contacts[0].certificates[0].shared = Some(sharing);
        all[0].record = Embargoed::new(record);
        assert!(!blocked(&all, 0) && !blocked(&all, 1));
        let mut all = vec![distributor(2, AT), distributor(1, At::from_secs(1))];
        all[1].active = false;
        assert!(blocked(&all, 0), "whoever was taken off the list may have the key still");
    }
}
