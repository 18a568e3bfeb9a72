//! Plans. Everything but state and hold is written once; the MANIFEST is opened only if it
//! still has the digest that was approved.

use diesel::prelude::*;

use super::schema::plans;
use super::tx::{one, parse, parse_or_skip};
use super::{Reader, StoreError, Tx};
use crate::domain::blob::Sha256;
use crate::domain::ids::{DisclosureId, PlanId};
use crate::domain::plan::{Plan, PlanKind, PlanState, Step};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

const TABLE: &str = "plans";
const MISSING: StoreError = StoreError::NotFound("plan");

#[derive(Queryable)]
struct Row {
    id: String,
    disclosure: String,
    number: i64,
    kind: String,
    state: String,
    held: bool,
    t0: i64,
    made_at: i64,
    digest: Vec<u8>,
    sealed: Vec<u8>,
}

impl Reader<'_> {
    /// One plan.
    pub fn plan(&mut self, id: PlanId) -> Result<Plan, StoreError> {
        let row = plans::table.find(id.to_string()).first::<Row>(self.conn).optional()?;
        self.as_plan(row.ok_or(MISSING)?)
    }

    /// How far a plan is, and whether a person holds it: its MANIFEST stays closed.
    pub fn plan_stands(&mut self, id: PlanId) -> Result<(PlanState, bool), StoreError> {
        let row = plans::table.find(id.to_string()).select((plans::state, plans::held));
        let (state, held): (String, bool) = row.first(self.conn).optional()?.ok_or(MISSING)?;
        let state = PlanState::from_word(&state);
        Ok((state.ok_or_else(|| StoreError::inconsistent(TABLE, id, "state"))?, held))
    }

    /// The plan of that number of a disclosure.
    pub fn plan_numbered(
        &mut self,
        disclosure: DisclosureId,
        number: i64,
    ) -> Result<Plan, StoreError> {
        let row = plans::table
            .filter(plans::disclosure.eq(disclosure.to_string()))
            .filter(plans::number.eq(number))
            .first::<Row>(self.conn)
            .optional()?;
        self.as_plan(row.ok_or(MISSING)?)
    }

    /// Every plan of a disclosure, by number.
    pub fn plans(&mut self, disclosure: DisclosureId) -> Result<Vec<Plan>, StoreError> {
        let rows = plans::table
            .filter(plans::disclosure.eq(disclosure.to_string()))
            .order(plans::number)
            .load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_plan(row)).collect()
    }

    /// Every plan the engine may work on, held ones too, oldest first. Ids only: one damaged
    /// plan must not hide the others, and a row that names none is passed over.
    pub fn live_plans(&mut self) -> Result<Vec<PlanId>, StoreError> {
        let live = PlanState::ALL.into_iter().filter(|s| s.is_live()).map(PlanState::word);
        let rows = plans::table
            .filter(plans::state.eq_any(live.collect::<Vec<_>>()))
            .order(plans::id)
            .select(plans::id)
            .load::<String>(self.conn)?;
        Ok(rows.iter().filter_map(|id| parse_or_skip(id, TABLE)).collect())
    }

    /// Plans of a disclosure that speak before T0 and may still be armed or go on, with their
    /// states. Ids only, for the same reason.
    pub fn plans_ahead(
        &mut self,
        disclosure: DisclosureId,
    ) -> Result<Vec<(PlanId, PlanState)>, StoreError> {
        let open = |s: &PlanState| s.is_live() || *s == PlanState::Made;
        let open = PlanState::ALL.into_iter().filter(open).map(PlanState::word);
        let rows = plans::table
            .filter(plans::disclosure.eq(disclosure.to_string()))
            .filter(plans::kind.eq_any([PlanKind::Notice.word(), PlanKind::Headsup.word()]))
            .filter(plans::state.eq_any(open.collect::<Vec<_>>()))
            .order(plans::number)
            .select((plans::id, plans::state))
            .load::<(String, String)>(self.conn)?;
        // Only states that are words were asked for.
        let read = |(id, state): &(String, String)| {
            Some((parse_or_skip(id, TABLE)?, PlanState::from_word(state)?))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The number a disclosure's next plan gets.
    pub fn next_plan_number(&mut self, disclosure: DisclosureId) -> Result<i64, StoreError> {
        let newest: Option<i64> = plans::table
            .filter(plans::disclosure.eq(disclosure.to_string()))
            .select(diesel::dsl::max(plans::number))
            .first(self.conn)?;
        Ok(newest.unwrap_or(0).saturating_add(1))
    }

    fn as_plan(&self, row: Row) -> Result<Plan, StoreError> {
        let wrong = |column| StoreError::inconsistent(TABLE, &row.id, column);
        let manifest = self.unseal_bytes(TABLE, &row.id, &row.sealed)?;
        let digest = Sha256::of(&manifest);
        if row.digest != digest.raw() {
            return Err(wrong("digest"));
        }
        Ok(Plan {
            id: parse(&row.id, TABLE, &row.id, "id")?,
            disclosure: parse(&row.disclosure, TABLE, &row.id, "disclosure")?,
            number: row.number,
            kind: PlanKind::from_word(&row.kind).ok_or_else(|| wrong("kind"))?,
            state: PlanState::from_word(&row.state).ok_or_else(|| wrong("state"))?,
            held: row.held,
            t0: At::from_millis(row.t0),
            made_at: At::from_millis(row.made_at),
            digest,
            manifest: Embargoed::new(String::from_utf8(manifest).map_err(|_| wrong("sealed"))?),
        })
    }
}

impl Tx<'_> {
    /// A new plan with its steps in order. Its digest must be its MANIFEST's.
    pub fn add_plan(&mut self, plan: &Plan, steps: &[Step]) -> Result<(), StoreError> {
        let manifest = plan.manifest.open(Reason::Sealing).as_bytes();
        if Sha256::of(manifest) != plan.digest {
            return Err(StoreError::inconsistent(TABLE, plan.id, "digest"));
        }
        let row = (
            plans::id.eq(plan.id.to_string()),
            plans::disclosure.eq(plan.disclosure.to_string()),
            plans::number.eq(plan.number),
            plans::kind.eq(plan.kind.word()),
            plans::state.eq(plan.state.word()),
            plans::held.eq(plan.held),
            plans::t0.eq(plan.t0.millis()),
            plans::made_at.eq(plan.made_at.millis()),
            plans::digest.eq(plan.digest.raw().to_vec()),
            plans::sealed.eq(self.seal_bytes(TABLE, plan.id, manifest)?),
        );
        match diesel::insert_into(plans::table).values(row).execute(self.conn) {
            Ok(_) => self.add_steps(plan.id, steps),
            Err(e) => Err(self.refused(e, StoreError::Conflict("plan"))),
        }
    }

    /// Moves a plan on; `Conflict` when its state is not `from` any more.
    pub fn move_plan(
        &mut self,
        id: PlanId,
        from: PlanState,
        to: PlanState,
    ) -> Result<(), StoreError> {
        let there =
            plans::table.filter(plans::id.eq(id.to_string())).filter(plans::state.eq(from.word()));
        let moved = diesel::update(there).set(plans::state.eq(to.word())).execute(self.conn)?;
        if moved == 0 {
            self.plan(id)?;
        }
        one(moved, StoreError::Conflict("plan"))
    }

    /// Holds a plan back, or lets it go on. Doing it twice is no error.
    pub fn hold_plan(&mut self, id: PlanId, held: bool) -> Result<(), StoreError> {
        let changed = diesel::update(plans::table.find(id.to_string()))
            .set(plans::held.eq(held))
            .execute(self.conn)?;
        one(changed, MISSING)
    }
}
