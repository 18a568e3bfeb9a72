//! What a notice plan is wanted for, and whether the disclosure's stage lets it be.
//!
//! Usually nobody has to say: what is due follows from who was told what. Only a broken
//! embargo cannot be seen from here. After a cancellation there is one thing left to tell.

use crate::casework::disclosures::open_for_change;
use crate::casework::{Case, CaseError};
use crate::domain::disclosure::Disclosure;
use crate::domain::secret::Reason;
use crate::domain::stage::Stage;
use crate::domain::zone::T0;

/// What the team wants told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tell {
    /// Whatever is due: everything to those who know nothing, what changed to the others; of
    /// a cancelled disclosure that it is off.
    #[default]
    Due,
    /// Something is public before its time.
    Broken {
        /// What.
        public: String,
        /// What may be said about it.
        may_say: String,
    },
    /// It is disclosed at once: nobody shall wait for the date they were told.
    AtOnce {
        /// Why.
        public: String,
        /// The moment at which that was decided, the same for everybody.
        decided: T0,
    },
    /// It is off, and this holds now.
    Cancelled {
        /// Empty for the template's own words.
        holds: String,
    },
}

/// The same, with what the disclosure says of it.
pub(super) enum Occasion {
    Due,
    Broken { public: String, may_say: String },
    AtOnce { public: String, decided: T0 },
    Cancelled { reason: String, holds: String },
}

pub(super) fn occasion(disclosure: &Disclosure, tell: &Tell) -> Case<Occasion> {
    let cancelled = disclosure.stage == Stage::Cancelled;
    let off = |holds| {
        let said = disclosure.case.open(Reason::Rendering).cancelled.clone();
        Occasion::Cancelled { reason: said.unwrap_or_default(), holds }
    };
    match tell.clone() {
        Tell::Due if cancelled => Ok(off(String::new())),
        Tell::Cancelled { holds } if cancelled => Ok(off(holds)),
        Tell::Cancelled { .. } => Err(CaseError::not_now(
            format!("the disclosure is {}", disclosure.stage),
            "cancel it first: daybreak disclosure cancel DISC --reason TEXT",
        )),
        Tell::Due => open_for_change(disclosure).map(|()| Occasion::Due),
        Tell::AtOnce { public, decided } => {
            open_for_change(disclosure)?;
            Ok(Occasion::AtOnce { public, decided })
        }
        Tell::Broken { public, may_say } => {
            open_for_change(disclosure)?;
            for (field, text) in [("public", &public), ("may-say", &may_say)] {
                if text.trim().is_empty() {
                    return Err(CaseError::invalid(
                        field,
                        "is empty",
                        "say it in a sentence: everybody who was told reads it",
                    ));
                }
            }
            Ok(Occasion::Broken { public, may_say })
        }
    }
}
