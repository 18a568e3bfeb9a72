//! Reads an OSV record, JSON or YAML, into a draft.
//!
//! Scalars stay text: `3.10` is not `3.1`. What a draft has no place for is not dropped in
//! silence but told as a finding. Foreign files are small, unfold to little, and error texts
//! say where, never what.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::markdown::opening;
use super::weigh;
use crate::domain::advisory::{AdvisoryText, Credit, Reference};
use crate::domain::affected::{Affected, Event, Range, RangeKind};
use crate::domain::finding::Finding;

/// Largest file, in bytes.
const LARGEST: usize = 1024 * 1024;

/// Fields of the schema. Anything else in a file is told as a finding.
const KNOWN: [&str; 15] = [
    "schema_version",
    "id",
    "modified",
    "published",
    "withdrawn",
    "aliases",
    "related",
    "upstream",
    "summary",
    "details",
    "severity",
    "affected",
    "references",
    "credits",
    "database_specific",
];

/// A draft made from a foreign record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The draft.
    pub text: AdvisoryText,
    /// What could not be kept, or was made up.
    pub findings: Vec<Finding>,
}

/// Why a file is no draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Too large.
    #[error("the file is larger than {LARGEST} bytes; an OSV record is a few thousand")]
    TooLarge,
    /// Not text.
    #[error("the file is not UTF-8 text; save it as UTF-8")]
    NotText,
    /// Neither JSON nor YAML, or a value of the wrong kind.
    #[error("line {line}: {what}")]
    Malformed {
        /// Line, counted from 1; 0 when it is not known.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Something else than an OSV record.
    #[error("this is no OSV record: `{0}` is missing; give a record with `id` and `modified`")]
    NotOsv(&'static str),
}

#[derive(Deserialize)]
struct Raw {
    id: Option<String>,
    modified: Option<String>,
    published: Option<String>,
    withdrawn: Option<String>,
    summary: Option<String>,
    details: Option<String>,
    aliases: Option<Vec<String>>,
    related: Option<Vec<String>>,
    upstream: Option<Vec<String>>,
    severity: Option<Vec<RawScore>>,
    affected: Option<Vec<RawAffected>>,
    references: Option<Vec<Reference>>,
    credits: Option<Vec<RawCredit>>,
    database_specific: Option<BTreeMap<String, Loose>>,
}

/// A list of texts where it is one, anything else unread.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose {
    Texts(Vec<String>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct RawScore {
    r#type: Option<String>,
    score: String,
}

#[derive(Deserialize)]
struct RawCredit {
    name: String,
    r#type: Option<String>,
    contact: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawPackage {
    ecosystem: String,
    name: String,
    purl: Option<String>,
}

#[derive(Deserialize)]
struct RawAffected {
    package: Option<RawPackage>,
    ranges: Option<Vec<RawRange>>,
    versions: Option<Vec<String>>,
    severity: Option<IgnoredAny>,
    ecosystem_specific: Option<IgnoredAny>,
    database_specific: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawRange {
    r#type: String,
    repo: Option<String>,
    events: Vec<RawEvent>,
    database_specific: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// Reads a record. The name's ending decides between JSON and YAML; without one of these the
/// first character does.
pub fn import(bytes: &[u8], file_name: &str) -> Result<Imported, ImportError> {
    if bytes.len() > LARGEST {
        return Err(ImportError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ImportError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let name = file_name.to_ascii_lowercase();
    let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
    let json = name.ends_with(".json") || (!yaml && text.trim_start().starts_with('{'));
    let (raw, keys): (Raw, BTreeMap<String, IgnoredAny>) = if json {
        (serde_json::from_str(text).map_err(of_json)?, serde_json::from_str(text).map_err(of_json)?)
    } else {
        weigh::check(text).map_err(of_yaml)?;
        let keys = serde_norway::from_str(text).map_err(of_yaml)?;
        (serde_norway::from_str(text).map_err(of_yaml)?, keys)
    };
    drafted(raw, keys.into_keys())
}

fn of_json(error: serde_json::Error) -> ImportError {
    let what = match error.classify() {
        serde_json::error::Category::Data => {
            "a value of the wrong kind; ids and versions must be in quotation marks"
        }
        _ => "not JSON",
    };
    ImportError::Malformed { line: error.line(), what }
}

fn of_yaml(error: serde_norway::Error) -> ImportError {
    let line = error.location().map_or(0, |place| place.line());
    let what = "not YAML of an OSV record, or it unfolds to too much";
    ImportError::Malformed { line, what }
}

fn drafted(raw: Raw, keys: impl Iterator<Item = String>) -> Result<Imported, ImportError> {
    let id = raw.id.ok_or(ImportError::NotOsv("id"))?;
    raw.modified.ok_or(ImportError::NotOsv("modified"))?;
    let mut findings = Vec::new();
    for key in keys.filter(|key| !KNOWN.contains(&key.as_str())) {
        findings.push(lost(&key, "is not a field of OSV"));
    }
    if raw.published.is_some() {
        let what = "is not kept: the time of publication is set when it happens";
        findings.push(Finding::note("import-not-kept", "published", what));
    }
    if raw.withdrawn.is_some() {
        let what = "the record was withdrawn by its database";
        findings.push(
            Finding::warn("import-withdrawn", "withdrawn", what).cure("make sure it still holds"),
        );
    }
    for (field, ids) in [("related", &raw.related), ("upstream", &raw.upstream)] {
        if ids.as_ref().is_some_and(|ids| !ids.is_empty()) {
            findings.push(lost(field, "has no place in a draft"));
        }
    }
    let description = raw.details.unwrap_or_default();
    let title = raw.summary.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| {
        let what = "the record has no summary: the title was made from its details";
        findings.push(Finding::warn("import-made-title", "title", what).cure("write one line"));
        opening(&description, 100)
    });
    if !id.starts_with("x_") {
        let what = "the id is that of another database unless this prefix is yours";
        findings.push(
            Finding::note("import-foreign-id", "public_id", what)
                .cure("give it an id of your own and move this one to `aliases`"),
        );
    }
    let text = AdvisoryText {
        public_id: id,
        title,
        description,
        aliases: raw.aliases.unwrap_or_default(),
        affected: affected(raw.affected.unwrap_or_default(), &mut findings),
        severity: severity(raw.severity.unwrap_or_default(), &mut findings),
        cwe: cwe(raw.database_specific.unwrap_or_default(), &mut findings),
        references: raw.references.unwrap_or_default(),
        credits: credits(raw.credits.unwrap_or_default(), &mut findings),
        ..AdvisoryText::default()
    };
    Ok(Imported { text, findings })
}

fn lost(place: &str, what: &str) -> Finding {
    Finding::warn("import-not-kept", place, format!("{what}, and was not kept"))
        .cure("look at the original")
}

fn severity(raw: Vec<RawScore>, findings: &mut Vec<Finding>) -> Vec<String> {
    let mut kept = Vec::new();
    for (at, score) in raw.into_iter().enumerate() {
        if matches!(score.r#type.as_deref(), Some("CVSS_V3" | "CVSS_V4")) {
            kept.push(score.score);
        } else {
            findings.push(lost(&format!("severity[{at}]"), "is neither CVSS 3 nor CVSS 4"));
        }
    }
    kept
}

fn cwe(specific: BTreeMap<String, Loose>, findings: &mut Vec<Finding>) -> Vec<String> {
    let mut cwe = Vec::new();
    for (key, value) in specific {
        match value {
            Loose::Texts(ids) if key == "cwe_ids" => cwe = ids,
            Loose::Texts(_) | Loose::Other(IgnoredAny) => {
                let place = format!("database_specific.{key}");
                let what = "belongs to the other database, and was not kept";
                findings.push(Finding::note("import-not-kept", place, what));
            }
        }
    }
    cwe
}

fn credits(raw: Vec<RawCredit>, findings: &mut Vec<Finding>) -> Vec<Credit> {
    let mut kept = Vec::new();
    for (at, credit) in raw.into_iter().enumerate() {
        if credit.contact.is_some() {
            findings.push(lost(&format!("credits[{at}].contact"), "has no place in a draft"));
        }
        let role = credit.r#type.unwrap_or_else(|| "OTHER".to_owned());
        kept.push(Credit { name: credit.name, role });
    }
    kept
}

fn affected(raw: Vec<RawAffected>, findings: &mut Vec<Finding>) -> Vec<Affected> {
    let mut kept: Vec<Affected> = Vec::new();
    let mut nameless = Vec::new();
    for (at, it) in raw.into_iter().enumerate() {
        let place = format!("affected[{at}]");
        for (field, there) in [
            ("severity", it.severity.is_some()),
            ("ecosystem_specific", it.ecosystem_specific.is_some()),
            ("database_specific", it.database_specific.is_some()),
        ] {
            if there {
                findings.push(lost(&format!("{place}.{field}"), "has no place in a draft"));
            }
        }
        let ranges = ranges(&place, it.ranges.unwrap_or_default(), findings);
        match it.package {
            Some(package) => kept.push(Affected {
                ecosystem: package.ecosystem,
                name: package.name,
                purl: package.purl,
                ranges,
                versions: it.versions.unwrap_or_default(),
            }),
            None => nameless.push((place, ranges)),
        }
    }
    // Clients fail on an entry without a package: its commits belong to the one there is.
    for (place, ranges) in nameless {
        match kept.as_mut_slice() {
            [only] => only.ranges.extend(ranges),
            _ => findings.push(lost(&place, "names no package")),
        }
    }
    kept
}

fn ranges(place: &str, raw: Vec<RawRange>, findings: &mut Vec<Finding>) -> Vec<Range> {
    let mut kept = Vec::new();
    for (at, range) in raw.into_iter().enumerate() {
        let place = format!("{place}.ranges[{at}]");
        if range.database_specific.is_some() {
            findings.push(lost(&format!("{place}.database_specific"), "has no place in a draft"));
        }
        let kind = match range.r#type.as_str() {
            "ECOSYSTEM" => RangeKind::Ecosystem,
            "SEMVER" => RangeKind::Semver,
            "GIT" => RangeKind::Git,
            _ => {
                findings.push(lost(&place, "is of an unknown type"));
                continue;
            }
        };
        let mut events = Vec::new();
        for (n, event) in range.events.into_iter().enumerate() {
            let before = events.len();
            events.extend(event.introduced.map(Event::Introduced));
            events.extend(event.fixed.map(Event::Fixed));
            events.extend(event.last_affected.map(Event::LastAffected));
            events.extend(event.limit.map(Event::Limit));
            if events.len() == before {
                findings.push(lost(&format!("{place}.events[{n}]"), "says nothing we know"));
            }
        }
        kept.push(Range { kind, repo: range.repo, events });
    }
    kept
}

#[cfg(test)]
mod tests;
