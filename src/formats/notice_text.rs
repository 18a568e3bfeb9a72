//! The body of an advance notice, plain text.
//!
//! Line 1 is the embargo: the instant and who may know. A distributor gets everything needed
//! to build; a reporter only their own advisories and the date, never a patch, whatever the
//! view holds.

use serde::Serialize;

use super::FormatError;
use super::advisory_words::{AdvisoryWords, words};
use super::templates::Templates;
use crate::domain::view::{Audience, NoticeView};

#[derive(Serialize)]
struct Context<'a> {
    t0: String,
    reference: &'a str,
    revision: i64,
    team: &'a str,
    subject: String,
    changes: &'a str,
    reply_to: &'a str,
    advisories: Vec<AdvisoryWords>,
    branches: Vec<Branch<'a>>,
    releases: Vec<Release<'a>>,
    patches: Vec<Patch<'a>>,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    file_name: &'a str,
    sha256: &'a str,
    poc: bool,
}

#[derive(Serialize)]
struct Branch<'a> {
    branch: &'a str,
    public_id: &'a str,
    state: &'a str,
}

#[derive(Serialize)]
struct Release<'a> {
    version: &'a str,
    branch: &'a str,
    tag: &'a str,
}

#[derive(Serialize)]
struct Patch<'a> {
    file_name: &'a str,
    branch: &'a str,
    base: &'a str,
    sha256: &'a str,
    apply_command: &'a str,
    fits: Vec<Fit<'a>>,
}

#[derive(Serialize)]
struct Fit<'a> {
    applies: bool,
    place: &'a str,
    commit: &'a str,
}

/// The real subject: it travels inside the encryption only. Its beginning stays the same
/// over all revisions, so that clients can thread by it.
pub fn subject(view: &NoticeView) -> String {
    let start = format!("{} security notice {}", view.team, view.reference);
    match view.advisories.as_slice() {
        [] => start,
        [one] => format!("{start}: {}", one.title),
        many => format!("{start}: {} advisories", many.len()),
    }
}

/// The text. `changes` says what differs from the revision before; empty for the first.
pub fn render(
    templates: &Templates,
    view: &NoticeView,
    changes: &str,
) -> Result<String, FormatError> {
    let (template, all) = match view.audience {
        Audience::Distributor => ("notice.txt", true),
        Audience::Reporter => ("notice_reporter.txt", false),
    };
    let context = Context {
        t0: view.t0.spoken(),
        reference: &view.reference,
        revision: view.revision,
        team: &view.team,
        subject: subject(view),
        changes: changes.trim(),
        reply_to: &view.reply_to,
        advisories: words(&view.advisories)?,
        branches: if all { branches(view) } else { Vec::new() },
        releases: if all { releases(view) } else { Vec::new() },
        patches: if all { patches(view) } else { Vec::new() },
        files: if all { files(view) } else { Vec::new() },
    };
    templates.render(template, context)
}

fn branches(view: &NoticeView) -> Vec<Branch<'_>> {
    view.branches
        .iter()
        .map(|b| Branch { branch: &b.branch, public_id: &b.public_id, state: &b.state })
        .collect()
}

fn releases(view: &NoticeView) -> Vec<Release<'_>> {
    view.releases
        .iter()
        .map(|r| Release { version: &r.version, branch: &r.branch, tag: &r.tag })
        .collect()
}

fn files(view: &NoticeView) -> Vec<File<'_>> {
    view.files
        .iter()
        .map(|f| File { file_name: &f.file_name, sha256: &f.sha256, poc: f.poc })
        .collect()
}

fn patches(view: &NoticeView) -> Vec<Patch<'_>> {
    view.patches
        .iter()
        .map(|p| Patch {
            file_name: &p.file_name,
            branch: &p.branch,
            base: &p.base,
            sha256: &p.sha256,
            apply_command: &p.apply_command,
            fits: p
                .fits
                .iter()
                .map(|f| Fit { applies: f.applies, place: &f.place, commit: &f.commit })
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
