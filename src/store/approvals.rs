//! Signed approvals, byte for byte as handed in, and wishes to start before T0. One of each a
//! person and plan: the database's unique keys decide, not a look beforehand.

use diesel::prelude::*;

use super::schema::{approvals, lifts};
use super::tx::parse;
use super::{Reader, StoreError, Tx};
use crate::domain::approval::{Approval, Lift};
use crate::domain::ids::PlanId;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;

const TABLE: &str = "approvals";
const LIFTS: &str = "lifts";

impl Reader<'_> {
    /// Every approval of a plan, oldest first.
    pub fn approvals(&mut self, plan: PlanId) -> Result<Vec<Approval>, StoreError> {
        type Row = (String, String, String, i64, Vec<u8>);
        let rows = approvals::table
            .filter(approvals::plan.eq(plan.to_string()))
            .order((approvals::at, approvals::id))
            .load::<Row>(self.conn)?;
        let as_approval = |(id, plan, member, at, sealed): Row| {
            // The row's name holds plan and member, so that no yes can be given to another
            // plan or put into another mouth by moving clear columns.
            let row = format!("{id}/{plan}/{member}");
            Ok(Approval {
                id: parse(&id, TABLE, &id, "id")?,
                plan: parse(&plan, TABLE, &id, "plan")?,
                member: parse(&member, TABLE, &id, "member")?,
                at: At::from_millis(at),
                signed: Embargoed::new(self.unseal_bytes(TABLE, row, &sealed)?),
            })
        };
        rows.into_iter().map(as_approval).collect()
    }

    /// Every wish to start a plan before T0, oldest first.
    pub fn lifts(&mut self, plan: PlanId) -> Result<Vec<Lift>, StoreError> {
        type Row = (String, String, i64, Vec<u8>);
        let rows = lifts::table
            .filter(lifts::plan.eq(plan.to_string()))
            .order((lifts::at, lifts::member))
            .load::<Row>(self.conn)?;
        let as_lift = |(plan, member, at, sealed): Row| {
            let row = format!("{plan}/{member}");
            Ok(Lift {
                plan: parse(&plan, LIFTS, &row, "plan")?,
                member: parse(&member, LIFTS, &row, "member")?,
                at: At::from_millis(at),
                reason: Embargoed::new(self.unseal(LIFTS, &row, &sealed)?),
            })
        };
        rows.into_iter().map(as_lift).collect()
    }
}

impl Tx<'_> {
    /// One more yes; `AlreadyApproved` when this member said it before.
    pub fn add_approval(&mut self, new: &Approval) -> Result<(), StoreError> {
        let name = format!("{}/{}/{}", new.id, new.plan, new.member);
        let row = (
            approvals::id.eq(new.id.to_string()),
            approvals::plan.eq(new.plan.to_string()),
            approvals::member.eq(new.member.to_string()),
            approvals::at.eq(new.at.millis()),
            approvals::sealed.eq(self.seal_bytes(TABLE, name, new.signed.open(Reason::Sealing))?),
        );
        match diesel::insert_into(approvals::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::AlreadyApproved)),
        }
    }

    /// One more wish for an early start; `AlreadyLifted` when this member had it before.
    pub fn add_lift(&mut self, new: &Lift) -> Result<(), StoreError> {
        let name = format!("{}/{}", new.plan, new.member);
        let row = (
            lifts::plan.eq(new.plan.to_string()),
            lifts::member.eq(new.member.to_string()),
            lifts::at.eq(new.at.millis()),
            lifts::sealed.eq(self.seal(LIFTS, name, new.reason.open(Reason::Sealing))?),
        );
        match diesel::insert_into(lifts::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::AlreadyLifted)),
        }
    }
}
