//! Which house this database is, where it stands, and whether it may act: three rows, sealed,
//! so that nobody without the key can let a copy act.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::conn::Conn;
use super::schema::{audit, house};
use super::{Reader, StoreError, Tx};
use crate::domain::blob::Sha256;
use crate::domain::quarantine::{Identity, Quarantine};

const IDENTITY: &str = "identity";
const QUARANTINE: &str = "quarantine";

/// The server, its timeline (raised by a failover and by a recovery to an earlier state), and
/// the table itself: made anew by every restored dump and every copied schema.
const FOOTING: &str = "SELECT (SELECT system_identifier::text FROM pg_control_system())
    || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
    || ' ' || 'house'::regclass::oid::text";

impl Reader<'_> {
    /// Which house it is; `None` before an engine first ran.
    pub fn identity(&mut self) -> Result<Option<Identity>, StoreError> {
        self.told(IDENTITY)
    }

    /// Why it may not act; `None` when it may.
    pub fn quarantine(&mut self) -> Result<Option<Quarantine>, StoreError> {
        self.told(QUARANTINE)
    }

    /// What tells a server's database from its copies; `None` for a file.
    pub fn server_footing(&mut self) -> Result<Option<String>, StoreError> {
        match &mut self.conn {
            Conn::Sqlite(_) => Ok(None),
            Conn::Postgres(pg) => Ok(Some(sql::<Text>(FOOTING).get_result(pg)?)),
        }
    }

    /// The newest line of the audit: its number and what it is bound by.
    pub fn audit_head(&mut self) -> Result<(i64, Sha256), StoreError> {
        let newest = audit::table.order(audit::seq.desc()).select((audit::seq, audit::line));
        match newest.first::<(i64, Vec<u8>)>(self.conn).optional()? {
            None => Ok((0, Sha256::from_raw([0; 32]))),
            Some((seq, line)) => Ok((seq, raw(seq, line)?)),
        }
    }

    /// What line `seq` of the audit is bound by, if there is one.
    pub fn audit_line(&mut self, seq: i64) -> Result<Option<Sha256>, StoreError> {
        if seq == 0 {
            return Ok(Some(Sha256::from_raw([0; 32])));
        }
        let found = audit::table.find(seq).select(audit::line).first::<Vec<u8>>(self.conn);
        found.optional()?.map(|line| raw(seq, line)).transpose()
    }

    fn told<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<Option<T>, StoreError> {
        let found: Option<Vec<u8>> =
            house::table.find(key).select(house::value).first(self.conn).optional()?;
        found.map(|sealed| self.unseal(TABLE, key, &sealed)).transpose()
    }

    /// Refuses with `NotPermitted` while the house is in quarantine. The row alone decides: it
    /// need not be readable.
    pub(super) fn is_trusted(&mut self) -> Result<(), StoreError> {
        let row = house::table.find(QUARANTINE).select(house::key);
        match row.first::<String>(self.conn).optional()? {
            None => Ok(()),
            Some(_) => Err(StoreError::NotPermitted("the house is in quarantine")),
        }
    }
}

const TABLE: &str = "house";

fn raw(seq: i64, line: Vec<u8>) -> Result<Sha256, StoreError> {
    let line = line.try_into().map_err(|_| StoreError::inconsistent("audit", seq, "line"))?;
    Ok(Sha256::from_raw(line))
}

impl Tx<'_> {
    /// Says which house this is and where it stands.
    pub fn set_identity(&mut self, identity: &Identity) -> Result<(), StoreError> {
        self.tell(IDENTITY, Some(identity))
    }

    /// Forbids every act, or permits it again.
    pub fn set_quarantine(&mut self, quarantine: Option<&Quarantine>) -> Result<(), StoreError> {
        self.tell(QUARANTINE, quarantine)
    }

    fn tell<T: Serialize>(
        &mut self,
        key: &'static str,
        what: Option<&T>,
    ) -> Result<(), StoreError> {
        let sealed = what.map(|what| self.seal(TABLE, key, what)).transpose()?;
        diesel::delete(house::table.find(key)).execute(self.conn)?;
        if let Some(sealed) = sealed {
            let row = (house::key.eq(key), house::value.eq(sealed));
            diesel::insert_into(house::table).values(row).execute(self.conn)?;
        }
        Ok(())
    }
}
