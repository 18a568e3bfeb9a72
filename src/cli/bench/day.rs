//! `daybreak bench day`: how late a day begins, what eight pushes at once take of eight in a row,
//! and how far apart the first and the last public byte of a day are.
//!
//! Everything is real but the distance: the engine on the machine's clock, SQLite on a disk, git,
//! mail and the site on loopback. What became public when is judged from outside.

mod lateness;
mod outside;
mod pushes;
mod spread;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::super::exit::Ended;
use super::super::print::Print;
use super::goal::{Bound, Figure, all_met, median, quantile, told};
use super::stand;

/// Milliseconds that GO may be late, 99 times of a hundred.
const LATE: f64 = 20.0;
/// What eight pushes at once may take of eight in a row.
const AT_ONCE: f64 = 0.7;
/// Milliseconds from the first public byte of a day to the last.
const APART: f64 = 300.0;

/// How late GO comes, pushes at once beside pushes in a row, and how far apart a day's effects are
#[derive(Debug, Args)]
#[command(
    after_help = "A release build on an idle machine tells the truth. Needs git.\n\nExample:\n  \
                  daybreak bench day --json\n  daybreak bench day --times 200 --rounds 9"
)]
pub struct Day {
    /// How many days begin, one a second
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
    /// Rounds of pushes and of whole days, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// On the disk of this folder; the one for temporary files unless said
    #[arg(long, value_name = "DIR")]
    on: Option<PathBuf>,
}

/// What came out.
#[derive(Serialize)]
struct Report<'a> {
    times: u32,
    rounds: u32,
    cores: usize,
    optimised: bool,
    figures: &'a [Figure],
    met: bool,
}

/// As `serve` does it: the engine does not share its thread with those who look on.
pub fn run(args: &Day, print: Print) -> Ended {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.context("cannot start")?.block_on(measure(args, print))
}

async fn measure(args: &Day, print: Print) -> Ended {
    let ground = stand::ground(args.on.as_ref())?;
    let mut figures = Vec::new();
    begin(args, ground.path(), print, &mut figures).await?;
    push(args, ground.path(), print, &mut figures).await?;
    live(args, ground.path(), print, &mut figures).await?;
    let report = Report {
        times: args.times,
        rounds: args.rounds,
        cores: crate::pgp::press::cores(),
        optimised: !cfg!(debug_assertions),
        met: all_met(&figures),
        figures: &figures,
    };
    told(print, &report, &figures)
}

async fn begin(
    args: &Day,
    folder: &Path,
    print: Print,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    print.talk(format!("{} days begin, one a second", args.times));
    let begun = lateness::measure(&folder.join("lateness"), args.times).await?;
    let most = Bound::AtMost(LATE);
    figures.push(Figure::told("GO after T0, p50", median(&begun.go), "ms"));
    figures.push(Figure::bound("GO after T0, p99", quantile(&begun.go, 0.99), "ms", most));
    figures.push(Figure::told("GO after T0, max", quantile(&begun.go, 1.0), "ms"));
    let early = begun.go.iter().chain(&begun.byte).filter(|ms| **ms < 0.0).count();
    figures.push(Figure::bound("early", early as f64, "", Bound::AtMost(0.0)));
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        let name = format!("page read from outside after T0, {name}");
        figures.push(Figure::told(name, quantile(&begun.byte, share), "ms"));
    }
    Ok(())
}

async fn push(
    args: &Day,
    folder: &Path,
    print: Print,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    print.talk("eight pushes, at once and in a row");
    let yard = pushes::Yard::new(&folder.join("pushes")).await?;
    let (mut once, mut row, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let (together, after_another) = (yard.day(false).await?, yard.day(true).await?);
        ratios.push(together / after_another);
        once.push(together);
        row.push(after_another);
    }
    figures.push(Figure::told("eight pushes at once, GO to the last", median(&once), "ms"));
    figures.push(Figure::told("eight pushes in a row", median(&row), "ms"));
    let most = Bound::AtMost(AT_ONCE);
    figures.push(Figure::bound("at once by in a row", median(&ratios), "", most));
    Ok(())
}

async fn live(
    args: &Day,
    folder: &Path,
    print: Print,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    print.talk("whole days of ten effects");
    let (mut apart, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let mut early = 0;
    for round in 0..args.rounds {
        let day = spread::day(&folder.join(format!("day-{round}"))).await?;
        early += u32::from(day.first < 0.0);
        apart.push(day.last - day.first);
        first.push(day.first);
        last.push(day.last);
    }
    figures.push(Figure::told("first public byte after T0, p50", median(&first), "ms"));
    figures.push(Figure::told("last public byte after T0, p50", median(&last), "ms"));
    let most = Bound::AtMost(APART);
    figures.push(Figure::bound("first to last public byte, p50", median(&apart), "ms", most));
    figures.push(Figure::told("first to last public byte, max", quantile(&apart, 1.0), "ms"));
    figures.push(Figure::bound(
        "days with an early byte",
        f64::from(early),
        "",
        Bound::AtMost(0.0),
    ));
    Ok(())
}
