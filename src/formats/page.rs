//! The public page of one advisory, the page for what is not there, and their stylesheet.
//!
//! No script, no inline style, nothing loaded from elsewhere. The day of publication is a
//! slot; no page states an hour.

use minijinja::Value;
use serde::Serialize;

use super::affected_words::{PackageWords, spoken};
use super::links::{check_id, is_web, osv_path, root};
use super::markdown::to_html;
use super::masthead::{Frame, Masthead};
use super::rating::{Rating, rate};
use super::slots::{Times, pin};
use super::templates::Templates;
use super::{Document, FormatError};
use crate::domain::view::{AdvisoryView, PublicView};

#[derive(Serialize)]
struct Context {
    site: Frame,
    public_id: String,
    title: String,
    published: &'static str,
    modified: &'static str,
    aliases: Vec<String>,
    ratings: Vec<Rating>,
    cwe: Vec<Link>,
    packages: Vec<PackageWords>,
    releases: Vec<Release>,
    branches: Vec<Branch>,
    description: Value,
    remedy: Value,
    mitigation: Value,
    references: Vec<Link>,
    credits: Vec<Credit>,
    osv: String,
}

#[derive(Serialize)]
struct Release {
    branch: String,
    version: String,
    tag: String,
}

#[derive(Serialize)]
struct Branch {
    branch: String,
    state: String,
}

#[derive(Serialize)]
struct Credit {
    name: String,
    role: String,
}

/// A text, and where it leads if that is a place one may be led to.
#[derive(Serialize)]
struct Link {
    text: String,
    kind: String,
    url: Option<String>,
}

/// `ID.html`.
pub fn advisory(
    templates: &Templates,
    advisory: &AdvisoryView,
    public: &PublicView,
) -> Result<Document, FormatError> {
    check_id(&advisory.public_id)?;
    pin(&format!("{}.html", advisory.public_id), "text/html; charset=utf-8", |times| {
        let context = context(advisory, public, times)?;
        templates.render("advisory.html", context).map(String::into_bytes)
    })
}

/// `404.html`: says nothing of what was asked for, so that it is the same for everything
/// that is not there or not there yet.
pub fn not_found(templates: &Templates, masthead: &Masthead) -> Result<Document, FormatError> {
    #[derive(Serialize)]
    struct Context {
        site: Frame,
    }
    let html = templates.render("not_found.html", Context { site: masthead.frame() })?;
    Ok(Document::new("404.html", "text/html; charset=utf-8", html.into_bytes(), Vec::new()))
}

/// `site.css`.
pub fn style(templates: &Templates) -> Document {
    let bytes = templates.style().as_bytes().to_vec();
    Document::new("site.css", "text/css; charset=utf-8", bytes, Vec::new())
}

/// `icon.svg`.
pub fn icon(templates: &Templates) -> Document {
    let bytes = templates.icon().as_bytes().to_vec();
    Document::new("icon.svg", "image/svg+xml", bytes, Vec::new())
}

fn context(
    advisory: &AdvisoryView,
    public: &PublicView,
    times: Times,
) -> Result<Context, FormatError> {
    let html = |markdown: &str| Value::from_safe_string(to_html(markdown));
    let references = advisory.references.iter().map(|r| Link {
        text: r.url.clone(),
        kind: r.kind.to_ascii_lowercase(),
        url: is_web(&r.url).then(|| r.url.clone()),
    });
    let credits = advisory.credits.iter().map(|c| Credit {
        name: c.name.clone(),
        role: c.role.to_ascii_lowercase().replace('_', " "),
    });
    let branches = public.branches.iter().filter(|b| b.public_id == advisory.public_id);
    let branches = branches.map(|b| Branch { branch: b.branch.clone(), state: b.state.clone() });
    let releases = public.releases.iter().map(|r| Release {
        branch: r.branch.clone(),
        version: r.version.clone(),
        tag: r.tag.clone(),
    });
    Ok(Context {
        site: Masthead::of(public).frame(),
        public_id: advisory.public_id.clone(),
        title: advisory.title.clone(),
        published: times.published_day,
        modified: times.modified_day,
        aliases: advisory.aliases.clone(),
        ratings: rate(&advisory.severity)?,
        cwe: advisory.cwe.iter().map(|id| weakness(id)).collect(),
        packages: spoken(&advisory.affected),
        releases: releases.collect(),
        branches: branches.collect(),
        description: html(&advisory.description),
        remedy: html(&advisory.remedy),
        mitigation: html(&advisory.mitigation),
        references: references.collect(),
        credits: credits.collect(),
        osv: format!("{}{}", root(&public.base_url), osv_path(&advisory.public_id)),
    })
}

/// A weakness with its entry in the catalogue, if it is numbered as one.
fn weakness(id: &str) -> Link {
    let number = id.strip_prefix("CWE-").filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let url = number.map(|n| format!("https://cwe.mitre.org/data/definitions/{n}.html"));
    Link { text: id.to_owned(), kind: String::new(), url }
}

#[cfg(test)]
mod tests;
