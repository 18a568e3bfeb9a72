//! `daybreak serve`: the web site and the engine.

use clap::{Args, ValueEnum};

use super::Global;
use super::exit::{Ended, Exit, refuse};
use super::print::Print;

/// Run the public site and the engine that sends and publishes
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak serve\n  daybreak serve --only engine")]
pub struct Serve {
    /// Only one of them, when they run as two processes
    #[arg(long, value_name = "PART")]
    pub only: Option<Part>,
}

/// One half of a serving house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The public site.
    Web,
    /// What sends and publishes.
    Engine,
}

pub fn run(_serve: &Serve, _global: &Global, _print: Print) -> Ended {
    Err(refuse(Exit::Failure, "`serve` is not available in this build", "use a later version"))
}
