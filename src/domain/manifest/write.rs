//! Writing a MANIFEST.

use super::{FIRST_LINE, Manifest};
use crate::domain::action::Action;
use crate::domain::blob::BlobRef;
use crate::domain::plan::Step;

/// Lines being gathered.
struct Page(String);

impl Page {
    fn line(&mut self, key: &str, value: impl std::fmt::Display) {
        self.0.push_str(key);
        self.0.push(' ');
        self.0.push_str(&escape(&value.to_string()));
        self.0.push('\n');
    }
}

/// One value stays on one line.
pub(super) fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

pub(super) fn render(manifest: &Manifest) -> String {
    let mut page = Page(format!("{FIRST_LINE}\n"));
    page.line("salt", &manifest.salt);
    page.line("plan", manifest.plan);
    page.line("disclosure", manifest.disclosure);
    page.line("number", manifest.number);
    page.line("kind", manifest.kind);
    if let Some(notice) = manifest.notice() {
        page.line("notice", notice);
    }
    page.line("made-at", manifest.made_at.rfc3339());
    page.line("t0", manifest.t0.at.rfc3339());
    page.line("zone", manifest.t0.zone);
    page.line("threshold", manifest.threshold);
    page.line("early-lift", manifest.early_lift);
    page.line("announce-after", manifest.announce_after.as_secs());
    if let Some(plan) = manifest.resends {
        page.line("resends", plan);
    }
    if let Some(digest) = manifest.tells {
        page.line("tells", digest);
    }
    if let Some(digest) = manifest.past {
        page.line("past", digest);
    }
    page.line("recipients", manifest.recipients);
    manifest.groups.iter().for_each(|g| page.line("group", g));
    if let Some(at) = manifest.announces {
        page.line("announces", at.rfc3339());
    }
    for (name, digest) in &manifest.templates {
        page.line("template", format_args!("{digest} {name}"));
    }
    for step in &manifest.steps {
        page.0.push('\n');
        write_step(&mut page, step);
    }
    page.0.push_str("\nblobs\n");
    for blob in manifest.blobs() {
        page.0.push_str(&format!("{}  {}\n", blob.sha256, blob.name));
    }
    page.0
}

fn write_step(page: &mut Page, step: &Step) {
    page.line("step", step.id);
    page.line("outlet", &step.outlet);
    page.line("phase", step.phase.word());
    page.line("not-before", step.not_before.rfc3339());
    for after in &step.after {
        page.line("after", after);
    }
    if let Some(on_move) = step.on_move {
        page.line("on-move", on_move.word());
    }
    if let Some(sealing) = &step.sealing {
        page.line("seal-for", &sealing.recipient);
        page.line("seal-notice", sealing.notice);
        page.line("seal-subject", &sealing.subject);
        page.line("clear-subject", &sealing.clear_subject);
        for id in &sealing.references {
            page.line("seal-reference", id);
        }
        for fingerprint in &sealing.fingerprints {
            page.line("seal-to", fingerprint);
        }
    }
    page.line("action", step.action.word());
    write_action(page, &step.action);
}

fn write_action(page: &mut Page, action: &Action) {
    match action {
        Action::Mail { from, envelope_from, to, message_id, message } => {
            page.line("from", from);
            page.line("envelope-from", envelope_from);
            page.line("to", to);
            page.line("message-id", message_id);
            write_blob(page, "message", message);
        }
        Action::Push { repository, place, refs, pack, remake } => {
            page.line("repository", repository);
            if let Some(place) = place {
                page.line("place", place);
            }
            for r in refs {
                let old = r.old.as_deref().unwrap_or("-");
                page.line("ref", format_args!("{} {old} {}", r.name, r.new));
            }
            if let Some(remake) = remake {
                page.line("remake", remake.way.word());
                page.line("remake-name", &remake.name);
                page.line("remake-address", &remake.address);
                page.line("remake-says", &remake.says);
            }
            write_blob(page, "pack", pack);
        }
        Action::Run { command, args, files } => {
            page.line("command", command);
            args.iter().for_each(|a| page.line("arg", a));
            files.iter().for_each(|f| write_blob(page, "file", f));
        }
        Action::Await { look, args, expected } => {
            page.line("look", look);
            args.iter().for_each(|a| page.line("arg", a));
            for e in expected {
                page.line("expect", format_args!("{} {}", e.count, e.pattern));
            }
        }
        Action::Publish { public_id, documents, entries } => {
            page.line("public-id", public_id);
            documents.iter().for_each(|d| write_blob(page, "document", d));
            entries.iter().for_each(|e| write_blob(page, "entry", e));
        }
        Action::Post { webhook, url, event } => {
            page.line("webhook", webhook);
            page.line("url", url);
            write_blob(page, "event", event);
        }
        Action::Ask { owner, deputy, instruction, paste, due } => {
            page.line("owner", owner);
            page.line("deputy", deputy);
            page.line("instruction", instruction);
            page.line("paste", paste);
            page.line("due", due.rfc3339());
        }
    }
}

fn write_blob(page: &mut Page, key: &str, blob: &BlobRef) {
    page.line(key, format_args!("{} {} {}", blob.sha256, blob.len, blob.name));
    for slot in &blob.slots {
        page.line("slot", format_args!("{} {} {}", slot.name.word(), slot.offset, slot.len));
    }
}
