//! The machine-readable part of a notice: OSV-like records under a mark that they are
//! embargoed. Without `modified` they are no valid OSV records, so that nobody's tool can
//! take them for published ones.

use serde::Serialize;

use super::osv::{Record, record, to_json};
use super::{Document, FormatError};
use crate::domain::news::{News, NoticeKind};
use crate::domain::view::{Audience, NoticeView};

#[derive(Serialize)]
struct Notice<'a> {
    embargoed: bool,
    tlp: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosure_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosure_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    told_before: Option<String>,
    reference: &'a str,
    revision: i64,
    advisories: Vec<Record>,
    branches: Vec<Branch<'a>>,
    releases: Vec<Release<'a>>,
    patches: Vec<Patch<'a>>,
}

#[derive(Serialize)]
struct Branch<'a> {
    branch: &'a str,
    advisory: &'a str,
    state: &'a str,
}

#[derive(Serialize)]
struct Release<'a> {
    branch: &'a str,
    version: &'a str,
    tag: &'a str,
}

#[derive(Serialize)]
struct Patch<'a> {
    branch: &'a str,
    file_name: &'a str,
    base: &'a str,
    sha256: &'a str,
}

/// `notice.json`. A reporter's holds their advisories and the date only; mere news hold no
/// advisory, and a cancellation no date.
pub fn render(view: &NoticeView, news: &News) -> Result<Document, FormatError> {
    let kind = news.kind();
    let all = view.audience == Audience::Distributor && kind.tells_all();
    let advisories = view.advisories.iter().filter(|_| kind.tells_all());
    // The instant of one that says `at once` is when that was decided: what is public is what our
    // pages show, and a program must not publish by it.
    let dated = !matches!(kind, NoticeKind::Cancellation | NoticeKind::AtOnce);
    let date = dated.then_some(view.t0);
    let told_before = match news {
        News::Schedule { old, .. }
        | News::Broken { old: Some(old), .. }
        | News::AtOnce { old: Some(old), .. } => Some(old.at.rfc3339()),
        _ => None,
    };
    let branches = view.branches.iter().filter(|_| all).map(|b| Branch {
        branch: &b.branch,
        advisory: &b.public_id,
        state: &b.state,
    });
    let releases = view.releases.iter().filter(|_| all).map(|r| Release {
        branch: &r.branch,
        version: &r.version,
        tag: &r.tag,
    });
    let patches = view.patches.iter().filter(|_| all).map(|p| Patch {
        branch: &p.branch,
        file_name: &p.file_name,
        base: &p.base,
        sha256: &p.sha256,
    });
    let notice = Notice {
        embargoed: true,
        tlp: "AMBER+STRICT",
        kind: kind.word(),
        disclosure_at: date.map(|t0| t0.at.rfc3339()),
        disclosure_zone: date.map(|t0| t0.zone.to_string()),
        told_before,
        reference: &view.reference,
        revision: view.revision,
        advisories: advisories.map(record).collect::<Result<_, _>>()?,
        branches: branches.collect(),
        releases: releases.collect(),
        patches: patches.collect(),
    };
    Ok(Document::new("notice.json", "application/json", to_json(&notice)?, Vec::new()))
}
