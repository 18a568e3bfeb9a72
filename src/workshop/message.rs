//! What public commits say. A masked message says that it is a security fix and no more: nobody
//! who reads the log before the announcement learns from it.

use super::mail::PatchMail;
use crate::config::CommitMessage;

/// What a masked commit says unless the team says otherwise.
pub const MASKED_TEXT: &str = "security: fix (details to follow)\n\n\
    This commit is a security fix. Details follow shortly in the announcement of the disclosure.\n";

/// What the commits made from a series say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Messages {
    /// This text and the allowed trailers of the original; [`MASKED_TEXT`] unless the team
    /// has its own.
    Masked(String),
    /// What the patch says.
    AsWritten,
}

impl From<CommitMessage> for Messages {
    fn from(configured: CommitMessage) -> Self {
        match configured {
            CommitMessage::Masked => Self::Masked(MASKED_TEXT.to_owned()),
            CommitMessage::AsWritten => Self::AsWritten,
        }
    }
}

impl Messages {
    /// The message of the commit made from `mail`.
    pub fn of(&self, mail: &PatchMail) -> String {
        match self {
            Self::AsWritten if mail.body.is_empty() => format!("{}\n", mail.subject),
            Self::AsWritten => format!("{}\n\n{}\n", mail.subject, mail.body),
            Self::Masked(text) => {
                let trailers = trailers(&mail.body);
                let text = text.trim_end();
                if trailers.is_empty() {
                    format!("{text}\n")
                } else {
                    format!("{text}\n\n{}\n", trailers.join("\n"))
                }
            }
        }
    }
}

/// Trailers that name people. Not among them: Fixes, Closes, Reported-by, Link, CVE.
const PEOPLE: [&str; 5] =
    ["Signed-off-by", "Reviewed-by", "Tested-by", "Acked-by", "Co-authored-by"];

/// The allowed lines of the last paragraph. Each must look like nothing but what it is, or
/// words could slip through behind an allowed key.
fn trailers(body: &str) -> Vec<String> {
    let last = body.trim_end().rsplit("\n\n").next().unwrap_or_default();
    last.lines().map(str::trim).filter(|l| is_allowed(l)).map(str::to_owned).collect()
}

fn is_allowed(line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("(cherry picked from commit ") {
        return rest.strip_suffix(')').is_some_and(is_hex);
    }
    let Some((key, value)) = line.split_once(": ") else { return false };
    if key.eq_ignore_ascii_case("Cherry-picked-from") {
        return is_hex(value);
    }
    PEOPLE.iter().any(|p| key.eq_ignore_ascii_case(p)) && is_person(value)
}

fn is_hex(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `Some Name <name@host>`, a name of at most five words, nothing after it.
fn is_person(text: &str) -> bool {
    let Some((name, rest)) = text.split_once(" <") else { return false };
    let Some(address) = rest.strip_suffix('>') else { return false };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '\'' | '-' | ',');
    name.split_whitespace().count() <= 5
        && name.chars().all(plain)
        && crate::domain::address::is_plain(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(body: &str) -> PatchMail {
        PatchMail {
            author: "Ada".into(),
            address: "ada@meadow.example".into(),
            date: String::new(),
            subject: "parser: fix heap overflow".into(),
            body: body.into(),
            diff: vec![],
            number: None,
        }
    }

    #[test]
    fn masked_messages_keep_people_and_nothing_else() {
        let body = "A long name overflows.\n\nReported-by: Eve <eve@x.example>\n\
            Fixes: CVE-2026-1234\nReviewed-by: Bob O'Neil <bob@meadow.example>\n\
            Tested-by: heap overflow in the name parser of all versions <x@y.example>\n\
            Acked-by: Bob <bob@meadow.example> # overflow\n\
            (cherry picked from commit 0123456789abcdef)\n\
            signed-off-by: Ada <ada@meadow.example>";
        let said = Messages::Masked(MASKED_TEXT.into()).of(&mail(body));
        let expected = format!(
            "{MASKED_TEXT}\nReviewed-by: Bob O'Neil <bob@meadow.example>\n\
             (cherry picked from commit 0123456789abcdef)\nsigned-off-by: Ada <ada@meadow.example>\n"
        );
        assert_eq!(said, expected);
    }

    #[test]
    fn as_written_is_as_written() {
        let said = Messages::AsWritten.of(&mail("why\n\nFixes: X"));
        assert_eq!(said, "parser: fix heap overflow\n\nwhy\n\nFixes: X\n");
        assert_eq!(Messages::AsWritten.of(&mail("")), "parser: fix heap overflow\n");
    }
}
