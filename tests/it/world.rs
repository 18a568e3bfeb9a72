//! What the world can see, and what readers of the notices can.

use std::collections::BTreeSet;

use daybreak::casework::plans::preview::File;
use daybreak::casework::publications;
use daybreak::domain::advisory::Advisory;
use daybreak::domain::blob::{Sha256, equal_outside_slots};
use daybreak::domain::disclosure::Disclosure;
use daybreak::domain::time::{At, Span};
use daybreak::domain::zone::T0;
use daybreak::town::catcher::Caught;
use daybreak::town::people::Reader;
use daybreak::town::{Database, Options, Town, story};

use crate::ground::Db;
use crate::postgres;

/// A Friday.
pub const START: At = At::from_secs(1_795_132_800);

/// A town on a database; `None`, said aloud, when there is no such database here.
pub async fn town(db: Db) -> Option<Town> {
    let database = match db {
        Db::Sqlite => Database::Sqlite,
        Db::Postgres => Database::Postgres(postgres::fresh_schema()?),
    };
    Some(Town::build(Options { database, ..Options::by_hand(START) }).await.unwrap())
}

/// The team, the list, and a case whose notice can be planned, for a T0 that far ahead.
pub async fn drafted(town: &Town, ahead: Span) -> (Advisory, Disclosure) {
    story::add_members(town).await.unwrap();
    story::add_distributors(town).await.unwrap();
    let (advisory, _) = story::draft(town).await.unwrap();
    let (disclosure, _) = story::open(town, &advisory, story::t0_in(town, ahead)).await.unwrap();
    let disclosure = story::patch(town, disclosure, advisory.id).await.unwrap();
    (advisory, disclosure)
}

/// Everything anybody outside can see.
#[derive(Debug, PartialEq, Eq)]
pub struct WorldView {
    /// Refs of the public repository.
    pub refs: String,
    /// Released files: name and digest.
    pub files: Vec<(String, Sha256)>,
    /// Public ids on the site.
    pub published: Vec<String>,
    /// Clear mails to lists.
    pub posts: usize,
}

impl WorldView {
    pub async fn of(town: &Town) -> Self {
        let files = town.uploads.files().unwrap();
        let shown = publications::all(&town.house.store).await.unwrap();
        let mails = town.catcher.mails();
        let lists: BTreeSet<_> =
            town.house.config.list.values().map(|l| l.address.clone()).collect();
        Self {
            refs: town.project.refs().await.unwrap(),
            files: files.into_iter().map(|f| (f.name, Sha256::of(&f.bytes))).collect(),
            published: shown.into_iter().map(|p| p.public_id).collect(),
            posts: mails.iter().filter(|m| m.to.iter().any(|t| lists.contains(t))).count(),
        }
    }
}

/// The published documents of an advisory.
pub async fn documents(town: &Town, public_id: &str) -> Vec<(String, Vec<u8>)> {
    let shown = publications::all(&town.house.store).await.unwrap();
    let one = shown.into_iter().find(|p| p.public_id == public_id).unwrap();
    one.documents.into_iter().map(|d| (d.name, d.bytes)).collect()
}

/// Nobody hears before their own window opens, and the reporters in the first moment.
pub fn everybody_hears_at_their_window(town: &Town, mails: &[Caught], t0: &T0) {
    let opens = |reader: &Reader| {
        let lead = reader.lead_days.unwrap_or(7);
        t0.days_before(reader.longest_embargo_days.map_or(lead, |most| lead.min(most)))
    };
    let first = town.people.distributors.iter().map(opens).min().unwrap();
    for reader in town.people.readers().filter(|r| r.should_read) {
        let mail = mails.iter().find(|m| m.to == [reader.address]).unwrap();
        let reporter = reader.address == town.people.reporter.address;
        let due = if reporter { first } else { opens(reader) };
        assert_eq!(mail.at, due, "{}", reader.address);
    }
}

/// Each usable reader got exactly one mail, opens it, and finds what was approved; nobody
/// else opens it; the unusable got nothing.
pub fn everybody_reads_only_their_own(town: &Town, mails: &[Caught], preview: &[File]) {
    let team = town.team_certificate();
    let now = town.house.now();
    for reader in town.people.readers() {
        let mine: Vec<_> = mails.iter().filter(|m| m.to == [reader.address]).collect();
        if !reader.should_read {
            assert!(mine.is_empty(), "{} got something", reader.address);
            continue;
        }
        assert_eq!(mine.len(), 1, "{} got {} mails", reader.address, mine.len());
        let letter = reader.decrypt(&mine[0].bytes, team, now).unwrap();
        assert_eq!(letter.signed_by, Some(team.fingerprint()), "{}", reader.address);
        let approved = preview.iter().any(|f| {
            f.name.starts_with("notice-") && equal_outside_slots(&f.bytes, &letter.entity, &f.slots)
        });
        assert!(approved, "{} got something else than was approved", reader.address);
        for other in town.people.readers().filter(|o| o.address != reader.address) {
            assert!(other.decrypt(&mine[0].bytes, team, now).is_err(), "{}", other.address);
        }
    }
}
