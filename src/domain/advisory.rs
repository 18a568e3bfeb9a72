//! The text of one vulnerability, and who reported it.

use serde::{Deserialize, Serialize};

use super::affected::Affected;
use super::ids::{AdvisoryId, ReporterId};
use super::secret::Embargoed;
use super::time::At;

/// One vulnerability. Every edit of its text is a numbered revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its id inside the house.
    pub id: AdvisoryId,
    /// 1, 2, …
    pub revision: i64,
    /// When it was made here.
    pub created_at: At,
    /// When its text last changed.
    pub updated_at: At,
    /// When it was taken back; a withdrawn advisory stays.
    pub withdrawn_at: Option<At>,
    /// Everything secret.
    pub text: Embargoed<AdvisoryText>,
}

/// What an advisory says. Unknown keys are refused where a person types it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvisoryText {
    /// The id the world will know: `x_meadow-2026-0001` or a registered prefix.
    pub public_id: String,
    /// One line.
    pub title: String,
    /// Full description, Markdown.
    pub description: String,
    /// Other names of the same flaw: CVE, GHSA, PYSEC ids.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Packages with affected and fixed ranges.
    #[serde(default)]
    pub affected: Vec<Affected>,
    /// CVSS vectors, 3.1 or 4.0.
    #[serde(default)]
    pub severity: Vec<String>,
    /// `CWE-787`, …
    #[serde(default)]
    pub cwe: Vec<String>,
    /// What to do about it, Markdown.
    #[serde(default)]
    pub remedy: String,
    /// What helps until then, Markdown.
    #[serde(default)]
    pub mitigation: String,
    /// Further reading.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// People to be credited besides the reporters.
    #[serde(default)]
    pub credits: Vec<Credit>,
    /// Who reported it.
    #[serde(default)]
    pub reporters: Vec<Reporter>,
    /// Never leaves the team.
    #[serde(default)]
    pub private_notes: String,
}

/// A link with its OSV type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// OSV `references[].type`: `ADVISORY`, `FIX`, `REPORT`, `WEB`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where.
    pub url: String,
}

/// Somebody named in public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// As it shall stand.
    pub name: String,
    /// OSV `credits[].type`: `FINDER`, `REPORTER`, `REMEDIATION_DEVELOPER`, …
    #[serde(default = "default_credit")]
    pub role: String,
}

fn default_credit() -> String {
    "REPORTER".to_owned()
}

/// A person who reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporter {
    /// Given by the house when missing.
    #[serde(default)]
    pub id: Option<ReporterId>,
    /// Their name for us.
    pub name: String,
    /// Their address.
    pub address: String,
    /// Their armored OpenPGP certificate, if we have one.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The words they are credited with; none means anonymous.
    #[serde(default)]
    pub credit: Option<String>,
    /// Whether they agreed to be credited so.
    #[serde(default)]
    pub credit_consent: bool,
    /// When the report arrived: starts the 48 hour and 90 day clocks. RFC 3339.
    pub received_at: String,
}

impl Reporter {
    /// When the report arrived, if the text is an instant.
    pub fn received(&self) -> Option<At> {
        At::parse_rfc3339(&self.received_at)
    }
}

impl AdvisoryText {
    /// Credits the world may see: given ones, then reporters who agreed.
    pub fn public_credits(&self) -> Vec<Credit> {
        let agreed = self.reporters.iter().filter(|r| r.credit_consent).filter_map(|r| {
            let name = r.credit.clone()?;
            Some(Credit { name, role: default_credit() })
        });
        self.credits.iter().cloned().chain(agreed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_consenting_reporters_are_credited() {
        let reporter = |consent| Reporter {
            id: None,
            name: "R".into(),
            address: "r@example.org".into(),
            certificate: None,
            credit: Some("Ada".into()),
            credit_consent: consent,
            received_at: "2026-11-01T00:00:00Z".into(),
        };
        let mut text = AdvisoryText { reporters: vec![reporter(false)], ..Default::default() };
        assert!(text.public_credits().is_empty());
        text.reporters = vec![reporter(true)];
        assert_eq!(text.public_credits().len(), 1);
    }
}
