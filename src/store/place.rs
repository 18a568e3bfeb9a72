//! Where the database is: `sqlite:FILE` or `postgres://…`, and never printed, because the
//! second may carry a password. A simulation's is in memory, which no configuration can ask for.

use std::fmt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// SQLite in this process's memory, under a name: gone with the last `Store` that has it
    /// open. For simulations only: see [`super::Store::imagine`].
    Memory(String),
    /// A server's address.
    Postgres(String),
}

impl Place {
    /// From the configuration's text; a file's name is relative to `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let file = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match file {
            Some("" | ":memory:") => Err(StoreError::BadPlace("names no file")),
            Some(file) => Ok(Self::Sqlite(folder.join(file))),
            None => Err(StoreError::BadPlace("is neither a file nor a PostgreSQL address")),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "[sqlite]",
            Self::Memory(_) => "[memory]",
            Self::Postgres(_) => "[postgres]",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_nothing_else() {
        let parse = |text| Place::parse(text, Path::new("/data"));
        let file = |path: &str| Ok(Place::Sqlite(path.into()));
        assert_eq!(parse("sqlite:a.sqlite"), file("/data/a.sqlite"));
        assert_eq!(parse("sqlite:/b/a.sqlite"), file("/b/a.sqlite"));
        assert_eq!(parse("sqlite:///b/a.sqlite"), file("/b/a.sqlite"));
        assert!(matches!(parse("postgres://u@h/d"), Ok(Place::Postgres(_))));
        for bad in ["", "sqlite:", "sqlite::memory:", "mysql://h/d", "a.sqlite"] {
            assert!(matches!(parse(bad), Err(StoreError::BadPlace(_))), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let place = Place::parse("postgres://u:hunter2@h/d", Path::new("."));
        assert!(!format!("{place:?}").contains("hunter2"));
    }
}
