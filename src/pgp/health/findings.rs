//! A certificate's problems as findings: what is wrong in words, at which of the asked times,
//! and the commands its owner types to cure it.
//!
//! A problem that shows at several times is one finding that names them all.

use super::cures::Cures;
use super::{Health, Problem, Refusal, judge};
use crate::domain::finding::Finding;
use crate::domain::time::At;
use crate::pgp::certificate::Certificate;

/// Judges `cert` at each of `times` (a label such as `now` or `at the planned sending`, and the
/// instant). `place` says whose certificate it is. All findings stop: there is no clear text to
/// fall back to.
pub fn report(cert: &Certificate, place: &str, times: &[(&str, At)]) -> Vec<Finding> {
    let mut seen: Vec<(Problem, Vec<&str>)> = Vec::new();
    for (label, at) in times {
        for problem in stopping(judge(cert, *at)) {
            match seen.iter_mut().find(|(known, _)| *known == problem) {
                Some((_, labels)) if labels.contains(label) => {}
                Some((_, labels)) => labels.push(label),
                None => seen.push((problem, vec![label])),
            }
        }
    }
    let cures = Cures::new(cert);
    seen.iter()
        .map(|(problem, labels)| {
            let message = format!("{} ({})", words(problem), labels.join(", "));
            Finding::stop(code(problem), place, message).cure(cures.of(problem))
        })
        .collect()
}

/// Nothing when the certificate is usable: what is wrong beside a good subkey stops nobody.
fn stopping(health: Health) -> Vec<Problem> {
    if health.usable() { Vec::new() } else { health.problems }
}

/// The stable code.
const fn code(problem: &Problem) -> &'static str {
    match problem {
        Problem::Revoked { .. } => "cert-revoked",
        Problem::MaybeRevoked => "cert-maybe-revoked",
        Problem::NotYetValid { .. } => "cert-not-yet-valid",
        Problem::NotValid { why: Refusal::Sha1 }
        | Problem::WeakSubkey { why: Refusal::Sha1, .. } => "cert-sha1",
        Problem::NotValid { why: Refusal::Weak(_) } => "cert-weak",
        Problem::NotValid { why: Refusal::Unbound } => "cert-not-valid",
        Problem::Expired { .. } => "cert-expired",
        Problem::SignOnly => "cert-sign-only",
        Problem::SubkeyExpired { .. } => "cert-subkey-expired",
        Problem::SubkeyRevoked { .. } => "cert-subkey-revoked",
        Problem::WeakSubkey { why: Refusal::Weak(_), .. } => "cert-subkey-weak",
        Problem::WeakSubkey { why: Refusal::Unbound, .. } | Problem::UnusableSubkey { .. } => {
            "cert-subkey-unusable"
        }
    }
}

fn words(problem: &Problem) -> String {
    match problem {
        Problem::Revoked { hard: true, why } => format!(
            "the certificate is revoked ({why}); what was encrypted to it earlier may be read \
             by others"
        ),
        Problem::Revoked { hard: false, why } => format!("the certificate is revoked ({why})"),
        Problem::MaybeRevoked => {
            "somebody whom the owner named as revoker says that the certificate is revoked".into()
        }
        Problem::NotYetValid { from } => {
            format!("the certificate begins only on {}", from.spoken())
        }
        Problem::NotValid { why } => format!("the certificate is not valid: {}", reason(why)),
        Problem::Expired { on } => format!("the certificate expired on {}", on.spoken()),
        Problem::SignOnly => "the certificate has no key for encryption, only for signing".into(),
        Problem::SubkeyExpired { key, on } => {
            format!("the encryption subkey {key} expired on {}", on.spoken())
        }
        Problem::SubkeyRevoked { key } => format!("the encryption subkey {key} is revoked"),
        Problem::WeakSubkey { key, why } => {
            format!("the encryption subkey {key} is not valid: {}", reason(why))
        }
        Problem::UnusableSubkey { key } => {
            format!("the encryption subkey {key} is not valid yet, or of an unknown kind")
        }
    }
}

fn reason(why: &Refusal) -> String {
    match why {
        Refusal::Sha1 => "its self-signatures use SHA-1, which can be forged".into(),
        Refusal::Weak(algorithm) => format!("{algorithm} is no longer safe"),
        Refusal::Unbound => "its self-signatures are missing, damaged or expired".into(),
    }
}
