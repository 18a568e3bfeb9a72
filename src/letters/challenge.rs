//! A challenge or a cover mail as a complete mail: from outside the same shape and the same size
//! as a small notice, so that nobody on the way can tell one from the other. Inside there is
//! room for a code and nothing else, which is why neither needs a plan.

use super::LetterError;
use super::bell::BellMail;
use super::entity::{Delivery, compose as compose_entity, group};
use super::wire;
use crate::domain::party::CLEAR_SUBJECT;
use crate::domain::time::At;
use crate::formats::bell_text::Code;
use crate::formats::{challenge_text, cover_text};
use crate::pgp::{Certificate, SealError, Signer, seal};

/// Why there is no challenge.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    /// It cannot be written.
    #[error(transparent)]
    Letter(#[from] LetterError),
    /// It cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What it says. There is no third.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Show that you can read us.
    Challenge,
    /// Nothing has happened.
    Cover,
}

impl Words {
    /// Subject and text, with a code in it.
    fn with(self, code: Code) -> (&'static str, String) {
        match self {
            Self::Challenge => (challenge_text::SUBJECT, challenge_text::text(code)),
            Self::Cover => (cover_text::SUBJECT, cover_text::text(code)),
        }
    }
}

/// Where it goes, and by what it is known again.
pub struct Addressed<'a> {
    /// The team's address.
    pub from: &'a str,
    /// MAIL FROM, as a notice would have it.
    pub envelope_from: &'a str,
    /// The one address.
    pub to: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// When it is sent.
    pub date: At,
    /// Two MIME boundaries, random.
    pub boundaries: [&'a str; 2],
}

/// Writes, signs and seals it to all `certificates`, which belong to one contact.
pub async fn compose(
    words: Words,
    code: Code,
    to: &Addressed<'_>,
    certificates: &[Certificate],
    signer: &dyn Signer,
) -> Result<BellMail, ChallengeError> {
    let [inner, outer] = to.boundaries;
    let (subject, text) = words.with(code);
    let group = group(&text, &[], inner)?;
    let delivery = Delivery {
        from: to.from,
        to: to.to,
        subject,
        clear_subject: CLEAR_SUBJECT,
        message_id: to.message_id,
        references: &[],
        date: to.date,
    };
    let entity = compose_entity(&group.body, &delivery)?;
    let sealed = seal(&entity, certificates, signer, to.date).await?;
    let bytes = wire::sealed(&delivery, &sealed.armored, outer)?;
    Ok(BellMail { from: to.envelope_from.to_owned(), to: to.to.to_owned(), bytes })
}
