//! The tree with nothing, something and something broken in it.

use super::*;
use crate::formats::{entry, osv, sample};

const AT: &str = "2026-12-01T15:00:03Z";

fn masthead() -> Masthead {
    Masthead::of(&sample::public(sample::advisory()))
}

fn papers() -> Papers {
    Papers { certificate: b"certificate".to_vec(), security_txt: b"Contact: x\n".to_vec() }
}

/// As the site outlet leaves it: every document of one advisory, slots filled.
fn published(id: &str, at: &str) -> PublishedAdvisory {
    let mut advisory = sample::advisory();
    advisory.public_id = id.to_owned();
    let public = sample::public(advisory.clone());
    let templates = Templates::load(None).unwrap();
    let documents = [
        page::advisory(&templates, &advisory, &public).unwrap(),
        osv::export(&advisory, &public).unwrap(),
        entry::document(&advisory, &public).unwrap(),
    ];
    let at = At::parse_rfc3339(at).unwrap();
    let [page, osv, entry] = documents.map(|d| PublishedFile {
        name: d.name.clone(),
        media_type: d.media_type.to_owned(),
        bytes: d.blob().filled(at).unwrap(),
    });
    PublishedAdvisory { entry: entry.bytes, documents: vec![page, osv] }
}

fn build(published: &[PublishedAdvisory]) -> Result<Tree, FormatError> {
    Tree::build(&Templates::load(None).unwrap(), &masthead(), &papers(), published)
}

#[test]
fn every_published_document_stands_where_its_links_lead() {
    let tree = build(&[published("x_m-2026-1", AT)]).unwrap();
    let paths: Vec<_> = tree.files().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "/",
            "/.well-known/security.txt",
            "/advisories/x_m-2026-1.html",
            "/certificate.asc",
            "/feed.atom",
            "/icon.svg",
            "/osv/all.json",
            "/osv/x_m-2026-1.json",
            "/site.css",
        ]
    );
    let open: Vec<_> = tree.files().filter(|(_, f)| f.open).map(|(path, _)| path).collect();
    assert_eq!(open, ["/osv/all.json", "/osv/x_m-2026-1.json"]);
    for (path, file) in tree.files() {
        assert_eq!(file.modified.is_some(), path == ALL_JSON, "{path}");
        assert_eq!(file.sha256, Sha256::of(&file.bytes));
    }
    let list = tree.files().find(|(path, _)| *path == ALL_JSON).unwrap().1;
    assert_eq!(list.modified, At::parse_rfc3339(AT));
}

#[test]
fn the_same_publications_in_any_order_are_the_same_bytes() {
    let (a, b) = (published("x_m-2026-1", AT), published("x_m-2026-2", "2026-12-08T15:00:00Z"));
    assert!(build(&[a.clone(), b.clone()]).unwrap() == build(&[b, a]).unwrap());
    assert!(build(&[]).unwrap() == build(&[]).unwrap());
}

#[test]
fn a_folder_gets_what_is_listed_before_the_lists() {
    let disk = build(&[published("x_m-2026-1", AT)]).unwrap().on_disk();
    let names: Vec<_> = disk.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.last_chunk::<3>(), Some(&["index.html", "feed.atom", "osv/all.json"]));
    assert!(names.contains(&"404.html") && names.contains(&".well-known/security.txt"));
    assert!(names.iter().all(|name| !name.starts_with('/')));
}

#[test]
fn a_tree_that_would_lie_is_not_built() {
    let one = published("x_m-2026-1", AT);
    assert!(build(&[one.clone(), one.clone()]).is_err(), "twice");
    let mut without_page = one.clone();
    without_page.documents.retain(|d| !d.name.ends_with(".html"));
    assert!(build(&[without_page]).is_err(), "an entry that leads nowhere");
    for foreign in ["x_m-2026-2.html", "../x_m-2026-1.html", "x_m-2026-1/../a", "x_m-2026-1 b"] {
        let mut with = one.clone();
        with.documents
            .push(PublishedFile { name: foreign.to_owned(), ..with.documents[0].clone() });
        assert!(build(&[with]).is_err(), "{foreign}");
    }
    assert!(build(&[PublishedAdvisory { entry: Vec::new(), ..one }]).is_err(), "no entry");
}
