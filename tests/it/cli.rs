//! The command line as people drive it: the real binary, real gpg, real git, no network.

mod approvals;
mod bad_input;
pub mod bench;
mod fanout;
mod lists;
mod manners;
mod story;
