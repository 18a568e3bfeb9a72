//! The team's own OpenPGP keys: whoever reads what they signed on the day checks it then, and an
//! approver whose key has ended can approve nothing more.

use super::{DAY_AFTER, SOON};
use crate::casework::members::{list, recall};
use crate::casework::{Case, House};
use crate::domain::finding::Finding;
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::pgp::Certificate;
use crate::signing::Purpose;

/// What ends too early, signers first.
pub(super) async fn findings(house: &House, now: At, t0: At) -> Case<Vec<Finding>> {
    let mut findings = Vec::new();
    let needed = t0.max(now);
    for purpose in Purpose::ALL {
        let certificate = house.keys.of(purpose).certificate();
        let place = format!("signing.{}", purpose.word());
        if let Some(wrong) = unable(certificate, &[now, needed, needed.plus(DAY_AFTER)]) {
            findings.push(
                Finding::stop("key-ends", &place, format!("it cannot sign at {}", wrong.spoken()))
                    .cure("extend the key and put its certificate into team.asc"),
            );
        } else if unable(certificate, &[needed.plus(SOON)]).is_some() {
            findings.push(
                Finding::warn("key-ends-soon", &place, "it ends within two weeks after T0")
                    .cure("extend the key and put its certificate into team.asc"),
            );
        }
    }
    for member in list(house).await?.iter().filter(|m| m.active) {
        let record = member.record.open(Reason::Judging);
        let certificate = recall(&record.certificate)?;
        if unable(&certificate, &[now, needed.plus(DAY_AFTER)]).is_some() {
            // What they signed counts as of the moment they handed it in.
            findings.push(
                Finding::warn(
                    "approver-key-ends",
                    format!("member {}", record.name),
                    "their key cannot sign an approval on the day",
                )
                .cure("let them extend it, and take the member in again with it"),
            );
        }
    }
    Ok(findings)
}

/// The first of these moments at which no signature of it counts.
fn unable(certificate: &Certificate, moments: &[At]) -> Option<At> {
    moments.iter().copied().find(|at| certificate.valid_signing_fingerprints(*at).is_empty())
}
