//! A step's files laid out for a program: a private folder, plain names, wiped when done.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::domain::blob::Blob;
use crate::domain::receipt::OutletError;

/// A folder only we can read, removed when this is dropped.
pub(super) struct Layout {
    folder: TempDir,
    files: Vec<PathBuf>,
}

impl Layout {
    /// Writes `blobs` into a new folder below `work`, each under its own name. Nothing has
    /// left the house when it fails.
    pub(super) async fn of(work: &Path, blobs: &[&Blob]) -> Result<Self, OutletError> {
        let failed =
            |e: std::io::Error| OutletError::later("work-area-failed", e.kind().to_string());
        let private = std::fs::Permissions::from_mode(0o700);
        tokio::fs::DirBuilder::new()
            .recursive(true)
            .mode(private.mode())
            .create(work)
            .await
            .map_err(failed)?;
        let folder = tempfile::Builder::new()
            .prefix("step-")
            .permissions(private)
            .tempdir_in(work)
            .map_err(failed)?;
        let mut files = Vec::with_capacity(blobs.len());
        for blob in blobs {
            if !is_plain_name(&blob.about.name) {
                return Err(OutletError::never(
                    "bad-file-name",
                    "a file's name must be letters, digits, `.`, `_`, `+` and `-`, and start \
                     with a letter or digit",
                ));
            }
            let path = folder.path().join(&blob.about.name);
            if files.contains(&path) {
                return Err(OutletError::never("bad-file-name", "two files have one name"));
            }
            tokio::fs::write(&path, &blob.bytes).await.map_err(failed)?;
            files.push(path);
        }
        Ok(Self { folder, files })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The files, in order.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// Whether `name` can be neither a path nor an option.
fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 255
        && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_private_and_gone_afterwards() {
        let work = tempfile::tempdir().unwrap();
        let blob = Blob::new("a-1.0.tar.gz", b"bytes".to_vec(), vec![]);
        let layout = Layout::of(work.path(), &[&blob]).await.unwrap();
        let mode = std::fs::metadata(layout.folder()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(std::fs::read(&layout.files()[0]).unwrap(), b"bytes");
        drop(layout);
        assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn names_that_leave_the_folder_are_refused() {
        let work = tempfile::tempdir().unwrap();
        for name in ["../x", "/etc/x", "-o", ".pypirc", "", "a b", "a/b"] {
            let blob = Blob::new(name, vec![], vec![]);
            let error = Layout::of(work.path(), &[&blob]).await.err().unwrap();
            assert_eq!(error.code, "bad-file-name", "{name}");
        }
    }
}
