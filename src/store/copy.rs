//! One consistent copy of a database that is in use. Everything secret in it stays sealed.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::conn::{self, Conn};
use super::{Absent, Place, StoreError};

/// Writes the file of `place`, as it stands at this instant, to the new file `into`; nobody at
/// work in it waits. `false` when the place is a server, which has its own means. Blocks.
pub fn copy_of_file(place: &Place, into: &Path) -> Result<bool, StoreError> {
    let into = into.to_str().ok_or(StoreError::BadPlace("is not valid text"))?;
    match conn::connect(place, Absent::Refuse)? {
        Conn::Sqlite(mut file) => {
            diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(into).execute(&mut file)?;
            Ok(true)
        }
        Conn::Postgres(_) => Ok(false),
    }
}
