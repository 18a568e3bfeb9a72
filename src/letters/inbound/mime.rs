//! Header sections and parts (RFC 5322, RFC 2046), on borrowed bytes and under bounds.
//!
//! Our own, because a general parser builds its tree before anybody can say stop: 25 MiB of
//! boundaries are five million parts.

use mail_parser::{HeaderName, HeaderValue, Message, MessageParser, MimeHeaders as _};

use super::Refused;

/// Most bytes of a mail.
pub const LARGEST: usize = 25 * 1024 * 1024;
/// Most parts, the containers included.
const PARTS: usize = 200;
/// Deepest nesting.
const DEPTH: usize = 8;
/// Most bytes of one header section.
const HEAD: usize = 64 * 1024;
/// Most bytes of all header sections together.
const HEADS: usize = 512 * 1024;
/// Most header fields of one section.
const FIELDS: usize = 500;

/// One entity: a header section and what follows it.
pub struct Entity<'a> {
    /// `None` when there are none: the parser has no message without.
    headers: Option<Message<'a>>,
    /// `text/plain`, in lower case.
    pub media_type: String,
    /// What follows the header section, as it stands.
    pub body: &'a [u8],
    /// The whole entity as it stands, header section included.
    pub raw: &'a [u8],
    /// The parts of a multipart; empty for everything else.
    pub parts: Vec<Entity<'a>>,
}

/// What has been used up.
#[derive(Default)]
struct Spent {
    parts: usize,
    heads: usize,
}

impl<'a> Entity<'a> {
    /// Takes a mail, or what was inside one, apart.
    pub fn parse(raw: &'a [u8], largest: usize) -> Result<Self, Refused> {
        if raw.len() > largest {
            return Err(Refused::TooLarge);
        }
        Self::within(raw, 0, &mut Spent::default(), "text/plain")
    }

    fn within(
        raw: &'a [u8],
        depth: usize,
        spent: &mut Spent,
        otherwise: &str,
    ) -> Result<Self, Refused> {
        spent.parts = spent.parts.saturating_add(1);
        if spent.parts > PARTS {
            return Err(Refused::TooManyParts);
        }
        let (head, body) = split(raw)?;
        spent.heads = spent.heads.saturating_add(head.len());
        if spent.heads > HEADS {
            return Err(Refused::Headers);
        }
        once(head, &["content-type", "content-transfer-encoding", "mime-version"])?;
        let headers = MessageParser::default().parse_headers(head).filter(|m| !m.parts.is_empty());
        let media_type = headers.as_ref().and_then(Message::content_type).map_or_else(
            || otherwise.to_owned(),
            |t| format!("{}/{}", t.ctype(), t.subtype().unwrap_or_default()).to_ascii_lowercase(),
        );
        let mut entity = Self { headers, media_type, body, raw, parts: Vec::new() };
        if !entity.media_type.starts_with("multipart/") {
            return Ok(entity);
        }
        if depth >= DEPTH {
            return Err(Refused::TooDeep);
        }
        let boundary = entity.parameter("boundary").filter(|b| !b.is_empty() && b.len() <= 70);
        let boundary = boundary.ok_or(Refused::Malformed)?.to_owned();
        let of = if entity.media_type == "multipart/digest" { "message/rfc822" } else { otherwise };
        let left = PARTS.saturating_sub(spent.parts);
        for part in pieces(body, boundary.as_bytes(), left)? {
            entity.parts.push(Self::within(part, depth.saturating_add(1), spent, of)?);
        }
        if entity.parts.is_empty() { Err(Refused::Malformed) } else { Ok(entity) }
    }

    /// A parameter of the media type.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.headers.as_ref()?.content_type().and_then(|t| t.attribute(name))
    }

    /// How the body is encoded for its travel, in lower case.
    pub fn encoding(&self) -> String {
        let said =
            self.headers.as_ref().and_then(Message::content_transfer_encoding).unwrap_or("7bit");
        said.trim().to_ascii_lowercase()
    }

    /// The name of the file that it says it is.
    pub fn file_name(&self) -> Option<&str> {
        self.headers.as_ref()?.attachment_name()
    }

    /// Whether it says that it is to be saved, not shown.
    pub fn is_attachment(&self) -> bool {
        self.headers
            .as_ref()
            .and_then(Message::content_disposition)
            .is_some_and(|d| d.is_attachment())
    }

    /// Whether a header says what it is: a text may begin with anything.
    pub fn says_type(&self) -> bool {
        self.headers.as_ref().is_some_and(|h| h.content_type().is_some())
    }

    /// A header's text, encoded words decoded.
    pub fn text(&self, name: &'static str) -> String {
        let raw = || self.field(name).unwrap_or_default();
        if name == "Subject" {
            return self
                .headers
                .as_ref()
                .and_then(Message::subject)
                .map_or_else(raw, str::to_owned);
        }
        raw()
    }

    /// A header's value as it stands, unfolded.
    pub fn field(&self, name: &'static str) -> Option<String> {
        let raw = self.headers.as_ref()?.header_raw(HeaderName::parse(name)?)?;
        let lines: Vec<_> = raw.split(['\r', '\n']).map(str::trim).collect();
        Some(lines.join(" ").trim().to_owned())
    }

    /// Every plain address in all headers of that name.
    pub fn addresses(&self, name: &'static str) -> Vec<String> {
        let Some(name) = HeaderName::parse(name) else { return Vec::new() };
        let mut all = Vec::new();
        let Some(headers) = &self.headers else { return Vec::new() };
        for value in headers.header_values(name) {
            match value {
                HeaderValue::Address(list) => {
                    all.extend(list.iter().filter_map(|a| a.address()).map(str::to_owned));
                }
                HeaderValue::Text(text) => {
                    all.push(text.trim().trim_matches(['<', '>']).to_owned())
                }
                HeaderValue::TextList(list) => {
                    all.extend(list.iter().map(|t| t.trim().trim_matches(['<', '>']).to_owned()));
                }
                _ => {}
            }
        }
        all
    }

    /// The Message-IDs in a header, without angle brackets.
    pub fn ids(&self, name: &'static str) -> Vec<String> {
        let text = self.field(name).unwrap_or_default();
        let parts = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ','));
        parts.filter(|p| p.contains('@')).map(str::to_owned).take(100).collect()
    }

    /// All entities without parts, in order.
    pub fn leaves(&self) -> Vec<&Self> {
        if self.parts.is_empty() {
            return vec![self];
        }
        self.parts.iter().flat_map(Self::leaves).collect()
    }
}

/// Header section and body. The first empty line parts them; without one, all is head if it
/// is short, which is what returned headers look like.
pub(super) fn split(raw: &[u8]) -> Result<(&[u8], &[u8]), Refused> {
    let (mut at, mut fields) = (0_usize, 0_usize);
    for line in raw.split_inclusive(|b| *b == b'\n') {
        let next = at.saturating_add(line.len());
        if matches!(line, b"\n" | b"\r\n") {
            let (head, body) = raw.split_at_checked(next).unwrap_or((raw, &[]));
            return Ok((head, body));
        }
        at = next;
        fields = fields.saturating_add(1);
        if at > HEAD || fields > FIELDS.saturating_mul(4) {
            return Err(Refused::Headers);
        }
    }
    Ok((raw, &[]))
}

/// Refuses a section that says one of `names` twice: parsers differ in which they believe.
fn once(head: &[u8], names: &[&str]) -> Result<(), Refused> {
    let mut seen: Vec<&str> = Vec::new();
    let mut fields = 0_usize;
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        fields = fields.saturating_add(1);
        let name = line.get(..colon).unwrap_or_default().trim_ascii();
        let named = names.iter().find(|n| name.eq_ignore_ascii_case(n.as_bytes()));
        let folded = line.first().is_some_and(u8::is_ascii_whitespace);
        if let Some(name) = named.filter(|_| !folded) {
            if seen.contains(name) {
                return Err(Refused::Ambiguous);
            }
            seen.push(name);
        }
    }
    if fields > FIELDS { Err(Refused::Headers) } else { Ok(()) }
}

/// What stands between the boundary's lines, at most `most` pieces. The line end before a
/// boundary belongs to the boundary (RFC 2046 section 5.1.1). What is cut off ends at the end.
fn pieces<'a>(body: &'a [u8], boundary: &[u8], most: usize) -> Result<Vec<&'a [u8]>, Refused> {
    let mut all = Vec::new();
    let (mut at, mut start) = (0_usize, None);
    for line in body.split_inclusive(|b| *b == b'\n') {
        let begin = at;
        at = at.saturating_add(line.len());
        let Some(end) = delimits(line, boundary) else { continue };
        if let Some(from) = start.take() {
            all.push(without_line_end(body.get(from..begin).unwrap_or_default()));
            if all.len() > most {
                return Err(Refused::TooManyParts);
            }
        }
        if end {
            return Ok(all);
        }
        start = Some(at);
    }
    all.extend(start.and_then(|from| body.get(from..)));
    Ok(all)
}

/// Whether a line is the boundary's: `Some(true)` for the last one.
fn delimits(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match rest.strip_prefix(b"--") {
        Some(rest) if rest.trim_ascii().is_empty() => Some(true),
        _ => rest.trim_ascii().is_empty().then_some(false),
    }
}

fn without_line_end(piece: &[u8]) -> &[u8] {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.strip_suffix(b"\r").unwrap_or(piece)
}
