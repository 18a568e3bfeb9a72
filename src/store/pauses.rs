//! Wishes to be asked before a phase of a plan begins: one a plan and phase, the newest. A row
//! is never deleted; what became of each wish stands in the audit.

use diesel::prelude::*;

use super::schema::pauses;
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::ids::{HolderId, PlanId};
use crate::domain::pause::{Pause, Word};
use crate::domain::plan::Phase;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::{At, Span};

const TABLE: &str = "pauses";
const MISSING: StoreError = StoreError::NotFound("pause");

impl Reader<'_> {
    /// The wishes about a plan that nobody has ended, in the phases' order.
    pub fn pauses(&mut self, plan: PlanId) -> Result<Vec<Pause>, StoreError> {
        type Row = (String, i64, Option<i64>, Option<String>, Vec<u8>);
        let rows = pauses::table
            .filter(pauses::plan.eq(plan.to_string()))
            .filter(pauses::ended.eq(false))
            .select((pauses::phase, pauses::holds, pauses::until, pauses::session, pauses::sealed))
            .load::<Row>(self.conn)?;
        let as_pause = |(phase, holds, until, session, sealed): Row| {
            let row = format!("{plan}/{phase}");
            // A pause delays and never stops: one that cannot be read must not stop the day.
            let word = self.unseal(TABLE, &row, &sealed).unwrap_or_else(|_| Word::unreadable());
            Some(Pause {
                phase: Phase::from_word(&phase)?,
                holds: Span::millis(holds),
                until: until.map(At::from_millis),
                session: session.and_then(|s| parse(&s, TABLE, &row, "session").ok()),
                word: Embargoed::new(word),
            })
        };
        let mut all: Vec<Pause> = rows.into_iter().filter_map(as_pause).collect();
        all.sort_by_key(|p| p.phase);
        Ok(all)
    }
}

impl Tx<'_> {
    /// Keeps a wish, in the place of an older one about the same phase.
    pub fn pause(&mut self, plan: PlanId, new: &Pause) -> Result<(), StoreError> {
        let (id, phase) = (plan.to_string(), new.phase.word());
        let row = format!("{plan}/{phase}");
        let values = (
            pauses::holds.eq(new.holds.as_millis()),
            pauses::until.eq(new.until.map(At::millis)),
            pauses::session.eq(new.session.map(|s| s.to_string())),
            pauses::ended.eq(false),
            pauses::sealed.eq(self.seal(TABLE, row, new.word.open(Reason::Sealing))?),
        );
        let there = pauses::table.find((&id, phase));
        let found = there.select(pauses::phase).first::<String>(self.conn).optional()?;
        if found.is_some() {
            let changed = diesel::update(there).set(values).execute(self.conn)?;
            return one(changed, MISSING);
        }
        let row = (pauses::plan.eq(&id), pauses::phase.eq(phase), values);
        match diesel::insert_into(pauses::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("pause"))),
        }
    }

    /// A terminal lives: its wishes hold until then. How many it still has.
    pub fn renew_pauses(
        &mut self,
        plan: PlanId,
        session: HolderId,
        until: At,
    ) -> Result<usize, StoreError> {
        let theirs = pauses::table
            .filter(pauses::plan.eq(plan.to_string()))
            .filter(pauses::session.eq(session.to_string()))
            .filter(pauses::ended.eq(false));
        let set = pauses::until.eq(until.millis());
        Ok(diesel::update(theirs).set(set).execute(self.conn)?)
    }

    /// Lets a phase begin.
    pub fn end_pause(&mut self, plan: PlanId, phase: Phase) -> Result<(), StoreError> {
        let open =
            pauses::table.find((plan.to_string(), phase.word())).filter(pauses::ended.eq(false));
        let changed = diesel::update(open).set(pauses::ended.eq(true)).execute(self.conn)?;
        one(changed, MISSING)
    }

    /// A terminal asks no more: nothing of it holds any longer.
    pub fn end_pauses_of(&mut self, plan: PlanId, session: HolderId) -> Result<(), StoreError> {
        let theirs = pauses::table
            .filter(pauses::plan.eq(plan.to_string()))
            .filter(pauses::session.eq(session.to_string()));
        diesel::update(theirs).set(pauses::ended.eq(true)).execute(self.conn)?;
        Ok(())
    }
}
