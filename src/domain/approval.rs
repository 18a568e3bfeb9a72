//! A person's yes to a plan, and a person's wish to start it before its time.

use super::ids::{ApprovalId, MemberId, PlanId};
use super::secret::Embargoed;
use super::time::At;

/// One person's signed yes to one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Id.
    pub id: ApprovalId,
    /// To which plan.
    pub plan: PlanId,
    /// Whose.
    pub member: MemberId,
    /// When it was taken in.
    pub at: At,
    /// What was handed in, byte for byte, in whichever signature form.
    pub signed: Embargoed<Vec<u8>>,
}

/// One person's wish that an approved plan start before T0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lift {
    /// Which plan.
    pub plan: PlanId,
    /// Whose.
    pub member: MemberId,
    /// When.
    pub at: At,
    /// Why.
    pub reason: Embargoed<String>,
}
