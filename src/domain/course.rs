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
    /// When that was decided. One stored before this was kept has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// Why: whoever knew the old instant reads it.
    pub reason: String,
    /// Why it was moved although a rule stops it; nobody outside reads that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<String>,
    /// Codes of the rules that this overrode. One stored before they were kept has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

impl Moved {
    /// When the rule of that code was overridden, if this did so.
    pub fn overrode(&self, rule: &str) -> Option<At> {
        self.at.filter(|_| self.rules.iter().any(|code| code == rule))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_from_before_the_codes_were_kept_is_read_and_overrode_nothing() {
        let to = T0::parse("2026-12-03 16:00 UTC").unwrap();
        let at = Some(At::parse_rfc3339("2026-12-01T15:00:00Z").unwrap());
        let overridden = Some("they were called".to_owned());
        let rules = vec!["moved-too-shortly".to_owned()];
        let mut kept = Moved { to, at, reason: "asked".to_owned(), overridden, rules };
        assert_eq!(kept.overrode("moved-too-shortly"), at);
        assert_eq!(kept.overrode("past-90-days"), None);
        let mut stored = serde_json::to_value(&kept).unwrap();
        assert_eq!(serde_json::from_value::<Moved>(stored.clone()).unwrap(), kept);
        for field in ["rules", "at"] {
            stored.as_object_mut().unwrap().remove(field).unwrap();
        }
        (kept.rules, kept.at) = (Vec::new(), None);
        assert_eq!(serde_json::from_value::<Moved>(stored).unwrap(), kept);
        assert_eq!(kept.overrode("moved-too-shortly"), None);
    }
}
