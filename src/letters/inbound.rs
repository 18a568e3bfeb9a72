//! One mail from outside, taken apart under bounds: everything here may have been written to
//! hurt us.
//!
//! What must stay true: nothing is decoded, unfolded or descended into before its size, number
//! and depth are known to be small; what may be read in two ways is refused, not guessed; a
//! mail counts as encrypted only as a whole, and nothing beside its ciphertext is believed.

mod armor;
mod decode;
mod dsn;
mod mime;
mod shape;

pub use dsn::{Dsn, Fate, Told};
pub use mime::{Entity, LARGEST};
pub use shape::{Piece, Shape, Signed, inside, shape};

/// Why a mail is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than [`LARGEST`] bytes.
    #[error("the mail is larger than 25 MiB")]
    TooLarge,
    /// Header sections beyond all measure.
    #[error("the mail's headers are too long or too many")]
    Headers,
    /// More than 200 parts.
    #[error("the mail has more than 200 parts")]
    TooManyParts,
    /// Parts in parts in parts.
    #[error("the mail's parts are nested deeper than 8")]
    TooDeep,
    /// Two headers where one decides how the rest is read.
    #[error("the mail says twice, and differently, how it is to be read")]
    Ambiguous,
    /// It breaks the format that it claims.
    #[error("the mail is not what its headers say")]
    Malformed,
    /// Ciphertext beside clear text.
    #[error("the mail mixes encrypted and clear parts: only a wholly encrypted mail is opened")]
    Mixed,
    /// Ciphertext inside ciphertext.
    #[error("the mail is encrypted more than once")]
    Nested,
}

impl Refused {
    /// A stable code without any of the mail's words.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Headers => "headers",
            Self::TooManyParts => "too-many-parts",
            Self::TooDeep => "too-deep",
            Self::Ambiguous => "ambiguous",
            Self::Malformed => "malformed",
            Self::Mixed => "mixed",
            Self::Nested => "nested",
        }
    }
}

#[cfg(test)]
mod tests;
