//! Delivery status notifications (RFC 3464): what became of one of our mails further on.
//!
//! Anybody can write one. It is believed only as far as it names something that nobody but
//! the relays on the way could know; that is judged by whoever knows what we sent.

use super::{Entity, Refused, decode, mime};

/// Most recipients in one report.
const RECIPIENTS: usize = 50;
/// Most bytes of the machine-readable part.
const LARGEST: usize = 256 * 1024;
/// Most characters kept of what a relay said.
const SAID: usize = 1000;

/// What a relay says of one recipient (RFC 3464 section 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It gave up.
    Failed,
    /// It still tries.
    Delayed,
    /// It went on: delivered, relayed or expanded.
    Went,
}

/// What is told of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What became of it.
    pub fate: Fate,
    /// Enhanced status code, `5.1.1`.
    pub code: String,
    /// What the relay said.
    pub said: String,
}

/// One report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dsn {
    /// Our own name for the transaction (RFC 3461 section 4.4).
    pub envelope_id: Option<String>,
    /// Message-ID in the headers that came back, without angle brackets.
    pub message_id: Option<String>,
    /// One or more recipients.
    pub told: Vec<Told>,
}

impl Dsn {
    /// The worst of it: one recipient of ours may have been expanded to several.
    pub fn worst(&self) -> Option<&Told> {
        let of = |fate| self.told.iter().find(|t| t.fate == fate);
        of(Fate::Failed).or_else(|| of(Fate::Delayed)).or_else(|| of(Fate::Went))
    }
}

/// Reads a `multipart/report`.
pub(super) fn read(mail: &Entity<'_>) -> Result<Dsn, Refused> {
    let is_status = |p: &&Entity<'_>| {
        matches!(
            p.media_type.as_str(),
            "message/delivery-status" | "message/global-delivery-status"
        )
    };
    let status = mail.parts.iter().find(is_status).ok_or(Refused::Malformed)?;
    if status.body.len() > LARGEST {
        return Err(Refused::Malformed);
    }
    let text = decode::text(status)?;
    let mut groups = text.split("\n\n").filter(|g| !g.trim().is_empty());
    let about = fields(groups.next().unwrap_or_default());
    let mut dsn = Dsn {
        envelope_id: value(&about, "original-envelope-id").map(str::to_owned),
        message_id: returned_id(mail),
        told: Vec::new(),
    };
    for group in groups {
        if dsn.told.len() >= RECIPIENTS {
            return Err(Refused::Malformed);
        }
        dsn.told.extend(told(&fields(group)));
    }
    if dsn.told.is_empty() { Err(Refused::Malformed) } else { Ok(dsn) }
}

/// Name in lower case and unfolded value of each field.
fn fields(group: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in group.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = all.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            all.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    all
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

fn told(fields: &[(String, String)]) -> Option<Told> {
    let action = value(fields, "action")?.split_whitespace().next()?.to_ascii_lowercase();
    let fate = match action.as_str() {
        "failed" => Fate::Failed,
        "delayed" => Fate::Delayed,
        "delivered" | "relayed" | "expanded" => Fate::Went,
        _ => return None,
    };
    let status = value(fields, "status").and_then(|s| s.split_whitespace().next()).unwrap_or("");
    let is_code = |s: &&str| {
        s.len() <= 11
            && s.split('.').count() == 3
            && s.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let unknown = if fate == Fate::Failed { "5.0.0" } else { "4.0.0" };
    let code = Some(status).filter(is_code).unwrap_or(unknown).to_owned();
    let diagnostic = value(fields, "diagnostic-code").unwrap_or_default();
    let said = diagnostic.split_once(';').map_or(diagnostic, |(_, said)| said);
    Some(Told { fate, code, said: said.trim().chars().take(SAID).collect() })
}

/// From the headers, or the whole mail, that came back as the last part.
fn returned_id(mail: &Entity<'_>) -> Option<String> {
    let is_return = |p: &&Entity<'_>| {
        matches!(
            p.media_type.as_str(),
            "text/rfc822-headers" | "message/rfc822" | "message/global" | "message/global-headers"
        )
    };
    let part = mail.parts.iter().find(is_return)?;
    let bytes = decode::bytes(part).ok()?;
    let (head, _) = mime::split(&bytes).ok()?;
    Entity::parse(head, head.len()).ok()?.ids("Message-ID").into_iter().next()
}
