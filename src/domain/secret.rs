//! `Embargoed<T>`: a value that must not be printed by accident.
//!
//! It wraps whole records. Printing shows `[embargoed]`; reading the value takes a named
//! reason, so that every place that opens one can be found and judged.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an embargoed value is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// To be sealed into, or after being opened from, the database.
    Sealing,
    /// To be judged by the rules.
    Judging,
    /// To render bytes that a plan pins behind approval.
    Rendering,
    /// To be shown to a member of the team who asked for it.
    Review,
    /// To be changed by a member of the team.
    Editing,
    /// To be handed to the world behind a permit.
    Dispatch,
}

/// A value under embargo.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Embargoed<T>(T);

impl<T> Embargoed<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for a named reason.
    pub const fn open(&self, _why: Reason) -> &T {
        &self.0
    }

    /// The value itself, for a named reason.
    pub fn into_open(self, _why: Reason) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Embargoed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[embargoed]")
    }
}

impl<T> fmt::Display for Embargoed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[embargoed]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_shows_nothing() {
        let secret = Embargoed::new("heap overflow in the parser".to_owned());
        assert_eq!(format!("{secret:?} {secret}"), "[embargoed] [embargoed]");
    }
}
