//! Which algorithms we believe in, and how instants cross into the library.
//!
//! The policy is pinned here and not taken from the host: distributions move the cut-off dates
//! in their own policy files, and a certificate must not be good on one maintainer's machine
//! and bad on another's.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::types;

use crate::domain::time::At;

/// 2026-01-01T00:00:00Z. No clock set back behind it brings SHA-1, RSA-1024 or `ElGamal` back.
const FLOOR: At = At::from_secs(1_767_225_600);

/// Our policy at `at`.
pub(super) fn policy(at: At) -> StandardPolicy<'static> {
    let mut policy = StandardPolicy::at(instant(at.max(FLOOR)));
    // The library stops believing revocations that were made with an old hash. For us a
    // revocation made with whatever hash still says "do not use this".
    policy.hash_revocation_tolerance(types::Duration::seconds(u32::MAX));
    policy
}

/// An instant as the library counts: whole seconds, never before 1970.
pub(super) fn instant(at: At) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.secs()).unwrap_or(0))
}

/// An instant as we count.
pub(super) fn from_instant(time: SystemTime) -> At {
    let secs = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    At::from_secs(i64::try_from(secs).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_the_crossing() {
        let at = At::from_secs(1_900_000_000);
        assert_eq!(from_instant(instant(at)), at);
        assert_eq!(from_instant(instant(At::from_secs(-5))), At::from_secs(0));
    }

    #[test]
    fn the_floor_is_a_new_year() {
        assert_eq!(FLOOR.rfc3339(), "2026-01-01T00:00:00Z");
    }
}
