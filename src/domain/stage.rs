//! Stage of a disclosure: who knows. One table is the law; it draws the diagram in the docs
//! and drives an exhaustive test.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The team and the reporters.
    Drafting,
    /// Distributors too: the first notice was intended.
    Embargoed,
    /// GO is written: the world begins to know.
    Releasing,
    /// The world; open steps may remain, corrections may follow.
    Public,
    /// Ended without becoming public here.
    Cancelled,
}

/// What moves a disclosure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Move {
    /// The first notice was intended.
    FirstNotice,
    /// GO was written.
    Go,
    /// Every announcement is done or settled by a person.
    Announced,
    /// The team gave it up.
    Cancel,
}

/// The law.
pub const MOVES: &[(Stage, Move, Stage)] = &[
    (Stage::Drafting, Move::FirstNotice, Stage::Embargoed),
    (Stage::Drafting, Move::Go, Stage::Releasing),
    (Stage::Drafting, Move::Cancel, Stage::Cancelled),
    (Stage::Embargoed, Move::FirstNotice, Stage::Embargoed),
    (Stage::Embargoed, Move::Go, Stage::Releasing),
    (Stage::Embargoed, Move::Cancel, Stage::Cancelled),
    (Stage::Releasing, Move::Announced, Stage::Public),
];

/// A move the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a disclosure that is {0} cannot take that step")]
pub struct NoSuchMove(pub Stage);

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 5] =
        [Self::Drafting, Self::Embargoed, Self::Releasing, Self::Public, Self::Cancelled];

    /// The word in the database and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Drafting => "drafting",
            Self::Embargoed => "embargoed",
            Self::Releasing => "releasing",
            Self::Public => "public",
            Self::Cancelled => "cancelled",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Where `by` leads from here.
    pub fn after(self, by: Move) -> Result<Self, NoSuchMove> {
        MOVES
            .iter()
            .find(|(from, how, _)| *from == self && *how == by)
            .map(|(_, _, to)| *to)
            .ok_or(NoSuchMove(self))
    }

    /// Whether its content may still be changed.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Drafting | Self::Embargoed)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_obeys_the_table() {
        let moves = [Move::FirstNotice, Move::Go, Move::Announced, Move::Cancel];
        for from in Stage::ALL {
            for by in moves {
                let rows: Vec<_> = MOVES.iter().filter(|r| r.0 == from && r.1 == by).collect();
                assert!(rows.len() <= 1, "two rows for {from} {by:?}");
                assert_eq!(from.after(by).ok(), rows.first().map(|r| r.2));
            }
        }
    }

    #[test]
    fn what_is_public_never_goes_back() {
        for row in MOVES.iter().filter(|r| matches!(r.0, Stage::Releasing | Stage::Public)) {
            assert_eq!(row.2, Stage::Public);
        }
        assert!(MOVES.iter().all(|r| r.0 != Stage::Cancelled));
    }
}
