//! A backup: database and configuration of one instant in one file that only the team can open.
//!
//! The database in it is an SQLite file, whatever the house runs on: a server's rows are carried
//! into one, so that neither making nor restoring a backup needs a program of the server's.
//!
//! What must stay true: it holds no key, so that whoever steals it has sealed cells only, even
//! with a member's key; and a house made from it knows that it is a copy (`restore`).

use std::fs;
use std::path::Path;

use super::members::readers;
use super::opening::{CONFIG, TEAM_CERTIFICATE, TEMPLATES};
use super::{Case, CaseError, House};
use crate::domain::blob::Sha256;
use crate::domain::deed::{Actor, Subject};
use crate::pgp;
use crate::store::{Place, StoreError, Verdict, copy_into_file, verify_without_key};

/// The database inside a backup.
pub const DATABASE: &str = "database.sqlite";

/// A backup.
pub struct Backup {
    /// Encrypted to every active member, armored.
    pub sealed: Vec<u8>,
    /// Audited writes in it.
    pub lines: i64,
    /// The audit's newest line in it.
    pub head: Sha256,
    /// How many members can open it.
    pub members: usize,
}

/// Makes one. The copy is checked before it is sealed.
pub async fn backup(house: &House, actor: Actor) -> Case<Backup> {
    let place = Place::parse(&house.config.database, &house.dir)?;
    let certificates = readers(house).await?;
    if certificates.is_empty() {
        return Err(CaseError::not_now(
            "there is nobody to encrypt the backup to",
            "add the team first: daybreak team add",
        ));
    }
    let deed = house.deed(actor, "house-backup", Subject::house());
    house.store.write(&deed, |_| Ok::<_, StoreError>(())).await?;
    let dir = house.dir.clone();
    let (packed, lines, head) = tokio::task::spawn_blocking(move || pack(&dir, &place))
        .await
        .map_err(|_| CaseError::machine("packing the backup", "it was broken off"))??;
    let sealed = pgp::seal(&packed, &certificates, house.keys.notice.as_ref(), house.now()).await;
    let sealed = sealed.map_err(|e| CaseError::machine("sealing the backup", e))?.armored;
    Ok(Backup { sealed, lines, head, members: certificates.len() })
}

fn pack(dir: &Path, place: &Place) -> Case<(Vec<u8>, i64, Sha256)> {
    let failed = |e: std::io::Error| CaseError::machine("packing the backup", e.kind());
    // Beside the database, where its sealed cells lie anyway.
    let folder = tempfile::TempDir::with_prefix_in("backup-", dir).map_err(failed)?;
    let copy = folder.path().join(DATABASE);
    copy_into_file(place, &copy)?;
    let Verdict::Intact { lines, head } = verify_without_key(&Place::Sqlite(copy.clone()))? else {
        return Err(CaseError::machine("checking the backup", "its audit chain is broken"));
    };
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, DATABASE, &fs::read(&copy).map_err(failed)?).map_err(failed)?;
    for name in [CONFIG, TEAM_CERTIFICATE] {
        add(&mut tar, name, &fs::read(dir.join(name)).map_err(failed)?).map_err(failed)?;
    }
    for entry in fs::read_dir(dir.join(TEMPLATES)).into_iter().flatten().flatten() {
        if entry.path().is_file() {
            let name = format!("{TEMPLATES}/{}", entry.file_name().to_string_lossy());
            add(&mut tar, &name, &fs::read(entry.path()).map_err(failed)?).map_err(failed)?;
        }
    }
    Ok((tar.into_inner().map_err(failed)?, lines, head))
}

fn add(tar: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    header.set_mtime(0);
    tar.append_data(&mut header, name, bytes)
}
