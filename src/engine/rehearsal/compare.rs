//! What arrived at the shadows, laid beside what was approved. Nothing here believes an outlet's
//! word: mails are read where they were delivered, refs from the repository, files from the disk,
//! pages from what the site would serve.

use std::collections::{BTreeMap, BTreeSet};

use super::bare::Refs;
use super::report::{Piece, StepReport};
use super::sink::Caught;
use crate::casework::audits;
use crate::casework::plans::{Standing, redirected};
use crate::casework::publications::Published;
use crate::domain::action::{Action, RefMove};
use crate::domain::blob::{Blob, Sha256, Slot, equal_outside_slots};
use crate::domain::finding::Finding;
use crate::domain::ids::StepId;
use crate::domain::plan::{Sealing, Step};
use crate::domain::planner::STATIC;
use crate::domain::run::{GoRow, Status};
use crate::domain::time::At;
use crate::formats::links::document_path;

/// One repository, before and after.
pub(super) struct Moved {
    pub before: Refs,
    pub after: Refs,
    /// Branches that had moved and got what may be made of that: they hold their tip from
    /// before, and a merge holds what was approved.
    pub remade: BTreeSet<String>,
}

/// Everything the shadows hold at the end.
pub(super) struct World {
    pub mails: Vec<Caught>,
    pub moved: BTreeMap<String, Moved>,
    pub kept: BTreeMap<StepId, Vec<(String, Vec<u8>)>>,
    pub published: Vec<Published>,
    pub tree: Vec<(String, Vec<u8>)>,
    pub acts: Vec<(StepId, At)>,
}

/// Ends in whose place others or nobody act.
const NOT_OURS: &str = "no-usable-certificate";

/// Every step with its pieces, and what is wrong.
pub(super) fn compare(
    standing: &Standing,
    settled_before: &[StepId],
    approved: &[Blob],
    world: &World,
) -> (Vec<StepReport>, Vec<Finding>) {
    let (mut reports, mut findings) = (Vec::new(), Vec::new());
    let slots_at = slots_at(standing);
    for (n, step) in standing.manifest.steps.iter().enumerate() {
        let progress = standing.run.progress(step.id);
        let acts: Vec<At> =
            world.acts.iter().filter(|(id, _)| *id == step.id).map(|(_, at)| *at).collect();
        let place = format!("step {}: {}", n.saturating_add(1), audits::spoken(step));
        let before = settled_before.contains(&step.id);
        let status = progress.map(|p| p.status.clone()).unwrap_or_default();
        let done = status == Status::Done;
        let mut pieces = Vec::new();
        if done && !before {
            let detoured = progress.is_some_and(|p| p.detoured);
            pieces = pieces_of(step, &redirected(step, detoured, slots_at), approved, world);
        }
        let said = match &status {
            Status::Blocked { code } => format!("blocked ({code})"),
            _ if before => format!("{}, before this rehearsal", status.word()),
            other => other.word().to_owned(),
        };
        if !status.is_settled() {
            findings.push(unfinished(&place, &status, &said));
        }
        if acts.iter().any(|at| *at < step.not_before) {
            let message = "it would have begun before its time";
            findings.push(Finding::stop("left-early", &place, message));
        }
        if acts.len() > 1 {
            let message = format!("it would have acted {} times", acts.len());
            findings.push(Finding::stop("left-twice", &place, message));
        }
        for piece in pieces.iter().filter(|p| !p.same) {
            let (code, how) = match &piece.went_out {
                None => ("not-gone-out", String::new()),
                Some(_) => ("differs", piece.differs.clone().unwrap_or_default()),
            };
            let message = format!("{} is not what was approved {how}", piece.name);
            let cure = "compare the two with `plan preview`; make the plan again";
            findings.push(Finding::stop(code, &place, message.trim_end()).cure(cure));
        }
        reports.push(StepReport {
            number: n.saturating_add(1),
            id: step.id,
            phase: step.phase,
            what: audits::spoken(step),
            at: acts.first().copied(),
            after_ms: acts.first().map(|at| at.since(standing.plan.t0).as_millis()),
            status: said,
            pieces,
        });
    }
    findings.extend(unplanned(standing, world));
    reports.sort_by_key(|r| (r.at.is_none(), r.at, r.number));
    (reports, findings)
}

fn unfinished(place: &str, status: &Status, said: &str) -> Finding {
    match status {
        // Said when the plan was made, and approved with it; it stops nobody else.
        Status::Blocked { code } if code == NOT_OURS => {
            Finding::note("contact-blocked", place, "nobody can encrypt to this contact")
        }
        _ => Finding::stop("not-done", place, format!("at the end it is {said}"))
            .cure("what stands in its way stands in the way on the day too: cure it"),
    }
}

fn pieces_of(step: &Step, action: &Action, approved: &[Blob], world: &World) -> Vec<Piece> {
    let blob = |name: &str| approved.iter().find(|b| b.about.name == name);
    let blobs = || action.blobs().into_iter().filter_map(|b| blob(&b.name));
    let files = |found: Option<&Vec<(String, Vec<u8>)>>| -> Vec<Piece> {
        let of = |b: &Blob| {
            let there = found.and_then(|f| f.iter().find(|(name, _)| *name == b.about.name));
            bytes(&b.about.name, b, there.map(|(_, bytes)| bytes.as_slice()))
        };
        blobs().map(of).collect()
    };
    match action {
        Action::Mail { from, envelope_from, to, message_id, message } => {
            let id = format!("<{message_id}>");
            let mail = world.mails.iter().find(|m| header(&m.bytes, "Message-ID") == Some(&id));
            let arrived_to = mail.map(|m| m.to.join(", "));
            let mut pieces = vec![
                text("envelope recipient", to, arrived_to),
                text("envelope sender", envelope_from, mail.map(|m| m.from.clone())),
            ];
            match &step.sealing {
                Some(sealing) => pieces.extend(sealed(sealing, (from, to), mail)),
                None => {
                    let mail = mail.map(|m| m.bytes.as_slice());
                    pieces.extend(blob(&message.name).map(|b| bytes(&b.about.name, b, mail)));
                }
            }
            pieces
        }
        Action::Push { repository, refs, .. } => {
            let moved = world.moved.get(repository);
            let of = |r: &RefMove| {
                let there = moved.and_then(|m| m.after.get(&r.name)).cloned();
                // What is made of a branch that moved is a slot; of one that did not, nothing is
                // to be made.
                let slot = moved.is_some_and(|m| m.remade.contains(&r.name));
                let wanted = there.clone().filter(|_| slot);
                text(&r.name, &wanted.unwrap_or_else(|| r.new.clone()), there)
            };
            refs.iter().map(of).collect()
        }
        Action::Publish { public_id, documents, .. } if step.outlet == STATIC => {
            let of = |name: &str| {
                let path = document_path(public_id, name).unwrap_or_default();
                let path = path.trim_start_matches('/');
                let there = world.tree.iter().find(|(p, _)| p == path);
                blob(name).map(|b| bytes(&b.about.name, b, there.map(|(_, f)| f.as_slice())))
            };
            documents.iter().filter_map(|d| of(&d.name)).collect()
        }
        Action::Publish { public_id, .. } => {
            let shown = world.published.iter().find(|p| p.public_id == *public_id);
            let found: Option<Vec<(String, Vec<u8>)>> = shown.map(|p| {
                let documents = p.documents.iter().map(|d| (d.name.clone(), d.bytes.clone()));
                let entries = blobs().map(|b| (b.about.name.clone(), p.entry.clone()));
                documents.chain(entries).collect()
            });
            files(found.as_ref())
        }
        Action::Run { .. } | Action::Post { .. } => files(world.kept.get(&step.id)),
        Action::Await { .. } | Action::Ask { .. } => Vec::new(),
    }
}

/// A sealed mail: what stands in clear around it. Nobody here can open it, and nobody should.
fn sealed(sealing: &Sealing, (from, to): (&str, &str), mail: Option<&Caught>) -> Vec<Piece> {
    const NAMES: &str =
        "From, To, Date, Subject, Message-ID, Auto-Submitted, MIME-Version, Content-Type";
    let bytes = mail.map(|m| m.bytes.as_slice());
    let said = |name: &str| bytes.and_then(|b| header(b, name)).map(str::to_owned);
    let mut names: Option<Vec<String>> = bytes.map(header_names);
    let mut wanted: Vec<&str> = NAMES.split(", ").collect();
    wanted.sort_unstable();
    if let Some(names) = &mut names {
        names.sort_unstable();
    }
    let armored = bytes.map(|b| {
        let mark = b"-----BEGIN PGP MESSAGE-----";
        if b.windows(mark.len()).any(|w| w == mark) { "yes" } else { "no" }.to_owned()
    });
    vec![
        text("From", from, said("From")),
        text("To", to, said("To")),
        text("Subject in clear", &sealing.clear_subject, said("Subject")),
        text("clear headers", &wanted.join(", "), names.map(|n| n.join(", "))),
        text("sealed", "yes", armored),
    ]
}

/// When slots were filled: GO's own time.
fn slots_at(standing: &Standing) -> At {
    match standing.facts.go {
        Some(GoRow::Go(at)) => at,
        _ => standing.plan.t0,
    }
}

/// What would have moved, gone out or stood there without being in the plan.
fn unplanned(standing: &Standing, world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    let say = |place: &str, what: String| {
        Finding::stop("unplanned", place, what).cure("tell whoever maintains this program")
    };
    let slots_at = slots_at(standing);
    let actions: Vec<Action> = standing
        .manifest
        .steps
        .iter()
        .map(|s| redirected(s, standing.run.progress(s.id).is_some_and(|p| p.detoured), slots_at))
        .collect();
    let ids: Vec<String> = actions
        .iter()
        .filter_map(|a| match a {
            Action::Mail { message_id, .. } => Some(format!("<{message_id}>")),
            _ => None,
        })
        .collect();
    for mail in &world.mails {
        let id = header(&mail.bytes, "Message-ID").unwrap_or_default();
        if !ids.iter().any(|known| known == id) {
            found.push(say("mail", format!("a mail to {} is in no step", mail.to.join(", "))));
        }
    }
    for (repository, moved) in &world.moved {
        let planned = |name: &str| {
            actions.iter().any(|a| match a {
                Action::Push { repository: r, refs, .. } => {
                    r == repository && refs.iter().any(|r| r.name == name)
                }
                _ => false,
            })
        };
        let names = moved.before.keys().chain(moved.after.keys());
        for name in names.filter(|n| moved.before.get(*n) != moved.after.get(*n)) {
            if !planned(name) {
                found.push(say(repository, format!("{name} would have moved")));
            }
        }
    }
    found.dedup();
    found
}

fn text(name: &str, approved: &str, went_out: Option<String>) -> Piece {
    let same = went_out.as_deref() == Some(approved);
    let differs = went_out.as_ref().filter(|_| !same).map(|w| format!("({approved}, not {w})"));
    Piece { name: name.to_owned(), approved: approved.to_owned(), went_out, same, differs }
}

fn bytes(name: &str, approved: &Blob, went_out: Option<&[u8]>) -> Piece {
    let slots = &approved.about.slots;
    let same = went_out.is_some_and(|w| equal_outside_slots(&approved.bytes, w, slots));
    let differs = went_out.filter(|_| !same).map(|w| difference(&approved.bytes, w, slots));
    Piece {
        name: name.to_owned(),
        approved: approved.about.sha256.to_string(),
        went_out: went_out.map(|w| Sha256::of(w).to_string()),
        same,
        differs,
    }
}

/// Where two runs of bytes first differ outside slots.
fn difference(approved: &[u8], went_out: &[u8], slots: &[Slot]) -> String {
    let in_slot =
        |i: usize| slots.iter().any(|s| i >= s.offset && i < s.offset.saturating_add(s.len));
    let pairs = approved.iter().zip(went_out).enumerate();
    let first = pairs.filter(|(i, _)| !in_slot(*i)).find(|(_, (a, b))| a != b).map(|(i, _)| i);
    let Some(first) = first else {
        return format!("({} bytes, not {})", went_out.len(), approved.len());
    };
    let line = approved.iter().take(first).filter(|b| **b == b'\n').count().saturating_add(1);
    format!("(from byte {first}, line {line})")
}

/// The head of a mail, up to the empty line.
fn head(mail: &[u8]) -> &str {
    let end = mail.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(mail.len());
    mail.get(..end).and_then(|h| std::str::from_utf8(h).ok()).unwrap_or_default()
}

/// A header field that stands in one line.
fn header<'a>(mail: &'a [u8], name: &str) -> Option<&'a str> {
    head(mail).split("\r\n").find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
}

fn header_names(mail: &[u8]) -> Vec<String> {
    let own = |l: &&str| !l.starts_with([' ', '\t']);
    let names = head(mail).split("\r\n").filter(own).filter_map(|l| l.split_once(':'));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::blob::{DATE_BLANK, SlotName};

    fn post() -> Blob {
        let text = format!("Date: {DATE_BLANK}\r\nSubject: a\r\n\r\nbody\r\n");
        Blob::new(
            "post.eml",
            text.into_bytes(),
            vec![Slot { name: SlotName::Date, offset: 6, len: 31 }],
        )
    }

    #[test]
    fn one_altered_byte_is_found_and_a_filled_slot_is_none() {
        let blob = post();
        let sent = blob.filled(At::from_secs(1_796_137_200)).unwrap();
        assert!(bytes("post.eml", &blob, Some(&sent)).same);
        let mut altered = sent.clone();
        *altered.iter_mut().rev().nth(3).unwrap() = b'x';
        let piece = bytes("post.eml", &blob, Some(&altered));
        assert!(!piece.same);
        assert_eq!(piece.differs.unwrap(), "(from byte 55, line 4)");
        let longer = [sent.as_slice(), b"x"].concat();
        assert!(!bytes("post.eml", &blob, Some(&longer)).same);
        let none = bytes("post.eml", &blob, None);
        assert!(!none.same && none.went_out.is_none());
    }

    #[test]
    fn headers_are_read_from_the_head_only() {
        let mail = b"To: a@b\r\nSubject: one\r\n two\r\n\r\nMessage-ID: <x>\r\n";
        assert_eq!(header(mail, "To"), Some("a@b"));
        assert_eq!(header(mail, "Message-ID"), None);
        assert_eq!(header_names(mail), ["To", "Subject"]);
    }
}
