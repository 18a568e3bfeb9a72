//! Floor 0: nouns, stages, rules, planner and the pure step machine.
//!
//! Nothing here is async, does I/O or reads a clock; everything can be tested as a value.

pub mod action;
pub mod address;
pub mod advisory;
pub mod affected;
pub mod approval;
pub mod approval_text;
pub mod audience_time;
pub mod blob;
pub mod change;
pub mod course;
pub mod deed;
pub mod disclosure;
pub mod effect;
pub mod envelope;
pub mod escalation;
pub mod event;
pub mod finding;
pub mod had;
pub mod ids;
pub mod ledger;
pub mod manifest;
pub mod message;
pub mod news;
pub mod party;
pub mod pause;
pub mod plan;
pub mod planner;
pub mod preflight;
pub mod quarantine;
pub mod receipt;
pub mod remake;
pub mod rules;
pub mod run;
pub mod secret;
pub mod stage;
pub mod time;
pub mod told;
pub mod view;
pub mod vouched;
pub mod zone;
