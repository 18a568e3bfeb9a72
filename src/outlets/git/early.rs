//! What anybody can see of a push before its time.
//!
//! What must stay true: no ref is asked for by name. Protocol version 2 would send the names,
//! versions to come among them, to a server that has a log; so everything is listed, and
//! compared here.

use crate::domain::action::RefMove;
use crate::domain::finding::Finding;
use crate::exec::git::{Mirror, View, everything};

/// What of `refs` is public. The mirror must have been made what anybody can fetch: a branch
/// that somebody built upon ours does not end in it. A repository that cannot be read shows
/// nothing; `check` says that.
pub(super) async fn exposed(
    mirror: &Mirror,
    refs: &[RefMove],
    prerequisites: &[String],
) -> Vec<Finding> {
    let view = View::public(mirror.repository());
    let Ok(public) = everything(mirror, view).await else { return Vec::new() };
    // What the public history must hold for the pack to fit is no news.
    let news = |r: &&RefMove| r.old.as_ref() != Some(&r.new) && !prerequisites.contains(&r.new);
    let mut findings = Vec::new();
    for r in refs.iter().filter(news) {
        let is_tag = r.name.starts_with("refs/tags/");
        // A tag that is no object of its own names a commit, whose branch speaks for it.
        let fits = |name: &str| !is_tag || name.starts_with("refs/tags/");
        let same = public.iter().filter(|(name, oid)| *oid == r.new && fits(name));
        let before = findings.len();
        findings.extend(same.map(|(name, _)| found(name)));
        let unseen = findings.len() == before && !is_tag;
        if unseen && mirror.contains(&r.new).await.unwrap_or(false) {
            findings.push(found(&r.name));
        }
    }
    findings
}

fn found(place: &str) -> Finding {
    Finding::stop("already-public", place, "anybody can see there what shall be pushed at T0")
        .cure("see who pushed it; take it down if nobody has it, else `disclosure publish-now`")
}
