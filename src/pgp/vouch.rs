//! Whether the old key vouches for a new one: it certified the new certificate's user id that
//! holds the contact's address (RFC 9580 section 5.2.1.4 to 5.2.1.7).
//!
//! What must stay true: other people's signatures are looked at here and nowhere else, and are
//! never kept; a certification of another user id vouches for nothing, because people certify
//! each other's keys; a key that was revoked or had expired when it signed vouches for nothing.

use std::time::SystemTime;

use sequoia_openpgp::cert::amalgamation::ValidateAmalgamation as _;
use sequoia_openpgp::types::RevocationStatus;

use super::certificate::{Certificate, Secrets, names, only_cert};
use super::policy::{instant, policy};
use crate::domain::time::At;

/// Whether `old` certified a user id with `address` in the certificate file `new`, as far as is
/// known at `at`.
pub fn certifies(old: &Certificate, new: &[u8], address: &str, at: At) -> bool {
    let policy = policy(at);
    let Ok(new) = only_cert(new, Secrets::Refused) else { return false };
    let primary = old.cert().primary_key();
    let issuer = primary.key().role_as_unspecified();
    let mut theirs = new
        .userids()
        .filter(|user| names(user.userid(), address))
        .filter(|user| user.clone().with_policy(&policy, instant(at)).is_ok());
    theirs.any(|user| {
        let taken_back = user
            .valid_third_party_revocations_by_key(&policy, instant(at), issuer)
            .filter_map(|s| s.signature_creation_time())
            .max();
        user.active_certifications_by_key(&policy, instant(at), issuer)
            .filter_map(|s| s.signature_creation_time())
            .any(|made| taken_back.is_none_or(|t| t < made) && could_certify(old, made, at))
    })
}

/// Whether a key could certify at `made`, by what is known of it at `at`.
fn could_certify(old: &Certificate, made: SystemTime, at: At) -> bool {
    let policy = policy(at);
    let Ok(valid) = old.cert().with_policy(&policy, made) else { return false };
    // A hard revocation counts at all times, a soft one from its own on.
    valid.revocation_status() == RevocationStatus::NotAsFarAsWeKnow
        && valid.alive().is_ok()
        && valid.primary_key().for_certification()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;
    use crate::pgp::samples;

    const AT: At = At::from_secs(1_795_000_000);
    const ANN: &str = "Ann <ann@example.org>";

    #[test]
    fn only_the_old_key_vouches_and_only_for_the_address() {
        let old = samples::cv25519(ANN, AT).unwrap();
        let other = samples::cv25519(ANN, AT).unwrap();
        let new = samples::cv25519(ANN, AT).unwrap();
        let signed = samples::certified_by(&new, &old, AT).unwrap();
        let address = "Ann@example.org";
        assert!(certifies(&old.certificate, &signed, address, AT));
        assert!(!certifies(&old.certificate, &new.certificate.to_bytes(), address, AT));
        assert!(!certifies(&other.certificate, &signed, address, AT));
        assert!(!certifies(&old.certificate, &signed, "bob@example.org", AT));
        assert!(!certifies(&old.certificate, b"no certificate", address, AT));
        // Before it was made.
        assert!(!certifies(&old.certificate, &signed, address, AT.plus(Span::days(-1))));
    }

    #[test]
    fn a_revoked_or_expired_key_vouches_for_nothing() {
        let new = samples::cv25519(ANN, AT).unwrap();
        let address = "ann@example.org";
        for old in [
            samples::revoked(ANN, AT, true).unwrap(),
            samples::revoked(ANN, AT, false).unwrap(),
            samples::expired(ANN, AT).unwrap(),
        ] {
            let signed = samples::certified_by(&new, &old, AT).unwrap();
            assert!(!certifies(&old.certificate, &signed, address, AT));
        }
        // What it said before it was superseded still counts, and nothing that was compromised.
        let before = AT.plus(Span::days(-10));
        let soft = samples::revoked(ANN, AT, false).unwrap();
        let signed = samples::certified_by(&new, &soft, before).unwrap();
        assert!(certifies(&soft.certificate, &signed, address, AT));
        let hard = samples::revoked(ANN, AT, true).unwrap();
        let signed = samples::certified_by(&new, &hard, before).unwrap();
        assert!(!certifies(&hard.certificate, &signed, address, AT));
    }
}
