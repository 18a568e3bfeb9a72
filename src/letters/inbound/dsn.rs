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
/// Most characters of an address (RFC 5321 section 4.5.3.1.3).
const ADDRESS: usize = 256;

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
    /// Of whom, as the relay that reports knows them (RFC 3464 section 2.3.2).
    pub recipient: String,
    /// Of whom, as we named them, when the relays on the way kept that (section 2.3.1).
    pub original: String,
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
    /// What it says of the address that we wrote to. A role's server may tell of each of its
    /// people: what became of the role's own address counts before what became of those it was
    /// expanded to, and only a report that names it nowhere is taken by the worst of all.
    pub fn of(&self, address: &str) -> Option<&Told> {
        let its_own = |t: &&Told| names(&t.recipient, address);
        let expanded = |t: &&Told| names(&t.original, address);
        let own = worst(self.told.iter().filter(its_own));
        own.or_else(|| worst(self.told.iter().filter(expanded))).or_else(|| self.worst())
    }

    /// The worst of it.
    pub fn worst(&self) -> Option<&Told> {
        worst(self.told.iter())
    }
}

fn worst<'a>(told: impl Iterator<Item = &'a Told>) -> Option<&'a Told> {
    told.min_by_key(|t| match t.fate {
        Fate::Failed => 0,
        Fate::Delayed => 1,
        Fate::Went => 2,
    })
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
    let of = |name| value(fields, name).map(address).unwrap_or_default();
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
    let said = said.trim().chars().take(SAID).collect();
    let (recipient, original) = (of("final-recipient"), of("original-recipient"));
    Some(Told { recipient, original, fate, code, said })
}

/// The address in `rfc822; name@host`; some relays leave the brackets.
fn address(value: &str) -> String {
    let address = value.split_once(';').map_or(value, |(_, address)| address);
    address.trim().trim_matches(['<', '>']).chars().take(ADDRESS).collect()
}

/// Whether an address in a report is ours; some relays leave it as it stood in their
/// conversation (xtext, RFC 3461 section 4).
fn names(told: &str, ours: &str) -> bool {
    let xtext = ours.replace('+', "+2B").replace('=', "+3D");
    told.eq_ignore_ascii_case(ours) || told.eq_ignore_ascii_case(&xtext)
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
