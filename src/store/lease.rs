//! Who leads. The lease has no time in it: another machine may take it only after seeing the
//! same epoch and beat for long enough on its own monotonic clock, so no clock that jumps can
//! make two leaders.

use diesel::prelude::*;

use super::schema::{clock, lease};
use super::tx::{one, parse};
use super::{Reader, Store, StoreError, Tx, Work, conn};
use crate::domain::ids::HolderId;
use crate::domain::time::At;

/// Who leads, and how to tell that it still does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who; nobody yet in a new house.
    pub holder: Option<HolderId>,
    /// Raised whenever the lease is taken: every write of an engine names its own.
    pub epoch: i64,
    /// Raised by the holder as long as it lives.
    pub beat: i64,
}

impl Reader<'_> {
    /// The lease as it stands.
    pub fn lease(&mut self) -> Result<Lease, StoreError> {
        let row = lease::table.find(1).select((lease::holder, lease::epoch, lease::beat));
        let (holder, epoch, beat): (String, i64, i64) = row.first(self.conn)?;
        let holder = match holder.as_str() {
            "" => None,
            id => Some(parse(id, "lease", "1", "holder")?),
        };
        Ok(Lease { holder, epoch, beat })
    }

    /// The latest wall time an engine has seen: a clock that shows less was set back.
    pub fn high_water(&mut self) -> Result<At, StoreError> {
        let millis = clock::table.find(1).select(clock::high_water).first(self.conn)?;
        Ok(At::from_millis(millis))
    }
}

impl Tx<'_> {
    /// Takes the lease if it still is as `seen`; returns the new epoch, else `Conflict`.
    pub fn take_lease(&mut self, holder: HolderId, seen: &Lease) -> Result<i64, StoreError> {
        let unchanged = lease::table
            .filter(lease::id.eq(1))
            .filter(lease::epoch.eq(seen.epoch))
            .filter(lease::beat.eq(seen.beat));
        let epoch = seen.epoch.saturating_add(1);
        let taken = diesel::update(unchanged)
            .set((lease::holder.eq(holder.to_string()), lease::epoch.eq(epoch), lease::beat.eq(0)))
            .execute(self.conn)?;
        one(taken, StoreError::Conflict("lease")).map(|()| epoch)
    }

    /// Gives the lease back at an orderly end, so that the next engine need not wait.
    pub fn release_lease(&mut self, epoch: i64) -> Result<(), StoreError> {
        self.still_leads(epoch)?;
        let row = diesel::update(lease::table.find(1));
        let released = row.set((lease::holder.eq(""), lease::epoch.eq(epoch.saturating_add(1))));
        one(released.execute(self.conn)?, StoreError::Deposed)
    }

    /// Refuses the write with `Deposed` unless `epoch` leads. Taking the lease is a write
    /// too, so the answer holds until this one is committed.
    pub fn still_leads(&mut self, epoch: i64) -> Result<(), StoreError> {
        if self.lease()?.epoch == epoch { Ok(()) } else { Err(StoreError::Deposed) }
    }
}

impl Store {
    /// Shows that the leader of `epoch` lives, and raises the clock's high-water mark to
    /// `wall`; `Deposed` when another took the lease. The one write without an audit line.
    pub async fn beat(&self, epoch: i64, wall: At) -> Result<(), StoreError> {
        self.work(Work::Write, move |shared, lane| {
            let mut conn = shared.pools.writer(lane)?;
            conn::transact(&mut conn, |conn| {
                let mine = lease::table.filter(lease::id.eq(1)).filter(lease::epoch.eq(epoch));
                let beaten =
                    diesel::update(mine).set(lease::beat.eq(lease::beat + 1)).execute(conn)?;
                one(beaten, StoreError::Deposed)?;
                let lower = clock::table
                    .filter(clock::id.eq(1))
                    .filter(clock::high_water.lt(wall.millis()));
                diesel::update(lower).set(clock::high_water.eq(wall.millis())).execute(conn)?;
                Ok(())
            })
        })
        .await
    }
}
