//! The team's own build, without Python: a source archive and a wheel from an exported tree,
//! the same bytes every time (PEP 517's outcome; core metadata 2.1; PEP 427).

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::pack::{TooLarge, gzip, zip};
use crate::domain::blob::Sha256;
use crate::town::TownError;

/// One file that a build gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Built {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[built file of {} bytes]", self.bytes.len())
    }
}

#[derive(Deserialize)]
struct Pyproject {
    project: About,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct About {
    name: String,
    version: String,
    description: String,
    requires_python: String,
}

impl About {
    /// Core metadata with the readme as its body.
    fn metadata(&self, readme: &str) -> String {
        format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\nSummary: {}\nLicense: MIT\n\
             Requires-Python: {}\nDescription-Content-Type: text/plain\n\n{readme}",
            self.name, self.version, self.description, self.requires_python
        )
    }
}

type Files = Vec<(String, Vec<u8>)>;

/// Builds the tree in `tree` and writes the files into `out`, which is made if need be.
pub fn build(tree: &Path, out: &Path) -> Result<Vec<Built>, TownError> {
    let io = TownError::disk("build the project");
    let mut files = Files::new();
    read(tree, "", &mut files).map_err(&io)?;
    files.sort();
    let wrong = |why: &str| TownError::Build(why.to_owned());
    let text = |name: &str| {
        let found = files.iter().find(|(n, _)| n == name).map(|(_, bytes)| bytes.clone());
        found.and_then(|b| String::from_utf8(b).ok()).ok_or_else(|| wrong("a file is missing"))
    };
    let about: Pyproject =
        toml::from_str(&text("pyproject.toml")?).map_err(|_| wrong("pyproject.toml is wrong"))?;
    let about = about.project;
    let metadata = about.metadata(&text("README.txt")?);
    let stem = format!("{}-{}", about.name, about.version);
    let built = vec![
        Built {
            name: format!("{stem}-py3-none-any.whl"),
            bytes: wheel(&stem, &metadata, &files).map_err(|e| wrong(&e.to_string()))?,
        },
        Built { name: format!("{stem}.tar.gz"), bytes: sdist(&stem, &metadata, &files)? },
    ];
    fs::create_dir_all(out).map_err(&io)?;
    for file in &built {
        fs::write(out.join(&file.name), &file.bytes).map_err(&io)?;
    }
    Ok(built)
}

fn read(folder: &Path, below: &str, files: &mut Files) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn sdist(stem: &str, metadata: &str, files: &Files) -> Result<Vec<u8>, TownError> {
    let failed = TownError::disk("pack the source archive");
    let mut tar = tar::Builder::new(Vec::new());
    let info = ("PKG-INFO".to_owned(), metadata.as_bytes().to_vec());
    for (name, bytes) in std::iter::once(&info).chain(files) {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, format!("{stem}/{name}"), bytes.as_slice())
            .map_err(&failed)?;
    }
    let packed = tar.into_inner().map_err(&failed)?;
    gzip(&packed).map_err(|e| TownError::Build(e.to_string()))
}

fn wheel(stem: &str, metadata: &str, files: &Files) -> Result<Vec<u8>, TooLarge> {
    let info = format!("{stem}.dist-info");
    let inside = |(name, bytes): &(String, Vec<u8>)| {
        Some((name.strip_prefix("src/")?.to_owned(), bytes.clone()))
    };
    let mut packed: Files = files.iter().filter_map(inside).collect();
    let tags = "Wheel-Version: 1.0\nGenerator: meadow\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    packed.push((format!("{info}/METADATA"), metadata.as_bytes().to_vec()));
    packed.push((format!("{info}/WHEEL"), tags.as_bytes().to_vec()));
    let record = format!("{info}/RECORD");
    let mut lines = String::new();
    for (name, bytes) in &packed {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::of(bytes).raw());
        lines.push_str(&format!("{name},sha256={digest},{}\n", bytes.len()));
    }
    lines.push_str(&format!("{record},,\n"));
    packed.push((record, lines.into_bytes()));
    zip(&packed)
}
