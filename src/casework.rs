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
mod house;
pub mod identity;
pub mod inbound;
pub mod ledger;
pub mod members;
pub mod opening;
pub mod pages;
pub mod papers;
pub mod patches;
pub mod plans;
pub mod publications;
pub mod rearm;
pub mod releases;
pub mod restore;
pub mod traces;
mod windows;

pub use bells::Bells;
pub use error::CaseError;
pub use find::{
    advisory as find_advisory, disclosure as find_disclosure, distributor as find_distributor,
    member as find_member, message as find_message, plan as find_plan, step as find_step,
};
pub use house::House;

/// What every verb answers.
pub type Case<T> = Result<T, CaseError>;
