//! `daybreak simulate`: days that never were, lived by the real engine.

use std::ops::Range;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::bar::bar;
use super::exit::{Ended, Exit};
use super::print::Print;
use crate::clock::{Clock as _, SystemClock};
use crate::town::simulate::{Case, Failure, Outcome, Summary, many, one};

/// Live through days that never were, with everything that can go wrong, and judge each
#[derive(Debug, Args)]
#[command(after_help = "The same seed is the same day. A seed that fails is worth a report.\n\n\
                  Example:\n  daybreak simulate --seeds 0..100\n  daybreak simulate --seeds 7 --json")]
pub struct Simulate {
    /// Which days: one seed, or FROM..TO without TO
    #[arg(long, value_name = "SEEDS", value_parser = seeds)]
    seeds: Range<u64>,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| {
        text.trim().parse::<u64>().map_err(|_| format!("`{text}` is no number: 7, or 0..100"))
    };
    let range = match text.split_once("..") {
        None => {
            let one = number(text)?;
            one..one.saturating_add(1)
        }
        Some((from, to)) => number(from)?..number(to)?,
    };
    if range.is_empty() {
        return Err("no day lies in it: write the smaller number first, as in 0..100".to_owned());
    }
    Ok(range)
}

/// What came out.
#[derive(Serialize)]
struct Figures {
    from: u64,
    to: u64,
    days: u64,
    /// How many things really happened in all of them.
    happened: usize,
    /// Days a minute, on all cores; making the case is not counted.
    a_minute: f64,
    failures: Vec<Failed>,
    /// Of a single day: the digest of everything that happened in it.
    trace: Option<String>,
}

#[derive(Serialize)]
struct Failed {
    seed: u64,
    broken: String,
}

pub fn run(args: &Simulate, print: Print) -> Ended {
    // Kept until the end: the town that the case was made in lives on it.
    let town = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let town = town.context("cannot start")?;
    let case = town.block_on(Case::new())?;
    let Range { start: from, end: to } = args.seeds.clone();
    let clock = SystemClock::new();
    let began = clock.mono();
    let days = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
    let bar = bar(days, "days", print);
    let tick = |_: u64, _: &Outcome| bar.inc(1);
    let (summary, trace) = if to.saturating_sub(from) == 1 {
        let day = one(&case, from);
        let trace = Some(day.trace.to_string());
        let failures = day.broken.map(|broken| Failure { seed: from, broken });
        let failures = failures.into_iter().collect();
        (Summary { days: 1, happened: day.happened, failures }, trace)
    } else {
        (many(&case, from..to, &tick), None)
    };
    bar.finish_and_clear();
    let minutes = clock.mono().since(began).as_millis().max(1) as f64 / 60_000.0;
    let Summary { days, happened, failures } = summary;
    let failed = |f: Failure| Failed { seed: f.seed, broken: f.broken };
    let failures: Vec<Failed> = failures.into_iter().map(failed).collect();
    let a_minute = days as f64 / minutes;
    let figures = Figures { from, to, days, happened, a_minute, failures, trace };
    show(&figures, print)?;
    Ok(if figures.failures.is_empty() { Exit::Ok } else { Exit::Failure })
}

fn show(figures: &Figures, print: Print) -> anyhow::Result<()> {
    if print.is_json() {
        return print.json(figures);
    }
    for Failed { seed, broken } in &figures.failures {
        print.data(&format!("seed {seed}: {broken}"))?;
    }
    if let Some(trace) = &figures.trace {
        print.data(&format!("trace {trace}"))?;
    }
    print.data(&format!(
        "{} days, {} failed; {} things happened; {:.0} days a minute",
        figures.days,
        figures.failures.len(),
        figures.happened,
        figures.a_minute
    ))
}
