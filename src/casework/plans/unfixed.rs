//! What leaves of a disclosure without a fix is read once more as it was rendered: templates and
//! the team's own words may promise what the case does not hold.

use crate::domain::blob::Blob;
use crate::domain::disclosure::Case as Content;
use crate::domain::finding::Finding;
use crate::domain::news::News;
use crate::domain::rules::mitigation::{check_words, claims_a_fix};
use crate::domain::view::NoticeView;
use crate::formats::notice_text;
use crate::formats::templates::Templates;

/// Every promise in a text; none where there may be one.
pub(super) fn of_text(content: &Content, place: &str, text: &str) -> Vec<Finding> {
    match content.mitigation_only {
        Some(_) => check_words(place, text),
        None => Vec::new(),
    }
}

/// The same for pages and records, which are read as bytes.
pub(super) fn of_documents(content: &Content, blobs: &[Blob]) -> Vec<Finding> {
    if content.mitigation_only.is_none() {
        return Vec::new();
    }
    let read = |blob: &Blob| {
        let name = &blob.about.name;
        let text = String::from_utf8_lossy(&blob.bytes);
        let json = name.ends_with(".json") && text.contains("\"fixed\":");
        let page = name.ends_with(".html") || name.ends_with(".json");
        let mut found = if page { check_words(name, &text) } else { Vec::new() };
        found.extend(json.then(|| claims_a_fix(name)));
        found
    };
    blobs.iter().flat_map(read).collect()
}

/// The same for a notice. What cannot be rendered is said by whoever makes it.
pub(super) fn of_notice(templates: &Templates, view: &NoticeView, news: &News) -> Vec<Finding> {
    let text = notice_text::render(templates, view, news).unwrap_or_default();
    check_words("notice", &text)
}
