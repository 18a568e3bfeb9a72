//! A new data directory from a backup.
//!
//! What must stay true: nothing that is there is written over, nothing of the archive leaves the
//! directory, the audit chain is whole, and the house is in quarantine before anybody opens it.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::backup::DATABASE;
use super::opening::{
    CONFIG, TEAM_CERTIFICATE, TEAM_KEY, TEMPLATES, VAULT_KEY, disk, write_private,
};
use super::{Case, CaseError};
use crate::config::Config;
use crate::domain::blob::Sha256;
use crate::domain::deed::{Actor, Deed, Subject};
use crate::domain::quarantine::{Doubt, Quarantine};
use crate::domain::time::At;
use crate::store::{
    Options, Place, Store, StoreError, Verdict, copy_from_file, verify_without_key,
};
use crate::vault::Vault;

/// Where the restored database lies unless a server is named, whatever the old configuration said.
const FILE: &str = "daybreak.sqlite";

/// The keys, which no backup holds.
pub struct Keys {
    /// The key file that the database was sealed with.
    pub vault: PathBuf,
    /// The team's secret key, if it was resident.
    pub team: Option<PathBuf>,
}

/// What was restored.
pub struct Restored {
    /// Audited writes.
    pub lines: i64,
    /// The audit's newest line.
    pub head: Sha256,
}

/// Makes `dir` from a decrypted backup. Leaves nothing behind when it fails. With `server`, an
/// address `postgres://…` of tables that nobody ever wrote to, the rows go there.
pub async fn restore(
    tar: &[u8],
    dir: &Path,
    keys: &Keys,
    server: Option<&str>,
    now: At,
) -> Case<Restored> {
    let made = match fs::read_dir(dir) {
        Ok(entries) => match entries.count() {
            0 => false,
            _ => return Err(CaseError::invalid("dir", "is not empty", "name a new directory")),
        },
        Err(e) if e.kind() == ErrorKind::NotFound => true,
        Err(e) => return Err(disk("looking at the directory", &e)),
    };
    let restored = fill(tar, dir, keys, server, now).await;
    if restored.is_err() {
        let _what_was_made = match made {
            true => fs::remove_dir_all(dir),
            false => fs::read_dir(dir).map(|entries| {
                entries.flatten().for_each(|e| {
                    let _gone = fs::remove_file(e.path()).or_else(|_| fs::remove_dir_all(e.path()));
                });
            }),
        };
    }
    restored
}

async fn fill(
    tar: &[u8],
    dir: &Path,
    keys: &Keys,
    server: Option<&str>,
    now: At,
) -> Case<Restored> {
    let server = server.map(|address| Ok::<_, CaseError>((address, on_server(address, dir)?)));
    let server = server.transpose()?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| disk("making the directory", &e))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
        .map_err(|e| disk("closing the directory", &e))?;
    let database =
        server.as_ref().map_or_else(|| format!("sqlite:{FILE}"), |(a, _)| (*a).to_owned());
    unpack(tar, dir, &database)?;
    let key = fs::read(&keys.vault).map_err(|e| disk("reading the vault key", &e))?;
    write_private(&dir.join(VAULT_KEY), &key)?;
    if let Some(team) = &keys.team {
        let key = fs::read(team).map_err(|e| disk("reading the team key", &e))?;
        write_private(&dir.join(TEAM_KEY), &key)?;
    }
    let vault = Vault::load(&dir.join(VAULT_KEY))
        .map_err(|e| CaseError::machine("reading the vault key", e))?;
    let place = Place::Sqlite(dir.join(FILE));
    let store = Store::open(&Options::new(place), vault)?;
    let verdict = store.read(|r| r.verify_audit()).await?;
    let Verdict::Intact { lines, head } = verdict else {
        return Err(CaseError::invalid(
            "backup",
            "holds a broken audit chain",
            "take another one, and keep this one as evidence",
        ));
    };
    let deed = Deed::new(Actor::Operator, "house-restore", Subject::house(), now);
    let row = Quarantine { doubt: Doubt::Restored, since: now, rearmed: Vec::new() };
    store.write(&deed, move |tx| tx.set_quarantine(Some(&row))).await?;
    if let Some((_, place)) = server {
        // It arrives in quarantine: there is no moment in which it might act.
        drop(store);
        let file = dir.join(FILE);
        tokio::task::spawn_blocking(move || carried(&file, &place))
            .await
            .map_err(|_| CaseError::machine("filling the database", "it was broken off"))??;
    }
    Ok(Restored { lines, head })
}

/// The place of a server's address.
fn on_server(address: &str, dir: &Path) -> Case<Place> {
    match Place::parse(address, dir)? {
        place @ Place::Postgres(_) => Ok(place),
        _ => Err(CaseError::invalid(
            "database",
            "is no server's address",
            "give postgres://USER@HOST/NAME, or nothing for an SQLite file in the new directory",
        )),
    }
}

/// Every row to the server, seen to be whole there; then the file goes.
fn carried(file: &Path, place: &Place) -> Case<()> {
    match copy_from_file(file, place) {
        Err(StoreError::Conflict("database")) => Err(CaseError::invalid(
            "database",
            "holds a house already",
            "name a database or a schema that nobody has written to",
        )),
        other => Ok(other?),
    }?;
    let Verdict::Intact { .. } = verify_without_key(place)? else {
        return Err(CaseError::machine("checking the database", "its audit chain is broken"));
    };
    fs::remove_file(file).map_err(|e| disk("removing the unpacked file", &e))
}

/// Takes out what a backup holds and nothing else.
fn unpack(bytes: &[u8], dir: &Path, database: &str) -> Case<()> {
    let broken = |_| {
        CaseError::invalid("backup", "is not one", "give the decrypted output of `daybreak backup`")
    };
    let mut found = 0_u32;
    for entry in tar::Archive::new(bytes).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        match name.as_str() {
            DATABASE => write_private(&dir.join(FILE), &content)?,
            CONFIG => write_private(&dir.join(CONFIG), here(&content, database)?.as_bytes())?,
            TEAM_CERTIFICATE => write_private(&dir.join(TEAM_CERTIFICATE), &content)?,
            other => {
                template(dir, other, &content)?;
                continue;
            }
        }
        found = found.saturating_add(1);
    }
    if found == 3 { Ok(()) } else { Err(broken(ErrorKind::NotFound.into())) }
}

fn template(dir: &Path, name: &str, content: &[u8]) -> Case<()> {
    let plain = |n: &&str| !n.is_empty() && !n.starts_with('.') && !n.contains(['/', '\\', '\0']);
    let file = name.strip_prefix(TEMPLATES).and_then(|n| n.strip_prefix('/')).filter(plain);
    let Some(file) = file else {
        return Err(CaseError::invalid(
            "backup",
            "holds a file that is none of ours",
            "take another",
        ));
    };
    let folder = dir.join(TEMPLATES);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|e| disk("making the folder of templates", &e))?;
    write_private(&folder.join(file), content)
}

/// The configuration with the new database in it: the old one must not be touched.
fn here(content: &[u8], database: &str) -> Case<String> {
    if database.contains(['"', '\\', '\n', '\r']) {
        return Err(CaseError::invalid(
            "database",
            "has a quote, a backslash or a line break",
            "write what is special in an address as %XX",
        ));
    }
    let text = String::from_utf8_lossy(content);
    let line = |l: &str| match l.trim_start().strip_prefix("database") {
        Some(rest) if rest.trim_start().starts_with('=') => {
            format!("database = \"{database}\"\n")
        }
        _ => format!("{l}\n"),
    };
    let text: String = text.lines().map(line).collect();
    let config = Config::parse(&text)
        .map_err(|e| CaseError::invalid(CONFIG, "cannot be used", e.to_string()))?;
    if config.database == database {
        return Ok(text);
    }
    Err(CaseError::invalid(
        CONFIG,
        "names its database in a way of its own",
        "write it in one line",
    ))
}
