//! One advisory as the plain texts show it: notice and post print the same facts in the same
//! order, from the template `advisory.txt`.

use serde::Serialize;

use super::FormatError;
use super::affected_words::{PackageWords, spoken};
use super::rating::{Rating, rate};
use crate::domain::view::AdvisoryView;

/// What `advisory.txt` may print.
#[derive(Serialize)]
pub(super) struct AdvisoryWords {
    public_id: String,
    title: String,
    aliases: Vec<String>,
    ratings: Vec<Rating>,
    cwe: Vec<String>,
    packages: Vec<PackageWords>,
    description: String,
    remedy: String,
    mitigation: String,
    references: Vec<String>,
    credits: Vec<String>,
}

/// Every advisory, in order.
pub(super) fn words(advisories: &[AdvisoryView]) -> Result<Vec<AdvisoryWords>, FormatError> {
    advisories.iter().map(one).collect()
}

fn one(it: &AdvisoryView) -> Result<AdvisoryWords, FormatError> {
    let trimmed = |text: &str| text.trim().replace("\r\n", "\n");
    let credit = |c: &crate::domain::advisory::Credit| {
        format!("{} ({})", c.name, c.role.to_ascii_lowercase().replace('_', " "))
    };
    Ok(AdvisoryWords {
        public_id: it.public_id.clone(),
        title: it.title.clone(),
        aliases: it.aliases.clone(),
        ratings: rate(&it.severity)?,
        cwe: it.cwe.clone(),
        packages: spoken(&it.affected),
        description: trimmed(&it.description),
        remedy: trimmed(&it.remedy),
        mitigation: trimmed(&it.mitigation),
        references: it.references.iter().map(|r| r.url.clone()).collect(),
        credits: it.credits.iter().map(credit).collect(),
    })
}

/// CVE ids first, then the public id: how an advisory is named in a subject line.
pub(super) fn names(it: &AdvisoryView) -> Vec<&str> {
    let cves: Vec<&str> =
        it.aliases.iter().map(String::as_str).filter(|a| a.starts_with("CVE-")).collect();
    if cves.is_empty() { vec![it.public_id.as_str()] } else { cves }
}
