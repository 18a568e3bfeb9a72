//! Daybreak as its users meet it, in one binary: the house on real databases, real gpg, real
//! git. Suites are named after what they hold.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking and say what they did not run"
)]

mod approvals;
mod attended;
mod branches;
mod certificates;
mod changes;
mod cli;
mod clock;
mod covers;
mod crash;
mod crowd;
mod day;
mod docs;
mod edits;
mod faults;
mod gpg;
mod ground;
mod headsup;
mod house;
mod inbound;
mod interop;
mod kill;
mod kinds;
mod leaks;
mod ledger;
mod many;
mod nights;
mod notices;
mod nth;
mod outlets;
mod paging;
mod postfix;
mod postgres;
mod preflight;
mod previews;
mod quarantine;
mod races;
mod record;
mod rehearsal;
mod repeat;
mod reporters;
mod simulate;
mod site;
mod staging;
mod store;
mod stories;
mod story;
mod times;
mod town;
mod tutorial;
mod twins;
mod verbs;
mod watermarks;
mod whole_day;
mod windows;
mod world;
