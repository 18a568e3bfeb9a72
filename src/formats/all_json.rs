//! `/osv/all.json`: what importers poll. `[{id, modified}]`, last changed first.

use serde::Serialize;

use super::entry::Entry;
use super::osv::to_json;
use super::{Document, FormatError};

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    modified: &'a str,
}

/// The list of all published records.
pub fn render(entries: &[Entry]) -> Result<Document, FormatError> {
    let mut lines: Vec<Line<'_>> =
        entries.iter().map(|e| Line { id: &e.public_id, modified: &e.modified }).collect();
    lines.sort_by(|a, b| b.modified.cmp(a.modified).then_with(|| a.id.cmp(b.id)));
    Ok(Document::new("all.json", "application/json", to_json(&lines)?, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::entry::sample;

    #[test]
    fn the_order_of_the_input_does_not_matter() {
        let a = sample("x_m-1", "2026-01-01T00:00:00Z");
        let b = sample("x_m-2", "2026-02-01T00:00:00Z");
        let list = render(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(list, render(&[b, a]).unwrap());
        let text = String::from_utf8(list.bytes).unwrap();
        assert!(text.find("x_m-2").unwrap() < text.find("x_m-1").unwrap());
        assert_eq!(render(&[]).unwrap().bytes, b"[]\n");
    }
}
