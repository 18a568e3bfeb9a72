//! Advisories and every revision of their texts. The public id is found again by a keyed
//! digest: it is as secret as the text until T0.

use diesel::prelude::*;

use super::schema::{advisories, advisory_revisions};
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::advisory::{Advisory, AdvisoryText};
use crate::domain::deed::Actor;
use crate::domain::ids::AdvisoryId;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

const TABLE: &str = "advisories";
const HISTORY: &str = "advisory_revisions";
const MISSING: StoreError = StoreError::NotFound("advisory");

type Row = (String, i64, i64, i64, Option<i64>, Vec<u8>, Vec<u8>);

/// What an advisory said once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvisoryRevision {
    /// 1, 2, …
    pub revision: i64,
    /// When it was written.
    pub at: At,
    /// By whom.
    pub actor: Actor,
    /// The text.
    pub text: Embargoed<AdvisoryText>,
}

impl Reader<'_> {
    /// One advisory.
    pub fn advisory(&mut self, id: AdvisoryId) -> Result<Advisory, StoreError> {
        let row = advisories::table.find(id.to_string()).first::<Row>(self.conn).optional()?;
        self.as_advisory(row.ok_or(MISSING)?)
    }

    /// The advisory the world will know by `public_id`, written exactly so.
    pub fn advisory_by_public_id(&mut self, public_id: &str) -> Result<Advisory, StoreError> {
        let lookup = self.lookup_of(public_id);
        let found = advisories::table.filter(advisories::lookup.eq(lookup));
        let row = found.first::<Row>(self.conn).optional()?;
        self.as_advisory(row.ok_or(MISSING)?)
    }

    /// Every advisory, oldest first.
    pub fn advisories(&mut self) -> Result<Vec<Advisory>, StoreError> {
        let rows = advisories::table.order(advisories::id).load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_advisory(row)).collect()
    }

    /// Every revision of one advisory, oldest first.
    pub fn advisory_revisions(
        &mut self,
        id: AdvisoryId,
    ) -> Result<Vec<AdvisoryRevision>, StoreError> {
        let rows = advisory_revisions::table
            .filter(advisory_revisions::advisory.eq(id.to_string()))
            .order(advisory_revisions::revision)
            .load::<(String, i64, i64, String, Vec<u8>)>(self.conn)?;
        let as_revision =
            |(advisory, revision, at, actor, sealed): (String, _, _, String, Vec<u8>)| {
                let row = history_row(&advisory, revision);
                let text = Embargoed::new(self.unseal(HISTORY, &row, &sealed)?);
                let actor = parse(&actor, HISTORY, &row, "actor")?;
                Ok(AdvisoryRevision { revision, at: At::from_millis(at), actor, text })
            };
        rows.into_iter().map(as_revision).collect()
    }

    fn as_advisory(&self, row: Row) -> Result<Advisory, StoreError> {
        let (id, revision, created_at, updated_at, withdrawn_at, lookup, sealed) = row;
        let text: AdvisoryText = self.unseal(TABLE, &id, &sealed)?;
        if lookup != self.lookup_of(&text.public_id) {
            return Err(StoreError::inconsistent(TABLE, id, "lookup"));
        }
        Ok(Advisory {
            id: parse(&id, TABLE, &id, "id")?,
            revision,
            created_at: At::from_millis(created_at),
            updated_at: At::from_millis(updated_at),
            withdrawn_at: withdrawn_at.map(At::from_millis),
            text: Embargoed::new(text),
        })
    }

    fn lookup_of(&self, public_id: &str) -> Vec<u8> {
        self.vault.lookup(TABLE, "lookup", public_id).to_vec()
    }
}

impl Tx<'_> {
    /// A new advisory, as revision 1, made at the deed's time; `PublicIdTaken` when its
    /// public id is another's.
    pub fn add_advisory(
        &mut self,
        id: AdvisoryId,
        text: &Embargoed<AdvisoryText>,
    ) -> Result<(), StoreError> {
        let open = text.open(Reason::Sealing);
        let now = self.deed.at.millis();
        let row = (
            advisories::id.eq(id.to_string()),
            advisories::revision.eq(1),
            advisories::created_at.eq(now),
            advisories::updated_at.eq(now),
            advisories::lookup.eq(self.lookup_of(&open.public_id)),
            advisories::sealed.eq(self.seal(TABLE, id, open)?),
        );
        match diesel::insert_into(advisories::table).values(row).execute(self.conn) {
            Ok(_) => self.keep_revision(id, 1, open),
            Err(e) => Err(self.refused(e, StoreError::PublicIdTaken)),
        }
    }

    /// The next revision of an advisory's text, made at the deed's time by its actor.
    /// `Conflict` when `seen` is not the newest revision any more. Returns the new revision.
    pub fn revise_advisory(
        &mut self,
        id: AdvisoryId,
        seen: i64,
        text: &Embargoed<AdvisoryText>,
    ) -> Result<i64, StoreError> {
        let open = text.open(Reason::Sealing);
        let next = seen.saturating_add(1);
        let change = (
            advisories::revision.eq(next),
            advisories::updated_at.eq(self.deed.at.millis()),
            advisories::lookup.eq(self.lookup_of(&open.public_id)),
            advisories::sealed.eq(self.seal(TABLE, id, open)?),
        );
        let newest = advisories::table
            .filter(advisories::id.eq(id.to_string()))
            .filter(advisories::revision.eq(seen));
        match diesel::update(newest).set(change).execute(self.conn) {
            Ok(0) => {
                self.advisory(id)?;
                Err(StoreError::Conflict("advisory"))
            }
            Ok(_) => self.keep_revision(id, next, open).map(|()| next),
            Err(e) => Err(self.refused(e, StoreError::PublicIdTaken)),
        }
    }

    /// Takes an advisory back at the deed's time; it stays. `Conflict` when it was before.
    pub fn withdraw_advisory(&mut self, id: AdvisoryId) -> Result<(), StoreError> {
        let standing = advisories::table
            .filter(advisories::id.eq(id.to_string()))
            .filter(advisories::withdrawn_at.is_null());
        let now = self.deed.at.millis();
        let change = advisories::withdrawn_at.eq(Some(now));
        let changed = diesel::update(standing).set(change).execute(self.conn)?;
        one(changed, StoreError::Conflict("advisory"))
    }

    fn keep_revision(
        &mut self,
        id: AdvisoryId,
        revision: i64,
        text: &AdvisoryText,
    ) -> Result<(), StoreError> {
        let id = id.to_string();
        let sealed = self.seal(HISTORY, history_row(&id, revision), text)?;
        let row = (
            advisory_revisions::advisory.eq(id),
            advisory_revisions::revision.eq(revision),
            advisory_revisions::at.eq(self.deed.at.millis()),
            advisory_revisions::actor.eq(self.deed.actor.to_string()),
            advisory_revisions::sealed.eq(sealed),
        );
        match diesel::insert_into(advisory_revisions::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("advisory"))),
        }
    }
}

fn history_row(advisory: &str, revision: i64) -> String {
    format!("{advisory}/{revision}")
}
