//! `daybreak bench fanout`: sealing one notice to many, beside gpg once a recipient.
//!
//! The same kinds of keys, the same body, alternating rounds, medians, CPU time of everybody
//! who works: for gpg its processes and its agent. Beside them stands what the bare primitives
//! would cost.

mod bound;
pub(super) mod cpu;
mod memory;
mod ours;
mod patch;
mod peer;
mod report;
mod ring;

use anyhow::{Context as _, ensure};
use clap::Args;

use super::super::exit::{Ended, Exit};
use super::super::print::Print;
use crate::clock::{Clock as _, SystemClock};
use cpu::Spent;
use ours::{Ours, Way};
use peer::Peer;
use report::{Report, Row};
use ring::Ring;

/// Seal one notice to many recipients, beside gpg once a recipient with the same kinds of keys
#[derive(Debug, Args)]
#[command(
    after_help = "Medians of CPU and wall milliseconds a message. A third of the recipients have RSA 4096, a\n\
    tenth P-384, the others Curve25519; at most 100 keys are made and used in turn. A sample of\n\
    ours is opened and verified by gpg before anything is printed. Needs gpg; the bound needs\n\
    openssl. Run a release build.\n\nExample:\n  daybreak bench fanout --recipients 100 --size 20000 --rounds 3\n  \
    daybreak bench fanout --memory --recipients 100 --size 50000000"
)]
pub struct Fanout {
    /// How many recipients
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    recipients: u32,
    /// Bytes of the body
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    size: u32,
    /// How many times each of them runs
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Measure peak memory instead of time, in a process of its own, streaming the sealed bytes
    #[arg(long)]
    memory: bool,
    /// Leave out what the bare primitives would cost: it takes openssl and ten seconds
    #[arg(long)]
    no_bound: bool,
    #[arg(long, hide = true)]
    memory_of: Option<Way>,
}

pub async fn run(args: &Fanout, print: Print) -> Ended {
    if cfg!(debug_assertions) {
        print.talk("this is a dev build: its figures say nothing (cargo build --release)");
    }
    if let Some(way) = args.memory_of {
        let used = memory::measure(way, args.recipients, args.size)?;
        print.json(&used)?;
        return Ok(Exit::Ok);
    }
    if args.memory {
        return memory::run(args.recipients, args.size, print).await;
    }
    time(args, print).await
}

async fn time(args: &Fanout, print: Print) -> Ended {
    let clock = SystemClock::new();
    let at = clock.wall();
    print.talk("making keys");
    let ring = Ring::new(args.recipients, at)?;
    let body = patch::bytes(args.size);
    let peer = Peer::furnish(&ring).await?;
    let ways: Vec<Ours> =
        Way::ALL.into_iter().map(|way| Ours::new(way, &ring, at)).collect::<Result<_, _>>()?;
    print.talk("opening samples with gpg");
    for ours in &ways {
        sample(ours, &ring, &peer, &body).await?;
    }
    let mut primitives = None;
    if !args.no_bound {
        print.talk("timing the primitives with openssl");
        primitives = bound::Primitives::of_this_machine().await;
    }
    let mut spent: Vec<(Vec<Spent>, Vec<Spent>)> =
        ways.iter().map(|_| Default::default()).collect();
    for round in 1..=args.rounds {
        for (ours, (mine, theirs)) in ways.iter().zip(&mut spent) {
            print.talk(format!("round {round}: gpg, then ours, {}", ours.way.words()));
            theirs.push(peer.round(ours.way, &ring, &body, args.recipients).await?);
            mine.push(ours.round(&ring, &body, args.recipients).await?);
        }
    }
    let rows = ways.iter().zip(spent).map(|(ours, (mine, theirs))| {
        let bound = primitives.as_ref().map(|p| p.a_message(ours.way, &ring, args));
        Row::new(ours.way, &mine, &theirs, args.recipients, bound)
    });
    let report = Report::new(args, rows.collect());
    print.either(&report, || report.text())?;
    Ok(Exit::Ok)
}

/// One message of ours to each kind of key, opened and verified by gpg.
async fn sample(ours: &Ours, ring: &Ring, peer: &Peer, body: &[u8]) -> anyhow::Result<()> {
    for key in ring.one_of_each_kind() {
        let sealed = ours.one(&key.certificate, body).await?;
        let opened = peer.open(key, ours.way, &sealed).await.context("gpg opens no sample")?;
        ensure!(opened == body, "gpg opens a sample of ours to something else");
    }
    Ok(())
}
