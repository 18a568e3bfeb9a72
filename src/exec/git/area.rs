//! A private place to work: a bare repository of its own in a 0700 folder that borrows public
//! objects from a mirror. It is wiped when dropped; what a killed process left is wiped at
//! start.

use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Bundle, GitError, Mirror, Objects, disk};
use crate::domain::time::Span;

const PREFIX: &str = "area-";
const HELD: &str = "held";

/// A work area.
pub struct Area {
    objects: Objects,
    // Locked while we live, so that another process's `wipe` leaves us alone.
    _held: File,
    folder: TempDir,
}

impl Deref for Area {
    type Target = Objects;
    fn deref(&self) -> &Objects {
        &self.objects
    }
}

impl Area {
    /// A new area under `root`, borrowing from `mirror` if that exists.
    pub async fn new(root: &Path, mirror: &Mirror) -> Result<Self, GitError> {
        let make = disk("make a work area");
        std::fs::create_dir_all(root).map_err(&make)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root).map_err(&make)?;
        private(folder.path()).map_err(&make)?;
        let held = File::create(folder.path().join(HELD)).map_err(&make)?;
        held.lock().map_err(&make)?;
        let objects = Objects::new(folder.path().join("repo.git"), mirror.clock().clone());
        objects.init(mirror.is_sha256()).await?;
        if mirror.exists() {
            let lender = std::path::absolute(mirror.folder().join("objects")).map_err(&make)?;
            let info = objects.folder().join("objects").join("info");
            std::fs::create_dir_all(&info).map_err(&make)?;
            let mut line = lender.into_os_string().into_encoded_bytes();
            line.push(b'\n');
            std::fs::write(info.join("alternates"), line).map_err(&make)?;
        }
        Ok(Self { objects, _held: held, folder })
    }

    /// A path beside the repository, for files of the work.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes in a bundle's objects, without making refs. `strict` also checks that every
    /// object is sound and links only to objects that are here.
    pub async fn unbundle(&self, bundle: &Bundle<'_>, strict: bool) -> Result<(), GitError> {
        let index = self.git("index-pack").args(["--stdin", "--fix-thin"]);
        let index = if strict { index.arg("--strict") } else { index };
        let index = index.stdin(bundle.pack).allow(Span::mins(10));
        self.run("take in the bundle", index).await.map(drop)
    }
}

/// Removes the areas under `root` that no living process holds; says how many. One that cannot be
/// removed keeps no other: what failed first is said at the end.
pub fn wipe(root: &Path) -> Result<usize, GitError> {
    let failed = disk("wipe old work areas");
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(failed(e)),
    };
    let (mut wiped, mut failure) = (0, None);
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        match File::open(entry.path().join(HELD)) {
            Ok(held) if held.try_lock().is_ok() => match std::fs::remove_dir_all(entry.path()) {
                Ok(()) => wiped += 1,
                // Its owner let it go and removes it just now.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => failure = failure.or(Some(e)),
            },
            Ok(_in_use) => {}
            // Made a moment ago and not yet held, or abandoned then: empty in both cases.
            Err(_) => wiped += usize::from(std::fs::remove_dir(entry.path()).is_ok()),
        }
    }
    failure.map_or(Ok(wiped), |e| Err(failed(e)))
}

#[cfg(unix)]
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::git::testbed::Testbed;

    #[tokio::test]
    async fn an_area_is_private_borrows_and_vanishes() {
        use std::os::unix::fs::PermissionsExt as _;
        let Some(bed) = Testbed::new().await else { return };
        let mirror = bed.mirror();
        mirror.refresh().await.unwrap();
        let root = bed.folder().join("areas");
        let area = Area::new(&root, &mirror).await.unwrap();
        let place = area.file("");
        assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
        let tip = bed.public("refs/heads/main").await;
        assert_eq!(area.commit(&tip).await.unwrap(), Some(tip));
        // A living area is left alone, a dead one is not.
        assert_eq!(wipe(&root).unwrap(), 0);
        let dead = root.join("area-dead");
        std::fs::create_dir_all(dead.join("repo.git")).unwrap();
        std::fs::write(dead.join(HELD), "").unwrap();
        assert_eq!(wipe(&root).unwrap(), 1);
        assert!(!dead.exists() && place.exists());
        drop(area);
        assert!(!place.exists());
    }
}
