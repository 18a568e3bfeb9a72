//! `daybreak bench schleuder`: one text to the subscribers of a list, beside schleuder with the
//! same subscribers, keys and text.
//!
//! Ours is a whole engine in a process of its own, from its start until every mail is handed
//! over and written down; theirs is what a mail server starts for each mail, from its start to
//! its end. Both hand over to a catcher in this process, whose time counts for nobody.

mod list;
mod ours;
mod report;
mod sample;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;

use super::super::exit::{Ended, Exit};
use super::super::print::Print;
use super::cpu::Spent;
use super::patch;
use super::ring::Ring;
use crate::clock::{Clock as _, SystemClock};
use crate::town::catcher::Caught;
use list::Schleuder;
use ours::Case;
use report::{Report, Side};
use sample::Readers;

/// Send one text to a list of subscribers, beside schleuder with the same subscribers and keys
#[derive(Debug, Args)]
#[command(
    after_help = "Medians of CPU and wall milliseconds and of peak memory for the whole list, all processes of\n\
    both counted. Schleuder runs twice a round, with a list key of RSA 4096 as it makes them\n\
    itself and with an Ed25519 key as ours. A third of the subscribers have RSA 4096, a tenth\n\
    P-384, the others Curve25519. Samples of all are opened and verified by gpg before anything\n\
    is printed. Needs schleuder, gpg and git. Run a release build.\n\nExample:\n  \
    daybreak bench schleuder\n  daybreak bench schleuder --recipients 27 --size 14000 --json"
)]
pub struct Against {
    /// How many subscribers
    #[arg(long, default_value_t = 27, value_parser = clap::value_parser!(u32).range(1..=100))]
    recipients: u32,
    /// Bytes of the text
    #[arg(long, default_value_t = 14_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    size: u32,
    /// How many times each of them runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    #[arg(long, hide = true)]
    deliver: Option<PathBuf>,
}

/// What one run took and what it brought.
pub struct Run {
    spent: Spent,
    /// The most that its main process had resident, bytes.
    peak_bytes: u64,
    mails: Vec<Caught>,
}

pub async fn run(args: &Against, print: Print) -> Ended {
    if let Some(dir) = &args.deliver {
        print.json(&ours::deliver(dir).await?)?;
        return Ok(Exit::Ok);
    }
    let version = list::version().await?;
    if cfg!(debug_assertions) {
        print.talk("this is a dev build: its figures say nothing (cargo build --release)");
    }
    let at = SystemClock::new().wall();
    print.talk("making keys, a list and a house");
    let ring = Ring::new(args.recipients, at)?;
    let text = String::from_utf8(patch::bytes(args.size))?;
    let schleuder = Schleuder::furnish(&ring, &text, at).await?;
    let case = Case::furnish(&ring, &text).await?;
    let readers = Readers::new(&ring, case.team()).await?;
    print.talk("opening samples of both with gpg");
    for list in schleuder.lists() {
        let run = everybody(&ring, schleuder.round(list).await?)?;
        readers.open(&run.mails, &list.certificate, &text).await?;
    }
    let run = everybody(&ring, case.round().await?)?;
    readers.open(&run.mails, case.team(), &text).await?;
    let mut mine: Vec<Run> = Vec::new();
    let mut theirs: Vec<Vec<Run>> = schleuder.lists().iter().map(|_| Vec::new()).collect();
    for round in 1..=args.rounds {
        for (list, runs) in schleuder.lists().iter().zip(&mut theirs) {
            print.talk(format!("round {round}: schleuder, {}", list.key));
            runs.push(everybody(&ring, schleuder.round(list).await?)?);
        }
        print.talk(format!("round {round}: ours"));
        mine.push(everybody(&ring, case.round().await?)?);
    }
    let lists = schleuder.lists().iter().zip(&theirs);
    let lists = lists.map(|(list, runs)| (list.key, Side::of(runs))).collect();
    let report = Report::new(args, version, Side::of(&mine), lists);
    print.either(&report, || report.text())?;
    Ok(Exit::Ok)
}

/// The run, if everybody got exactly one mail.
fn everybody(ring: &Ring, run: Run) -> anyhow::Result<Run> {
    let expected: BTreeSet<String> = ring.people().map(|(address, _)| address).collect();
    let got: BTreeSet<String> = run.mails.iter().flat_map(|mail| mail.to.clone()).collect();
    let (many, all) = (run.mails.len(), expected.len());
    ensure!(got == expected && many == all, "{many} mails arrived for {all} subscribers");
    Ok(run)
}
