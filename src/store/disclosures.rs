//! Embargoes. Stage and T0 stand in clear; the case and the zone, which tells where the team
//! lives, are sealed.

use chrono_tz::Tz;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::disclosures;
use super::tx::{one, parse, parse_or_skip};
use super::{Reader, StoreError, Tx};
use crate::domain::disclosure::{Case, Disclosure};
use crate::domain::ids::DisclosureId;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::{Move, Stage};
use crate::domain::time::At;
use crate::domain::zone::T0;

const TABLE: &str = "disclosures";

type Row = (String, i64, String, Option<i64>, i64, Vec<u8>);

#[derive(Serialize)]
struct Sealing<'a> {
    case: &'a Case,
    zone: Option<Tz>,
}

#[derive(Deserialize)]
struct Sealed {
    case: Case,
    zone: Option<Tz>,
}

impl Reader<'_> {
    /// One disclosure.
    pub fn disclosure(&mut self, id: DisclosureId) -> Result<Disclosure, StoreError> {
        let row = disclosures::table.find(id.to_string()).first::<Row>(self.conn).optional()?;
        self.as_disclosure(row.ok_or(StoreError::NotFound("disclosure"))?)
    }

    /// Who knows of it, and its instant: the case stays closed.
    pub fn disclosure_stands(
        &mut self,
        id: DisclosureId,
    ) -> Result<(Stage, Option<At>), StoreError> {
        let row = disclosures::table.find(id.to_string());
        let row = row.select((disclosures::stage, disclosures::t0));
        let found = row.first::<(String, Option<i64>)>(self.conn).optional()?;
        let (stage, t0) = found.ok_or(StoreError::NotFound("disclosure"))?;
        let stage = Stage::from_word(&stage);
        let stage = stage.ok_or_else(|| StoreError::inconsistent(TABLE, id, "stage"))?;
        Ok((stage, t0.map(At::from_millis)))
    }

    /// Every disclosure, oldest first.
    pub fn disclosures(&mut self) -> Result<Vec<Disclosure>, StoreError> {
        let rows = disclosures::table.order(disclosures::id).load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_disclosure(row)).collect()
    }

    fn as_disclosure(&self, row: Row) -> Result<Disclosure, StoreError> {
        let (id, revision, stage, t0, created_at, sealed) = row;
        let wrong = |column| StoreError::inconsistent(TABLE, &id, column);
        let Sealed { case, zone } = self.unseal(TABLE, &id, &sealed)?;
        let t0 = match (t0, zone) {
            (None, None) => None,
            (Some(at), Some(zone)) => Some(T0 { at: At::from_millis(at), zone }),
            _ => return Err(wrong("t0")),
        };
        Ok(Disclosure {
            id: parse(&id, TABLE, &id, "id")?,
            revision,
            stage: Stage::from_word(&stage).ok_or_else(|| wrong("stage"))?,
            t0,
            created_at: At::from_millis(created_at),
            case: Embargoed::new(case),
        })
    }

    fn seal_case(&self, of: &Disclosure) -> Result<Vec<u8>, StoreError> {
        let case = of.case.open(Reason::Sealing);
        self.seal(TABLE, of.id, &Sealing { case, zone: of.t0.map(|t| t.zone) })
    }
}

/// A disclosure whose instant is set and whose GO is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// Which.
    pub disclosure: DisclosureId,
    /// Its instant.
    pub t0: At,
    /// Whether anybody outside was told of it.
    pub told: bool,
}

impl Reader<'_> {
    /// Disclosures that were given up and whose instant is later than `since`: those who were
    /// told may still count on it.
    pub fn cancelled(&mut self, since: At) -> Result<Vec<DisclosureId>, StoreError> {
        let rows = disclosures::table
            .filter(disclosures::stage.eq(Stage::Cancelled.word()))
            .filter(disclosures::t0.gt(since.millis()))
            .select(disclosures::id)
            .load::<String>(self.conn)?;
        rows.iter().map(|id| parse(id, "disclosures", id, "id")).collect()
    }

    /// Every disclosure that is neither public nor given up: clear columns only.
    pub fn under_way(&mut self) -> Result<Vec<DisclosureId>, StoreError> {
        let rows = disclosures::table
            .filter(disclosures::stage.ne(Stage::Public.word()))
            .filter(disclosures::stage.ne(Stage::Cancelled.word()))
            .select(disclosures::id)
            .load::<String>(self.conn)?;
        rows.iter().map(|id| parse(id, "disclosures", id, "id")).collect()
    }

    /// Every disclosure that is not over, oldest first: clear columns only.
    pub fn open_disclosures(&mut self) -> Result<Vec<DisclosureId>, StoreError> {
        let open = Stage::ALL.into_iter().filter(|s| s.is_open()).map(Stage::word);
        let rows = disclosures::table
            .filter(disclosures::stage.eq_any(open.collect::<Vec<_>>()))
            .order(disclosures::id)
            .select(disclosures::id)
            .load::<String>(self.conn)?;
        rows.iter().map(|id| parse(id, "disclosures", id, "id")).collect()
    }

    /// Every disclosure whose instant is set and whose GO is not written: embargoes, and drafts
    /// with something to disclose. A row that names none is passed over.
    pub fn awaited(&mut self) -> Result<Vec<Awaited>, StoreError> {
        let open = [Stage::Embargoed, Stage::Drafting];
        let rows = disclosures::table
            .filter(disclosures::stage.eq_any(open.map(Stage::word)))
            .filter(disclosures::t0.is_not_null())
            .select((disclosures::id, disclosures::stage, disclosures::t0))
            .order(disclosures::id)
            .load::<(String, String, Option<i64>)>(self.conn)?;
        let mut all = Vec::new();
        for (id, stage, t0) in rows {
            let told = stage == Stage::Embargoed.word();
            let Some(disclosure) = parse_or_skip(&id, TABLE) else { continue };
            if let (Some(t0), true) = (t0, told || self.discloses_something(disclosure)?) {
                all.push(Awaited { disclosure, t0: At::from_millis(t0), told });
            }
        }
        Ok(all)
    }

    fn discloses_something(&mut self, id: DisclosureId) -> Result<bool, StoreError> {
        match self.disclosure(id) {
            Ok(disclosure) => {
                let case = disclosure.case.open(Reason::Judging);
                Ok(!case.advisories.is_empty() || !case.releases.is_empty())
            }
            Err(e @ (StoreError::Unavailable(_) | StoreError::Full)) => Err(e),
            // One draft that cannot be read must not keep the others from their day.
            Err(_) => Ok(true),
        }
    }
}

impl Tx<'_> {
    /// A new disclosure, as revision 1, made at the deed's time.
    pub fn add_disclosure(&mut self, new: &Disclosure) -> Result<(), StoreError> {
        let row = (
            disclosures::id.eq(new.id.to_string()),
            disclosures::revision.eq(1),
            disclosures::stage.eq(new.stage.word()),
            disclosures::t0.eq(new.t0.map(|t| t.at.millis())),
            disclosures::created_at.eq(self.deed.at.millis()),
            disclosures::sealed.eq(self.seal_case(new)?),
        );
        match diesel::insert_into(disclosures::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("disclosure"))),
        }
    }

    /// The next revision of a disclosure whose `revision` is the one that was read; T0 and
    /// case are written. The stage is `move_stage`'s alone. `Conflict` when it is not the newest any more. Returns the
    /// new revision.
    pub fn save_disclosure(&mut self, changed: &Disclosure) -> Result<i64, StoreError> {
        let next = changed.revision.saturating_add(1);
        let newest = disclosures::table
            .filter(disclosures::id.eq(changed.id.to_string()))
            .filter(disclosures::revision.eq(changed.revision));
        let saved = diesel::update(newest)
            .set((
                disclosures::revision.eq(next),
                disclosures::t0.eq(changed.t0.map(|t| t.at.millis())),
                disclosures::sealed.eq(self.seal_case(changed)?),
            ))
            .execute(self.conn)?;
        if saved == 1 {
            return Ok(next);
        }
        self.disclosure(changed.id)?;
        Err(StoreError::Conflict("disclosure"))
    }

    /// Moves a disclosure's stage as the table of moves says; no new revision, because its
    /// content did not change.
    pub fn move_stage(&mut self, id: DisclosureId, by: Move) -> Result<(), StoreError> {
        let (stage, _) = self.disclosure_stands(id)?;
        let next = stage.after(by).map_err(|_| StoreError::Conflict("disclosure"))?;
        if next == stage {
            return Ok(());
        }
        let there = disclosures::table
            .filter(disclosures::id.eq(id.to_string()))
            .filter(disclosures::stage.eq(stage.word()));
        let moved =
            diesel::update(there).set(disclosures::stage.eq(next.word())).execute(self.conn)?;
        one(moved, StoreError::Conflict("disclosure"))
    }
}
