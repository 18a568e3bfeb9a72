//! `daybreak bench`: figures of this machine, ours and a peer's alternating in one run.
//!
//! What must stay true: nothing is printed before a sample of ours was compared or opened and
//! verified; nothing here touches a house.

mod smtp;

use clap::Subcommand;

use super::exit::Ended;
use super::print::Print;

#[derive(Debug, Subcommand)]
pub enum Bench {
    Smtp(smtp::Smtp),
}

pub fn run(bench: &Bench, print: Print) -> Ended {
    match bench {
        Bench::Smtp(smtp) => super::wait_for(smtp::run(smtp, print)),
    }
}
