//! Our OpenPGP against real GnuPG: what we make it reads, what it makes we read or refuse.
//!
//! It lives on this floor and not beside `pgp`, because only from here may both `pgp` and
//! `exec` be used.

mod approvals;
mod certificates;
mod home;
mod messages;
mod signer;
