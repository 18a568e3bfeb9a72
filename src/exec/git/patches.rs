//! Whether two commits are the same change: equal patch-ids, whitespace counted, and the same
//! paths with the same modes, which a patch-id does not cover.

use super::commits::Commit;
use super::remake::Approved;
use super::{Area, GitError};

/// Most bytes of one commit's diff, or of a listing.
const MOST: u64 = 256 * 1024 * 1024;

/// What a commit changes, without its place in the files.
#[derive(Debug, PartialEq, Eq)]
pub struct Patch {
    id: String,
    modes: Vec<String>,
}

/// The change from one commit to another.
pub async fn patch(area: &Area, from: &str, to: &str) -> Result<Patch, GitError> {
    let diff = area
        .git("diff-tree")
        .args(["-r", "-p", "--full-index", "--binary", "--no-renames", "--no-color"])
        .args(["--no-ext-diff", "--no-textconv", from, to])
        .limit(MOST);
    let diff = area.run("compare two commits", diff).await?.stdout;
    let id = area.git("patch-id").arg("--verbatim").stdin(diff);
    let id = area.line("digest a patch", id).await?;
    let raw = area.git("diff-tree").args(["-r", "--raw", "--no-renames", from, to]).limit(MOST);
    let raw = area.run("compare two commits", raw).await?.text();
    Ok(Patch {
        id: id.split(' ').next().unwrap_or_default().to_owned(),
        modes: raw.lines().map(mode).collect(),
    })
}

/// `:OLDMODE NEWMODE OLDID NEWID LETTER TAB PATH` without the ids.
fn mode(line: &str) -> String {
    let (about, path) = line.split_once('\t').unwrap_or((line, ""));
    let words: Vec<&str> = about.split(' ').collect();
    match words.as_slice() {
        [old, new, _, _, letter] => format!("{old} {new} {letter} {path}"),
        _ => line.to_owned(),
    }
}

/// Whether every approved commit has its like between its base and `onto`: patch, author and
/// message.
pub async fn same_patches(
    area: &Area,
    approved: Approved<'_>,
    onto: &str,
) -> Result<bool, GitError> {
    let there = listed(area, approved.base, onto).await?;
    let ours = listed(area, approved.base, approved.tip).await?;
    for (oid, about) in &ours {
        let Some(approved) = alone(area, oid).await? else { return Ok(false) };
        let mut found = false;
        for (candidate, _) in there.iter().filter(|(_, said)| said == about) {
            found = alone(area, candidate).await?.is_some_and(|patch| patch == approved);
            if found {
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(!ours.is_empty())
}

/// A commit's change to its only parent.
async fn alone(area: &Area, oid: &str) -> Result<Option<Patch>, GitError> {
    let commit = Commit::read(area, oid).await?;
    match commit.as_ref().map(|c| c.parents.as_slice()) {
        Some([parent]) => Ok(Some(patch(area, parent, oid).await?)),
        _ => Ok(None),
    }
}

/// The commits of a range with author and message.
async fn listed(area: &Area, from: &str, to: &str) -> Result<Vec<(String, String)>, GitError> {
    let ask = area
        .git("log")
        .args(["-z", "--date=raw", "--format=%H%n%an <%ae> %ad%n%B", "--end-of-options"])
        .arg(format!("{from}..{to}"))
        .limit(MOST);
    let text = area.run("list the commits", ask).await?.text();
    let one = |t: &str| t.split_once('\n').map(|(oid, rest)| (oid.to_owned(), rest.to_owned()));
    Ok(text.split('\0').filter_map(one).collect())
}
