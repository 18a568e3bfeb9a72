//! Daybreak as its users meet it, in one binary: the house on real databases, real gpg, real
//! git. Suites are named after what they hold.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking and say what they did not run"
)]

mod certificates;
mod cli;
mod day;
mod edits;
mod ground;
mod house;
mod outlets;
mod postgres;
mod site;
mod staging;
mod store;
mod town;
mod twins;
