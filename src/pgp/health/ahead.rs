//! Looking ahead: the instant from which on a certificate cannot be encrypted to any more, as
//! things stand. Not only its own end: an algorithm that the policy gives up counts as well.

use super::judge;
use crate::domain::time::{At, Span};
use crate::pgp::certificate::Certificate;

/// The first second in `(from, until]` at which `cert`, usable at `from`, is not; `None` when
/// it is not usable at `from`, or still is at `until`.
pub fn first_unusable(cert: &Certificate, from: At, until: At) -> Option<At> {
    let usable = |at: At| judge(cert, at).usable();
    if !usable(from) || usable(until) {
        return None;
    }
    let (mut good, mut bad) = (from.secs(), until.secs());
    while bad.saturating_sub(good) > 1 {
        let half = good.midpoint(bad);
        if usable(At::from_secs(half)) { good = half } else { bad = half }
    }
    Some(At::from_secs(good).plus(Span::secs(1)))
}
