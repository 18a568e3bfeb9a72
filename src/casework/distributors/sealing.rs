//! Which of the certificates that a notice pinned it is sealed to in the moment of sending.
//!
//! What must stay true: nothing that the plan did not pin; a renewed self-signature of the
//! same fingerprint counts; what was retired, turned down or is shared without a reason gets
//! nothing; what another one replaced is used by the plans that pinned it alone.

use super::sharing::unexplained;
use crate::domain::party::{Distributor, HeldCertificate};
use crate::domain::plan::Sealing;
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::pgp::{self, Certificate};

/// The pinned certificates of a contact of the list that can be used at `now`, each once.
/// `read` parses a certificate; whoever seals many keeps them parsed.
pub fn sealable(
    all: &[Distributor],
    sealing: &Sealing,
    now: At,
    read: impl Fn(&str) -> Option<Certificate>,
) -> Vec<Certificate> {
    let mut found: Vec<(&HeldCertificate, Certificate)> = Vec::new();
    for distributor in all.iter().filter(|d| d.active) {
        let contacts = &distributor.record.open(Reason::Dispatch).contacts;
        for contact in contacts.iter().filter(|c| c.id.to_string() == sealing.recipient) {
            // The newest first: somebody may have gone back to an older key.
            for held in contact.certificates.iter().rev().filter(|c| c.in_force(now)) {
                let pinned = sealing.fingerprints.contains(&held.fingerprint);
                let known = found.iter().any(|(h, _)| h.fingerprint == held.fingerprint);
                if !pinned || known || unexplained(all, contact, held, now) {
                    continue;
                }
                let Some(certificate) = read(&held.armored) else {
                    continue;
                };
                if pgp::judge(&certificate, now).usable() {
                    found.push((held, certificate));
                }
            }
        }
    }
    // A newer one takes the older one's place only when it can be used.
    let replaced: Vec<String> =
        found.iter().filter_map(|(held, _)| held.change.as_ref()?.instead_of.clone()).collect();
    found.retain(|(held, _)| !replaced.contains(&held.fingerprint));
    found.into_iter().map(|(_, certificate)| certificate).collect()
}
