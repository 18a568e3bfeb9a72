//! Whether a certificate can be encrypted to at an instant, and if not, why and what cures it.
//!
//! The order matters: revocation of the certificate comes before everything else, because the
//! library's filters look at the keys alone and still offer a subkey of a revoked certificate.
//! An expired or revoked subkey beside a good one is how people rotate keys, and is silent.

use sequoia_openpgp::cert::ValidCert;
use sequoia_openpgp::cert::amalgamation::key::ErasedKeyAmalgamation;
use sequoia_openpgp::cert::amalgamation::{ValidAmalgamation as _, ValidateAmalgamation as _};
use sequoia_openpgp::packet::Key;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::policy::Policy;
use sequoia_openpgp::types::{ReasonForRevocation, RevocationStatus, RevocationType};
use sequoia_openpgp::{Error, anyhow, packet::Signature};

use super::certificate::Certificate;
use super::fingerprint::KeyFingerprint;
use super::policy::{from_instant, instant, policy};
use crate::domain::time::At;

mod ahead;
mod cures;
mod findings;
mod remarks;

pub use ahead::first_unusable;
pub use findings::report;
pub use remarks::remarks;

/// Why the policy or the certificate's own signatures refuse a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The self-signatures use SHA-1.
    Sha1,
    /// Another algorithm that is no longer safe, by name (`RSA1024`, `MD5`).
    Weak(String),
    /// The self-signatures are missing, damaged or expired.
    Unbound,
}

/// What is wrong with a certificate at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Its owner revoked it.
    Revoked {
        /// Hard: compromised, or no reason given. Everything it ever did is in doubt.
        hard: bool,
        /// The reason's code in words.
        why: &'static str,
    },
    /// Somebody whom the owner once named as revoker may have revoked it; a person must ask.
    MaybeRevoked,
    /// Made after the instant of the question.
    NotYetValid {
        /// When it begins.
        from: At,
    },
    /// The policy refuses the whole certificate.
    NotValid {
        /// Why.
        why: Refusal,
    },
    /// The primary key has expired.
    Expired {
        /// When.
        on: At,
    },
    /// There is no key for encryption in it.
    SignOnly,
    /// An encryption subkey has expired.
    SubkeyExpired {
        /// Which.
        key: KeyFingerprint,
        /// When.
        on: At,
    },
    /// An encryption subkey is revoked.
    SubkeyRevoked {
        /// Which.
        key: KeyFingerprint,
    },
    /// The policy refuses an encryption subkey: a weak algorithm or a weak binding.
    WeakSubkey {
        /// Which.
        key: KeyFingerprint,
        /// Why.
        why: Refusal,
    },
    /// An encryption subkey is of a kind that this program cannot use, or not valid yet.
    UnusableSubkey {
        /// Which.
        key: KeyFingerprint,
    },
}

impl Problem {
    /// Whether it stands in the way even when there is a good encryption subkey.
    pub const fn is_of_certificate(&self) -> bool {
        matches!(
            self,
            Self::Revoked { .. }
                | Self::MaybeRevoked
                | Self::NotYetValid { .. }
                | Self::NotValid { .. }
                | Self::Expired { .. }
                | Self::SignOnly
        )
    }
}

/// What is to be said about a certificate at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The keys a message would be encrypted to; empty when there is a stopping problem.
    pub encryption: Vec<KeyFingerprint>,
    /// From this instant on nothing can be encrypted to it any more, as things stand.
    pub expires: Option<At>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Health {
    /// Whether a message can be sealed to it.
    pub fn usable(&self) -> bool {
        !self.encryption.is_empty() && !self.problems.iter().any(Problem::is_of_certificate)
    }

    fn stopped(problem: Problem) -> Self {
        Self { encryption: Vec::new(), expires: None, problems: vec![problem] }
    }
}

type PublicKey = Key<PublicParts, UnspecifiedRole>;

/// Judges a certificate at `at`.
pub fn judge(cert: &Certificate, at: At) -> Health {
    examine(cert, at).0
}

/// The keys to encrypt to at `at`; empty when the certificate is not usable.
pub(super) fn encryption_keys(cert: &Certificate, at: At) -> Vec<PublicKey> {
    let (health, keys) = examine(cert, at);
    if health.usable() { keys } else { Vec::new() }
}

fn examine(cert: &Certificate, at: At) -> (Health, Vec<PublicKey>) {
    let policy = policy(at);
    let stopped = |problem| (Health::stopped(problem), Vec::new());
    // Asked of the certificate itself: it answers even when the policy refuses the rest.
    match cert.cert().revocation_status(&policy, instant(at)) {
        RevocationStatus::Revoked(signatures) => return stopped(revocation(&signatures)),
        RevocationStatus::CouldBe(_) => return stopped(Problem::MaybeRevoked),
        RevocationStatus::NotAsFarAsWeKnow => {}
    }
    let from = from_instant(cert.cert().primary_key().key().creation_time());
    if from.secs() > at.secs() {
        return stopped(Problem::NotYetValid { from });
    }
    let valid = match cert.cert().with_policy(&policy, instant(at)) {
        Ok(valid) => valid,
        Err(error) => return stopped(Problem::NotValid { why: refusal(&error) }),
    };
    let ends = valid.primary_key().key_expiration_time().map(from_instant);
    if let Some(on) = ends.filter(|on| on.secs() <= at.secs()) {
        return stopped(Problem::Expired { on });
    }
    if valid.alive().is_err() {
        return stopped(Problem::NotValid { why: Refusal::Unbound });
    }
    let keys = usable_keys(&valid);
    let mut problems = subkey_problems(cert, &policy, at);
    if keys.is_empty() && problems.is_empty() {
        problems.push(Problem::SignOnly);
    }
    let encryption = keys.iter().map(|(k, _)| KeyFingerprint::of(&k.fingerprint())).collect();
    let expires = last_use(ends, keys.iter().map(|(_, ends)| *ends));
    let health = Health { encryption, expires, problems };
    (health, keys.into_iter().map(|(key, _)| key).collect())
}

/// Keys for mail; where there is none, keys for files. With the expiry of each.
fn usable_keys(valid: &ValidCert<'_>) -> Vec<(PublicKey, Option<At>)> {
    let all = || valid.keys().supported().alive().revoked(false);
    let mut keys: Vec<_> = all().for_transport_encryption().collect();
    if keys.is_empty() {
        keys = all().for_storage_encryption().collect();
    }
    keys.into_iter().map(|k| (k.key().clone(), k.key_expiration_time().map(from_instant))).collect()
}

/// The primary's end or the last subkey's, whichever is sooner.
fn last_use(primary: Option<At>, subkeys: impl Iterator<Item = Option<At>>) -> Option<At> {
    let mut last = None;
    for ends in subkeys {
        match ends {
            None => return primary,
            Some(ends) => last = last.max(Some(ends)),
        }
    }
    match (primary, last) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn subkey_problems(cert: &Certificate, policy: &dyn Policy, at: At) -> Vec<Problem> {
    let subkeys = cert.cert().keys().subkeys().map(ErasedKeyAmalgamation::from);
    subkeys.filter(meant_for_encryption).filter_map(|k| subkey_problem(k, policy, at)).collect()
}

/// By what any of its bindings says, valid or not; without a binding by its algorithm.
fn meant_for_encryption(key: &ErasedKeyAmalgamation<'_, PublicParts>) -> bool {
    let mut said = key.self_signatures().filter_map(|s| s.key_flags()).peekable();
    if said.peek().is_none() {
        return key.key().pk_algo().for_encryption();
    }
    said.any(|f| f.for_transport_encryption() || f.for_storage_encryption())
}

fn subkey_problem(
    subkey: ErasedKeyAmalgamation<'_, PublicParts>,
    policy: &dyn Policy,
    at: At,
) -> Option<Problem> {
    let key = KeyFingerprint::of(&subkey.key().fingerprint());
    if from_instant(subkey.key().creation_time()).secs() > at.secs() {
        return Some(Problem::UnusableSubkey { key });
    }
    let valid = match subkey.with_policy(policy, instant(at)) {
        Ok(valid) => valid,
        Err(error) => return Some(Problem::WeakSubkey { key, why: refusal(&error) }),
    };
    if valid.revocation_status() != RevocationStatus::NotAsFarAsWeKnow {
        return Some(Problem::SubkeyRevoked { key });
    }
    let ends = valid.key_expiration_time().map(from_instant);
    if let Some(on) = ends.filter(|on| on.secs() <= at.secs()) {
        return Some(Problem::SubkeyExpired { key, on });
    }
    if valid.alive().is_err() || !valid.key().pk_algo().is_supported() {
        return Some(Problem::UnusableSubkey { key });
    }
    None
}

fn revocation(signatures: &[&Signature]) -> Problem {
    // Without a reason it is hard, like every reason we do not know.
    let reason = |s: &&Signature| s.reason_for_revocation().map(|(code, _)| code);
    let is_hard = |code: &Option<ReasonForRevocation>| {
        code.is_none_or(|c| c.revocation_type() == RevocationType::Hard)
    };
    let codes: Vec<_> = signatures.iter().map(reason).collect();
    let hardest = codes.iter().find(|c| is_hard(c)).or(codes.first()).copied().flatten();
    let why = match hardest {
        Some(ReasonForRevocation::KeyCompromised) => "the key is compromised",
        Some(ReasonForRevocation::KeySuperseded) => "the key is superseded by another",
        Some(ReasonForRevocation::KeyRetired) => "the key is no longer used",
        _ => "no reason given",
    };
    Problem::Revoked { hard: codes.iter().any(is_hard), why }
}

/// The useful text is deep in the library's chain of causes; only the algorithm's name is
/// taken from it.
fn refusal(error: &anyhow::Error) -> Refusal {
    let weak = error.chain().find_map(|cause| match cause.downcast_ref::<Error>() {
        Some(Error::PolicyViolation(algorithm, _)) => Some(algorithm.clone()),
        _ => None,
    });
    match weak {
        Some(name) if name.contains("SHA1") || name.contains("SHA-1") => Refusal::Sha1,
        Some(name) => Refusal::Weak(name),
        None => Refusal::Unbound,
    }
}

#[cfg(test)]
mod tests;
