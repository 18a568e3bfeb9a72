//! A house that may be a copy of another one sends nothing until people have looked.
//!
//! A database restored from a backup does not know what left after the backup was made; a
//! copied one would do everything a second time.

use serde::{Deserialize, Serialize};

use super::ids::MemberId;
use super::time::At;

/// Why a house may not be the one it takes itself for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The machine has no word of its own about which house this is.
    NoWord,
    /// The machine knows another house.
    OtherHouse,
    /// The database lies elsewhere than it did: another file, another server, a failover.
    Moved,
    /// The database knows less than the machine has seen.
    SetBack,
    /// The database remembers another past than the machine has seen.
    OtherPast,
    /// It was made from a backup.
    Restored,
}

impl Doubt {
    /// What a Bell, the log and the audit call it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoWord => "quarantine-no-house-id",
            Self::OtherHouse => "quarantine-other-house",
            Self::Moved => "quarantine-moved",
            Self::SetBack => "quarantine-set-back",
            Self::OtherPast => "quarantine-other-past",
            Self::Restored => "quarantine-restored",
        }
    }

    /// Whether the database may be older than what people decided: a T0 that it takes for come
    /// may have been moved, and a plan called off.
    pub const fn may_be_older(self) -> bool {
        matches!(self, Self::SetBack | Self::OtherPast | Self::Restored)
    }

    /// The same in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoWord => {
                "there is no house.id beside the vault key: the database was moved or copied here"
            }
            Self::OtherHouse => "house.id is another house's",
            Self::Moved => {
                "the database is not where it was: it was copied, restored or failed over"
            }
            Self::SetBack => {
                "the database knows less than this machine has seen: an older copy was restored"
            }
            Self::OtherPast => "the database remembers another past than this machine has seen",
            Self::Restored => "it was restored from a backup",
        }
    }
}

/// A member who looked and lets the house act again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rearm {
    /// Who.
    pub member: MemberId,
    /// Why it is safe.
    pub reason: String,
    /// When.
    pub at: At,
}

/// A house in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Why.
    pub doubt: Doubt,
    /// Since when.
    pub since: At,
    /// Who lets it act again so far.
    pub rearmed: Vec<Rearm>,
}

/// Which house a database is, and where it stood when that was last settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// 32 hexadecimal digits, made anew whenever the team re-arms.
    pub id: String,
    /// What tells this database from a copy of it.
    pub footing: String,
}
