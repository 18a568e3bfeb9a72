//! Which refs a repository shows, without fetching anything: the far side learns that somebody
//! looked, and nothing of what is wanted.

use std::collections::BTreeMap;

use super::{Complaint, GitError, Mirror, View, is_oid};
use crate::domain::time::Span;

/// Most bytes of a list of all refs.
const LISTING: u64 = 64 * 1024 * 1024;

/// The object ids of those of the refs called `names`, in full, that exist now. All are asked for
/// and those are picked here: protocol version 2 would tell the far side each name, which before
/// T0 is a secret.
pub async fn listed(
    mirror: &Mirror,
    view: View,
    names: &[&str],
) -> Result<BTreeMap<String, String>, GitError> {
    let all = everything(mirror, view).await?;
    Ok(all.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect())
}

/// Every ref with its object id, and, under its name with `^{}`, what a tag points to.
pub async fn everything(mirror: &Mirror, view: View) -> Result<Vec<(String, String)>, GitError> {
    let (git, url) = view.of(mirror.repository());
    let ask = git.verb("ls-remote").args(["--quiet", "--", url]).limit(LISTING);
    let out = mirror.run_any(ask.allow(Span::mins(1))).await?;
    if !out.ok() {
        return Err(GitError::Unreachable(Complaint::of(&out)));
    }
    let text = out.text();
    let lines = text.lines().filter_map(|l| l.split_once('\t')).filter(|(oid, _)| is_oid(oid));
    Ok(lines.map(|(oid, name)| (name.to_owned(), oid.to_owned())).collect())
}
