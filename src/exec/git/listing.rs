//! Which refs a repository shows, without fetching anything: the far side learns that somebody
//! looked, and nothing of what is wanted.

use std::collections::BTreeMap;

use super::{Complaint, GitError, Mirror, View, is_oid};
use crate::domain::time::Span;

/// The object ids of those of the refs called `names`, in full, that exist now.
pub async fn listed(
    mirror: &Mirror,
    view: View,
    names: &[&str],
) -> Result<BTreeMap<String, String>, GitError> {
    let (git, url) = view.of(mirror.repository());
    let ask = git
        .verb("ls-remote")
        .args(["--quiet", "--refs", "--", url])
        .limit(64 * 1024 * 1024)
        .allow(Span::mins(1));
    let out = mirror.run_any(ask).await?;
    if !out.ok() {
        return Err(GitError::Unreachable(Complaint::of(&out)));
    }
    // All are asked for and those of `names` are picked here: protocol version 2 would tell the
    // far side each name, which before T0 is a secret.
    let text = out.text();
    let found = text
        .lines()
        .filter_map(|l| l.split_once('\t'))
        .filter(|(oid, name)| is_oid(oid) && names.contains(name));
    Ok(found.map(|(oid, name)| (name.to_owned(), oid.to_owned())).collect())
}
