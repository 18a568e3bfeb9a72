//! Making a data directory, and opening the house that lives in one.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::house::masthead;
use super::pages::StorePages;
use super::publications::StoreShelf;
use super::{Bells, Case, CaseError, House};
use crate::clock::witness::{Kernel, TimeWitness};
use crate::clock::{Clock, Rng};
use crate::config::{Config, SignerChoice};
use crate::domain::planner::{
    GIT, MAIL, PERSON, SITE, STATIC, arrival_look, await_outlet, command_outlet, webhook_outlet,
};
use crate::domain::time::{At, Span};
use crate::formats::templates::Templates;
use crate::outlets::git::GitOutlet;
use crate::outlets::mail::MailOutlet;
use crate::outlets::person::PersonOutlet;
use crate::outlets::posts::{ArrivalOutlet, LookedAfter, Posts};
use crate::outlets::shown::PublicSite;
use crate::outlets::site::SiteOutlet;
use crate::outlets::static_site::StaticSite;
use crate::outlets::wait::WaitOutlet;
use crate::outlets::webhook::WebhookOutlet;
use crate::outlets::{Outlets, command};
use crate::pgp::{
    Certificate, KeyFingerprint, ResidentSigner, Signer, TeamKey, generate_team_key,
    import_team_key,
};
use crate::signing::{GpgSigner, TeamSigners};
use crate::store::{DatabaseClock, Lane, Options, Place, Store};
use crate::vault::Vault;

/// The configuration.
pub const CONFIG: &str = "daybreak.toml";
/// The key that everything secret is sealed with.
pub const VAULT_KEY: &str = "vault.key";
/// The team's secret OpenPGP key, if it is resident.
pub const TEAM_KEY: &str = "team.key";
/// The team's certificate, for everybody.
pub const TEAM_CERTIFICATE: &str = "team.asc";
/// Templates that override the embedded ones.
pub const TEMPLATES: &str = "templates";
/// Where outlets lay out files for a moment.
pub const WORK: &str = "work";
/// How the folders of rehearsals in there begin.
const REHEARSAL: &str = "rehearsal-";
/// Far longer than any rehearsal takes.
const ABANDONED: Span = Span::days(1);

/// Where the team's key comes from.
pub enum KeySource {
    /// Made now.
    Generate,
    /// From a file.
    Import(Zeroizing<Vec<u8>>),
    /// Stays with gpg; this is its certificate.
    Gpg(Vec<u8>),
}

/// What a new house is told.
pub struct Setup {
    /// The project's name.
    pub name: String,
    /// The team's address.
    pub address: String,
    /// The site's address.
    pub base_url: String,
    /// `sqlite:FILE` or `postgres://…`.
    pub database: String,
    /// How many people must approve.
    pub threshold: u32,
    /// The team's key.
    pub key: KeySource,
}

/// Makes a data directory: configuration, database, vault key, team key. Refuses one that
/// is a house already; leaves nothing behind when it fails.
pub fn create(dir: &Path, setup: &Setup, clock: &dyn Clock) -> Case<()> {
    if dir.join(CONFIG).exists() || dir.join(VAULT_KEY).exists() {
        return Err(CaseError::invalid("DIR", "holds a house already", "name another directory"));
    }
    // Never written over, and never taken for ours when we clean up.
    for name in [TEAM_KEY, TEAM_CERTIFICATE] {
        if dir.join(name).exists() {
            return Err(CaseError::invalid(
                "DIR",
                format!("holds a {name} already"),
                "move it out of the directory, or name another directory",
            ));
        }
    }
    let existed = dir.exists();
    let made = fill(dir, setup, clock);
    if made.is_err() {
        for name in [CONFIG, VAULT_KEY, TEAM_KEY, TEAM_CERTIFICATE] {
            let _was_not_made = fs::remove_file(dir.join(name));
        }
        if !existed {
            let _not_empty = fs::remove_dir(dir);
        }
    }
    made
}

fn fill(dir: &Path, setup: &Setup, clock: &dyn Clock) -> Case<()> {
    let text = commented_config(setup)?;
    let config =
        Config::parse(&text).map_err(|e| CaseError::machine("writing the configuration", e))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| disk("making the directory", &e))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
        .map_err(|e| disk("closing the directory", &e))?;
    let user_id = format!("{} <{}>", setup.name, setup.address);
    let certificate = match &setup.key {
        KeySource::Generate => keep_key(dir, generate_team_key(&user_id, clock.wall()))?,
        KeySource::Import(bytes) => keep_key(dir, import_team_key(bytes))?,
        KeySource::Gpg(bytes) => super::members::import("gpg certificate", bytes)?,
    };
    write_private(&dir.join(TEAM_CERTIFICATE), certificate.armored().as_bytes())?;
    let vault = Vault::create(&dir.join(VAULT_KEY))
        .map_err(|e| CaseError::machine("making the vault key", e))?;
    let place = Place::parse(&config.database, dir)?;
    Store::create(&Options::new(place), vault)?;
    write_private(&dir.join(CONFIG), text.as_bytes())
}

fn keep_key(dir: &Path, key: Result<TeamKey, crate::pgp::TeamKeyError>) -> Case<Certificate> {
    let key = key.map_err(|e| CaseError::invalid("team key", "cannot be used", e.to_string()))?;
    write_private(&dir.join(TEAM_KEY), &key.secret)?;
    Ok(key.certificate)
}

fn commented_config(setup: &Setup) -> Case<String> {
    let quoted = |field: &str, text: &str| {
        if text.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
            return Err(CaseError::invalid(
                field,
                "has a quote, a backslash or a line break",
                "write it plainly",
            ));
        }
        Ok(text.to_owned())
    };
    let mut text = include_str!("../../templates/daybreak.toml").to_owned();
    for (mark, value) in [
        ("@NAME@", quoted("name", &setup.name)?),
        ("@ADDRESS@", quoted("address", &setup.address)?),
        ("@BASE_URL@", quoted("base_url", &setup.base_url)?),
        ("@DATABASE@", quoted("database", &setup.database)?),
        ("@THRESHOLD@", setup.threshold.to_string()),
    ] {
        text = text.replace(mark, &value);
    }
    if let KeySource::Gpg(bytes) = &setup.key {
        let fingerprint = super::members::import("gpg certificate", bytes)?.fingerprint();
        let line = |purpose: &str| {
            format!("{purpose} = {{ with = \"gpg\", fingerprint = \"{fingerprint}\" }}\n")
        };
        let all: String = ["notice", "tag", "post", "checksums"].map(line).concat();
        text = text.replace("# [signing]\n", &format!("[signing]\n{all}"));
    }
    Ok(text)
}

/// A new file that only its owner can read, on the disk before this returns.
pub fn write_private(path: &Path, bytes: &[u8]) -> Case<()> {
    let open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = open.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|e| disk("writing a file of the data directory", &e))
}

/// A disk that failed us.
pub fn disk(doing: &'static str, error: &std::io::Error) -> CaseError {
    CaseError::machine(doing, error.kind())
}

/// Opens the house in `dir`. Blocks: call it at start only.
pub fn open(dir: &Path, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Case<House> {
    let config = Config::load(&dir.join(CONFIG))
        .map_err(|e| CaseError::invalid(CONFIG, "cannot be used", e.to_string()))?;
    let vault = Vault::load(&dir.join(VAULT_KEY))
        .map_err(|e| CaseError::machine("reading the vault key", e))?;
    let store = Store::open(&Options::new(Place::parse(&config.database, dir)?), vault)?;
    let folder = dir.join(TEMPLATES);
    let templates = Templates::load(folder.is_dir().then_some(folder.as_path()))
        .map_err(|e| CaseError::invalid(TEMPLATES, "cannot be used", e.to_string()))?;
    let keys = signers(dir, &config, &clock)?;
    let templates = Arc::new(templates);
    let mut outlets = outlets(dir, &config, &store, &clock)?;
    if let Some(tree) = &config.site.static_tree {
        let pages = StorePages::new(store.clone(), Arc::clone(&templates), masthead(&config), dir);
        let site = StaticSite::new(tree.clone(), Arc::new(pages), Arc::clone(&clock));
        let site = match public_site(&config, &clock) {
            Some(public) => site.shown_by(public),
            None => site,
        };
        outlets.add(STATIC, Arc::new(site));
    }
    let mail = MailOutlet::new(config.mail.clone(), config.team.domain(), Arc::clone(&clock));
    let bells =
        Bells::new(Arc::new(mail), config.team.clone(), Arc::clone(&clock), Arc::clone(&rng))
            .with_ways(&config.bells);
    let engine = store.lane(Lane::Engine);
    let witnesses: Vec<Arc<dyn TimeWitness>> =
        vec![Arc::new(Kernel), Arc::new(DatabaseClock::new(engine))];
    let dir = dir.to_owned();
    Ok(House { store, clock, witnesses, rng, config, outlets, bells, keys, templates, dir })
}

fn signers(dir: &Path, config: &Config, clock: &Arc<dyn Clock>) -> Case<TeamSigners> {
    let all = [
        &config.signing.notice,
        &config.signing.tag,
        &config.signing.post,
        &config.signing.checksums,
    ];
    let mut made: Vec<(SignerChoice, Arc<dyn Signer>)> = Vec::new();
    for choice in all {
        if !made.iter().any(|(c, _)| c == choice) {
            made.push((choice.clone(), signer(dir, choice, clock)?));
        }
    }
    let of = |choice: &SignerChoice| {
        let found = made.iter().find(|(c, _)| c == choice).map(|(_, s)| Arc::clone(s));
        found.ok_or_else(|| CaseError::machine("opening the signers", "one is missing"))
    };
    Ok(TeamSigners {
        notice: of(&config.signing.notice)?,
        tag: of(&config.signing.tag)?,
        post: of(&config.signing.post)?,
        checksums: of(&config.signing.checksums)?,
    })
}

fn signer(dir: &Path, choice: &SignerChoice, clock: &Arc<dyn Clock>) -> Case<Arc<dyn Signer>> {
    match choice {
        SignerChoice::Resident => {
            let key = team_key(dir)?;
            let signer = ResidentSigner::new(&key)
                .map_err(|e| CaseError::invalid(TEAM_KEY, "cannot sign", e.to_string()))?;
            Ok(Arc::new(signer))
        }
        SignerChoice::Gpg { fingerprint, home } => {
            let wrong = |e: &dyn std::fmt::Display| {
                CaseError::invalid("signing", "cannot be used", e.to_string())
            };
            let fingerprint: KeyFingerprint = fingerprint.parse().map_err(|e| wrong(&e))?;
            let bytes =
                fs::read(dir.join(TEAM_CERTIFICATE)).map_err(|e| disk("reading team.asc", &e))?;
            let certificate = super::members::import(TEAM_CERTIFICATE, &bytes)?;
            let signer = GpgSigner::new(&fingerprint, home.clone(), certificate, Arc::clone(clock))
                .map_err(|e| wrong(&e))?;
            Ok(Arc::new(signer))
        }
    }
}

/// The team's secret key, for the moment of its use. An error where it lives with gpg.
pub(super) fn team_key(dir: &Path) -> Case<TeamKey> {
    let path = dir.join(TEAM_KEY);
    let mode =
        fs::metadata(&path).map_err(|e| disk("reading the team key", &e))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(CaseError::invalid(TEAM_KEY, "can be read by others", "chmod 600 it"));
    }
    let bytes = Zeroizing::new(fs::read(&path).map_err(|e| disk("reading the team key", &e))?);
    import_team_key(&bytes)
        .map_err(|e| CaseError::invalid(TEAM_KEY, "cannot be used", e.to_string()))
}

/// Wipes what killed processes left of the files they laid out. Only for an engine that has just
/// taken the lead: until then, files that another one hands to a program lie there.
pub fn wipe_work(dir: &Path, now: At) -> Case<()> {
    let work = dir.join(WORK);
    for entry in fs::read_dir(&work).into_iter().flatten().flatten() {
        match wipe_left(&entry, now) {
            // Its owner was quicker.
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            wiped => wiped.map_err(|e| disk("wiping an old work folder", &e))?,
        }
    }
    Ok(())
}

fn wipe_left(entry: &fs::DirEntry, now: At) -> std::io::Result<()> {
    let (path, about) = (entry.path(), entry.metadata()?);
    // Any process plays rehearsals, with the lead or without.
    if entry.file_name().to_string_lossy().starts_with(REHEARSAL) {
        let since = about.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let changed = At::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        if now.since(changed) < ABANDONED {
            return Ok(());
        }
    }
    if about.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
}

fn outlets(dir: &Path, config: &Config, store: &Store, clock: &Arc<dyn Clock>) -> Case<Outlets> {
    let work: PathBuf = dir.join(WORK);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&work)
        .map_err(|e| disk("making the work folder", &e))?;
    let mut outlets = Outlets::default();
    let mail = MailOutlet::new(config.mail.clone(), config.team.domain(), Arc::clone(clock));
    let posts = Arc::new(Posts::new(config, clock));
    outlets.add(MAIL, Arc::new(LookedAfter::new(Arc::new(mail), Arc::clone(&posts))));
    for (name, _) in config.list.iter().filter(|(_, list)| list.is_watched()) {
        let arrives = ArrivalOutlet::new(name, Arc::clone(&posts));
        outlets.add(await_outlet(&arrival_look(name)), Arc::new(arrives));
    }
    outlets.add(
        GIT,
        Arc::new(GitOutlet::new(config.repository.clone(), dir.to_owned(), Arc::clone(clock))),
    );
    outlets.add(PERSON, Arc::new(PersonOutlet));
    let site = SiteOutlet::new(Arc::new(StoreShelf::new(store.clone(), Arc::clone(clock))));
    // Where a tree is carried out, the public address shows the tree, which comes later.
    let site = match public_site(config, clock).filter(|_| config.site.static_tree.is_none()) {
        Some(public) => site.shown_by(public),
        None => site,
    };
    outlets.add(SITE, Arc::new(site));
    for (name, settings) in &config.command {
        let does = command::outlet(name, settings.clone(), work.clone(), Arc::clone(clock));
        outlets.add(command_outlet(name), does);
        let waits = WaitOutlet::new(name, settings.clone(), work.clone(), Arc::clone(clock));
        outlets.add(await_outlet(name), Arc::new(waits));
    }
    for webhook in &config.webhook {
        let calls = WebhookOutlet::new(webhook.clone(), Arc::clone(clock));
        outlets.add(webhook_outlet(&webhook.name), Arc::new(calls));
    }
    Ok(outlets)
}

/// The site as anybody sees it, where it shall be looked at.
fn public_site(config: &Config, clock: &Arc<dyn Clock>) -> Option<PublicSite> {
    let address = config.site.public_url.as_ref()?;
    Some(PublicSite::new(address, Arc::clone(clock)))
}
