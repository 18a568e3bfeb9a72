//! `--from-git PATH BASE..HEAD`: the person's repository is only asked where its objects are
//! and which commits are meant; `git format-patch` runs in our own area, so that none of that
//! repository's settings can shape the mails.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Named, SeriesError};
use crate::domain::time::Span;
use crate::exec::git::{Area, Git, GitError, disk};

/// The mails of a range, oldest first.
pub async fn format(area: &Area, path: &Path, range: &str) -> Result<Vec<Named>, SeriesError> {
    let refuse = |cause| SeriesError::Range { range: range.to_owned(), cause };
    let (base, head) = range
        .split_once("..")
        .filter(|(base, head)| !base.is_empty() && !head.starts_with('.'))
        .ok_or_else(|| refuse("write it as BASE..HEAD, with two dots"))?;
    let head = if head.is_empty() { "HEAD" } else { head };
    let base = commit(area, path, base).await?.ok_or_else(|| refuse("BASE is no commit there"))?;
    let head = commit(area, path, head).await?.ok_or_else(|| refuse("HEAD is no commit there"))?;
    borrow(area, path).await?;
    if !area.is_ancestor(&base, &head).await? {
        return Err(refuse("BASE is not in the history of HEAD"));
    }
    let between = format!("{base}..{head}");
    let merges = area.git("rev-list").args(["--count", "--merges", &between]);
    if area.line("count merges", merges).await? != "0" {
        return Err(refuse("holds merge commits, which a series cannot carry; rebase it"));
    }
    let bytes = mails(area, &between, &base).await?;
    if bytes.is_empty() {
        return Err(refuse("holds no commits"));
    }
    Ok(vec![Named { name: range.to_owned(), bytes }])
}

/// The mails of `BASE..HEAD` in an area, noting `base` as what they stand on.
pub async fn mails(area: &Area, between: &str, base: &str) -> Result<Vec<u8>, GitError> {
    let make = area
        .git("format-patch")
        .args(["--stdout", "--full-index", "--binary", "--no-signature", "--no-renames"])
        .args(["--no-ext-diff", "--no-textconv", "--no-color", "--no-notes"])
        .arg(format!("--base={base}"))
        .arg(between)
        .limit(256 * 1024 * 1024)
        .allow(Span::mins(10));
    Ok(area.run("make patches of the range", make).await?.stdout)
}

async fn commit(area: &Area, path: &Path, name: &str) -> Result<Option<String>, GitError> {
    let ask = Git::anonymous()
        .verb("rev-parse")
        .args(["--verify", "--quiet", "--end-of-options"])
        .arg(format!("{name}^{{commit}}"))
        .folder(path);
    let out = area.run_any(ask).await?;
    Ok(out.ok().then(|| out.text().trim_end().to_owned()))
}

/// Lets the area read that repository's objects.
async fn borrow(area: &Area, path: &Path) -> Result<(), GitError> {
    let ask = Git::anonymous().verb("rev-parse").args(["--git-path", "objects"]).folder(path);
    let said = area.line("find the repository's objects", ask).await?;
    let doing = disk("borrow the repository's objects");
    let objects: PathBuf = std::path::absolute(path.join(said)).map_err(&doing)?;
    let info = area.folder().join("objects").join("info");
    std::fs::create_dir_all(&info).map_err(&doing)?;
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(info.join("alternates"))
        .map_err(&doing)?;
    let mut line = objects.into_os_string().into_encoded_bytes();
    line.push(b'\n');
    file.write_all(&line).map_err(&doing)
}
