//! `daybreak disclosure add-artefact`: the files of a pinned release.

use std::path::PathBuf;

use clap::Args;

use crate::casework::find_disclosure;
use crate::casework::releases::{self, NewArtefact};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, refuse};
use crate::cli::files;
use crate::domain::blob::Sha256;
use crate::domain::secret::Reason;

/// Take in the files of a release, built from its candidate; prints their ids
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  daybreak disclosure add-artefact x_meadow-2026-0001 --release 1.4.2 \
    dist/meadow-1.4.2.tar.gz --sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)]
pub struct AddArtefact {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// The files
    #[arg(value_name = "FILES", required = true)]
    files: Vec<PathBuf>,
    /// The release's tag
    #[arg(long, value_name = "TAG")]
    release: String,
    /// What the file's digest must be; once a file, in order
    #[arg(long, value_name = "HEX")]
    sha256: Vec<Sha256>,
}

pub async fn add(desk: &Desk, add: AddArtefact) -> anyhow::Result<()> {
    if !add.sha256.is_empty() && add.sha256.len() != add.files.len() {
        return Err(refuse(
            Exit::Usage,
            format!("{} files and {} digests are given", add.files.len(), add.sha256.len()),
            "give --sha256 once for each file, in the same order, or not at all",
        ));
    }
    let disclosure = find_disclosure(&desk.house, &add.disclosure).await?;
    let mut stated = add.sha256.into_iter();
    let mut new = Vec::new();
    for path in &add.files {
        let bytes = files::read(path, files::LARGE)?;
        new.push(NewArtefact { file_name: files::name(path), bytes, sha256: stated.next() });
    }
    let names: Vec<_> = new.iter().map(|a| a.file_name.clone()).collect();
    let changed =
        releases::add_artefacts(&desk.house, desk.actor, &disclosure, &add.release, new).await?;
    let releases = &changed.case.open(Reason::Review).releases;
    let ours = releases.iter().filter(|r| r.tag == add.release).flat_map(|r| &r.artefacts);
    let added: Vec<_> = ours.filter(|a| names.contains(&a.file_name)).collect();
    for artefact in &added {
        desk.print.talk(format!("{}  {}", artefact.sha256, artefact.file_name));
    }
    desk.print
        .either(&added, || added.iter().map(|a| a.id.to_string()).collect::<Vec<_>>().join("\n"))
}
