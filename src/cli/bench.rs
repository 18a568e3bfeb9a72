//! `daybreak bench`: figures of this machine, ours and a peer's alternating in one run.
//!
//! What must stay true: nothing is printed before a sample of ours was compared, or opened and
//! verified by somebody else's program; nothing here touches a house.

mod cpu;
mod day;
mod fanout;
mod goal;
mod gpg;
mod hostile;
mod patch;
mod queue;
mod resident;
mod ring;
mod schleuder;
mod smtp;
mod stand;

use clap::Subcommand;

use super::exit::Ended;
use super::print::Print;

#[derive(Debug, Subcommand)]
pub enum Bench {
    Day(day::Day),
    Fanout(fanout::Fanout),
    Hostile(hostile::Hostile),
    Queue(queue::Queue),
    Schleuder(schleuder::Against),
    Smtp(smtp::Smtp),
}

pub fn run(bench: &Bench, print: Print) -> Ended {
    match bench {
        Bench::Day(day) => day::run(day, print),
        Bench::Fanout(fanout) => super::wait_for(fanout::run(fanout, print)),
        Bench::Hostile(hostile) => super::wait_for(hostile::run(hostile, print)),
        Bench::Queue(queue) => super::wait_for(queue::run(queue, print)),
        Bench::Schleuder(against) => super::wait_for(schleuder::run(against, print)),
        Bench::Smtp(smtp) => super::wait_for(smtp::run(smtp, print)),
    }
}
