//! What index, feed and list say of one advisory. A plan pins one entry per advisory; the
//! indices are pure functions of all entries that are published (law 3), so no plan ever
//! pins, and no race ever loses, a whole index.

use serde::{Deserialize, Serialize};

use super::links::{check_id, osv_path, page_path};
use super::markdown::opening;
use super::osv::to_json;
use super::rating::{WORDS, highest, rate};
use super::slots::pin;
use super::{Document, FormatError};
use crate::domain::time::At;
use crate::domain::view::{AdvisoryView, PublicView};

/// One published advisory in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Public id.
    pub public_id: String,
    /// One line.
    pub title: String,
    /// The opening of the description, plain text.
    pub summary: String,
    /// The word of its highest rating: `low`, `medium`, `high` or `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Its page.
    pub url: String,
    /// Its OSV record.
    pub osv_url: String,
    /// RFC 3339, whole seconds, `Z`.
    pub published: String,
    /// The same.
    pub modified: String,
}

/// The entry of one advisory, `ID.entry.json`, with slots for both its times.
pub fn document(advisory: &AdvisoryView, public: &PublicView) -> Result<Document, FormatError> {
    let id = &advisory.public_id;
    check_id(id)?;
    let ratings = rate(&advisory.severity)?;
    pin(&format!("{id}.entry.json"), "application/json", |times| {
        to_json(&Entry {
            public_id: id.clone(),
            title: advisory.title.clone(),
            summary: opening(&advisory.description, 280),
            severity: highest(&ratings).map(str::to_owned),
            url: format!("{}{}", public.base_url, page_path(id)),
            osv_url: format!("{}{}", public.base_url, osv_path(id)),
            published: times.published.to_owned(),
            modified: times.modified.to_owned(),
        })
    })
}

impl Entry {
    /// Reads an entry whose slots are filled.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let broken =
            || FormatError::field("entry", "is not a published entry", "restore the stored bytes");
        let entry: Self = serde_json::from_slice(bytes).map_err(|_| broken())?;
        let instant = |text: &str| At::parse_rfc3339(text).is_some();
        check_id(&entry.public_id)?;
        (instant(&entry.published) && instant(&entry.modified)).then_some(entry).ok_or_else(broken)
    }

    /// Its severity as a word that may stand in a page's markup.
    pub fn severity(&self) -> Option<&str> {
        WORDS.into_iter().find(|word| self.severity.as_deref() == Some(word))
    }

    /// The day it was published: `2026-12-01`.
    pub fn day(&self) -> String {
        self.published.chars().take(10).collect()
    }
}

/// Newest publication first; equal times by id, so that order never depends on the input's.
pub fn newest_first(entries: &[Entry]) -> Vec<&Entry> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted
        .sort_by(|a, b| b.published.cmp(&a.published).then_with(|| a.public_id.cmp(&b.public_id)));
    sorted
}

#[cfg(test)]
pub(crate) fn sample(id: &str, published: &str) -> Entry {
    Entry {
        public_id: id.into(),
        title: format!("Title of {id}"),
        summary: "A summary.".into(),
        severity: Some("high".into()),
        url: format!("https://security.meadow.example/advisories/{id}.html"),
        osv_url: format!("https://security.meadow.example/osv/{id}.json"),
        published: published.into(),
        modified: published.into(),
    }
}
