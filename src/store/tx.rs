//! What closures get: a `Reader` to look with, a `Tx` to change with. They carry the vault,
//! so that what goes in is sealed and what comes out is opened and checked.

use std::ops::{Deref, DerefMut};
use std::str::FromStr;

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::StoreError;
use super::conn::Conn;
use super::error::is_duplicate;
use crate::domain::deed::Deed;
use crate::vault::{Vault, VaultError};

/// One consistent state of the database.
pub struct Reader<'c> {
    pub(super) conn: &'c mut Conn,
    pub(super) vault: &'c Vault,
}

/// One write in progress; it can look too.
pub struct Tx<'c> {
    reader: Reader<'c>,
    pub(super) deed: &'c Deed,
    spoiled: bool,
}

/// The column of a table that holds its sealed record.
const SEALED: &str = "sealed";

impl<'c> Reader<'c> {
    pub(super) const fn new(conn: &'c mut Conn, vault: &'c Vault) -> Self {
        Self { conn, vault }
    }

    /// Seals bytes for one row.
    pub(super) fn seal_bytes(
        &self,
        table: &'static str,
        row: impl ToString,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        Ok(self.vault.seal(table, SEALED, &row.to_string(), plain)?)
    }

    /// Seals a record for one row.
    pub(super) fn seal<T: Serialize>(
        &self,
        table: &'static str,
        row: impl ToString,
        record: &T,
    ) -> Result<Vec<u8>, StoreError> {
        let row = row.to_string();
        let json = serde_json::to_vec(record)
            .map_err(|_| StoreError::inconsistent(table, &row, SEALED))?;
        self.seal_bytes(table, row, &Zeroizing::new(json))
    }

    /// Opens the bytes sealed for one row; names the row when they are not its own.
    pub(super) fn unseal_bytes(
        &self,
        table: &'static str,
        row: impl ToString,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let row = row.to_string();
        self.vault.open(table, SEALED, &row, sealed).map_err(|e| match e {
            VaultError::WrongKey => StoreError::WrongKey,
            _ => StoreError::inconsistent(table, row, SEALED),
        })
    }

    /// Opens the record sealed for one row.
    pub(super) fn unseal<T: DeserializeOwned>(
        &self,
        table: &'static str,
        row: impl ToString,
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let row = row.to_string();
        let json = Zeroizing::new(self.unseal_bytes(table, &row, sealed)?);
        serde_json::from_slice(&json).map_err(|_| StoreError::inconsistent(table, row, SEALED))
    }
}

impl<'c> Tx<'c> {
    pub(super) const fn new(conn: &'c mut Conn, vault: &'c Vault, deed: &'c Deed) -> Self {
        Self { reader: Reader::new(conn, vault), deed, spoiled: false }
    }

    /// A refused insert: `duplicate` when the row was there. It spoils the whole write,
    /// because PostgreSQL goes no further in this transaction and SQLite must not either.
    pub(super) fn refused(
        &mut self,
        error: diesel::result::Error,
        duplicate: StoreError,
    ) -> StoreError {
        self.spoiled = true;
        if is_duplicate(&error) { duplicate } else { error.into() }
    }

    /// Whether this write may be committed.
    pub(super) const fn sound(&self) -> Result<(), StoreError> {
        if self.spoiled { Err(StoreError::Conflict("row")) } else { Ok(()) }
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;
    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

impl<'c> DerefMut for Tx<'c> {
    fn deref_mut(&mut self) -> &mut Reader<'c> {
        &mut self.reader
    }
}

/// Reads a stored id or word back, naming the cell when it is none.
pub(super) fn parse<T: FromStr>(
    text: &str,
    table: &'static str,
    row: &str,
    column: &'static str,
) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::inconsistent(table, row, column))
}

/// The same of an id in a list: one that is none is said, and must not hide the others.
pub(super) fn parse_or_skip<T: FromStr>(id: &str, table: &'static str) -> Option<T> {
    let read = id.parse().ok();
    if read.is_none() {
        tracing::error!(table, "a row's id is none: it is passed over");
    }
    read
}

/// Exactly one row was changed, else `otherwise`.
pub(super) fn one(changed: usize, otherwise: StoreError) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(otherwise) }
}
