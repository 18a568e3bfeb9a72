//! The canary: a known text sealed when the database was made. A vault key that cannot open
//! it belongs to another database, and is refused before anything is read or written.

use diesel::prelude::*;

use super::conn::Conn;
use super::schema::{house, revision};
use super::{StoreError, conn};
use crate::vault::{Vault, VaultError};

const CANARY: &str = "canary";
const SONG: &[u8] = b"daybreak 1";

/// Refuses a key that is not this database's; plants the canary in a new one.
pub(super) fn check_key(conn: &mut Conn, vault: &Vault) -> Result<(), StoreError> {
    if let Some(found) = canary(conn)? {
        return hear(vault, &found);
    }
    match conn::transact(conn, |conn| plant(conn, vault)) {
        // Another program was quicker, perhaps with another key.
        Ok(()) | Err(StoreError::Conflict(_)) => {}
        Err(error) => return Err(error),
    }
    let planted = canary(conn)?.ok_or_else(damaged)?;
    hear(vault, &planted)
}

fn canary(conn: &mut Conn) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(house::table.find(CANARY).select(house::value).first(conn).optional()?)
}

fn plant(conn: &mut Conn, vault: &Vault) -> Result<(), StoreError> {
    let value = vault.seal("house", "value", CANARY, SONG)?;
    let row = (house::key.eq(CANARY), house::value.eq(value));
    // Written before anything is read, as every write must be (see `super`).
    diesel::insert_into(house::table).values(row).execute(conn)?;
    let writes: i64 = revision::table.find(1).select(revision::n).first(conn)?;
    // A database in use whose canary is gone was tampered with.
    if writes > 0 { Err(damaged()) } else { Ok(()) }
}

fn hear(vault: &Vault, sealed: &[u8]) -> Result<(), StoreError> {
    match vault.open("house", "value", CANARY, sealed) {
        Ok(song) if song == SONG => Ok(()),
        Err(VaultError::WrongKey) => Err(StoreError::WrongKey),
        _ => Err(damaged()),
    }
}

fn damaged() -> StoreError {
    StoreError::inconsistent("house", CANARY, "value")
}
