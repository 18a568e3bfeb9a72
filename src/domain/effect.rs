//! A step made ready for its outlet, and the permit without which no outlet may act.
//!
//! `Intended` can be checked and looked at any time; only `Effect` can be acted, and an
//! `Effect` needs a `Permit`, which is made inside the transaction that records the intent.

use std::fmt;

use super::action::Action;
use super::blob::Blob;
use super::ids::{PlanId, StepId};

/// What will be done, complete, without leave to do it.
pub struct Intended {
    /// The step: also the idempotency key.
    pub step: StepId,
    /// The action.
    pub action: Action,
    /// The blobs the action names, in its order. A notice's message is already sealed.
    pub blobs: Vec<Blob>,
}

impl Intended {
    /// The bytes of the blob called `name`.
    pub fn blob(&self, name: &str) -> Option<&Blob> {
        self.blobs.iter().find(|b| b.about.name == name)
    }
}

impl fmt::Debug for Intended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} of {}]", self.action.word(), self.step)
    }
}

/// Witness that an approved, running, unheld notice plan was seen by the intent transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedPlan {
    plan: PlanId,
    epoch: i64,
}

/// Witness that the plan's GO row was seen by the intent transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Go {
    plan: PlanId,
    epoch: i64,
}

impl ApprovedPlan {
    /// To be called by the intent transaction only, after its checks; `tests/it/house.rs`
    /// holds that.
    pub const fn witnessed(plan: PlanId, epoch: i64) -> Self {
        Self { plan, epoch }
    }
}

impl Go {
    /// To be called by the intent transaction only, after its checks; `tests/it/house.rs`
    /// holds that.
    pub const fn witnessed(plan: PlanId, epoch: i64) -> Self {
        Self { plan, epoch }
    }
}

/// Leave to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// Covers sealed mail of one approved notice plan and what a person is asked to do.
    Notice(ApprovedPlan),
    /// Covers the posts of one Headsup whose own GO row stands, and what a person is asked to
    /// do about them: no push, no upload, no page, whatever its steps say.
    Headsup(Go),
    /// Covers any step of one plan whose GO row stands.
    Public(Go),
}

impl Permit {
    /// The plan it was given for.
    pub const fn plan(&self) -> PlanId {
        match self {
            Self::Notice(ApprovedPlan { plan, .. })
            | Self::Headsup(Go { plan, .. })
            | Self::Public(Go { plan, .. }) => *plan,
        }
    }

    /// The leader's epoch it was given in.
    pub const fn epoch(&self) -> i64 {
        match self {
            Self::Notice(ApprovedPlan { epoch, .. })
            | Self::Headsup(Go { epoch, .. })
            | Self::Public(Go { epoch, .. }) => *epoch,
        }
    }
}

/// An action without leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a notice permit covers sealed mail only, a headsup's list posts only")]
pub struct NotPermitted;

/// What an outlet may act on.
pub struct Effect {
    intended: Intended,
    permit: Permit,
}

impl Effect {
    /// `sealed` says that the message is ciphertext for its one contact.
    pub fn new(intended: Intended, sealed: bool, permit: Permit) -> Result<Self, NotPermitted> {
        let covered = match &permit {
            Permit::Public(_) => true,
            Permit::Headsup(_) => {
                !sealed && matches!(intended.action, Action::Mail { .. } | Action::Ask { .. })
            }
            Permit::Notice(_) => match intended.action {
                Action::Mail { .. } => sealed,
                // Asking one of us sends nothing.
                Action::Ask { .. } => true,
                _ => false,
            },
        };
        if covered { Ok(Self { intended, permit }) } else { Err(NotPermitted) }
    }

    /// The action and its bytes.
    pub const fn intended(&self) -> &Intended {
        &self.intended
    }

    /// The leave it was given.
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.intended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::blob::Blob;
    use crate::domain::time::At;

    fn intended(action: Action) -> Intended {
        Intended { step: StepId::new(At::from_secs(0), [0; 10]), action, blobs: vec![] }
    }

    fn mail() -> Intended {
        let [from, envelope_from, to, message_id] = [(); 4].map(|()| String::new());
        let message = Blob::new("m", vec![], vec![]).about;
        intended(Action::Mail { from, envelope_from, to, message_id, message })
    }

    fn publish() -> Intended {
        intended(Action::Publish { public_id: String::new(), documents: vec![], entries: vec![] })
    }

    #[test]
    fn a_permit_covers_what_its_plan_is_for() {
        let plan = PlanId::new(At::from_secs(0), [0; 10]);
        let notice = || Permit::Notice(ApprovedPlan::witnessed(plan, 1));
        assert!(Effect::new(mail(), true, notice()).is_ok());
        assert!(Effect::new(mail(), false, notice()).is_err());
        assert!(Effect::new(publish(), true, notice()).is_err());
        let headsup = || Permit::Headsup(Go::witnessed(plan, 1));
        assert!(Effect::new(mail(), false, headsup()).is_ok());
        assert!(Effect::new(mail(), true, headsup()).is_err());
        assert!(Effect::new(publish(), false, headsup()).is_err());
        assert!(Effect::new(publish(), false, Permit::Public(Go::witnessed(plan, 1))).is_ok());
    }
}
