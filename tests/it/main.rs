//! Daybreak as its users meet it, in one binary: the house on real databases, real gpg, real
//! git.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking and say what they could not run"
)]

mod ground;
mod postgres;
mod store;
mod twins;
