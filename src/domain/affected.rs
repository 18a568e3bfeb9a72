//! Which versions of which package are affected, in OSV's words (OSV schema 1.7).
//!
//! Versions are text: `3.10` is not `3.1`.

use serde::{Deserialize, Serialize};

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affected {
    /// OSV ecosystem, `PyPI`, `crates.io`, …
    pub ecosystem: String,
    /// Name in that ecosystem.
    pub name: String,
    /// Package URL, without version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Ranges.
    #[serde(default)]
    pub ranges: Vec<Range>,
    /// Enumerated versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// One range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// How versions compare.
    #[serde(rename = "type")]
    pub kind: RangeKind,
    /// Repository, for `GIT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// What happens at which version.
    pub events: Vec<Event>,
}

/// How versions compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RangeKind {
    /// As the ecosystem does.
    Ecosystem,
    /// Semantic versions.
    Semver,
    /// Commits.
    Git,
}

/// One event of a range; exactly one key each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// First affected version; `0` for all before.
    Introduced(String),
    /// First version that is not affected any more.
    Fixed(String),
    /// Last affected version.
    LastAffected(String),
    /// Bound of what was looked at.
    Limit(String),
}

impl Affected {
    /// Every version named as the fix.
    pub fn fixed_versions(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().flat_map(|r| &r.events).filter_map(|e| match e {
            Event::Fixed(v) => Some(v.as_str()),
            _ => None,
        })
    }
}
