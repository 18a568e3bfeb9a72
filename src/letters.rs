//! Floor 3: one mail, from view to wire bytes.
//!
//! A notice is built in two halves: the *group*, pinned by a plan and equal for everybody who
//! gets the same content, and the *entity*, the group with one delivery's header copies and
//! its padding. The entity is sealed by `pgp`; what comes back is framed by `wire`. No clear
//! byte of a notice depends on its content. Same input, same bytes, CRLF only.

pub mod bell;
pub mod challenge;
pub mod entity;
mod frame;
pub mod inbound;
pub mod notice;
pub mod post;
mod quoted;
pub mod wire;

use crate::formats::FormatError;

/// Why a letter cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// A value that cannot stand in a mail; it must be changed where it came from.
    #[error("`{field}` {wrong}; {right}")]
    Field {
        /// Which value.
        field: String,
        /// What is wrong.
        wrong: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// Too large, whatever is left out.
    #[error("the mail would have {bytes} bytes; at most {limit} are allowed: shorten it")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// What was given as ciphertext is not one armored OpenPGP message without armor headers.
    #[error("the sealed bytes are not an armored OpenPGP message without armor headers")]
    NotSealed,
    /// The signer did not sign; its own words, which must carry no content.
    #[error("the post could not be signed: {0}")]
    Unsigned(String),
    /// A document inside could not be made.
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl LetterError {
    fn field(field: impl Into<String>, wrong: &'static str, right: &'static str) -> Self {
        Self::Field { field: field.into(), wrong, right }
    }
}
