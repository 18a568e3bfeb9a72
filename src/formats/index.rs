//! The front page: everything published, newest first.

use serde::Serialize;

use super::entry::{Entry, newest_first};
use super::links::{page_path, root};
use super::masthead::{Frame, Masthead};
use super::templates::Templates;
use super::{Document, FormatError};

#[derive(Serialize)]
struct Context<'a> {
    site: Frame,
    entries: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    public_id: &'a str,
    title: &'a str,
    summary: &'a str,
    severity: Option<&'a str>,
    path: String,
    day: String,
}

/// `index.html`.
pub fn page(
    templates: &Templates,
    masthead: &Masthead,
    entries: &[Entry],
) -> Result<Document, FormatError> {
    let line =
        |entry: &'_ Entry| format!("{}{}", root(&masthead.base_url), page_path(&entry.public_id));
    let entries = newest_first(entries)
        .into_iter()
        .map(|e| Line {
            public_id: &e.public_id,
            title: &e.title,
            summary: &e.summary,
            severity: e.severity(),
            path: line(e),
            day: e.day(),
        })
        .collect();
    let context = Context { site: masthead.frame(), entries };
    let html = templates.render("index.html", context)?;
    Ok(Document::new("index.html", "text/html; charset=utf-8", html.into_bytes(), Vec::new()))
}
