//! Steps and their append-only log. What a step does stands sealed in its plan's MANIFEST;
//! here is what the engine needs to choose one. State, attempt and next_try are caches of
//! the log.

use diesel::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::schema::{step_events, steps};
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::ids::{EventId, PlanId, StepId};
use crate::domain::plan::{Phase, Plan, Step};
use crate::domain::receipt::Repeat;
use crate::domain::run::Progress;
use crate::domain::time::At;

const TABLE: &str = "steps";
const EVENTS: &str = "step_events";

/// The state of a step nothing has happened to.
const INITIAL: &str = "waiting";

/// The clear part of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// Id.
    pub id: StepId,
    /// Of which plan.
    pub plan: PlanId,
    /// Place in the plan, from 0.
    pub position: i32,
    /// Name of the outlet.
    pub outlet: String,
    /// When within the day.
    pub phase: Phase,
    /// Never before this.
    pub not_before: At,
    /// Steps that must be settled first.
    pub after: Vec<StepId>,
    /// Cached state, a word of the step machine.
    pub state: String,
    /// Cached number of attempts.
    pub attempt: i32,
    /// Cached time of the next try.
    pub next_try: Option<At>,
}

/// One line of a plan's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent<T> {
    /// Id.
    pub id: EventId,
    /// Of which step.
    pub step: StepId,
    /// 1, 2, … within the plan.
    pub number: i64,
    /// When.
    pub at: At,
    /// The leader's epoch.
    pub epoch: i64,
    /// A fixed word.
    pub kind: String,
    /// What was sealed with it.
    pub record: T,
}

#[derive(Queryable)]
struct Row {
    id: String,
    plan: String,
    position: i32,
    outlet: String,
    phase: String,
    not_before: i64,
    after: String,
    state: String,
    attempt: i32,
    next_try: Option<i64>,
}

type EventRow = (String, String, String, i64, i64, i64, String, Vec<u8>);

impl Reader<'_> {
    /// Every step of a plan, in its order.
    pub fn steps(&mut self, plan: PlanId) -> Result<Vec<StepRow>, StoreError> {
        let rows = steps::table
            .filter(steps::plan.eq(plan.to_string()))
            .order(steps::position)
            .load::<Row>(self.conn)?;
        rows.into_iter().map(as_step).collect()
    }

    /// The plan of a step.
    pub fn plan_of(&mut self, step: StepId) -> Result<Plan, StoreError> {
        let row = steps::table.find(step.to_string()).select(steps::plan);
        let plan: Option<String> = row.first(self.conn).optional()?;
        let plan = plan.ok_or(StoreError::NotFound("step"))?;
        self.plan(parse(&plan, TABLE, &step.to_string(), "plan")?)
    }

    /// A plan's log after line `after` (0 for all of it), oldest first.
    pub fn step_events<T: DeserializeOwned>(
        &mut self,
        plan: PlanId,
        after: i64,
    ) -> Result<Vec<StoredEvent<T>>, StoreError> {
        let rows = step_events::table
            .filter(step_events::plan.eq(plan.to_string()))
            .filter(step_events::number.gt(after))
            .order(step_events::number)
            .load::<EventRow>(self.conn)?;
        let as_event = |(id, _, step, number, at, epoch, kind, sealed): EventRow| {
            Ok(StoredEvent {
                record: self.unseal(EVENTS, &id, &sealed)?,
                id: parse(&id, EVENTS, &id, "id")?,
                step: parse(&step, EVENTS, &id, "step")?,
                number,
                at: At::from_millis(at),
                epoch,
                kind,
            })
        };
        rows.into_iter().map(as_event).collect()
    }

    /// One step of a plan, however many it has.
    pub fn step(&mut self, plan: PlanId, step: StepId) -> Result<StepRow, StoreError> {
        let row = steps::table
            .find(step.to_string())
            .filter(steps::plan.eq(plan.to_string()))
            .first::<Row>(self.conn)
            .optional()?;
        as_step(row.ok_or(StoreError::NotFound("step"))?)
    }

    /// Whether a person vouched for a step of a plan or decided against it. The plan is named
    /// because its log, and no other, can be found at once.
    pub fn is_settled_by_hand(&mut self, plan: PlanId, step: StepId) -> Result<bool, StoreError> {
        let by_hand = step_events::table
            .filter(step_events::plan.eq(plan.to_string()))
            .filter(step_events::step.eq(step.to_string()))
            .filter(step_events::kind.eq("by-hand").or(step_events::kind.eq("skipped")))
            .select(step_events::number);
        Ok(by_hand.first::<i64>(self.conn).optional()?.is_some())
    }
}

fn as_step(row: Row) -> Result<StepRow, StoreError> {
    let phase = Phase::from_word(&row.phase);
    let after = row.after.split_whitespace().map(|id| parse(id, TABLE, &row.id, "after"));
    Ok(StepRow {
        id: parse(&row.id, TABLE, &row.id, "id")?,
        plan: parse(&row.plan, TABLE, &row.id, "plan")?,
        position: row.position,
        phase: phase.ok_or_else(|| StoreError::inconsistent(TABLE, &row.id, "phase"))?,
        not_before: At::from_millis(row.not_before),
        after: after.collect::<Result<_, _>>()?,
        outlet: row.outlet,
        state: row.state,
        attempt: row.attempt,
        next_try: row.next_try.map(At::from_millis),
    })
}

impl Tx<'_> {
    pub(super) fn add_steps(&mut self, plan: PlanId, steps: &[Step]) -> Result<(), StoreError> {
        for (position, step) in (0..).zip(steps) {
            let after: Vec<_> = step.after.iter().map(ToString::to_string).collect();
            let row = (
                steps::id.eq(step.id.to_string()),
                steps::plan.eq(plan.to_string()),
                steps::position.eq(position),
                steps::outlet.eq(&step.outlet),
                steps::phase.eq(step.phase.word()),
                steps::not_before.eq(step.not_before.millis()),
                steps::after.eq(after.join(" ")),
                steps::state.eq(INITIAL),
                steps::attempt.eq(0),
            );
            diesel::insert_into(steps::table)
                .values(row)
                .execute(self.conn)
                .map_err(|e| self.refused(e, StoreError::Conflict("step")))?;
        }
        Ok(())
    }

    /// Writes what the log amounts to into the cached columns.
    pub fn cache_step(
        &mut self,
        step: StepId,
        progress: &Progress,
        repeat: Repeat,
    ) -> Result<(), StoreError> {
        let attempts = i32::try_from(progress.attempts).unwrap_or(i32::MAX);
        let changed = diesel::update(steps::table.find(step.to_string()))
            .set((
                steps::state.eq(progress.status.word()),
                steps::attempt.eq(attempts),
                steps::next_try.eq(progress.wakes_at(repeat).map(At::millis)),
            ))
            .execute(self.conn)?;
        one(changed, StoreError::NotFound("step"))
    }

    /// One line more in a plan's log, at the deed's time; returns its number. The same event
    /// once more is the line it was: whoever never heard that it was taken may repeat it.
    pub fn add_step_event<T: Serialize>(
        &mut self,
        id: EventId,
        (plan, step): (PlanId, StepId),
        epoch: i64,
        kind: &'static str,
        record: &T,
    ) -> Result<i64, StoreError> {
        let known = step_events::table
            .find(id.to_string())
            .filter(step_events::step.eq(step.to_string()))
            .select(step_events::number)
            .first(self.conn)
            .optional()?;
        if let Some(number) = known {
            return Ok(number);
        }
        let newest: Option<i64> = step_events::table
            .filter(step_events::plan.eq(plan.to_string()))
            .select(diesel::dsl::max(step_events::number))
            .first(self.conn)?;
        let number = newest.unwrap_or(0).saturating_add(1);
        let row = (
            step_events::id.eq(id.to_string()),
            step_events::plan.eq(plan.to_string()),
            step_events::step.eq(step.to_string()),
            step_events::number.eq(number),
            step_events::at.eq(self.deed.at.millis()),
            step_events::epoch.eq(epoch),
            step_events::kind.eq(kind),
            step_events::sealed.eq(self.seal(EVENTS, id, record)?),
        );
        match diesel::insert_into(step_events::table).values(row).execute(self.conn) {
            Ok(_) => Ok(number),
            Err(e) => Err(self.refused(e, StoreError::Conflict("step"))),
        }
    }
}
