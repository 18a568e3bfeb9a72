//! Files that a person names: read up to a bound, written for their owner's eyes only, and
//! never written over.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::exit::{Exit, refuse};

/// Enough for any text, certificate or signature.
pub const TEXT: u64 = 4 * 1024 * 1024;
/// Enough for patches, bundles and artefacts; plans have their own, configured bound.
pub const LARGE: u64 = 1024 * 1024 * 1024;

/// The bytes of a file, or of stdin for `-`.
pub fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = most.saturating_add(1);
    let read = if path == Path::new("-") {
        io::stdin().lock().take(bound).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(bound).read_to_end(&mut bytes))
    };
    read.map_err(|e| trouble("read", path, &e))?;
    if bytes.len() as u64 > most {
        return Err(refuse(
            Exit::Failure,
            format!("{} is larger than {most} bytes", path.display()),
            "name the right file",
        ));
    }
    Ok(bytes)
}

/// A file as text.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read(path, TEXT)?).map_err(|_| {
        refuse(Exit::Failure, format!("{} is not UTF-8 text", path.display()), "save it as UTF-8")
    })
}

/// The last part of a path, as a file's own name.
pub fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A new file, mode 0600.
pub fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = open.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|e| trouble("write", path, &e))
}

/// A folder that is made, or is empty; mode 0700 afterwards.
pub fn empty_folder(path: &Path) -> anyhow::Result<()> {
    let failed = |e: io::Error| trouble("make the folder", path, &e);
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed),
            Some(_) => Err(refuse(
                Exit::Failure,
                format!("{} is not empty", path.display()),
                "name a new or an empty folder",
            )),
        },
        Err(e) if e.kind() == ErrorKind::NotFound => {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
        }
        Err(e) => Err(failed(e)),
    }
}

fn trouble(doing: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    let help = match error.kind() {
        ErrorKind::AlreadyExists => "it is never written over; name another",
        ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied => "check who may use it",
        ErrorKind::StorageFull => "make room on the disk",
        _ => "check the path and the disk",
    };
    refuse(Exit::Failure, format!("cannot {doing} {}: {}", path.display(), error.kind()), help)
}
