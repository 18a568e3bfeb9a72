//! Writing a text in the person's own editor. Nothing they wrote is lost: what cannot be
//! used is kept where they are told, inside the data directory, for their eyes only.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use super::exit::{Exit, refuse};
use super::files;
use crate::exec::terminal::hand_over;

/// Where texts are while they are written.
const DRAFTS: &str = "drafts";

/// Hands `text` to the editor and what comes back to `take`. The file is gone afterwards,
/// unless `take` refused it.
pub async fn edit<T>(
    dir: &Path,
    name: &str,
    text: &str,
    take: impl AsyncFnOnce(String) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let drafts = dir.join(DRAFTS);
    let failed = |e: std::io::Error| {
        refuse(
            Exit::Failure,
            format!("cannot make a draft: {}", e.kind()),
            "check the data directory",
        )
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&drafts).map_err(failed)?;
    // A folder of its own: editors leave backups and swap files beside what they edit.
    let folder = tempfile::Builder::new()
        .prefix("draft-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&drafts)
        .map_err(failed)?;
    let path = folder.path().join(name);
    files::write_new(&path, text.as_bytes())?;
    let closed = open(&path);
    let written = files::read_text(&path);
    if written.as_ref().is_ok_and(|w| w == text) {
        closed?;
        return Err(refuse(Exit::Failure, "nothing was changed", "write the text and save it"));
    }
    let taken = match (closed, written) {
        (Ok(()), Ok(written)) => take(written).await,
        (Err(e), _) | (_, Err(e)) => Err(e),
    };
    taken.map_err(|error| {
        let kept = folder.keep().join(name);
        error.context(Kept(kept.display().to_string()))
    })
}

/// Says where a refused text is kept.
#[derive(Debug, thiserror::Error)]
#[error("the text was not taken; what you wrote is kept in {0}")]
pub struct Kept(pub String);

fn open(path: &Path) -> anyhow::Result<()> {
    let chosen = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let chosen = chosen.unwrap_or_else(|| "vi".to_owned());
    let mut words = chosen.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let args: Vec<_> = words.map(Into::into).chain([path.as_os_str().to_owned()]).collect();
    let help = "set EDITOR to an editor that waits, or use --from FILE";
    match hand_over(program, &args) {
        Ok(true) => Ok(()),
        Ok(false) => Err(refuse(Exit::Failure, format!("the editor `{program}` gave up"), help)),
        Err(e) => Err(refuse(Exit::Failure, e.to_string(), help)),
    }
}
