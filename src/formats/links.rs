//! Where things stand on the site. The one place that knows its paths: documents, mails and
//! the server must agree on them.

use super::FormatError;

/// The front page.
pub const HOME: &str = "/";
/// The list of all records, `[{id, modified}]`.
pub const ALL_JSON: &str = "/osv/all.json";
/// The Atom feed.
pub const FEED: &str = "/feed.atom";
/// The one stylesheet.
pub const STYLE: &str = "/site.css";
/// The sign in a browser's tab.
pub const ICON: &str = "/icon.svg";
/// RFC 9116.
pub const SECURITY_TXT: &str = "/.well-known/security.txt";
/// The team's OpenPGP certificate.
pub const CERTIFICATE: &str = "/certificate.asc";

/// Refuses a public id that cannot be a file name and a path as it stands.
pub fn check_id(id: &str) -> Result<(), FormatError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.len() <= 100
        && id.chars().all(plain)
        // Its record would stand in the place of the list of all records.
        && osv_path(id) != ALL_JSON
    {
        return Ok(());
    }
    Err(FormatError::field(
        "public_id",
        "cannot be a file name",
        "use at most 100 letters, digits, `-`, `_` and `.`, starting with a letter or digit",
    ))
}

/// The page of an advisory.
pub fn page_path(id: &str) -> String {
    format!("/advisories/{id}.html")
}

/// The OSV record of an advisory.
pub fn osv_path(id: &str) -> String {
    format!("/osv/{id}.json")
}

/// Where a document of an advisory stands: its page and its record in their places, all
/// others beside the page, under names that begin with the advisory's id.
pub fn document_path(id: &str, name: &str) -> Result<String, FormatError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    match name.strip_prefix(id) {
        Some(".html") => Ok(page_path(id)),
        Some(".osv.json") => Ok(osv_path(id)),
        Some(rest) if rest.starts_with(['.', '-']) && rest.chars().all(plain) => {
            Ok(format!("/advisories/{name}"))
        }
        _ => Err(FormatError::field(
            "a document's name",
            "has no place on the site",
            "begin it with the advisory's id and use letters, digits, `.`, `_`, `+` and `-`",
        )),
    }
}

/// Whether programs in other sites' pages may read what stands there: the records.
pub fn is_open(path: &str) -> bool {
    path.starts_with("/osv/")
}

/// The path part of a base address without final slash: empty, or `/security`.
pub fn root(base_url: &str) -> &str {
    let host_on = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    host_on.find('/').and_then(|at| host_on.get(at..)).unwrap_or_default()
}

/// Whether a link may be followed from our pages: the web and nothing else.
pub fn is_web(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://"))
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_are_file_names_pass() {
        for good in ["x_meadow-2026-0001", "PYSEC-2026-1", "a.b"] {
            assert!(check_id(good).is_ok(), "{good}");
        }
        for bad in ["", "../x", "a/b", ".hidden", "-x", "a b", "a\"b", "ä", "all", &"a".repeat(101)]
        {
            assert!(check_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_root_is_the_path_of_the_base() {
        assert_eq!(root("https://a.example"), "");
        assert_eq!(root("https://a.example/security"), "/security");
        assert_eq!(root("http://127.0.0.1:8480"), "");
    }
}
