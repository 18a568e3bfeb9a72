//! Floor 2: OpenPGP. Certificates and their health, sealing to recipients, opening, signing
//! with a key we hold, verifying what people signed.
//!
//! What must stay true: time is always an argument, never the host's clock; the policy is our
//! own, never the host's; a certificate is asked whether it is revoked before any of its
//! subkeys is used; nothing a certificate or key contains shows up in `Debug`; the library's
//! error texts are not passed on, because they carry user ids and fingerprints.

mod armor;
pub mod certificate;
mod excerpt;
pub mod fingerprint;
pub mod generate;
pub mod health;
pub mod hostile;
pub mod open;
mod policy;
pub mod press;
pub mod samples;
pub mod seal;
pub mod signer;
pub mod verify;
mod vouch;
mod witness;

pub use certificate::{Certificate, ImportError};
pub use excerpt::{MessageKey, excerpt};
pub use fingerprint::{Fingerprint, KeyFingerprint};
pub use generate::{TeamKey, TeamKeyError, generate_team_key, import_team_key};
pub use health::{Health, Problem, first_unusable, judge, remarks, report};
pub use open::{OpenError, Opened, Signed, Unsealed, open, unseal, unseal_given};
pub use press::Press;
pub use seal::{
    Recipients, SealError, SealedMessage, SignedBody, is_sealed_only_to, seal, seal_into,
};
pub use signer::{ResidentSigner, SignError, Signer};
pub use verify::{Verified, VerifyError, verify};
pub use vouch::certifies;
