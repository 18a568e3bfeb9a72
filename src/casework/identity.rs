//! Which house this is: a word of the machine's own, outside the database, against what the
//! database says of itself.
//!
//! The file `house.id` lies beside the vault key. It names the house and the newest line of the
//! audit that this machine has seen. A database that is another one, stands elsewhere, knows
//! less or remembers another past than the file is a copy until people have looked: a restored
//! one does not know what left after its backup was made.
//!
//! What it cannot notice: a whole machine rolled back or copied together with its disk.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Case, CaseError, House};
use crate::clock::random;
use crate::domain::blob::Sha256;
use crate::domain::deed::{Actor, Subject};
use crate::domain::quarantine::{Doubt, Identity, Quarantine};
use crate::store::{Place, Store, StoreError};

/// The file in the data directory. Nothing in it is secret.
pub const HOUSE_ID: &str = "house.id";
const FORM: &str = "daybreak-house 1";

/// What a machine remembers of a house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Which house.
    pub id: String,
    /// Number of the newest line of the audit that was seen.
    pub seq: i64,
    /// That line.
    pub line: Sha256,
}

impl Word {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name).map(str::to_owned);
        field(FORM)?;
        let (id, seq) = (field("id ")?, field("seq ")?.parse().ok()?);
        Some(Self { id, seq, line: field("line ")?.parse().ok()? })
    }

    /// Reads it; `None` when there is none. One that makes no sense knows another house.
    pub fn read(dir: &Path) -> Case<Option<Self>> {
        let unknown = || Self { id: String::new(), seq: 0, line: Sha256::from_raw([0; 32]) };
        match std::fs::read_to_string(dir.join(HOUSE_ID)) {
            Ok(text) => Ok(Some(Self::parse(&text).unwrap_or_else(unknown))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(CaseError::machine("reading house.id", e.kind())),
        }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, dir: &Path) -> Case<()> {
        let text = format!("{FORM}\nid {}\nseq {}\nline {}\n", self.id, self.seq, self.line);
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(dir.join(HOUSE_ID)).map_err(|e| e.error)?;
            Ok(())
        };
        write().map_err(|e| CaseError::machine("writing house.id", e.kind()))
    }
}

/// What tells this database from a copy of it.
async fn footing(store: &Store) -> Case<String> {
    match store.place() {
        Place::Memory(_) => Ok(String::new()),
        // A copy of a file is another file, wherever it lies.
        Place::Sqlite(file) => {
            let about = std::fs::metadata(file)
                .map_err(|e| CaseError::machine("looking at the database's file", e.kind()))?;
            Ok(format!("file {}", about.ino()))
        }
        Place::Postgres(_) => {
            let on_server = store.read(|r| r.server_footing()).await?;
            Ok(format!("server {}", on_server.unwrap_or_default()))
        }
    }
}

/// How a house stands to what its machine knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No engine ever ran: there is nothing to doubt.
    New,
    /// It is the house that the machine knows.
    Known(Identity),
    /// It may be a copy.
    Doubted(Doubt),
}

/// Compares the two, by the lane that `store` is: the engine does not wait behind people. Changes
/// nothing.
pub async fn stands(store: &Store, dir: &Path) -> Case<Standing> {
    if is_imagined(store) {
        return Ok(Standing::Known(Identity { id: String::new(), footing: String::new() }));
    }
    stands_to(store, Word::read(dir)?).await
}

/// The same against `word` instead of the file.
pub async fn stands_to(store: &Store, word: Option<Word>) -> Case<Standing> {
    let seq = word.as_ref().map_or(0, |w| w.seq);
    let (identity, quarantine, newest, line) = store
        .read(move |r| {
            let (newest, _) = r.audit_head()?;
            Ok::<_, StoreError>((r.identity()?, r.quarantine()?, newest, r.audit_line(seq)?))
        })
        .await?;
    if let Some(quarantine) = quarantine {
        return Ok(Standing::Doubted(quarantine.doubt));
    }
    let doubt = match (identity, word) {
        (None, None) => return Ok(Standing::New),
        // Every engine leaves an identity behind: this database is older than the file.
        (None, Some(_)) => Doubt::SetBack,
        (Some(_), None) => Doubt::NoWord,
        (Some(identity), Some(word)) => match () {
            () if word.id != identity.id => Doubt::OtherHouse,
            () if newest < word.seq => Doubt::SetBack,
            () if line != Some(word.line) => Doubt::OtherPast,
            () if footing(store).await? != identity.footing => Doubt::Moved,
            () => return Ok(Standing::Known(identity)),
        },
    };
    Ok(Standing::Doubted(doubt))
}

/// Makes the house, where it stands now, the one that this machine knows: at its first start,
/// and when the team re-arms. Ends a quarantine.
pub async fn settle(house: &House, actor: Actor, verb: &'static str, why: &str) -> Case<Identity> {
    let identity = fresh(house).await?;
    let deed = house.deed(actor, verb, Subject::house()).detail(why);
    let new = identity.clone();
    let written = house.store.write(&deed, move |tx| {
        tx.set_identity(&new)?;
        tx.set_quarantine(None)
    });
    written.await?;
    keep(&house.store, &house.dir, &identity.id).await?;
    Ok(identity)
}

/// A new name for the house where it stands now.
pub(super) async fn fresh(house: &House) -> Case<Identity> {
    let id = hex::encode(random::<16>(house.rng.as_ref()));
    Ok(Identity { id, footing: footing(&house.store).await? })
}

/// What can be seen of house `id` by now.
pub async fn newest(store: &Store, id: &str) -> Case<Word> {
    let (seq, line) = store.read(|r| r.audit_head()).await?;
    Ok(Word { id: id.to_owned(), seq, line })
}

/// Writes down what this machine has seen of house `id` by now.
pub async fn keep(store: &Store, dir: &Path, id: &str) -> Case<Word> {
    let word = newest(store, id).await?;
    if !is_imagined(store) {
        word.write(dir)?;
    }
    Ok(word)
}

/// A database in memory dies with its process: no copy of it can ever be taken for it.
fn is_imagined(store: &Store) -> bool {
    matches!(store.place(), Place::Memory(_))
}

/// Forbids every act, if that is not so already.
pub async fn quarantine(house: &House, actor: Actor, doubt: Doubt) -> Case<()> {
    let deed = house.deed(actor, "house-quarantine", Subject::house()).detail(doubt.code());
    let new = Quarantine { doubt, since: house.now(), rearmed: Vec::new() };
    let written = house.store.write(&deed, move |tx| match tx.quarantine()? {
        Some(_) => Ok::<_, StoreError>(()),
        None => tx.set_quarantine(Some(&new)),
    });
    Ok(written.await?)
}

/// Refuses what would send something from a house that may be a copy.
pub async fn refuse_a_copy(house: &House) -> Case<()> {
    match stands(&house.store, &house.dir).await? {
        Standing::Doubted(doubt) => Err(CaseError::not_now(
            format!("the house is in quarantine: {}", doubt.words()),
            "look with `daybreak doctor`, then `daybreak house rearm`",
        )),
        Standing::New | Standing::Known(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_was_written_and_nonsense_is_another_house() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Word::read(dir.path()).unwrap(), None);
        let word = Word { id: "ab".repeat(16), seq: 7, line: Sha256::of(b"7") };
        word.write(dir.path()).unwrap();
        assert_eq!(Word::read(dir.path()).unwrap(), Some(word));
        std::fs::write(dir.path().join(HOUSE_ID), "daybreak-house 2\n").unwrap();
        assert_eq!(Word::read(dir.path()).unwrap().unwrap().id, "");
    }
}
