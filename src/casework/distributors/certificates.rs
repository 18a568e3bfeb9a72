//! The certificates of a contact over the years: renewed, added, retired, never removed.
//!
//! A fresh copy of a certificate in use voids no plan: plans pin fingerprints, and the copy is
//! looked up when a notice is sealed. A new fingerprint is in no plan made before, and a
//! retired one is sealed to no more.

use super::{save, times};
use crate::casework::members::{check_address, hold, import, recall};
use crate::casework::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::party::{Contact, Distributor, DistributorRecord, HeldCertificate};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;
use crate::pgp::{self, Certificate};

/// Takes a fresh copy of a contact's certificate. With the fingerprint of one in use, what it
/// says is joined to what is known, so that an old copy cannot undo a revocation. Any other
/// fingerprint becomes one more certificate of that contact, which must be confirmed.
pub async fn renew(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    bytes: &[u8],
) -> Case<(Distributor, Vec<Finding>)> {
    let fresh = import("certificate", bytes)?;
    let fingerprint = fresh.fingerprint().to_string();
    let mut record = distributor.record.open(Reason::Editing).clone();
    let contact = contact_of(&mut record, address)?;
    let in_use = |c: &&mut HeldCertificate| c.retired_at.is_none() && c.fingerprint == fingerprint;
    let disclosures = house.store.read(|r| r.disclosures()).await?;
    let times = times(house.now(), &disclosures);
    let findings;
    if let Some(held) = contact.certificates.iter_mut().find(in_use) {
        let old = recall(held)?;
        let joined = old
            .joined(&fresh)
            .map_err(|e| CaseError::invalid("certificate", "cannot be used", e.to_string()))?;
        if joined.to_bytes() == old.to_bytes() {
            return Err(CaseError::invalid(
                "certificate",
                "says nothing that was not known",
                "ask its owner for a fresh export: `gpg --armor --export FINGERPRINT`",
            ));
        }
        // Taken even when it is of no use: that it was revoked must be known.
        held.armored = joined.armored();
        findings = outlook(&joined, address, &times);
    } else {
        let now = pgp::report(&fresh, address, &[("now", house.now())]);
        if any_stop(&now) {
            return Err(CaseError::Blocked(now));
        }
        let mut found = vec![unconfirmed(contact, &fingerprint)];
        found.extend(outlook(&fresh, address, &times));
        findings = found;
        contact.certificates.push(hold(house, &fresh));
    }
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    Ok((save(house, actor, "distributor-renew", changed).await?, findings))
}

/// Stops sealing to a certificate; it is kept for the record. No plan becomes void.
pub async fn retire_certificate(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    fingerprint: &str,
) -> Case<(Distributor, Vec<Finding>)> {
    let wanted = plain(fingerprint);
    let mut record = distributor.record.open(Reason::Editing).clone();
    let contact = contact_of(&mut record, address)?;
    let known: Vec<String> = contact.current().map(|c| c.fingerprint.clone()).collect();
    let held = contact
        .certificates
        .iter_mut()
        .find(|c| c.retired_at.is_none() && c.fingerprint == wanted)
        .ok_or_else(|| {
            let cure = match known.as_slice() {
                [] => "no certificate of this contact is in use".to_owned(),
                all => format!("in use for this contact: {}", all.join(", ")),
            };
            CaseError::unknown("certificate in use", fingerprint, cure)
        })?;
    held.retired_at = Some(house.now());
    let mut findings = Vec::new();
    if contact.current().next().is_none() {
        findings.push(
            Finding::warn(
                "contact-blocked",
                &contact.address,
                "no certificate of this contact is in use any more: it will not hear",
            )
            .cure("daybreak distributor renew DIST --contact ADDRESS --certificate FILE"),
        );
    }
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    Ok((save(house, actor, "distributor-retire", changed).await?, findings))
}

/// What is wrong with a certificate that is taken all the same.
fn outlook(certificate: &Certificate, address: &str, times: &[(&str, At)]) -> Vec<Finding> {
    let mut found = pgp::report(certificate, address, times);
    found.iter_mut().for_each(|f| f.severity = Severity::Warn);
    found
}

pub(super) fn contact_of<'a>(
    record: &'a mut DistributorRecord,
    address: &str,
) -> Case<&'a mut Contact> {
    check_address("contact", address)?;
    let known: Vec<String> = record.contacts.iter().map(|c| c.address.clone()).collect();
    record.contacts.iter_mut().find(|c| c.address.eq_ignore_ascii_case(address)).ok_or_else(|| {
        let cure = format!("addresses of this distributor: {}", known.join(", "));
        CaseError::unknown("contact", address, cure)
    })
}

/// A key that nobody vouched for yet: whoever can send us a file could have made it.
fn unconfirmed(contact: &Contact, fingerprint: &str) -> Finding {
    let before = contact.certificates.iter().find(|c| c.fingerprint == fingerprint);
    let known = before.and_then(|c| c.retired_at).map_or_else(
        || "is new for this contact".to_owned(),
        |at| format!("was retired here at {}", at.rfc3339()),
    );
    Finding::warn(
        "cert-unconfirmed",
        &contact.address,
        format!("{fingerprint} {known}, and notice plans made before do not seal to it"),
    )
    .cure(
        "compare the fingerprint with its owner by another way; \
         if it is not theirs: daybreak distributor retire",
    )
}

/// A fingerprint as we keep it, from one as people copy it.
pub(super) fn plain(fingerprint: &str) -> String {
    let text: String = fingerprint.split_whitespace().collect();
    let bare = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
    bare.to_ascii_uppercase()
}
