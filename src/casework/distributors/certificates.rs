//! The certificates of a contact over the years: renewed, asked for, retired, never removed.
//!
//! A fresh copy of a certificate in use voids no plan: plans pin fingerprints, and the copy is
//! looked up when a notice is sealed. A new fingerprint waits to be confirmed (see `changes`)
//! and is in no plan made before; a retired one is sealed to no more.

use super::changes::{self, tell};
use super::{contact_of, health, save};
use crate::casework::members::{hold, import, recall};
use crate::casework::{Case, CaseError, House};
use crate::domain::change::Vouched;
use crate::domain::deed::Actor;
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::CertificateId;
use crate::domain::party::{Contact, Distributor, DistributorRecord, HeldCertificate};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;
use crate::pgp::{self, Certificate};

/// A certificate file that came for a contact.
pub struct Renewal {
    /// The address whose certificate it is.
    pub address: String,
    /// The file.
    pub certificate: Vec<u8>,
    /// A detached signature over that file, by the certificate in use.
    pub signed_by_old: Option<Vec<u8>>,
    /// The fingerprint that the new one shall replace; beside it unless said.
    pub instead_of: Option<String>,
}

/// Takes a fresh copy of a contact's certificate. With the fingerprint of one in use, what it
/// says is joined to what is known, so that an old copy cannot undo a revocation. Any other
/// fingerprint waits to be confirmed, and whoever reads the address is told.
pub async fn renew(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    new: Renewal,
) -> Case<(Distributor, Vec<Finding>)> {
    let fresh = import("certificate", &new.certificate)?;
    let fingerprint = fresh.fingerprint().to_string();
    let mut record = distributor.record.open(Reason::Editing).clone();
    let (disclosures, needed) = changes::circumstances(house).await?;
    let now = house.now();
    let contact = contact_of(&mut record, &new.address)?;
    let moments = health::moments(house, distributor, contact, &disclosures);
    let planned = health::planned_notices(house, distributor, contact, &disclosures);
    let vouched = voucher(contact, &new, now)?;
    let known = known_as(contact, &fingerprint, now);
    let mut findings = Vec::new();
    let mut asked = None;
    if let Some(id) = known {
        let held = contact.certificates.iter_mut().find(|c| c.id == id);
        let held = held.ok_or_else(|| CaseError::machine("renewing", "it is gone"))?;
        join(held, &fresh, vouched)?;
        findings.extend(outlook(&recall(held)?, contact, &moments));
    } else {
        let report = pgp::report(&fresh, &contact.address, &[("now", now)]);
        if any_stop(&report) {
            return Err(CaseError::Blocked(report));
        }
        findings.extend(outlook(&fresh, contact, &moments));
        let instead_of = replaced(contact, new.instead_of.as_deref(), now)?;
        let by = actor.to_string();
        let mut change = changes::ask(now, by, instead_of, needed, planned);
        if let Some((how, by)) = vouched {
            change.vouch(how, by);
        }
        let held = HeldCertificate { change: Some(change), ..hold(house, &fresh) };
        asked = Some(held.id);
        contact.certificates.push(held);
        if let Some(held) = contact.certificates.last() {
            findings.insert(0, changes::waits(&contact.address, held, now));
        }
    }
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    let saved = save(house, actor, "distributor-renew", changed).await?;
    match asked {
        None => Ok((saved, findings)),
        Some(certificate) => tell(house, actor, saved, certificate, findings).await,
    }
}

/// Stops sealing to a certificate; it is kept for the record. No plan becomes void.
pub async fn retire_certificate(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    fingerprint: &str,
) -> Case<(Distributor, Vec<Finding>)> {
    let (wanted, now) = (plain(fingerprint), house.now());
    let mut record = distributor.record.open(Reason::Editing).clone();
    let contact = contact_of(&mut record, address)?;
    let known: Vec<String> = in_use(contact, now);
    let held = contact
        .certificates
        .iter_mut()
        .find(|c| c.in_force(now) && c.fingerprint == wanted)
        .ok_or_else(|| {
            let cure = match known.as_slice() {
                [] => "no certificate of this contact is in use".to_owned(),
                all => format!("in use for this contact: {}", all.join(", ")),
            };
            CaseError::unknown("certificate in use", fingerprint, cure)
        })?;
    held.retired_at = Some(now);
    let mut findings = Vec::new();
    if contact.current(now).next().is_none() {
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

/// The certificate with this fingerprint that is in use or waits.
fn known_as(contact: &Contact, fingerprint: &str, now: At) -> Option<CertificateId> {
    let alive = |c: &&HeldCertificate| c.retired_at.is_none() && !contact.replaced(c, now);
    contact.certificates.iter().filter(alive).find(|c| c.fingerprint == fingerprint).map(|c| c.id)
}

/// What a fresh copy says is joined to what is known. Taken even when it is of no use: that it
/// was revoked must be known.
fn join(
    held: &mut HeldCertificate,
    fresh: &Certificate,
    vouched: Option<(Vouched, String)>,
) -> Case<()> {
    let old = recall(held)?;
    let joined = old
        .joined(fresh)
        .map_err(|e| CaseError::invalid("certificate", "cannot be used", e.to_string()))?;
    // A certificate that waits may come again, now with the old key's word.
    let waiting = held.change.as_mut().filter(|c| c.confirmed_at().is_none());
    let newly = match (waiting.filter(|c| c.vouched.is_none()), vouched) {
        (Some(change), Some((how, by))) => {
            change.vouch(how, by);
            true
        }
        _ => false,
    };
    if joined.to_bytes() == old.to_bytes() && !newly {
        return Err(CaseError::invalid(
            "certificate",
            "says nothing that was not known",
            "ask its owner for a fresh export: `gpg --armor --export FINGERPRINT`",
        ));
    }
    held.armored = joined.armored();
    Ok(())
}

/// How a certificate in use stands up for the file. A signature that is given must hold.
fn voucher(contact: &Contact, new: &Renewal, now: At) -> Case<Option<(Vouched, String)>> {
    let old: Vec<Certificate> = contact.current(now).map(recall).collect::<Case<_>>()?;
    if let Some(signature) = &new.signed_by_old {
        let refuse = |why: String| CaseError::invalid("signed_by_old", "does not vouch", why);
        let signed = pgp::verify(signature, Some(&new.certificate), &old, now)
            .map_err(|e| refuse(e.to_string()))?;
        if signed.text != new.certificate {
            let right = "sign the certificate file itself: `gpg --armor --detach-sign FILE`";
            return Err(refuse(right.to_owned()));
        }
        return Ok(Some((Vouched::Signed, signed.by.to_string())));
    }
    let certified = |c: &&Certificate| pgp::certifies(c, &new.certificate, &contact.address, now);
    let by = old.iter().find(certified).map(|c| c.fingerprint().to_string());
    Ok(by.map(|by| (Vouched::Certified, by)))
}

/// The certificate in use that the new one shall replace.
fn replaced(contact: &Contact, wanted: Option<&str>, now: At) -> Case<Option<String>> {
    let Some(wanted) = wanted else { return Ok(None) };
    let known = in_use(contact, now);
    let fingerprint = plain(wanted);
    if known.contains(&fingerprint) {
        return Ok(Some(fingerprint));
    }
    let cure = format!("in use for this contact: {}", known.join(", "));
    Err(CaseError::unknown("certificate in use", wanted, cure))
}

fn in_use(contact: &Contact, now: At) -> Vec<String> {
    contact.current(now).map(|c| c.fingerprint.clone()).collect()
}

/// What is wrong with a certificate that is taken all the same.
fn outlook(
    certificate: &Certificate,
    contact: &Contact,
    moments: &[health::Moment],
) -> Vec<Finding> {
    let times: Vec<_> = moments.iter().map(|m| (m.when.words(), m.at)).collect();
    let mut found = pgp::report(certificate, &contact.address, &times);
    found.iter_mut().for_each(|f| f.severity = Severity::Warn);
    found
}

/// A fingerprint as we keep it, from one as people copy it.
pub(super) fn plain(fingerprint: &str) -> String {
    let text: String = fingerprint.split_whitespace().collect();
    let bare = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
    bare.to_ascii_uppercase()
}

/// Where a contact's certificate is found again after it was saved.
pub(super) fn held_mut(
    record: &mut DistributorRecord,
    certificate: CertificateId,
) -> Option<(String, &mut HeldCertificate)> {
    record.contacts.iter_mut().find_map(|contact| {
        let address = contact.address.clone();
        contact.certificates.iter_mut().find(|c| c.id == certificate).map(|c| (address, c))
    })
}
