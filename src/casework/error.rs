//! What can go wrong with a verb, named by what the caller can do about it.

use crate::domain::finding::Finding;
use crate::store::StoreError;

/// Why a verb did nothing. Nothing is ever half done.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The thing named does not exist, or its name is ambiguous.
    #[error("there is no {what} `{name}`; {cure}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name given.
        name: String,
        /// Where to find the right one.
        cure: String,
    },
    /// A value that cannot be used.
    #[error("`{field}` {wrong}; {right}")]
    Invalid {
        /// The field or argument.
        field: String,
        /// What is wrong.
        wrong: String,
        /// What would be right.
        right: String,
    },
    /// Findings that stop; all of them.
    #[error("blocked by {} finding(s)", .0.len())]
    Blocked(Vec<Finding>),
    /// Not in this state of the case.
    #[error("{why}; {cure}")]
    NotNow {
        /// What stands in the way.
        why: String,
        /// What would make it possible.
        cure: String,
    },
    /// More people must say yes first.
    #[error("it needs {needed} approval(s) and has {given}; {cure}")]
    NeedsApproval {
        /// How many are needed.
        needed: u32,
        /// How many there are.
        given: u32,
        /// What to do.
        cure: String,
    },
    /// The database said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something of the machine failed: git, gpg, a file.
    #[error("{doing} failed: {why}")]
    Machine {
        /// What was being done.
        doing: &'static str,
        /// Why, in words for the operator's own terminal only.
        why: String,
    },
}

impl CaseError {
    /// A bad value.
    pub fn invalid(
        field: impl Into<String>,
        wrong: impl Into<String>,
        right: impl Into<String>,
    ) -> Self {
        Self::Invalid { field: field.into(), wrong: wrong.into(), right: right.into() }
    }

    /// Something that does not exist.
    pub fn unknown(what: &'static str, name: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Unknown { what, name: name.into(), cure: cure.into() }
    }

    /// Something that cannot be done now.
    pub fn not_now(why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::NotNow { why: why.into(), cure: cure.into() }
    }

    /// Something of the machine that failed.
    pub fn machine(doing: &'static str, why: impl ToString) -> Self {
        Self::Machine { doing, why: why.to_string() }
    }
}
