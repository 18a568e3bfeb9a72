//! What became of a probe on its way: the mail as it was sent against the mail as it lies in
//! our mailbox.
//!
//! Line ends are not compared: a saved file has its machine's. Everything else is.

use serde::Serialize;

use crate::domain::finding::Finding;

/// What became of one header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It arrived as it was sent.
    Kept,
    /// The same value, its lines broken elsewhere.
    Folded,
    /// Another value.
    Rewritten,
    /// It is not there.
    Lost,
    /// It was not ours.
    Added,
}

impl Fate {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Folded => "folded",
            Self::Rewritten => "rewritten",
            Self::Lost => "lost",
            Self::Added => "added",
        }
    }
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name as it was written.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// The same bytes.
    Same,
    /// The same but for where its lines break.
    Folded,
    /// The ciphertext is whole; something stands around it.
    Wrapped,
    /// Other bytes.
    Changed,
}

/// A probe that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Returned {
    /// Ours in the order we wrote them, then what was added.
    pub fields: Vec<Field>,
    /// The rest.
    pub body: Body,
}

impl Returned {
    /// Compares what was sent with what came back.
    pub fn of(sent: &[u8], received: &[u8]) -> Self {
        let (sent, received) = (Mail::read(sent), Mail::read(received));
        let mut fields: Vec<Field> = sent
            .fields
            .iter()
            .map(|(name, value)| Field { name: name.clone(), fate: received.fate(name, value) })
            .collect();
        for (name, _) in &received.fields {
            if !fields.iter().any(|f| f.name.eq_ignore_ascii_case(name)) {
                fields.push(Field { name: name.clone(), fate: Fate::Added });
            }
        }
        Self { fields, body: received.body_against(&sent) }
    }

    /// What became of one of ours.
    pub fn fate(&self, name: &str) -> Option<Fate> {
        self.fields.iter().find(|f| f.name == name).map(|f| f.fate)
    }

    /// What to think of it. `told` is what the configuration says of the Message-ID.
    pub fn findings(&self, told: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        let other_id = self.fate("Message-ID") != Some(Fate::Kept)
            && self.fate("Message-ID") != Some(Fate::Folded);
        if other_id && self.body == Body::Changed {
            findings.push(
                Finding::stop("not-the-probe", "mail", "this is not the probe that was sent last")
                    .cure("save the mail with all its headers, or send a new probe: daybreak doctor --mail"),
            );
            return findings;
        }
        if let Some((code, message)) = match self.body {
            Body::Same => None,
            Body::Folded => Some(("body-folded", "its lines were broken elsewhere")),
            Body::Changed => Some(("body-changed", "its bytes were changed")),
            Body::Wrapped => Some(("body-wrapped", "something was put around the ciphertext")),
        } {
            let finding = match self.body {
                Body::Wrapped => Finding::warn(code, "body", message),
                _ => Finding::stop(code, "body", message),
            };
            findings.push(finding.cure("let the relay pass mail of ours unchanged"));
        }
        findings.extend(self.fields.iter().filter_map(|f| of_field(f, told)));
        if told && !other_id {
            findings
                .push(Finding::note("message-id-kept", "Message-ID", "this time it was kept").cure(
                "without `mail.rewrites_message_id` mail of unknown fate goes once more by itself",
            ));
        }
        findings
    }
}

/// What to think of one field.
fn of_field(field: &Field, told: bool) -> Option<Finding> {
    let name = field.name.as_str();
    let lost = field.fate == Fate::Lost;
    let said = if lost { "it was lost" } else { "it was rewritten" };
    match field.fate {
        Fate::Kept | Fate::Added => None,
        Fate::Folded => Some(Finding::note("header-folded", name, "its lines break elsewhere")),
        Fate::Rewritten | Fate::Lost => Some(match name {
            "Message-ID" if told => Finding::note("message-id-rewritten", name, said),
            "Message-ID" => Finding::warn("message-id-rewritten", name, said).cure(
                "set `rewrites_message_id = true` in [mail]: then a person decides on mail of \
                 unknown fate, because a second one would not be known as the same",
            ),
            "Content-Type" | "MIME-Version" => Finding::stop("header-changed", name, said)
                .cure("let the relay pass our mail unchanged: readers cannot open it so"),
            "Auto-Submitted" => Finding::warn("header-changed", name, said)
                .cure("let the relay keep it: it stops vacation replies to notices"),
            _ => Finding::warn("header-changed", name, said)
                .cure("let the relay pass our headers unchanged"),
        }),
    }
}

/// A mail in its two halves, line ends as LF.
struct Mail {
    /// Name and value, the value with its folding.
    fields: Vec<(String, String)>,
    body: String,
}

impl Mail {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        // A mailbox file begins each mail with a line of its own.
        let text = match text.strip_prefix("From ") {
            Some(rest) => rest.split_once('\n').map_or("", |(_, rest)| rest),
            None => text.as_str(),
        };
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in head.lines() {
            match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => {
                    value.push('\n');
                    value.push_str(line);
                }
                (false, _, Some((name, value))) => {
                    fields.push((name.to_owned(), value.trim().to_owned()));
                }
                _ => {}
            }
        }
        Self { fields, body: body.trim_end().to_owned() }
    }

    fn fate(&self, name: &str, sent: &str) -> Fate {
        let flat = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut fate = Fate::Lost;
        for (_, value) in self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)) {
            if value == sent {
                return Fate::Kept;
            }
            fate = if flat(value) == flat(sent) { Fate::Folded } else { Fate::Rewritten };
        }
        fate
    }

    fn body_against(&self, sent: &Self) -> Body {
        let joined = |text: &str| text.split('\n').collect::<String>();
        if self.body == sent.body {
            Body::Same
        } else if joined(&self.body) == joined(&sent.body) {
            Body::Folded
        } else if armor(&sent.body).is_some_and(|armor| self.body.contains(armor)) {
            Body::Wrapped
        } else {
            Body::Changed
        }
    }
}

/// The armored message in a body.
fn armor(body: &str) -> Option<&str> {
    const END: &str = "-----END PGP MESSAGE-----";
    let from = body.find("-----BEGIN PGP MESSAGE-----")?;
    let to = body.find(END)?.checked_add(END.len())?;
    body.get(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "From: s@m.example\r\nSubject: [...]\r\nMessage-ID: <1@m.example>\r\n\
        Auto-Submitted: auto-generated\r\nContent-Type: multipart/encrypted;\r\n boundary=\"x\"\r\n\r\n\
        --x\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\ndef\r\n-----END PGP MESSAGE-----\r\n--x--\r\n";

    fn codes(received: &str, told: bool) -> Vec<String> {
        let returned = Returned::of(SENT.as_bytes(), received.as_bytes());
        returned.findings(told).into_iter().map(|f| f.code).collect()
    }

    #[test]
    fn what_arrives_whole_is_said_to() {
        let none: [&str; 0] = [];
        assert_eq!(codes(SENT, false), none);
        let saved =
            format!("From mailbox Fri\nReceived: by x\n\tfor y\n{}\n", SENT.replace('\r', ""));
        assert_eq!(codes(&saved, false), none);
        let returned = Returned::of(SENT.as_bytes(), saved.as_bytes());
        assert_eq!(returned.fate("Received"), Some(Fate::Added));
        assert_eq!(returned.fate("Content-Type"), Some(Fate::Kept));
    }

    #[test]
    fn every_change_has_its_name() {
        for (from, to, code) in [
            ("<1@m.example>", "<2@relay.example>", "message-id-rewritten"),
            ("Message-ID: <1@m.example>\r\n", "", "message-id-rewritten"),
            ("[...]", "[EXTERNAL] [...]", "header-changed"),
            ("Auto-Submitted: auto-generated\r\n", "", "header-changed"),
            ("multipart/encrypted;", "multipart/mixed;", "header-changed"),
            ("encrypted;\r\n boundary", "encrypted; boundary", "header-folded"),
            ("abc\r\ndef", "abcd\r\nef", "body-folded"),
            ("abc", "abd", "body-changed"),
            ("--x--", "--x--\r\nsent from afar", "body-wrapped"),
        ] {
            assert_eq!(codes(&SENT.replace(from, to), false), [code], "{to}");
        }
        assert_eq!(codes("Subject: other\n\nother\n", false), ["not-the-probe"]);
        assert_eq!(codes(&SENT.replace("<1@m", "<2@m"), true), ["message-id-rewritten"]);
        assert_eq!(codes(SENT, true), ["message-id-kept"]);
    }
}
