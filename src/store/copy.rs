//! One consistent copy of a database that is in use. Everything secret in it stays sealed.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::carry::{Load, carry_to};
use super::conn::{self, Conn};
use super::{Absent, Place, StoreError, migrate};

/// Writes the database of `place`, as it stands at this instant, to the new SQLite file `into`;
/// nobody at work in it waits. A server's tables become a file with the same rows. Blocks.
pub fn copy_into_file(place: &Place, into: &Path) -> Result<(), StoreError> {
    match conn::connect(place, Absent::Refuse)? {
        Conn::Sqlite(mut file) => {
            let into = into.to_str().ok_or(StoreError::BadPlace("is not valid text"))?;
            diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(into).execute(&mut file)?;
            Ok(())
        }
        mut server @ Conn::Postgres(_) => {
            carry_to(&mut server, &Place::Sqlite(into.to_owned()), Load::All)
        }
    }
}

/// Every row of the SQLite file `from` into the database at `place`, which must be one that
/// nobody ever wrote to, else `Conflict`: its tables are made. All of it or nothing. Blocks.
pub fn copy_from_file(from: &Path, place: &Place) -> Result<(), StoreError> {
    let mut file = conn::connect(&Place::Sqlite(from.to_owned()), Absent::Refuse)?;
    migrate::bring_up_to_date(&mut file, Absent::Refuse)?;
    carry_to(&mut file, place, Load::All)
}
