//! The Atom feed (RFC 4287), assembled from the entries of everything published.

use atom_syndication as xml;
use chrono::{DateTime, FixedOffset};

use super::entry::{Entry, newest_first};
use super::links::FEED;
use super::masthead::Masthead;
use super::{Document, FormatError};

/// The feed. An empty one says 1970 as its time: it is a function of the entries alone.
pub fn render(masthead: &Masthead, entries: &[Entry]) -> Result<Document, FormatError> {
    let sorted = newest_first(entries);
    let address = format!("{}{FEED}", masthead.base_url);
    let mut feed = xml::Feed::default();
    feed.set_title(plain(&format!("{} security advisories", masthead.team)));
    feed.set_id(address.clone());
    feed.set_links(vec![
        link(&address, "self", "application/atom+xml"),
        link(&format!("{}/", masthead.base_url), "alternate", "text/html"),
    ]);
    let author = xml::Person { name: clean(&masthead.team), ..xml::Person::default() };
    feed.set_authors(vec![author]);
    let newest = sorted.iter().map(|e| e.modified.as_str()).max().unwrap_or("1970-01-01T00:00:00Z");
    feed.set_updated(instant(newest)?);
    feed.set_entries(sorted.into_iter().map(item).collect::<Result<Vec<_>, _>>()?);
    let mut bytes = feed.to_string().into_bytes();
    bytes.push(b'\n');
    Ok(Document::new("feed.atom", "application/atom+xml; charset=utf-8", bytes, Vec::new()))
}

fn item(entry: &Entry) -> Result<xml::Entry, FormatError> {
    let mut made = xml::Entry::default();
    made.set_id(entry.url.clone());
    made.set_title(plain(&format!("{}: {}", entry.public_id, entry.title)));
    made.set_summary(Some(plain(&entry.summary)));
    made.set_published(Some(instant(&entry.published)?));
    made.set_updated(instant(&entry.modified)?);
    made.set_links(vec![
        link(&entry.url, "alternate", "text/html"),
        link(&entry.osv_url, "related", "application/json"),
    ]);
    Ok(made)
}

fn link(href: &str, rel: &str, kind: &str) -> xml::Link {
    xml::Link {
        href: href.to_owned(),
        rel: rel.to_owned(),
        mime_type: Some(kind.to_owned()),
        ..xml::Link::default()
    }
}

fn plain(text: &str) -> xml::Text {
    xml::Text::plain(clean(text))
}

/// XML 1.0 section 2.2 has no place for control characters, escaped or not.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn instant(text: &str) -> Result<DateTime<FixedOffset>, FormatError> {
    DateTime::parse_from_rfc3339(text).map_err(|_| {
        FormatError::field("entry", "has a time that is none", "fill its slots before it is listed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::entry::sample;

    fn masthead() -> Masthead {
        Masthead {
            team: "Meadow & <Co>".into(),
            contact: "security@meadow.example".into(),
            base_url: "https://security.meadow.example".into(),
        }
    }

    #[test]
    fn readers_find_every_entry_and_the_newest_time() {
        let mut odd = sample("x_m-1", "2026-01-01T00:00:00Z");
        odd.title = "</title><script>\u{1}".into();
        odd.modified = "2026-03-01T00:00:00Z".into();
        let newer = sample("x_m-2", "2026-02-01T00:00:00Z");
        let feed = render(&masthead(), &[odd, newer]).unwrap();
        let read = xml::Feed::read_from(feed.bytes.as_slice()).unwrap();
        assert_eq!(read.updated().to_rfc3339(), "2026-03-01T00:00:00+00:00");
        let titles: Vec<_> = read.entries().iter().map(|e| e.title().to_string()).collect();
        assert_eq!(titles, ["x_m-2: Title of x_m-2", "x_m-1: </title><script> "]);
        assert_eq!(read.title().to_string(), "Meadow & <Co> security advisories");
    }

    #[test]
    fn an_empty_feed_is_the_same_at_any_time() {
        assert_eq!(render(&masthead(), &[]), render(&masthead(), &[]));
        let feed = render(&masthead(), &[]).unwrap();
        assert!(xml::Feed::read_from(feed.bytes.as_slice()).unwrap().entries().is_empty());
    }
}
