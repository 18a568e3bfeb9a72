//! `daybreak bench`: figures of this machine, ours and a peer's alternating in one run.
//!
//! What must stay true: nothing is printed before a sample of ours was compared, or opened and
//! verified by somebody else's program; nothing here touches a house.

mod fanout;
mod hostile;
mod smtp;

use clap::Subcommand;

use super::exit::Ended;
use super::print::Print;

#[derive(Debug, Subcommand)]
pub enum Bench {
    Fanout(fanout::Fanout),
    Hostile(hostile::Hostile),
    Smtp(smtp::Smtp),
}

pub fn run(bench: &Bench, print: Print) -> Ended {
    match bench {
        Bench::Fanout(fanout) => super::wait_for(fanout::run(fanout, print)),
        Bench::Hostile(hostile) => super::wait_for(hostile::run(hostile, print)),
        Bench::Smtp(smtp) => super::wait_for(smtp::run(smtp, print)),
    }
}
