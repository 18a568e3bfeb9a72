//! What the text of a notice must hold, whatever template the team wrote: without the instant
//! or the reference it would be worse than no notice.

use crate::domain::news::News;
use crate::domain::view::{Audience, NoticeView};

/// Name in the template and the value, for everything that must be printed.
pub(in crate::formats) fn essentials(
    view: &NoticeView,
    news: &News,
) -> Vec<(&'static str, String)> {
    let mut all = vec![("reference", view.reference.clone())];
    // A cancellation names the date that the reader knows, and no other.
    if !matches!(news, News::Cancellation { .. }) {
        all.push(("t0", view.t0.spoken()));
    }
    match news {
        News::First => {}
        News::Revision { changes, .. } => {
            all.extend(changes.iter().map(|c| ("news.changes", c.clone())));
        }
        News::Schedule { old, reason } => {
            all.extend([("news.old", old.spoken()), ("news.reason", reason.clone())]);
        }
        News::Broken { old, public, may_say } => {
            all.extend(old.iter().map(|old| ("news.old", old.spoken())));
            all.extend([("news.public", public.clone()), ("news.may_say", may_say.clone())]);
        }
        News::AtOnce { old, public } => {
            all.extend(old.iter().map(|old| ("news.old", old.spoken())));
            all.push(("news.public", public.clone()));
        }
        News::Cancellation { told, reason, holds } => {
            all.extend([("news.told", told.spoken()), ("news.reason", reason.clone())]);
            all.push(("news.holds", holds.clone()));
        }
    }
    all
}

/// What its readers need besides: a template without it is a poor one, but the team's.
pub(in crate::formats) fn useful(view: &NoticeView, news: &News) -> Vec<(&'static str, String)> {
    let mut all = vec![("reply_to", view.reply_to.clone())];
    if !news.kind().tells_all() {
        return all;
    }
    all.push(("revision", format!("{}", view.revision)));
    for advisory in &view.advisories {
        all.push(("advisory.title", advisory.title.clone()));
        all.push(("advisory.public_id", advisory.public_id.clone()));
        all.push(("advisory.description", advisory.description.clone()));
        all.extend(advisory.credits.iter().map(|c| ("advisory.credits", c.name.clone())));
    }
    if view.audience == Audience::Distributor {
        all.extend(view.releases.iter().map(|r| ("release.version", r.version.clone())));
        all.extend(view.branches.iter().map(|b| ("branch.state", b.state.clone())));
        for patch in &view.patches {
            all.push(("patch.file_name", patch.file_name.clone()));
            all.push(("patch.base", patch.base.clone()));
            all.push(("patch.apply_command", patch.apply_command.clone()));
        }
    }
    all
}

/// Those of `wanted` that `text` does not print; a value may be folded or indented.
pub(in crate::formats) fn missing(
    text: &str,
    wanted: &[(&'static str, String)],
) -> Vec<&'static str> {
    let plain = squeezed(text);
    let mut gone: Vec<&'static str> = Vec::new();
    for (field, value) in wanted {
        if !plain.contains(&squeezed(value)) && !gone.contains(field) {
            gone.push(field);
        }
    }
    gone
}

/// One space for every run of white space.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
