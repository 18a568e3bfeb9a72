//! Whose signatures count on replies from a contact, besides its own certificates: the members
//! of a list answer each with a key of their own. Nothing is ever encrypted to these.

use super::certificates::plain;
use super::contact_of;
use super::save;
use crate::casework::members::{hold, import};
use crate::casework::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::finding::Finding;
use crate::domain::party::{ContactKind, Distributor};
use crate::domain::secret::{Embargoed, Reason};

/// Lets signatures by a certificate count on replies from a list.
pub async fn add_reply_certificate(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    bytes: &[u8],
) -> Case<Distributor> {
    let certificate = import("certificate", bytes)?;
    let mut record = distributor.record.open(Reason::Editing).clone();
    let contact = contact_of(&mut record, address)?;
    if contact.kind != ContactKind::List {
        return Err(CaseError::invalid(
            "contact",
            "is no list: its own certificates sign its replies",
            "use `daybreak distributor renew`",
        ));
    }
    if certificate.valid_signing_fingerprints(house.now()).is_empty() {
        return Err(CaseError::Blocked(vec![
            Finding::stop("cert-cannot-sign", "certificate", "it holds no key that can sign now")
                .cure("ask its owner for a fresh export"),
        ]));
    }
    let held = hold(house, &certificate);
    let same = |c: &crate::domain::party::HeldCertificate| c.fingerprint == held.fingerprint;
    match contact.reply_certificates.iter_mut().find(|c| same(c)) {
        Some(known) => *known = held,
        None => contact.reply_certificates.push(held),
    }
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    save(house, actor, "distributor-add-reply-certificate", changed).await
}

/// Lets them count no more; the certificate is kept for the record.
pub async fn retire_reply_certificate(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    fingerprint: &str,
) -> Case<Distributor> {
    let wanted = plain(fingerprint);
    let mut record = distributor.record.open(Reason::Editing).clone();
    let contact = contact_of(&mut record, address)?;
    let in_use = |c: &&mut crate::domain::party::HeldCertificate| {
        c.retired_at.is_none() && c.fingerprint == wanted
    };
    let held = contact.reply_certificates.iter_mut().find(in_use).ok_or_else(|| {
        CaseError::unknown("reply certificate", fingerprint, "see `daybreak distributor show`")
    })?;
    held.retired_at = Some(house.now());
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    save(house, actor, "distributor-retire-reply-certificate", changed).await
}
