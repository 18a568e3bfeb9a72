//! What can go wrong with the database, in words that carry no value and no library's text:
//! those may quote what is secret.

use diesel::result::{DatabaseErrorKind, Error};

use crate::vault::VaultError;

/// Why the database did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Somebody changed it since it was read, or it is there already: read it again.
    #[error("the {0} was changed meanwhile: look at it again, then repeat")]
    Conflict(&'static str),
    /// Another advisory has this public id.
    #[error("`public_id` is taken by another advisory; choose another")]
    PublicIdTaken,
    /// This member approved this plan before.
    #[error("this member has approved this plan already: one yes a person")]
    AlreadyApproved,
    /// This member asked for this plan's early start before.
    #[error("this member has asked for this plan's early start already")]
    AlreadyLifted,
    /// The plan has its GO or ABORT.
    #[error("it is decided already: the plan has its GO or ABORT")]
    AlreadyDecided,
    /// The plan may not act now.
    #[error("the plan may not act: {0}")]
    NotPermitted(&'static str),
    /// Another engine leads now.
    #[error("another engine leads now")]
    Deposed,
    /// A row contradicts itself, or its sealed cell was changed or moved.
    #[error("{table} {row}: `{column}` is damaged; run `daybreak doctor`, restore from a backup")]
    Inconsistent {
        /// Table.
        table: &'static str,
        /// Row's id.
        row: String,
        /// Column.
        column: &'static str,
    },
    /// There is no database where the configuration says.
    #[error("there is no Daybreak database at `database`; `daybreak init DIR` makes one")]
    NoDatabase,
    /// The database was made by a newer program.
    #[error("the database was changed by a newer Daybreak (step {0}); use that version or later")]
    TooNew(String),
    /// The vault key is another database's.
    #[error("the vault key does not belong to this database; use the key file made with it")]
    WrongKey,
    /// The configured address cannot be used.
    #[error("`database` {0}; write sqlite:FILE or postgres://USER@HOST/NAME")]
    BadPlace(&'static str),
    /// The disk is full.
    #[error("the disk that holds the database is full; nothing was written")]
    Full,
    /// The database cannot be reached or did not answer; trying again may help.
    #[error("the database is not available: {0}")]
    Unavailable(&'static str),
}

impl StoreError {
    /// Whether it says nothing of a single row: then nothing can be told of any.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full | Self::Deposed)
    }

    /// Whether one row alone does not open. The database itself was opened with its own key, so
    /// a cell that names another one was changed.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Inconsistent { .. } | Self::WrongKey)
    }

    /// A damaged row.
    pub(super) fn inconsistent(
        table: &'static str,
        row: impl ToString,
        column: &'static str,
    ) -> Self {
        Self::Inconsistent { table, row: row.to_string(), column }
    }
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::WrongKey => Self::WrongKey,
            VaultError::NoRandomness => Self::Unavailable("the system gives no random bytes"),
            // Where a row is known, `Reader::unseal` names it instead.
            VaultError::Altered | VaultError::Malformed => {
                Self::inconsistent("database", "cell", "sealed")
            }
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound("row"),
            Error::DatabaseError(kind, about) => database(kind, about.message()),
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            Error::DeserializationError(_) => Self::inconsistent("database", "row", "type"),
            _ => Self::Unavailable("it broke off"),
        }
    }
}

/// Judges by kind, and only where the kind says nothing by the text, which goes no further.
fn database(kind: DatabaseErrorKind, text: &str) -> StoreError {
    match kind {
        DatabaseErrorKind::UniqueViolation => StoreError::Conflict("row"),
        DatabaseErrorKind::ForeignKeyViolation => StoreError::NotFound("thing to refer to"),
        DatabaseErrorKind::SerializationFailure => StoreError::Conflict("database"),
        DatabaseErrorKind::ClosedConnection => StoreError::Unavailable("the connection was closed"),
        _ if is_full(text) => StoreError::Full,
        _ if text.contains("locked") || text.contains("lock timeout") => {
            StoreError::Unavailable("another program keeps it locked")
        }
        _ => StoreError::Unavailable("it refused a statement"),
    }
}

fn is_full(text: &str) -> bool {
    text.contains("database or disk is full") || text.contains("No space left on device")
}

/// Whether it is a second row where there may be one.
pub(super) const fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_databases_own_text_goes_no_further() {
        let about = Box::new("UNIQUE constraint failed: heap overflow".to_owned());
        let error = Error::DatabaseError(DatabaseErrorKind::Unknown, about);
        assert!(!StoreError::from(error).to_string().contains("heap"));
    }

    #[test]
    fn a_full_disk_is_said_so() {
        let about = Box::new("database or disk is full".to_owned());
        let error = Error::DatabaseError(DatabaseErrorKind::Unknown, about);
        assert_eq!(StoreError::from(error), StoreError::Full);
    }
}
