//! The older listing, HTML as PEP 503 says: one anchor a file, its name the end of the
//! address, its digest the fragment `#sha256=...`.
//!
//! Read strictly and as little as possible: what is not understood is no listing, and a file
//! whose digest is missing, malformed or stated twice differently has none, so that nobody
//! takes it for ours.

use std::collections::BTreeMap;

use crate::domain::blob::Sha256;

/// Files with their digests, as far as stated; `None` when this is no HTML page.
pub(super) fn files(page: &str) -> Option<BTreeMap<String, Option<Sha256>>> {
    let opening = page.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if !opening.starts_with("<!doctype html") && !opening.starts_with("<html") {
        return None;
    }
    let mut files: BTreeMap<String, Option<Sha256>> = BTreeMap::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            (_, rest) = comment.split_once("-->")?;
            continue;
        }
        let (tag, next) = Tag::read(after)?;
        rest = next;
        let Some((name, digest)) = tag.href.filter(|_| tag.anchor).as_deref().and_then(file) else {
            continue;
        };
        files.entry(name).and_modify(|d| *d = d.filter(|d| Some(*d) == digest)).or_insert(digest);
    }
    Some(files)
}

/// The file an address leads to.
fn file(href: &str) -> Option<(String, Option<Sha256>)> {
    let (address, fragment) = href.split_once('#').unwrap_or((href, ""));
    let path = address.split('?').next()?;
    let name = unescaped(path.rsplit('/').next()?)?;
    let digest = fragment.split('&').find_map(|f| f.strip_prefix("sha256="));
    (!name.is_empty()).then(|| (name, digest.and_then(|d| d.parse().ok())))
}

struct Tag {
    anchor: bool,
    href: Option<String>,
}

impl Tag {
    /// From behind its `<` to behind its `>`; `None` when it does not end.
    fn read(text: &str) -> Option<(Self, &str)> {
        let name_end = text.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
        let (name, mut rest) = text.split_at_checked(name_end)?;
        let mut tag = Self { anchor: name.eq_ignore_ascii_case("a"), href: None };
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                return Some((tag, after));
            }
            let end = rest.find(|c: char| c.is_ascii_whitespace() || "=/>".contains(c))?;
            let (key, after) = rest.split_at_checked(end.max(1))?;
            rest = after;
            if let Some(valued) = after.trim_start().strip_prefix('=') {
                let value;
                (value, rest) = read_value(valued.trim_start())?;
                // HTML takes the first of two equal attributes.
                if key.eq_ignore_ascii_case("href") && tag.href.is_none() {
                    tag.href = Some(plain(value)?);
                }
            }
        }
    }
}

fn read_value(text: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote);
        }
    }
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
    text.split_at_checked(end)
}

/// A value or text with its character references resolved.
pub(in crate::outlets) fn plain(value: &str) -> Option<String> {
    let mut pieces = value.split('&');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let Some((name, rest)) = piece.split_once(';') else {
            text.push('&');
            text.push_str(piece);
            continue;
        };
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok();
        let known = match name {
            "amp" => Some('&'),
            "quot" => Some('"'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            _ => name
                .strip_prefix('#')
                .and_then(|n| match n.strip_prefix(['x', 'X']) {
                    Some(hex) => number(hex, 16),
                    None => number(n, 10),
                })
                .and_then(char::from_u32),
        };
        text.push(known?);
        text.push_str(rest);
    }
    Some(text)
}

/// A path's part without percent-encoding (RFC 3986 section 2.1).
fn unescaped(part: &str) -> Option<String> {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Option<BTreeMap<String, Option<Sha256>>> {
        files(&format!("<!DOCTYPE html>\n<html><head><title>x</title></head>{body}</html>"))
    }

    #[test]
    fn names_and_digests_are_found_as_indices_write_them() {
        let (a, b) = (Sha256::of(b"a"), Sha256::of(b"b"));
        let listed = page(&format!(
            "<h1>Links</h1>\n<a href=\"/packages/m-1.tar.gz#sha256={a}\">m-1.tar.gz</a><br>\n\
             <A data-requires-python='&gt;=3.9' HREF = '../m-1%2Bl.whl?x=1&amp;y=2#sha256={b}' \
             data-yanked>m</A><a href=m-2.zip#egg=m&amp;sha256={a}>m</a><a name=top>"
        ));
        let expected = [("m-1.tar.gz", a), ("m-1+l.whl", b), ("m-2.zip", a)];
        let expected = expected.map(|(name, digest)| (name.to_owned(), Some(digest)));
        assert_eq!(listed, Some(BTreeMap::from(expected)));
        assert_eq!(page("<body><h1>Links for m</h1></body>"), Some(BTreeMap::new()));
    }

    #[test]
    fn a_digest_in_doubt_is_none() {
        let (a, b) = (Sha256::of(b"a"), Sha256::of(b"b"));
        for anchors in [
            "<a href='m-1.zip'>".to_owned(),
            "<a href='m-1.zip#sha256=abc'>".to_owned(),
            "<a href='m-1.zip#md5=0123456789abcdef0123456789abcdef'>".to_owned(),
            format!("<a href='m-1.zip#sha256={a}'><a href='m-1.zip#sha256={b}'>"),
            format!("<a href='m-1.zip#sha256={a}'><a href='m-1.zip'>"),
            format!("<a href='m-1.zip'><a href='m-1.zip#sha256={a}'>"),
        ] {
            assert_eq!(page(&anchors), Some(BTreeMap::from([("m-1.zip".to_owned(), None)])));
        }
    }

    #[test]
    fn what_is_commented_out_is_not_there_and_what_breaks_off_is_no_listing() {
        let a = Sha256::of(b"a");
        let anchor = format!("<a href='m-1.zip#sha256={a}'>");
        assert_eq!(page(&format!("<!-- {anchor} -->")), Some(BTreeMap::new()));
        assert_eq!(page(&format!("<b title=\"{anchor}\">")), Some(BTreeMap::new()));
        let whole = format!("<html>{anchor}");
        for cut in 7..whole.len() {
            assert_eq!(files(whole.get(..cut).unwrap()).filter(|f| !f.is_empty()), None, "{cut}");
        }
        for none in ["", "{}", "Not found", "<html><!-- <a>", "<html><a href='x", "<?xml?><feed>"] {
            assert_eq!(files(none), None, "{none}");
        }
    }
}
