//! Who may approve.

use diesel::prelude::*;

use super::schema::members;
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::ids::MemberId;
use crate::domain::party::Member;
use crate::domain::secret::{Embargoed, Reason};

const TABLE: &str = "members";
const MISSING: StoreError = StoreError::NotFound("member");

type Row = (String, bool, i64, Vec<u8>);

impl Reader<'_> {
    /// One member.
    pub fn member(&mut self, id: MemberId) -> Result<Member, StoreError> {
        let row = members::table.find(id.to_string()).first::<Row>(self.conn).optional()?;
        self.as_member(row.ok_or(MISSING)?)
    }

    /// Every member, active or not, oldest first.
    pub fn members(&mut self) -> Result<Vec<Member>, StoreError> {
        let rows = members::table.order(members::id).load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_member(row)).collect()
    }

    /// Every active member who can be read: one damaged row must not silence the others.
    pub fn active_members(&mut self) -> Result<Vec<Member>, StoreError> {
        let rows = members::table
            .filter(members::active.eq(true))
            .order(members::id)
            .load::<Row>(self.conn)?;
        let read = |row: Row| {
            let id = row.0.clone();
            let member = self.as_member(row);
            if member.is_err() {
                tracing::error!(member = %id, "a member cannot be read");
            }
            member.ok()
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    fn as_member(&self, (id, active, _, sealed): Row) -> Result<Member, StoreError> {
        let record = Embargoed::new(self.unseal(TABLE, &id, &sealed)?);
        Ok(Member { id: parse(&id, TABLE, &id, "id")?, active, record })
    }
}

impl Tx<'_> {
    /// A new member.
    pub fn add_member(&mut self, member: &Member) -> Result<(), StoreError> {
        let row = (
            members::id.eq(member.id.to_string()),
            members::active.eq(member.active),
            members::created_at.eq(self.deed.at.millis()),
            members::sealed.eq(self.seal(TABLE, member.id, member.record.open(Reason::Sealing))?),
        );
        match diesel::insert_into(members::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("member"))),
        }
    }

    /// A member's new record and state, over the old ones.
    pub fn save_member(&mut self, member: &Member) -> Result<(), StoreError> {
        let sealed = self.seal(TABLE, member.id, member.record.open(Reason::Sealing))?;
        let saved = diesel::update(members::table.find(member.id.to_string()))
            .set((members::active.eq(member.active), members::sealed.eq(sealed)))
            .execute(self.conn)?;
        one(saved, MISSING)
    }
}
