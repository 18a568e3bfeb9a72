//! Daybreak: embargoed disclosures, from a private draft to everything public at one instant.
//!
//! The floors, lowest first. A module uses lower floors only, never upward, never a sibling;
//! `tests/it/house.rs` holds that.
//!
//! | floor | modules | what lives there |
//! |---|---|---|
//! | 0 | `domain` | nouns, stages, rules, plans, the pure step machine |
//! | 1 | `config`, `clock` | one TOML; clock and randomness as traits |
//! | 2 | `pgp`, `formats`, `vault`, `exec` | OpenPGP; documents; sealing; the only place that starts a process |
//! | 3 | `letters`, `signing` | one mail from view to wire bytes; whose key signs what |
//! | 4 | `store`, `outlets`, `workshop` | database; the world; git work |
//! | 5 | `casework` | what people do to a case: one verb, one function |
//! | 6 | `engine` | the clock-driven shell |
//! | 7 | `web` | the public site |
//! | 8 | `town` | a whole house plus a scripted world, for demo and tests |
//! | 9 | `cli` | grammar and printing |

pub mod casework;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod exec;
pub mod formats;
pub mod letters;
pub mod outlets;
pub mod pgp;
pub mod signing;
pub mod store;
pub mod town;
pub mod vault;
pub mod web;
pub mod workshop;
