//! Handing a Candidate's tree to the team's own build: files only, no `.git`, in an empty
//! folder.

use std::path::Path;

use super::Workshop;
use crate::domain::time::Span;
use crate::exec::git::{BadBundle, Bundle, GitError, disk, is_oid};

/// Why nothing was handed out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder holds something, or is no folder.
    #[error("the folder to export to is not empty; name a new or an empty one")]
    NotEmpty,
    /// The commit is not in the bundle or the public history.
    #[error("the candidate does not hold the commit to export; stage it again")]
    NoCommit,
    /// Not a bundle.
    #[error(transparent)]
    NotABundle(#[from] BadBundle),
    /// git or the disk failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Workshop {
    /// Writes the tree of `commit` from a Candidate's `bundle` into `out`, which is made (0700)
    /// or must be empty. Attributes that leave files out of archives are not honoured: what is
    /// in the commit is in the folder.
    pub async fn export(&self, bundle: &[u8], commit: &str, out: &Path) -> Result<(), ExportError> {
        let bundle = Bundle::read(bundle)?;
        let area = self.area().await?;
        area.unbundle(&bundle, false).await?;
        if !is_oid(commit) || area.commit(commit).await?.is_none() {
            return Err(ExportError::NoCommit);
        }
        empty(out)?;
        let out = std::path::absolute(out).map_err(disk("find the folder to export to"))?;
        let read = area.git("read-tree").arg(commit);
        area.run("read the candidate's tree", read).await?;
        let write = area
            .git("checkout-index")
            .args(["--all", "--quiet"])
            .env("GIT_WORK_TREE", out.as_os_str())
            .folder(&out)
            .allow(Span::mins(10));
        area.run("write the candidate's files", write).await?;
        Ok(())
    }
}

/// Makes `out`, or sees that it is empty.
fn empty(out: &Path) -> Result<(), ExportError> {
    match std::fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(ExportError::NotEmpty),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            make(out).map_err(disk("make the folder to export to")).map_err(ExportError::from)
        }
        Err(_) => Err(ExportError::NotEmpty),
    }
}

#[cfg(unix)]
fn make(out: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(out)
}

#[cfg(not(unix))]
fn make(out: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::bench::Bench;

    #[tokio::test]
    async fn the_candidates_tree_is_handed_out_whole() {
        let Some(bench) = Bench::new().await else { return };
        bench.bed.write(".gitattributes", "docs/** export-ignore\n*.txt text eol=lf\n");
        bench.bed.write("parser.py", "fixed\n");
        let series = bench.series("fix").await;
        let staged = bench.stage(&[&series]).await.unwrap();
        let out = bench.bed.folder().join("deep/out");
        bench.shop.export(&staged.bundle, &staged.tip, &out).await.unwrap();
        assert_eq!(std::fs::read_to_string(out.join("parser.py")).unwrap(), "fixed\n");
        assert!(out.join("docs/readme.txt").exists());
        assert!(!out.join(".git").exists());
        let again = bench.shop.export(&staged.bundle, &staged.tip, &out).await;
        assert!(matches!(again, Err(ExportError::NotEmpty)));
        let other = bench.bed.folder().join("other");
        let missing = bench.shop.export(&staged.bundle, &"0".repeat(40), &other).await;
        assert!(matches!(missing, Err(ExportError::NoCommit)));
        assert!(!other.exists());
    }
}
