//! Identifiers: UUIDv7 values made from the caller's clock and randomness, written as text
//! with a prefix that names the noun (`adv_`, `dis_`).
//!
//! They are the only names that may appear in logs, so they must never be derived from
//! embargoed text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time::At;

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {kind} id: it must be `{prefix}_` and 32 hexadecimal digits")]
pub struct NotAnId {
    kind: &'static str,
    prefix: &'static str,
}

/// RFC 9562 section 5.7: 48 bits of Unix milliseconds, then version, variant and 74 random bits.
fn uuid_v7(at: At, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The text before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id; `random` must come from the house's `Rng`.
            pub fn new(at: At, random: [u8; 10]) -> Self {
                Self(uuid_v7(at, random))
            }

            /// When it was made, by its maker's clock.
            pub fn made_at(&self) -> At {
                let millis = self.0.as_u64_pair().0 >> 16;
                At::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let not = NotAnId { kind: $kind, prefix: $prefix };
                let digits = text
                    .strip_prefix(concat!($prefix, "_"))
                    .filter(|d| d.len() == 32)
                    .ok_or_else(|| not.clone())?;
                Uuid::try_parse(digits).map(Self).map_err(|_| not)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One vulnerability's text.
    AdvisoryId = "adv", "an advisory";
    /// One embargo.
    DisclosureId = "dis", "a disclosure";
    /// One organisation on the confidential list.
    DistributorId = "dst", "a distributor";
    /// One address of a distributor.
    ContactId = "con", "a contact";
    /// One OpenPGP certificate of a contact or reporter.
    CertificateId = "crt", "a certificate";
    /// One person who may approve.
    MemberId = "mem", "a member";
    /// One person who reported a vulnerability.
    ReporterId = "rep", "a reporter";
    /// One ordered patch series on one branch.
    PatchId = "pat", "a patch";
    /// The privately staged commits of one branch.
    CandidateId = "can", "a candidate";
    /// One version to issue from one branch.
    ReleaseId = "rel", "a release";
    /// One mailing-list post of a disclosure.
    PostId = "pst", "a post";
    /// One file of a release.
    ArtefactId = "art", "an artefact";
    /// One file that distributors get beside the patches.
    AttachmentId = "att", "an attachment";
    /// One immutable, approvable list of steps.
    PlanId = "pln", "a plan";
    /// One effect; also its idempotency key in the world.
    StepId = "stp", "a step";
    /// One line of a step's log.
    EventId = "evt", "an event";
    /// One person's signed yes to one plan.
    ApprovalId = "apr", "an approval";
    /// One sealed run of bytes.
    BlobId = "blb", "a blob";
    /// One mail that was received.
    MessageId = "msg", "a message";
    /// One proof of readability that was asked for.
    ChallengeId = "chl", "a challenge";
    /// One running engine.
    HolderId = "eng", "an engine";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_sorts_by_time() {
        let early = AdvisoryId::new(At::from_millis(1_000), [7; 10]);
        let late = AdvisoryId::new(At::from_millis(2_000), [0; 10]);
        assert_eq!(early.to_string().parse::<AdvisoryId>(), Ok(early));
        assert!(early.to_string() < late.to_string());
    }

    #[test]
    fn another_nouns_id_is_refused() {
        let text = PlanId::new(At::from_millis(1), [1; 10]).to_string();
        assert!(text.parse::<StepId>().is_err());
        assert!("adv_".parse::<AdvisoryId>().is_err());
    }
}
