//! OSV records (schema 1.7), written so that real clients survive them.
//!
//! Some clients crash on records the schema allows, and one bad record then breaks every
//! user's scan. So: no nulls, seconds and `Z`, normalised PyPI names, PEP 440 versions in
//! `ECOSYSTEM` ranges, one entry a package. What cannot be written so is refused by field,
//! when the plan is made and a person can still mend it.

mod import;
mod pypi;
mod ranges;
mod weigh;

use serde::Serialize;

pub use import::{ImportError, Imported, import};

use super::links::{check_id, is_web, osv_path, page_path};
use super::rating::rate;
use super::slots::pin;
use super::{Document, FormatError};
use crate::domain::advisory::{Credit, Reference};
use crate::domain::affected::Affected;
use crate::domain::view::{AdvisoryView, PublicView};

/// The version of the schema we write.
pub const SCHEMA: &str = "1.7.5";

/// `references[].type`, schema 1.7.
const REFERENCE_KINDS: [&str; 11] = [
    "ADVISORY",
    "ARTICLE",
    "DETECTION",
    "DISCUSSION",
    "REPORT",
    "FIX",
    "INTRODUCED",
    "GIT",
    "PACKAGE",
    "EVIDENCE",
    "WEB",
];
/// `credits[].type`, schema 1.7.
const CREDIT_KINDS: [&str; 10] = [
    "FINDER",
    "REPORTER",
    "ANALYST",
    "COORDINATOR",
    "REMEDIATION_DEVELOPER",
    "REMEDIATION_REVIEWER",
    "REMEDIATION_VERIFIER",
    "TOOL",
    "SPONSOR",
    "OTHER",
];

/// A record as it is written; field order is the file's.
#[derive(Serialize)]
pub(super) struct Record {
    schema_version: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    summary: String,
    details: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    severity: Vec<Score>,
    affected: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credits: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_specific: Option<Specific>,
}

#[derive(Serialize)]
struct Score {
    r#type: &'static str,
    score: String,
}

#[derive(Serialize)]
struct Entry {
    package: Package,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<crate::domain::affected::Range>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<String>,
}

#[derive(Serialize)]
struct Package {
    ecosystem: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    r#type: String,
}

#[derive(Serialize)]
struct Specific {
    cwe_ids: Vec<String>,
}

/// The public record of one advisory, `ID.osv.json`, with slots for both its times.
pub fn export(advisory: &AdvisoryView, public: &PublicView) -> Result<Document, FormatError> {
    check_id(&advisory.public_id)?;
    if advisory.affected.is_empty() {
        return Err(FormatError::field(
            "affected",
            "is empty",
            "name at least one package: clients skip a record without one",
        ));
    }
    let name = format!("{}.osv.json", advisory.public_id);
    pin(&name, "application/json", |times| {
        let mut record = record(advisory)?;
        record.published = Some(times.published);
        record.modified = Some(times.modified);
        for link in own_links(advisory, public) {
            if !record.references.contains(&link) {
                record.references.push(link);
            }
        }
        to_json(&record)
    })
}

/// The parts of a record that need no publication: no times, no links of our own.
pub(super) fn record(advisory: &AdvisoryView) -> Result<Record, FormatError> {
    let severity = rate(&advisory.severity)?
        .into_iter()
        .map(|r| Score { r#type: r.osv_type, score: r.vector })
        .collect();
    let cwe_ids = advisory.cwe.clone();
    Ok(Record {
        schema_version: SCHEMA,
        id: advisory.public_id.clone(),
        published: None,
        modified: None,
        aliases: advisory.aliases.clone(),
        summary: advisory.title.clone(),
        details: details(advisory),
        severity,
        affected: entries(&advisory.affected)?,
        references: references(&advisory.references)?,
        credits: credits(&advisory.credits)?,
        database_specific: (!cwe_ids.is_empty()).then_some(Specific { cwe_ids }),
    })
}

/// Indented JSON with a final line feed.
pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, FormatError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|_| {
        FormatError::field("the record", "cannot be written as JSON", "report this as a bug")
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn details(advisory: &AdvisoryView) -> String {
    let mut text = advisory.description.trim().to_owned();
    for (heading, section) in [("Remedy", &advisory.remedy), ("Mitigation", &advisory.mitigation)] {
        if !section.trim().is_empty() {
            text.push_str(&format!("\n\n## {heading}\n\n{}", section.trim()));
        }
    }
    text
}

fn entries(affected: &[Affected]) -> Result<Vec<Entry>, FormatError> {
    let mut made: Vec<Entry> = Vec::new();
    for (at, it) in affected.iter().enumerate() {
        let name = match it.ecosystem.as_str() {
            "PyPI" => pypi::normalised(&it.name),
            _ => it.name.clone(),
        };
        let ranges = ranges::checked(at, it)?;
        let known =
            made.iter_mut().find(|e| e.package.ecosystem == it.ecosystem && e.package.name == name);
        match known {
            Some(entry) => {
                entry.ranges.extend(ranges);
                entry.versions.extend(it.versions.iter().cloned());
            }
            None => {
                let own = (it.ecosystem == "PyPI").then(|| format!("pkg:pypi/{name}"));
                let purl = it.purl.clone().or(own);
                let package = Package { ecosystem: it.ecosystem.clone(), name, purl };
                made.push(Entry { package, ranges, versions: it.versions.clone() });
            }
        }
    }
    for entry in &mut made {
        entry.ranges = ranges::merged(std::mem::take(&mut entry.ranges));
        let mut seen = std::collections::HashSet::new();
        entry.versions.retain(|version| seen.insert(version.clone()));
    }
    Ok(made)
}

fn references(given: &[Reference]) -> Result<Vec<Reference>, FormatError> {
    for (at, reference) in given.iter().enumerate() {
        if !REFERENCE_KINDS.contains(&reference.kind.as_str()) {
            return Err(FormatError::field(
                format!("references[{at}].type"),
                "is not one of OSV's",
                format!("use one of {}", REFERENCE_KINDS.join(", ")),
            ));
        }
        if !is_web(&reference.url) {
            return Err(FormatError::field(
                format!("references[{at}].url"),
                "is not a web address",
                "begin it with https:// and leave no spaces in it",
            ));
        }
    }
    Ok(given.to_vec())
}

fn credits(given: &[Credit]) -> Result<Vec<Named>, FormatError> {
    let named = |(at, credit): (usize, &Credit)| {
        if CREDIT_KINDS.contains(&credit.role.as_str()) {
            return Ok(Named { name: credit.name.clone(), r#type: credit.role.clone() });
        }
        Err(FormatError::field(
            format!("credits[{at}].role"),
            "is not one of OSV's",
            format!("use one of {}", CREDIT_KINDS.join(", ")),
        ))
    };
    given.iter().enumerate().map(named).collect()
}

/// Our page and record, and the commits of the fix where a forge's address for them is known.
fn own_links(advisory: &AdvisoryView, public: &PublicView) -> Vec<Reference> {
    let link = |kind: &str, url: String| Reference { kind: kind.to_owned(), url };
    let id = &advisory.public_id;
    let mut made = vec![
        link("ADVISORY", format!("{}{}", public.base_url, page_path(id))),
        link("ADVISORY", format!("{}{}", public.base_url, osv_path(id))),
    ];
    // With several advisories a series cannot be told to be this one's: say nothing.
    if let ([_], Some(forge)) = (public.advisories.as_slice(), commit_address(&advisory.affected)) {
        let commits = public.patches.iter().flat_map(|p| &p.commits);
        made.extend(commits.map(|c| link("FIX", format!("{forge}{c}"))));
    }
    made
}

/// What goes before a commit id, if all ranges of commits name one repository on a forge
/// whose addresses are known.
fn commit_address(affected: &[Affected]) -> Option<String> {
    let mut repos: Vec<&str> =
        affected.iter().flat_map(|a| &a.ranges).filter_map(|r| r.repo.as_deref()).collect();
    repos.sort_unstable();
    repos.dedup();
    let [repo] = repos.as_slice() else { return None };
    let repo = repo.trim_end_matches('/').trim_end_matches(".git");
    if repo.starts_with("https://github.com/") {
        return Some(format!("{repo}/commit/"));
    }
    repo.starts_with("https://gitlab.com/").then(|| format!("{repo}/-/commit/"))
}

#[cfg(test)]
mod tests;
