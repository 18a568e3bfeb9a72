//! The body of an advance notice, plain text.
//!
//! Line 1 is the embargo: the instant and who may know. A distributor gets everything needed
//! to build; a reporter only their own advisories and the date, never a patch, whatever the
//! view holds. A notice that only brings news (another date, a broken embargo, the end) gets
//! no advisory at all: its template cannot print one.

pub(super) mod must;

use serde::Serialize;

use super::FormatError;
use super::advisory_words::{AdvisoryWords, words};
use super::templates::Templates;
use crate::domain::news::{News, NoticeKind};
use crate::domain::view::{Audience, NoticeView};

#[derive(Serialize)]
struct Context<'a> {
    t0: String,
    reference: &'a str,
    revision: i64,
    team: &'a str,
    subject: String,
    reply_to: &'a str,
    news: NewsWords<'a>,
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

/// What is new; a template finds only what its kind has.
#[derive(Serialize)]
#[serde(untagged)]
enum NewsWords<'a> {
    First {},
    Revision { since: i64, changes: &'a [String], interdiff: bool },
    Schedule { old: String, reason: &'a str, reporter: bool },
    Broken { old: String, public: &'a str, may_say: &'a str, reporter: bool },
    AtOnce { old: String, public: &'a str, reporter: bool },
    Cancellation { told: String, reason: &'a str, holds: &'a str, reporter: bool },
}

fn words_of(news: &News, reporter: bool) -> NewsWords<'_> {
    match news {
        News::First => NewsWords::First {},
        News::Revision { since, changes, interdiff } => {
            NewsWords::Revision { since: *since, changes, interdiff: !interdiff.is_empty() }
        }
        News::Schedule { old, reason } => {
            NewsWords::Schedule { old: old.spoken(), reason: reason.trim(), reporter }
        }
        News::Broken { old, public, may_say } => NewsWords::Broken {
            old: old.map(|old| old.spoken()).unwrap_or_default(),
            public: public.trim(),
            may_say: may_say.trim(),
            reporter,
        },
        News::AtOnce { old, public } => NewsWords::AtOnce {
            old: old.map(|old| old.spoken()).unwrap_or_default(),
            public: public.trim(),
            reporter,
        },
        News::Cancellation { told, reason, holds } => NewsWords::Cancellation {
            told: told.spoken(),
            reason: reason.trim(),
            holds: holds.trim(),
            reporter,
        },
    }
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
/// over all revisions and kinds, so that clients can thread by it.
pub fn subject(view: &NoticeView, news: &News) -> String {
    let start = format!("{} security notice {}", view.team, view.reference);
    match (news.kind(), view.advisories.as_slice()) {
        (NoticeKind::Schedule, _) => format!("{start}: the date moved"),
        (NoticeKind::Broken, _) => format!("{start}: THE EMBARGO IS BROKEN"),
        (NoticeKind::AtOnce, _) => format!("{start}: WE PUBLISH AT ONCE"),
        (NoticeKind::Cancellation, _) => format!("{start}: cancelled"),
        (_, []) => start,
        (_, [one]) => format!("{start}: {}", one.title),
        (_, many) => format!("{start}: {} advisories", many.len()),
    }
}

/// The template of a kind for an audience.
pub const fn template(kind: NoticeKind, audience: Audience) -> &'static str {
    match (kind, audience) {
        (NoticeKind::First, Audience::Distributor) => "notice.txt",
        (NoticeKind::First | NoticeKind::Revision, Audience::Reporter) => "notice_reporter.txt",
        (NoticeKind::Revision, Audience::Distributor) => "notice_revision.txt",
        (NoticeKind::Schedule, _) => "notice_schedule.txt",
        (NoticeKind::Broken, _) => "notice_broken.txt",
        (NoticeKind::AtOnce, _) => "notice_at_once.txt",
        (NoticeKind::Cancellation, _) => "notice_cancellation.txt",
    }
}

/// The text.
pub fn render(
    templates: &Templates,
    view: &NoticeView,
    news: &News,
) -> Result<String, FormatError> {
    let (kind, reporter) = (news.kind(), view.audience == Audience::Reporter);
    let all = kind.tells_all() && !reporter;
    let context = Context {
        t0: view.t0.spoken(),
        reference: &view.reference,
        revision: view.revision,
        team: &view.team,
        subject: subject(view, news),
        reply_to: &view.reply_to,
        news: words_of(news, reporter),
        advisories: if kind.tells_all() { words(&view.advisories)? } else { Vec::new() },
        branches: if all { branches(view) } else { Vec::new() },
        releases: if all { releases(view) } else { Vec::new() },
        patches: if all { patches(view) } else { Vec::new() },
        files: if all { files(view) } else { Vec::new() },
    };
    let name = template(kind, view.audience);
    let text = templates.render(name, context)?;
    match must::missing(&text, &must::essentials(view, news)).first() {
        None => Ok(text),
        Some(field) => Err(FormatError::Template {
            name: name.to_owned(),
            line: 0,
            what: format!("it prints nothing of `{field}`"),
        }),
    }
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
