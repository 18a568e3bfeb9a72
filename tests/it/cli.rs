//! The command line as people drive it: the real binary, real gpg, real git, no network.

mod approvals;
mod bad_input;
pub mod bench;
mod fanout;
mod figures;
mod lists;
mod mail;
mod manners;
mod story;
mod windows;
