//! Floor 9: the command line, `daybreak OBJECT VERB`.
//!
//! One file an object, its grammar and what it does together; every command's help has an
//! example, and a test parses each of them. This floor builds the house and hands it to a
//! verb of casework; it decides nothing.

mod advisory;
mod audit;
mod backup;
mod bar;
mod bells;
mod bench;
mod catch_mail;
mod config;
mod demo;
mod desk;
mod disclosure;
mod distributor;
mod doctor;
mod editor;
mod exit;
mod files;
mod house;
mod init;
mod log;
mod mail;
mod notice;
mod plan;
mod print;
mod restore;
mod serve;
mod simulate;
mod team;
mod voided;
mod watch;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{ArgAction, Args, Parser, Subcommand};

use desk::Desk;
use exit::{Ended, Exit, report};
use print::Print;

/// Coordinates embargoed security disclosures: a private draft, encrypted notices to
/// distributors, approval of exact bytes, and everything public at one instant.
#[derive(Debug, Parser)]
#[command(
    name = "daybreak",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 ok, 1 failure, 2 usage, 3 blocked by a finding, 4 needs approval, \
                  5 partly done.\nWherever an id is asked for, a name or the end of an id will do.\n\n\
                  Example:\n  daybreak init security --name Meadow --address security@meadow.example"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    object: Object,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Global {
    /// The data directory that `daybreak init` made
    #[arg(long, global = true, env = "DAYBREAK_DIR", default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Who acts, for the audit: a member's name, address or id (the operator unless said)
    #[arg(long = "as", global = true, value_name = "MEMBER")]
    member: Option<String>,
    /// Log more to stderr (-v, -vv, -vvv; or DAYBREAK_LOG=info, debug, trace)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Object {
    Init(init::Init),
    /// Who may approve
    #[command(subcommand)]
    Team(team::Team),
    /// The confidential list of those who hear in advance
    #[command(subcommand)]
    Distributor(distributor::Distributor),
    /// The text of one vulnerability
    #[command(subcommand)]
    Advisory(advisory::Advisory),
    /// One embargo: one instant, and everything that becomes public at it
    #[command(subcommand)]
    Disclosure(disclosure::Disclosure),
    /// The steps that need approval, with their exact bytes
    #[command(subcommand)]
    Plan(plan::Plan),
    /// Who has the notice, and who does not
    #[command(subcommand)]
    Notice(notice::Notice),
    /// Mail that comes to us: answers, and reports on what was delivered
    #[command(subcommand)]
    Mail(mail::Mail),
    /// The record of every change
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Urgent calls of the team, and answering them
    #[command(subcommand)]
    Bells(bells::Bells),
    /// The configuration
    #[command(subcommand)]
    Config(config::Config),
    /// Which house this is, and whether it may act
    #[command(subcommand)]
    House(house::House),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    Serve(serve::Serve),
    Demo(demo::Demo),
    Simulate(simulate::Simulate),
    /// What it costs on this machine, beside what others use
    #[command(subcommand)]
    Bench(bench::Bench),
    CatchMail(catch_mail::CatchMail),
    Watch(watch::Watch),
}

/// Parses the command line, does what it says, and tells the shell how it went.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => {
            let _nobody_reads_it = said.print();
            return if said.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    let print = Print::new(cli.global.json);
    let tells_itself = matches!(cli.object, Object::Demo(_) | Object::Simulate(_));
    log::start(cli.global.verbose, tells_itself, print);
    run(cli, print).unwrap_or_else(|error| report(print, &error)).into()
}

fn run(cli: Cli, print: Print) -> Ended {
    let Cli { global, object } = cli;
    match object {
        Object::Init(init) => init::run(init, print),
        Object::Config(verb) => config::run(&verb, &global, print),
        Object::Serve(serve) => serve::run(&serve, &global, print),
        Object::Demo(demo) => demo::run(&demo, print),
        Object::Simulate(days) => simulate::run(&days, print),
        Object::Bench(bench) => bench::run(&bench, print),
        Object::Watch(watch) => wait_for(watch::run(&watch, print)),
        Object::CatchMail(args) => wait_for(catch_mail::run(&args, print)),
        Object::Doctor(doctor) => wait_for(doctor::run(&doctor, &global, print)),
        Object::Advisory(advisory::Advisory::New(new)) if new.only_template() => {
            advisory::print_template(print)
        }
        Object::Team(verb) => {
            wait_for(async { team::run(verb, &Desk::open(&global, print).await?).await })
        }
        Object::Distributor(verb) => {
            wait_for(async { distributor::run(verb, &Desk::open(&global, print).await?).await })
        }
        Object::Advisory(verb) => {
            wait_for(async { advisory::run(verb, &Desk::open(&global, print).await?).await })
        }
        Object::Disclosure(verb) => {
            wait_for(async { disclosure::run(verb, &Desk::open(&global, print).await?).await })
        }
        Object::Plan(verb) => {
            wait_for(async { plan::run(verb, &Desk::open(&global, print).await?).await })
        }
        Object::Notice(verb) => {
            wait_for(async { notice::run(verb, &Desk::open(&global, print).await?).await })
        }
        Object::Mail(verb) => wait_for(mail::run(verb, &global, print)),
        Object::Bells(verb) => {
            wait_for(async { bells::run(&verb, &Desk::open(&global, print).await?).await })
        }
        Object::House(verb) => {
            wait_for(async { house::run(&verb, &Desk::open(&global, print).await?).await })
        }
        Object::Backup(backup) => {
            wait_for(async { backup::run(&backup, &Desk::open(&global, print).await?).await })
        }
        Object::Restore(restore) => wait_for(restore::run(&restore, &global, print)),
        Object::Audit(verb) => {
            wait_for(async { audit::run(&verb, &Desk::open(&global, print).await?).await })
        }
    }
}

/// One command needs one thread; the database's blocking work has its own.
fn wait_for(work: impl Future<Output = Ended>) -> Ended {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?
        .block_on(work)
}

#[cfg(test)]
mod tests;
