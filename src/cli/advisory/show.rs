//! How an advisory is shown: as text, a row, TOML or JSON.

use serde_json::{Value, json};

use crate::cli::print::table;
use crate::domain::advisory::Advisory;
use crate::domain::affected::{Affected, Event};
use crate::domain::secret::Reason;

/// The TOML that `advisory edit --from` takes.
pub fn as_toml(advisory: &Advisory) -> anyhow::Result<String> {
    Ok(toml::to_string_pretty(advisory.text.open(Reason::Editing))?)
}

pub fn in_short(advisory: &Advisory) -> Value {
    let text = advisory.text.open(Reason::Review);
    json!({
        "id": advisory.id, "public_id": text.public_id, "revision": advisory.revision,
        "title": text.title, "created_at": advisory.created_at.rfc3339(),
        "updated_at": advisory.updated_at.rfc3339(),
    })
}

pub fn as_json(advisory: &Advisory) -> Value {
    let mut value = in_short(advisory);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("text".to_owned(), json!(advisory.text.open(Reason::Review)));
    }
    value
}

pub fn as_table(all: &[Advisory]) -> String {
    let rows = all.iter().map(|a| {
        let text = a.text.open(Reason::Review);
        vec![
            a.id.to_string(),
            text.public_id.clone(),
            a.revision.to_string(),
            a.updated_at.rfc3339(),
            text.title.clone(),
        ]
    });
    table(&["id", "public id", "revision", "changed", "title"], rows)
}

pub fn as_text(advisory: &Advisory) -> String {
    let text = advisory.text.open(Reason::Review);
    let mut rows = vec![
        ("public id", text.public_id.clone()),
        ("id", advisory.id.to_string()),
        ("title", text.title.clone()),
        ("revision", format!("{} of {}", advisory.revision, advisory.updated_at.spoken())),
    ];
    let mut some = |name, all: Vec<String>| {
        if !all.is_empty() {
            rows.push((name, all.join(", ")));
        }
    };
    some("aliases", text.aliases.clone());
    some("severity", text.severity.clone());
    some("weaknesses", text.cwe.clone());
    some("affected", text.affected.iter().map(package).collect());
    let reporter = |r: &crate::domain::advisory::Reporter| {
        format!("{} <{}> on {}", r.name, r.address, r.received_at)
    };
    some("reported by", text.reporters.iter().map(reporter).collect());
    some("credits", text.public_credits().into_iter().map(|c| c.name).collect());
    some("references", text.references.iter().map(|r| r.url.clone()).collect());
    let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]);
    let mut shown = table(&[], rows);
    for (name, words) in [
        ("Description", &text.description),
        ("Remedy", &text.remedy),
        ("Mitigation", &text.mitigation),
        ("Private notes", &text.private_notes),
    ] {
        if !words.trim().is_empty() {
            shown.push_str(&format!("\n\n{name}\n\n{}", words.trim()));
        }
    }
    shown
}

/// `meadow (PyPI) from 0, fixed in 1.4.2`.
fn package(affected: &Affected) -> String {
    let event = |e: &Event| match e {
        Event::Introduced(v) => format!("from {v}"),
        Event::Fixed(v) => format!("fixed in {v}"),
        Event::LastAffected(v) => format!("up to {v}"),
        Event::Limit(v) => format!("looked at up to {v}"),
    };
    let events: Vec<_> = affected.ranges.iter().flat_map(|r| &r.events).map(event).collect();
    format!("{} ({}) {}", affected.name, affected.ecosystem, events.join(", "))
}
