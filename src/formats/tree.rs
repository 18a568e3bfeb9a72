//! The whole public site as files: a pure function of the team's papers and the publications.
//!
//! The server serves it and a static tree is written from it, so the two cannot differ.
//! Nothing else goes in: no clock, no count, no revision. With nothing new published it is
//! the same bytes, whatever happens in the house (law 8).

use std::collections::BTreeMap;

use super::entry::Entry;
use super::links::{
    ALL_JSON, CERTIFICATE, FEED, HOME, ICON, SECURITY_TXT, STYLE, document_path, is_open, osv_path,
    page_path,
};
use super::masthead::Masthead;
use super::templates::Templates;
use super::{Document, FormatError, all_json, atom, index, page};
use crate::domain::blob::Sha256;
use crate::domain::time::At;

/// What the team shows whatever is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Papers {
    /// The team's OpenPGP certificate, armored.
    pub certificate: Vec<u8>,
    /// RFC 9116, clearsigned.
    pub security_txt: Vec<u8>,
}

/// One finished document of a published advisory, slots filled.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its name in the plan: `ID.html`, `ID.osv.json`.
    pub name: String,
    /// Content-Type.
    pub media_type: String,
    /// The final bytes.
    pub bytes: Vec<u8>,
}

/// One published advisory.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishedAdvisory {
    /// What index, feed and list say of it: an [`Entry`] as JSON, slots filled.
    pub entry: Vec<u8>,
    /// Its documents, entry apart.
    pub documents: Vec<PublishedFile>,
}

/// One file of the site.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Content-Type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their digest: the strong ETag.
    pub sha256: Sha256,
    /// When its newest record changed, where readers ask for that.
    pub modified: Option<At>,
    /// Whether programs in other sites' pages may read it.
    pub open: bool,
}

/// The site.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, File>,
    not_found: File,
}

impl Tree {
    /// Builds it. The order of `published` does not matter. Errors when an entry
    /// cannot be read or leads to what is not there, or two files would have one path.
    pub fn build(
        templates: &Templates,
        masthead: &Masthead,
        papers: &Papers,
        published: &[PublishedAdvisory],
    ) -> Result<Self, FormatError> {
        let entries =
            published.iter().map(|p| Entry::parse(&p.entry)).collect::<Result<Vec<_>, _>>()?;
        let not_found = finished(page::not_found(templates, masthead)?);
        let mut tree = Self { files: BTreeMap::new(), not_found };
        tree.add(HOME, finished(index::page(templates, masthead, &entries)?))?;
        tree.add(FEED, finished(atom::render(masthead, &entries)?))?;
        let newest = entries.iter().filter_map(|e| At::parse_rfc3339(&e.modified)).max();
        let list = File {
            modified: Some(newest.unwrap_or(At::from_secs(0))),
            ..finished(all_json::render(&entries)?)
        };
        tree.add(ALL_JSON, list)?;
        tree.add(STYLE, finished(page::style(templates)))?;
        tree.add(ICON, finished(page::icon(templates)))?;
        tree.add(CERTIFICATE, file("application/pgp-keys", papers.certificate.clone()))?;
        tree.add(SECURITY_TXT, file("text/plain; charset=utf-8", papers.security_txt.clone()))?;
        for (entry, advisory) in entries.iter().zip(published) {
            tree.add_advisory(&entry.public_id, advisory)?;
        }
        Ok(tree)
    }

    fn add_advisory(&mut self, id: &str, advisory: &PublishedAdvisory) -> Result<(), FormatError> {
        for document in &advisory.documents {
            let path = document_path(id, &document.name)?;
            self.add(&path, file(&document.media_type, document.bytes.clone()))?;
        }
        for path in [page_path(id), osv_path(id)] {
            if !self.files.contains_key(&path) {
                return Err(wrong(&path, "is listed and not there", "restore what was published"));
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str, file: File) -> Result<(), FormatError> {
        let file = File { open: is_open(path), ..file };
        match self.files.insert(path.to_owned(), file) {
            None => Ok(()),
            Some(_) => Err(wrong(path, "stands there twice", "publish each id once")),
        }
    }

    /// Every path, with `/` in front, and its file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// What answers for everything else.
    pub fn not_found(&self) -> &File {
        &self.not_found
    }

    /// The files as a folder holds them: relative paths, what is listed before the lists.
    pub fn on_disk(&self) -> Vec<(String, Vec<u8>)> {
        let lists = [HOME, FEED, ALL_JSON];
        let (last, first): (Vec<_>, Vec<_>) = self.files().partition(|(p, _)| lists.contains(p));
        let name = |path: &str| match path {
            HOME => "index.html".to_owned(),
            _ => path.trim_start_matches('/').to_owned(),
        };
        let not_found = ("/404.html", &self.not_found);
        let all = first.into_iter().chain([not_found]).chain(last);
        all.map(|(path, file)| (name(path), file.bytes.clone())).collect()
    }
}

fn wrong(path: &str, what: &str, right: &str) -> FormatError {
    FormatError::field(format!("the site's {path}"), what, right)
}

fn file(media_type: &str, bytes: Vec<u8>) -> File {
    let sha256 = Sha256::of(&bytes);
    File { media_type: media_type.to_owned(), bytes, sha256, modified: None, open: false }
}

fn finished(document: Document) -> File {
    file(document.media_type, document.bytes)
}

#[cfg(test)]
mod tests;
