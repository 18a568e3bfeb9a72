//! Whether the engine's house is the one its machine knows. Looked at when it takes the lead,
//! at every beat, and whenever the database went backwards: a house that may be a copy takes no
//! intent and writes no GO, and the team is called.

use super::{Engine, EngineError};
use crate::casework::identity::{self, Standing, Word};
use crate::casework::{CaseError, House};
use crate::domain::deed::{Actor, Subject};
use crate::domain::quarantine::{Doubt, Quarantine};
use crate::store::Place;

/// What the engine knows of its house.
#[derive(Default)]
pub(super) struct Known {
    /// What this machine remembers, as its file says.
    word: Option<Word>,
    /// Most writes that were seen.
    writes: i64,
    /// Why it may not act.
    quarantine: Option<Quarantine>,
    /// Whether the machine's own word could not be read or written.
    mute: bool,
}

impl Known {
    /// Whether something new may begin. What GO opened goes on in any case.
    pub(super) const fn is_sure(&self) -> bool {
        !self.mute
    }
}

/// Said when the file beside the vault key cannot be read or written.
const UNUSABLE: &str = "house-id-unusable";

/// Refuses to lead a server's database that this machine has no word of: it may be a copy, and
/// other machines may lead the true one.
pub(super) async fn refuse_a_stranger(house: &House) -> Result<(), EngineError> {
    match identity::stands(&house.store, &house.dir).await? {
        Standing::Doubted(doubt @ (Doubt::NoWord | Doubt::OtherHouse)) if has_server(house) => {
            // In quarantine it may lead: nothing is sent, and somebody must call the team.
            match house.store.read(|r| r.quarantine()).await? {
                Some(_) => Ok(()),
                None => Err(EngineError::Stranger(doubt)),
            }
        }
        _ => Ok(()),
    }
}

/// Whether only the machine's own word speaks against it.
const fn is_strange(standing: &Standing) -> bool {
    matches!(standing, Standing::Doubted(Doubt::NoWord | Doubt::OtherHouse))
}

fn has_server(house: &House) -> bool {
    matches!(house.store.place(), Place::Postgres(_))
}

impl Engine {
    /// At every beat: the house is still the one that is known, and the machine remembers it.
    /// A full disk or an unreadable file beside the vault key is no reason to leave a day
    /// half-way: it lets nothing new begin, and people hear of it.
    pub(super) async fn know_the_house(&mut self) -> Result<(), EngineError> {
        match self.compare().await {
            Err(e) if !e.is_fatal() => {
                self.page(Subject::house(), UNUSABLE, None);
                // Whoever never knew the house begins nothing at all.
                if self.known.word.is_none() {
                    return Err(e);
                }
                self.known.mute = true;
                Ok(())
            }
            Ok(()) if self.known.mute => {
                self.known.mute = false;
                self.alarms.pass(&Subject::house(), UNUSABLE);
                Ok(())
            }
            other => other,
        }
    }

    async fn compare(&mut self) -> Result<(), EngineError> {
        if self.known.quarantine.is_some() {
            return Ok(());
        }
        let mut standing = identity::stands(&self.store, &self.house.dir).await;
        // The file was lost or spoilt under an engine that knows its house all the same.
        let lost = match &standing {
            Ok(standing) => is_strange(standing),
            Err(e) => matches!(e, CaseError::Machine { .. }),
        };
        if let (true, Some(word)) = (lost, self.known.word.clone()) {
            standing = identity::stands_to(&self.store, Some(word)).await;
        }
        match standing? {
            Standing::New => {
                let actor = Actor::Engine(self.lead.holder);
                identity::settle(&self.house, actor, "house-begin", "the first start").await?;
            }
            // What is already written down for everybody ends nobody.
            Standing::Doubted(_) if self.store.read(|r| r.quarantine()).await?.is_some() => {
                self.known.quarantine = self.store.read(|r| r.quarantine()).await?;
            }
            // Only this machine is not told which house it is; the others go on.
            Standing::Doubted(doubt @ (Doubt::NoWord | Doubt::OtherHouse))
                if has_server(&self.house) =>
            {
                return Err(EngineError::Stranger(doubt));
            }
            Standing::Doubted(doubt) => self.doubt(doubt).await?,
            Standing::Known(known) => {
                if self.known.word.is_none() {
                    self.known.word = Word::read(&self.house.dir)?;
                }
                let (seq, _) = self.store.read(|r| r.audit_head()).await?;
                if lost || self.known.word.as_ref().is_none_or(|w| w.seq < seq) {
                    // What was seen is written down before anything more is done with it.
                    self.known.word =
                        Some(identity::keep(&self.store, &self.house.dir, &known.id).await?);
                }
            }
        }
        Ok(())
    }

    /// After a change of the database: whether somebody forbade or permitted to act, and
    /// whether it lost what was written.
    pub(super) async fn notice_quarantine(&mut self, writes: i64) -> Result<(), EngineError> {
        if writes < self.known.writes {
            self.doubt(Doubt::SetBack).await?;
        }
        self.known.writes = self.known.writes.max(writes);
        let found = self.store.read(|r| r.quarantine()).await?;
        if let (None, Some(over)) = (&found, &self.known.quarantine) {
            // The team let it act again: what the machine knows now is what it wrote then. The
            // next beat writes it down.
            self.alarms.pass(&Subject::house(), over.doubt.code());
            let word = match self.store.read(|r| r.identity()).await? {
                Some(identity) => Some(identity::newest(&self.store, &identity.id).await?),
                None => None,
            };
            self.known = Known { writes, word, ..Known::default() };
            self.beaten_at = None;
        }
        self.known.quarantine = found;
        Ok(())
    }

    async fn doubt(&mut self, doubt: Doubt) -> Result<(), EngineError> {
        let actor = Actor::Engine(self.lead.holder);
        identity::quarantine(&self.house, actor, doubt).await?;
        self.known.quarantine = self.store.read(|r| r.quarantine()).await?;
        // As many as there are now: it is not set back again by the same loss.
        self.known.writes = self.store.revision().await?;
        self.seen_revision = -1;
        Ok(())
    }

    /// Whether nothing may be done but to call people, which is done here.
    pub(super) fn is_quarantined(&mut self) -> bool {
        let Some(quarantine) = &self.known.quarantine else { return false };
        let code = quarantine.doubt.code();
        self.page(Subject::house(), code, None);
        self.watch_quarantined(self.house.now());
        self.mind_bells();
        // What was made ready is made again once it may act: the world is looked at first.
        for (_, intended) in std::mem::take(&mut self.ready) {
            self.busy.remove(&intended.step);
        }
        true
    }
}
