//! Floor 5: what people do to a case. One verb, one function.
//!
//! A verb gathers (one read), makes (no connection held) and records (one write that
//! compares the revisions it gathered). Nothing is ever half done.

pub mod advisories;
pub mod approvals;
pub mod attachments;
pub mod audits;
pub mod backup;
mod bells;
pub mod branches;
pub mod calls;
pub mod candidates;
pub mod challenges;
pub mod controls;
pub mod covers;
pub mod disclosures;
pub mod distributors;
mod error;
mod find;
mod groups;
pub mod hands;
mod house;
pub mod identity;
pub mod inbound;
pub mod instants;
pub mod leaks;
pub mod ledger;
pub mod members;
pub mod mitigations;
pub mod opening;
pub mod pages;
pub mod papers;
pub mod patches;
pub mod pauses;
pub mod plans;
pub mod preflight;
pub mod publications;
pub mod rearm;
pub mod record;
pub mod rehearsals;
pub mod releases;
pub mod restore;
pub mod traces;
mod windows;
pub mod withdrawal;

pub use bells::Bells;
pub use error::CaseError;
pub use find::{
    advisory as find_advisory, disclosure as find_disclosure, distributor as find_distributor,
    member as find_member, message as find_message, plan as find_plan, step as find_step,
};
pub use house::House;

/// What every verb answers.
pub type Case<T> = Result<T, CaseError>;
