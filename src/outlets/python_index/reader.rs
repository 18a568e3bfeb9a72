//! Reading an index as anybody would.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Url;
use serde::Deserialize;

use crate::clock::Clock;
use crate::domain::blob::Sha256;
use crate::domain::finding::Finding;
use crate::outlets::visitor::{NoPage, Visitor};

use super::html;

/// PEP 691, JSON first.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// Either kind of HTML page.
const HTML: [&str; 2] = ["application/vnd.pypi.simple.v1+html", "text/html"];

/// What an index lists for one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// File names with their digests, as far as stated.
    Files(BTreeMap<String, Option<Sha256>>),
    /// It does not know the project.
    NoProject,
    /// It did not answer in a way we understand.
    Unreadable(String),
}

/// An index's read side.
pub struct IndexReader {
    index_url: String,
    visitor: Visitor,
}

#[derive(Deserialize)]
struct Page {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    hashes: BTreeMap<String, String>,
}

impl IndexReader {
    /// `index_url` is the simple index's address, before the project's name.
    pub fn new(index_url: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { index_url: index_url.into(), visitor: Visitor::new(clock) }
    }

    /// What it lists for `project`.
    pub async fn read(&self, project: &str) -> Listing {
        match self.fetch(project).await {
            Ok(listing) => listing,
            Err(why) => Listing::Unreadable(why),
        }
    }

    async fn fetch(&self, project: &str) -> Result<Listing, String> {
        let name = normal(project).ok_or("not a project's name")?;
        let url = format!("{}/{name}/", self.index_url.trim_end_matches('/'));
        // One that knows no such project may send its readers to the public one: no page.
        let page = self.visitor.get(&url, ACCEPT).await.map_err(|e| format!("the index {e}"))?;
        match page.status {
            200 => {}
            404 => return Ok(Listing::NoProject),
            other => return Err(format!("the index answered {other}")),
        }
        let is_html = page.media_type.is_some_and(|kind| HTML.contains(&kind.as_str()));
        let bytes = page.bytes;
        if is_html {
            let text = String::from_utf8(bytes).map_err(|_| "the index's page is not UTF-8")?;
            return html::files(&text)
                .map(Listing::Files)
                .ok_or_else(|| "the index's page is not a listing as PEP 503 says".to_owned());
        }
        let page: Page = serde_json::from_slice(&bytes)
            .map_err(|_| "the index answers neither JSON (PEP 691) nor HTML (PEP 503)")?;
        let digest = |f: File| (f.filename, f.hashes.get("sha256").and_then(|h| h.parse().ok()));
        Ok(Listing::Files(page.files.into_iter().map(digest).collect()))
    }

    /// Whether the read side answers, and over TLS. `args` are the step's.
    pub async fn check(&self, args: &[String]) -> Vec<Finding> {
        let place = "command.index_url";
        let mut findings = safe(place, &self.index_url);
        match args.first() {
            None => findings.push(
                Finding::stop("no-project", "command", "the step names no project")
                    .cure("give the project's name as the first argument"),
            ),
            Some(project) => {
                if let Listing::Unreadable(why) = self.read(project).await {
                    findings.push(Finding::stop("index-unreadable", place, why).cure(
                        "give the address of a simple index, as PEP 503 and 691 describe it",
                    ));
                }
            }
        }
        findings
    }

    /// Whether another address answers at all, and over TLS.
    pub async fn reach(&self, url: &str) -> Vec<Finding> {
        let place = "command.upload_url";
        let mut findings = safe(place, url);
        let reached = self.visitor.get(url, ACCEPT).await;
        if matches!(reached, Err(NoPage::Unreachable | NoPage::Slow)) {
            findings.push(
                Finding::stop("index-unreachable", place, "nobody answers at the upload address")
                    .cure("check the address and the network"),
            );
        }
        findings
    }
}

/// A credential or a look over plain HTTP could be read and forged by anybody between.
fn safe(place: &str, url: &str) -> Vec<Finding> {
    let loopback = |u: &Url| {
        u.host_str().is_some_and(|h| {
            h == "localhost"
                || h.trim_matches(['[', ']'])
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        })
    };
    match Url::parse(url) {
        Ok(u) if u.scheme() == "https" || (u.scheme() == "http" && loopback(&u)) => Vec::new(),
        _ => vec![
            Finding::stop("index-not-https", place, "is not an https address").cure("use https://"),
        ],
    }
}

/// The project's name as PEP 503 writes it; `None` for what cannot be one.
fn normal(project: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !project.chars().all(plain) {
        return None;
    }
    let parts = project.split(['-', '_', '.']).filter(|p| !p.is_empty());
    let name = parts.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_and_never_paths() {
        assert_eq!(normal("Meadow._Tools").as_deref(), Some("meadow-tools"));
        for bad in ["", "..", "a/b", "a?b", "a b"] {
            assert_eq!(normal(bad), None, "{bad}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert!(safe("x", "http://127.0.0.1:8/simple/").is_empty());
        assert!(safe("x", "https://index.example/").is_empty());
        assert_eq!(safe("x", "http://index.example/").len(), 1);
        assert_eq!(safe("x", "ftp://localhost/").len(), 1);
    }
}
