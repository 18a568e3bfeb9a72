//! Reading a MANIFEST: strict, in order, nothing skipped.

use std::iter::Peekable;
use std::str::{FromStr, Lines};

use super::{FIRST_LINE, Manifest};
use crate::domain::action::{Action, Expected, RefMove};
use crate::domain::blob::{BlobRef, Sha256, Slot, SlotName};
use crate::domain::news::NoticeKind;
use crate::domain::plan::{OnMove, Phase, PlanKind, Sealing, Step};
use crate::domain::remake::{Remake, Way};
use crate::domain::time::{At, Span};
use crate::domain::zone::T0;

/// Text that is not a MANIFEST.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a plan's MANIFEST: `{key}` is missing, out of order or malformed")]
pub struct BadManifest {
    /// The key that was expected.
    pub key: &'static str,
}

/// The lines still to be read.
struct Page<'a>(Peekable<Lines<'a>>);

impl Page<'_> {
    /// The next line's value if its key is `key`.
    fn maybe(&mut self, key: &str) -> Option<String> {
        let rest = self.0.peek()?.strip_prefix(key)?.strip_prefix(' ')?;
        let value = unescape(rest);
        self.0.next();
        Some(value)
    }

    fn text(&mut self, key: &'static str) -> Result<String, BadManifest> {
        self.maybe(key).ok_or(BadManifest { key })
    }

    fn value<T: FromStr>(&mut self, key: &'static str) -> Result<T, BadManifest> {
        self.text(key)?.parse().map_err(|_| BadManifest { key })
    }

    fn maybe_value<T: FromStr>(&mut self, key: &'static str) -> Result<Option<T>, BadManifest> {
        self.maybe(key).map(|v| v.parse().map_err(|_| BadManifest { key })).transpose()
    }

    fn at(&mut self, key: &'static str) -> Result<At, BadManifest> {
        At::parse_rfc3339(&self.text(key)?).ok_or(BadManifest { key })
    }

    fn many<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(String) -> Option<T>,
    ) -> Result<Vec<T>, BadManifest> {
        let mut all = Vec::new();
        while let Some(value) = self.maybe(key) {
            all.push(read(value).ok_or(BadManifest { key })?);
        }
        Ok(all)
    }

    fn exact(&mut self, line: &'static str) -> Result<(), BadManifest> {
        if self.0.next() == Some(line) { Ok(()) } else { Err(BadManifest { key: line }) }
    }
}

fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => text.push('\n'),
            ('\\', Some('r')) => text.push('\r'),
            ('\\', Some(other)) => text.push(other),
            (c, _) => text.push(c),
        }
    }
    text
}

pub(super) fn parse(text: &str) -> Result<Manifest, BadManifest> {
    let mut page = Page(text.lines().peekable());
    page.exact(FIRST_LINE)?;
    let salt = page.text("salt")?;
    let plan = page.value("plan")?;
    let disclosure = page.value("disclosure")?;
    let number = page.value("number")?;
    let kind = PlanKind::from_word(&page.text("kind")?).ok_or(BadManifest { key: "kind" })?;
    // Made from the steps: the comparison at the end refuses any other.
    let _said = page.maybe("notice");
    let made_at = page.at("made-at")?;
    let at = page.at("t0")?;
    let t0 = T0::new(at, page.value("zone")?);
    let threshold = page.value("threshold")?;
    let early_lift = page.value("early-lift")?;
    let announce_after = Span::secs(page.value("announce-after")?);
    let resends = page.maybe_value("resends")?;
    let tells = page.maybe_value("tells")?;
    let past = page.maybe_value("past")?;
    let recipients = page.value("recipients")?;
    let groups = page.many("group", Some)?;
    let announces = match page.maybe("announces") {
        None => None,
        Some(at) => Some(At::parse_rfc3339(&at).ok_or(BadManifest { key: "announces" })?),
    };
    let templates = page.many("template", |v| {
        let (digest, name) = v.split_once(' ')?;
        Some((name.to_owned(), digest.parse().ok()?))
    })?;
    let mut steps = Vec::new();
    loop {
        page.exact("")?;
        if page.0.peek() == Some(&"blobs") {
            break;
        }
        steps.push(read_step(&mut page)?);
    }
    let manifest = Manifest {
        salt,
        plan,
        disclosure,
        number,
        kind,
        made_at,
        t0,
        threshold,
        early_lift,
        announce_after,
        recipients,
        groups,
        announces,
        templates,
        resends,
        tells,
        past,
        steps,
    };
    // The check list, the escapes and the line ends must be exactly what we would write:
    // one text, one meaning.
    if manifest.render() == text { Ok(manifest) } else { Err(BadManifest { key: "blobs" }) }
}

fn read_step(page: &mut Page<'_>) -> Result<Step, BadManifest> {
    let id = page.value("step")?;
    let outlet = page.text("outlet")?;
    let phase = Phase::from_word(&page.text("phase")?).ok_or(BadManifest { key: "phase" })?;
    let not_before = page.at("not-before")?;
    let after = page.many("after", |v| v.parse().ok())?;
    let on_move = match page.maybe("on-move") {
        None => None,
        Some(word) => Some(OnMove::from_word(&word).ok_or(BadManifest { key: "on-move" })?),
    };
    let sealing = match page.maybe("seal-for") {
        None => None,
        Some(recipient) => Some(Sealing {
            recipient,
            notice: NoticeKind::from_word(&page.text("seal-notice")?)
                .ok_or(BadManifest { key: "seal-notice" })?,
            subject: page.text("seal-subject")?,
            clear_subject: page.text("clear-subject")?,
            references: page.many("seal-reference", Some)?,
            fingerprints: page.many("seal-to", Some)?,
        }),
    };
    let word = page.text("action")?;
    let action = read_action(page, &word)?;
    if let Action::Push { remake, .. } = &action
        && remake.as_ref().map(|r| r.way) != on_move.and_then(OnMove::way)
    {
        // Two lines that say different things cannot both be what people approved.
        return Err(BadManifest { key: "remake" });
    }
    Ok(Step { id, outlet, phase, not_before, after, action, sealing, on_move })
}

fn read_action(page: &mut Page<'_>, word: &str) -> Result<Action, BadManifest> {
    Ok(match word {
        "mail" => Action::Mail {
            from: page.text("from")?,
            envelope_from: page.text("envelope-from")?,
            to: page.text("to")?,
            message_id: page.text("message-id")?,
            message: read_blob(page, "message")?,
        },
        "push" => Action::Push {
            repository: page.text("repository")?,
            place: page.maybe_value("place")?,
            refs: page.many("ref", read_ref)?,
            remake: read_remake(page)?,
            pack: read_blob(page, "pack")?,
        },
        "run" => Action::Run {
            command: page.text("command")?,
            args: page.many("arg", Some)?,
            files: read_blobs(page, "file")?,
        },
        "await" => Action::Await {
            look: page.text("look")?,
            args: page.many("arg", Some)?,
            expected: page.many("expect", |v| {
                let (count, pattern) = v.split_once(' ')?;
                Some(Expected { pattern: pattern.to_owned(), count: count.parse().ok()? })
            })?,
        },
        "publish" => Action::Publish {
            public_id: page.text("public-id")?,
            documents: read_blobs(page, "document")?,
            entries: read_blobs(page, "entry")?,
        },
        "post" => Action::Post {
            webhook: page.text("webhook")?,
            url: page.text("url")?,
            event: read_blob(page, "event")?,
        },
        "ask" => Action::Ask {
            owner: page.text("owner")?,
            deputy: page.text("deputy")?,
            instruction: page.text("instruction")?,
            paste: page.text("paste")?,
            due: page.at("due")?,
        },
        _ => return Err(BadManifest { key: "action" }),
    })
}

/// Plans made before there was any have none.
fn read_remake(page: &mut Page<'_>) -> Result<Option<Remake>, BadManifest> {
    let Some(word) = page.maybe("remake") else { return Ok(None) };
    Ok(Some(Remake {
        way: Way::from_word(&word).ok_or(BadManifest { key: "remake" })?,
        name: page.text("remake-name")?,
        address: page.text("remake-address")?,
        says: page.text("remake-says")?,
        at: None,
    }))
}

fn read_ref(value: String) -> Option<RefMove> {
    let mut words = value.split(' ');
    let (name, old, new) = (words.next()?, words.next()?, words.next()?);
    let old = (old != "-").then(|| old.to_owned());
    Some(RefMove { name: name.to_owned(), old, new: new.to_owned() })
}

fn read_blobs(page: &mut Page<'_>, key: &'static str) -> Result<Vec<BlobRef>, BadManifest> {
    let mut all = Vec::new();
    while let Some(value) = page.maybe(key) {
        all.push(finish_blob(page, key, &value)?);
    }
    Ok(all)
}

fn read_blob(page: &mut Page<'_>, key: &'static str) -> Result<BlobRef, BadManifest> {
    let value = page.text(key)?;
    finish_blob(page, key, &value)
}

fn finish_blob(
    page: &mut Page<'_>,
    key: &'static str,
    value: &str,
) -> Result<BlobRef, BadManifest> {
    let bad = BadManifest { key };
    let mut words = value.splitn(3, ' ');
    let (Some(sha256), Some(len), Some(name)) = (words.next(), words.next(), words.next()) else {
        return Err(bad);
    };
    let sha256: Sha256 = sha256.parse().map_err(|_| bad.clone())?;
    let len = len.parse().map_err(|_| bad)?;
    let slots = page.many("slot", |v| {
        let mut words = v.split(' ');
        let name = SlotName::from_word(words.next()?)?;
        let (offset, len) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Slot { name, offset, len })
    })?;
    Ok(BlobRef { name: name.to_owned(), sha256, len, slots })
}
