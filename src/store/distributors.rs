//! The confidential list. Names, addresses and certificates are sealed.

use diesel::prelude::*;

use super::schema::distributors;
use super::tx::{one, parse};
use super::{Reader, StoreError, Tx};
use crate::domain::ids::DistributorId;
use crate::domain::party::Distributor;
use crate::domain::secret::{Embargoed, Reason};

const TABLE: &str = "distributors";

type Row = (String, bool, i64, i64, Vec<u8>);

impl Reader<'_> {
    /// One distributor.
    pub fn distributor(&mut self, id: DistributorId) -> Result<Distributor, StoreError> {
        let row = distributors::table.find(id.to_string()).first::<Row>(self.conn).optional()?;
        self.as_distributor(row.ok_or(StoreError::NotFound("distributor"))?)
    }

    /// Every distributor, active or not, oldest first.
    pub fn distributors(&mut self) -> Result<Vec<Distributor>, StoreError> {
        let rows = distributors::table.order(distributors::id).load::<Row>(self.conn)?;
        rows.into_iter().map(|row| self.as_distributor(row)).collect()
    }

    /// The same as far as each opens, and what is wrong with the rows that do not: one damaged
    /// row is nobody else's trouble. For where a letter must go; whoever edits the list or plans
    /// by it needs it whole.
    pub fn distributors_that_open(
        &mut self,
    ) -> Result<(Vec<Distributor>, Vec<StoreError>), StoreError> {
        let rows = distributors::table.order(distributors::id).load::<Row>(self.conn)?;
        let (mut open, mut damaged) = (Vec::new(), Vec::new());
        for row in rows {
            let id = row.0.clone();
            match self.as_distributor(row) {
                Ok(distributor) => open.push(distributor),
                Err(e) if e.is_damage() => {
                    damaged.push(StoreError::inconsistent(TABLE, id, "sealed"));
                }
                Err(e) => return Err(e),
            }
        }
        Ok((open, damaged))
    }

    fn as_distributor(&self, row: Row) -> Result<Distributor, StoreError> {
        let (id, active, revision, _, sealed) = row;
        let record = Embargoed::new(self.unseal(TABLE, &id, &sealed)?);
        Ok(Distributor { id: parse(&id, TABLE, &id, "id")?, revision, active, record })
    }
}

impl Tx<'_> {
    /// A new distributor, as revision 1.
    pub fn add_distributor(&mut self, new: &Distributor) -> Result<(), StoreError> {
        let row = (
            distributors::id.eq(new.id.to_string()),
            distributors::active.eq(new.active),
            distributors::revision.eq(1),
            distributors::created_at.eq(self.deed.at.millis()),
            distributors::sealed.eq(self.seal(TABLE, new.id, new.record.open(Reason::Sealing))?),
        );
        match diesel::insert_into(distributors::table).values(row).execute(self.conn) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.refused(e, StoreError::Conflict("distributor"))),
        }
    }

    /// The next revision of a distributor whose `revision` is the one that was read;
    /// `Conflict` when it is not the newest any more. Returns the new revision.
    pub fn save_distributor(&mut self, changed: &Distributor) -> Result<i64, StoreError> {
        let id = changed.id.to_string();
        let sealed = self.seal(TABLE, &id, changed.record.open(Reason::Sealing))?;
        let next = changed.revision.saturating_add(1);
        let seen = distributors::table
            .filter(distributors::id.eq(&id))
            .filter(distributors::revision.eq(changed.revision));
        let saved = diesel::update(seen)
            .set((
                distributors::active.eq(changed.active),
                distributors::revision.eq(next),
                distributors::sealed.eq(sealed),
            ))
            .execute(self.conn)?;
        if saved == 0 {
            self.distributor(changed.id)?;
        }
        one(saved, StoreError::Conflict("distributor")).map(|()| next)
    }
}
