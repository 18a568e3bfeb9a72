//! What a disclosure's course was: how its instant moved, what leaked, whether it goes without a
//! fix, and in whose hands it is. Kept inside the case and sealed with it.

use serde::{Deserialize, Serialize};

use super::ids::{DisclosureId, MemberId};
use super::time::At;
use super::zone::T0;

/// The instant was set or moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// To when.
    pub to: T0,
    /// Why: whoever knew the old instant reads it.
    pub reason: String,
    /// Why it was moved although a rule stops it; nobody outside reads that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<String>,
}

/// Something is public before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Where.
    pub url: String,
    /// What the team said of it.
    pub reason: String,
    /// When it was recorded.
    pub at: At,
}

/// It is disclosed without a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MitigationOnly {
    /// Why it cannot wait for one.
    pub reason: String,
    /// The disclosure that brought the fix, once one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<DisclosureId>,
}

/// In whose hands a disclosure is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hands {
    /// Who leads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<MemberId>,
    /// Who is called when nobody answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<MemberId>,
    /// When the deputy said that they are ready, or took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<At>,
}
