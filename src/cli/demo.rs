//! `daybreak demo`: the whole story on this machine.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Ended, Exit, refuse};
use super::print::Print;

/// Show the whole story on this machine, from a private draft to everything public
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak demo --keep town")]
pub struct Demo {
    /// Leave the town in this directory for looking around
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Use this database instead of a file: postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

pub fn run(_demo: &Demo, _print: Print) -> Ended {
    Err(refuse(Exit::Failure, "`demo` is not available in this build", "use a later version"))
}
