//! A list's public archive, read as anybody reads it.
//!
//! A page that only repeats what was asked for must not count: where the address names the
//! Message-ID, the page must show the subject.

use std::sync::Arc;

use mail_parser::MessageParser;

use crate::clock::Clock;
use crate::config::{ArchiveShows, List};
use crate::domain::time::{At, Span};
use crate::outlets::python_index::html::plain;
use crate::outlets::visitor::Visitor;

use super::Said;

/// One list's archive.
pub(super) struct Archive {
    url: String,
    shows: ArchiveShows,
    visitor: Visitor,
    clock: Arc<dyn Clock>,
}

impl Archive {
    /// `None` when no address is configured.
    pub(super) fn new(list: &List, clock: &Arc<dyn Clock>) -> Option<Self> {
        let url = list.archive_url.clone()?;
        let visitor = Visitor::new(Arc::clone(clock));
        Some(Self { url, shows: list.archive_shows, visitor, clock: Arc::clone(clock) })
    }

    /// Whether it shows the post.
    pub(super) async fn ask(&self, message_id: &str, subject: Option<&str>) -> Said {
        let now = self.clock.wall();
        // What went at midnight stands under the day before.
        let urls = [now, now.plus(Span::days(-1))].map(|day| self.address(message_id, day));
        let mut said = Said::NotThere;
        let both = if urls[0] == urls[1] { &urls[..1] } else { &urls[..] };
        for url in both {
            match self.visitor.get(url, "text/html, text/plain, */*;q=0.5").await {
                Ok(page) if page.status == 200 => {
                    let text = String::from_utf8_lossy(&page.bytes);
                    if self.is_on(&text, message_id, subject) {
                        return Said::Found(url.clone());
                    }
                }
                Ok(page) if page.status == 404 => {}
                _ => said = Said::Nothing,
            }
        }
        said
    }

    fn address(&self, message_id: &str, day: At) -> String {
        let date: String = day.rfc3339().chars().take(10).collect();
        let mut parts = date.split('-');
        let [year, month, day] = [(); 3].map(|()| parts.next().unwrap_or_default());
        self.url
            .replace("{message_id}", message_id)
            .replace("{year}", year)
            .replace("{month}", month)
            .replace("{day}", day)
    }

    fn is_on(&self, page: &str, message_id: &str, subject: Option<&str>) -> bool {
        let asked_by_id = self.url.contains("{message_id}");
        if self.shows == ArchiveShows::Subject || asked_by_id {
            let Some(subject) = subject.map(squeezed).filter(|s| !s.is_empty()) else {
                return false;
            };
            return texts(page)
                .any(|text| if asked_by_id { text.contains(&subject) } else { text == subject });
        }
        // Archives hide addresses in their own ways; what stands before the `@` is ours alone.
        let local = message_id.split('@').next().unwrap_or_default();
        local.len() >= SURE && page.contains(local)
    }
}

/// Shorter names before the `@` could stand on a page by chance.
const SURE: usize = 16;

/// The subject of a message, decoded.
pub(super) fn subject(message: &[u8]) -> Option<String> {
    let parsed = MessageParser::default().parse_headers(message)?;
    parsed.subject().map(str::to_owned)
}

/// Every piece of text between two tags, its references resolved.
fn texts(page: &str) -> impl Iterator<Item = String> {
    page.split('<').map(|piece| {
        let text = piece.split_once('>').map_or(piece, |(_, text)| text);
        squeezed(&plain(text).unwrap_or_else(|| text.to_owned()))
    })
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    const ID: &str = "0123456789abcdef0123456789abcdef@meadow.example";
    const SUBJECT: &str = "[meadow] Gates & <latches>";

    fn archive(url: &str, shows: &str) -> Archive {
        let text = format!("address = \"a@b.c\"\narchive_url = {url:?}\narchive_shows = {shows:?}");
        let list: List = toml::from_str(&text).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Archive::new(&list, &clock).unwrap()
    }

    #[test]
    fn addresses_are_filled() {
        let archive = archive("https://a.example/{year}/{month}/{day}/{message_id}", "message-id");
        let at = At::parse_rfc3339("2026-12-01T23:59:00Z").unwrap();
        assert_eq!(archive.address(ID, at), format!("https://a.example/2026/12/01/{ID}"));
    }

    #[test]
    fn a_post_is_known_by_what_only_it_can_show() {
        let subject = Some(SUBJECT);
        let listed = "<li><a href=1>[meadow] Gates &amp;\n &lt;latches&gt;</a> (Ada)";
        let reply = listed.replace("[meadow]", "Re: [meadow]");
        let by_subject = archive("https://a.example/", "subject");
        assert!(by_subject.is_on(listed, ID, subject));
        assert!(!by_subject.is_on(&reply, ID, subject), "an answer to it is another mail");
        assert!(!by_subject.is_on(ID, ID, subject) && !by_subject.is_on(listed, ID, None));

        let by_id = archive("https://a.example/", "message-id");
        let hidden = ID.replace('@', " at ");
        assert!(by_id.is_on(&hidden, ID, subject));
        assert!(!by_id.is_on(listed, ID, subject));
        assert!(!by_id.is_on("1", "1@meadow.example", subject), "too short to be sure");

        let asked = archive("https://a.example/?q={message_id}", "message-id");
        let echo = format!("<p>nothing found for {ID}</p>");
        assert!(!asked.is_on(&echo, ID, subject), "what was asked for is no answer");
        assert!(asked.is_on(&format!("{echo}{reply}"), ID, subject));
    }

    #[test]
    fn subjects_are_decoded() {
        let message = b"From: a@b\r\nSubject: =?utf-8?q?n=C3=A4chste?=\r\n Pforte\r\n\r\nx";
        assert_eq!(subject(message).as_deref(), Some("n\u{e4}chste Pforte"));
    }
}
