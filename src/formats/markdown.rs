//! Markdown as safe HTML, and its opening as plain text.
//!
//! What a person typed can never become markup of their own: raw HTML comes out as visible
//! text, links lead to the web or to mail only, pictures become their words, and nothing
//! carries an inline style.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use super::links::is_web;

fn events(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// HTML to stand below a heading of level 2.
pub fn to_html(markdown: &str) -> String {
    // One entry per open link or picture: whether its tags are kept.
    let mut open = Vec::new();
    let kept = events(markdown).filter_map(move |event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Some(Event::Text(raw)),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let keep = may_lead(link_type, &dest_url);
            open.push(keep);
            keep.then_some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        Event::End(TagEnd::Link) => open.pop().unwrap_or(false).then_some(event),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        // A raw block becomes a paragraph of its text.
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Heading { level, classes: _, attrs: _, id: _ }) => {
            let level = lowered(level);
            Some(Event::Start(Tag::Heading { level, id: None, classes: vec![], attrs: vec![] }))
        }
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lowered(level)))),
        // Alignment would come out as an inline style, which our policy forbids.
        Event::Start(Tag::Table(columns)) => {
            let plain = columns.iter().map(|_| pulldown_cmark::Alignment::None).collect();
            Some(Event::Start(Tag::Table(plain)))
        }
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, kept);
    out
}

fn may_lead(kind: LinkType, to: &str) -> bool {
    kind == LinkType::Email || is_web(to) || to.to_ascii_lowercase().starts_with("mailto:")
}

/// Two levels down: the page's own headings are h1 and h2.
const fn lowered(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

/// The first paragraph as one line of plain text, at most `most` characters.
pub fn opening(markdown: &str, most: usize) -> String {
    let mut text = String::new();
    let mut inside = false;
    for event in events(markdown) {
        match event {
            Event::Start(Tag::Paragraph) => inside = true,
            Event::End(TagEnd::Paragraph) if !text.trim().is_empty() => break,
            Event::Text(t) | Event::Code(t) | Event::InlineHtml(t) if inside => text.push_str(&t),
            Event::SoftBreak | Event::HardBreak if inside => text.push(' '),
            _ => {}
        }
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    format!("{}…", whole_words.trim_end_matches([',', ';', ':', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_becomes_markup() {
        for (typed, must_not) in [
            ("<script>alert(1)</script>", "<script"),
            ("a <img src=x onerror=alert(1)> b", "<img"),
            ("[x](javascript:alert(1))", "javascript:"),
            ("[x](data:text/html,hi)", "<a"),
            ("<javascript:alert(1)>", "<a"),
            ("![pixel](https://evil.example/p.png)", "<img"),
            ("[x](https://a.example \"\\\" onclick=x\")", "\" onclick"),
            ("| a |\n|:-:|\n| b |", "style"),
            ("# Title", "<h1"),
        ] {
            let html = to_html(typed);
            assert!(!html.contains(must_not), "{typed} -> {html}");
        }
    }

    #[test]
    fn what_was_typed_stays_readable() {
        assert!(to_html("uses `a<b>` and <b>bold</b>").contains("&lt;b&gt;bold&lt;/b&gt;"));
        assert!(to_html("<div>\nkept\n</div>").contains("kept"));
        assert!(to_html("![a pixel](https://e.example/p.png)").contains("a pixel"));
        assert!(to_html("[x](https://a.example)").contains("<a href=\"https://a.example\">"));
    }

    #[test]
    fn the_opening_is_one_line() {
        let text = "# Heading\n\nFirst *line*\nsecond `line`.\n\nNext.";
        assert_eq!(opening(text, 100), "First line second line.");
        assert_eq!(opening("one two three four", 12), "one two…");
    }
}
