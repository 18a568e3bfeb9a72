//! Who did what to which thing, when: what every write says of itself and the audit keeps.

use std::fmt;
use std::str::FromStr;

use super::ids::{
    AdvisoryId, ApprovalId, ArtefactId, AttachmentId, BlobId, CandidateId, CertificateId,
    ChallengeId, ContactId, DisclosureId, DistributorId, EventId, HolderId, MemberId, MessageId,
    PatchId, PlanId, PostId, ReleaseId, ReporterId, StepId,
};
use super::secret::Embargoed;
use super::time::At;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A member of the team.
    Member(MemberId),
    /// Whoever may run the command line on the machine.
    Operator,
    /// A running engine.
    Engine(HolderId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(id) => write!(f, "{id}"),
            Self::Operator => f.write_str("operator"),
            Self::Engine(id) => write!(f, "{id}"),
        }
    }
}

/// Text that names no actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an actor: it must be `operator`, or a member's or an engine's id")]
pub struct NotAnActor;

impl FromStr for Actor {
    type Err = NotAnActor;
    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        if text == "operator" {
            return Ok(Self::Operator);
        }
        let member = text.parse().map(Self::Member);
        member.or_else(|_| text.parse().map(Self::Engine)).map_err(|_| NotAnActor)
    }
}

/// What a deed is done to, or what owns a blob. It stands in clear in the database, so it
/// can be made from ids only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// The house itself.
    pub fn house() -> Self {
        Self("house".to_owned())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! subjects {
    ($($id:ty),*) => {$(
        impl From<$id> for Subject {
            fn from(id: $id) -> Self {
                Self(id.to_string())
            }
        }
    )*};
}

subjects!(
    AdvisoryId,
    ApprovalId,
    ArtefactId,
    AttachmentId,
    BlobId,
    CandidateId,
    CertificateId,
    ChallengeId,
    ContactId,
    DisclosureId,
    DistributorId,
    EventId,
    HolderId,
    MemberId,
    MessageId,
    PatchId,
    PlanId,
    PostId,
    ReleaseId,
    ReporterId,
    StepId
);

/// One write, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Who.
    pub actor: Actor,
    /// What: a fixed word such as `advisory-edit`; stands in clear.
    pub verb: &'static str,
    /// To what.
    pub subject: Subject,
    /// When.
    pub at: At,
    /// Particulars for whoever reads the audit with the key; sealed.
    pub detail: Embargoed<String>,
}

impl Deed {
    /// A deed without particulars.
    pub fn new(actor: Actor, verb: &'static str, subject: impl Into<Subject>, at: At) -> Self {
        Self { actor, verb, subject: subject.into(), at, detail: Embargoed::new(String::new()) }
    }

    /// The same deed with particulars.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Embargoed::new(detail.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_read_back() {
        let at = At::from_secs(1);
        for actor in [
            Actor::Operator,
            Actor::Member(MemberId::new(at, [1; 10])),
            Actor::Engine(HolderId::new(at, [2; 10])),
        ] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        assert_eq!("root".parse::<Actor>(), Err(NotAnActor));
    }

    #[test]
    fn particulars_are_not_printed() {
        let deed = Deed::new(Actor::Operator, "advisory-edit", Subject::house(), At::from_secs(1));
        assert!(!format!("{:?}", deed.detail("heap overflow")).contains("heap"));
    }
}
