//! Whether the engine's house is the one its machine knows. Looked at when it takes the lead,
//! at every beat, and whenever the database went backwards: a house that may be a copy takes no
//! intent and writes no GO, and the team is called.

use super::{Engine, EngineError};
use crate::casework::House;
use crate::casework::identity::{self, Standing, Word};
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
}

/// Refuses to lead a server's database that this machine has no word of: it may be a copy, and
/// other machines may lead the true one.
pub(super) async fn refuse_a_stranger(house: &House) -> Result<(), EngineError> {
    match identity::stands(house).await? {
        Standing::Doubted(doubt @ (Doubt::NoWord | Doubt::OtherHouse)) if has_server(house) => {
            Err(EngineError::Stranger(doubt))
        }
        _ => Ok(()),
    }
}

fn has_server(house: &House) -> bool {
    matches!(house.store.place(), Place::Postgres(_))
}

impl Engine {
    /// At every beat: the house is still the one that is known, and the machine remembers it.
    pub(super) async fn know_the_house(&mut self) -> Result<(), EngineError> {
        if self.known.quarantine.is_some() {
            return Ok(());
        }
        match identity::stands(&self.house).await? {
            Standing::New => {
                let actor = Actor::Engine(self.lead.holder);
                identity::settle(&self.house, actor, "house-begin", "the first start").await?;
            }
            // Only this machine is not told which house it is; the others go on.
            Standing::Doubted(doubt @ (Doubt::NoWord | Doubt::OtherHouse))
                if has_server(&self.house) =>
            {
                return Err(EngineError::Stranger(doubt));
            }
            Standing::Doubted(doubt) => self.doubt(doubt).await?,
            Standing::Known(known) => {
                let (seq, _) = self.store.read(|r| r.audit_head()).await?;
                if self.known.word.as_ref().is_none_or(|w| w.seq < seq) {
                    // What was seen is written down before anything more is done with it.
                    self.known.word = Some(identity::keep(&self.house, &known.id).await?);
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
        if found.is_none() && self.known.quarantine.is_some() {
            // The team let it act again: what the machine knows now is what it wrote then.
            self.known = Known { writes, ..Known::default() };
            self.alarms.pass(&Subject::house(), "quarantine-");
            if let Some(identity) = self.store.read(|r| r.identity()).await? {
                self.known.word = Some(identity::keep(&self.house, &identity.id).await?);
            }
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
        true
    }
}
