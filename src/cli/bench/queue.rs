//! `daybreak bench queue`: what the journal costs beside the bare disk, what effects side by side
//! cost beside one alone, and what a turn of the engine costs in a house with much in it.
//!
//! Ours and what it is compared with take turns, so that whatever else the machine does falls
//! on both alike; of the rounds the median counts.

mod commits;
mod past;
mod ticks;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::super::exit::Ended;
use super::super::print::Print;
use super::goal::{Bound, Figure, all_met, median, told};
use super::stand;
use crate::town::{Database, Time};
use commits::{APPEND, SIDE_BY_SIDE, Writer, appends};
use ticks::{Cost, Inside, Running};

/// What commits of the journal must reach of bare appends, a second.
const OF_APPENDS: f64 = 0.5;
/// What an effect among others may cost of one alone.
const AMONG_OTHERS: f64 = 1.1;
/// What a turn in a full house may cost of one in an empty house.
const FULL: f64 = 2.0;

/// Commits beside bare appends, effects side by side, and turns of the engine in full houses
#[derive(Debug, Args)]
#[command(after_help = "A release build on a quiet machine tells the truth.\n\nExample:\n  \
                  daybreak bench queue --json\n  \
                  daybreak bench queue --rounds 3 --past 1000 --on /var/lib/daybreak")]
pub struct Queue {
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Commits, appends and effects a round
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    commits: u32,
    /// Steps of the plan that waits
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Disclosures that have long been public
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    past: u32,
    /// On the disk of this folder; the one for temporary files unless said
    #[arg(long, value_name = "DIR")]
    on: Option<PathBuf>,
    /// Commits of this empty database too: postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// One kind of turn.
type Kind = fn(&Cost) -> f64;

/// What came out.
#[derive(Serialize)]
struct Report<'a> {
    rounds: u32,
    commits: u32,
    steps: u32,
    past: u32,
    cores: usize,
    optimised: bool,
    figures: &'a [Figure],
    met: bool,
}

pub async fn run(args: &Queue, print: Print) -> Ended {
    let ground = stand::ground(args.on.as_ref())?;
    let mut figures = Vec::new();
    journal(args, ground.path(), print, &mut figures).await?;
    turns(args, ground.path(), print, &mut figures).await?;
    let report = Report {
        rounds: args.rounds,
        commits: args.commits,
        steps: args.steps,
        past: args.past,
        cores: crate::pgp::press::cores(),
        optimised: !cfg!(debug_assertions),
        met: all_met(&figures),
        figures: &figures,
    };
    told(print, &report, &figures)
}

async fn journal(
    args: &Queue,
    folder: &Path,
    print: Print,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    print.talk("commits of the journal, appends and effects");
    let town = stand::town(folder.join("journal"), Time::System, Database::Sqlite).await?;
    let writer = Writer::new(&town).await?;
    let server = match &args.database {
        None => None,
        Some(url) => {
            let database = Database::Postgres(url.clone());
            Some(stand::town(folder.join("server"), Time::System, database).await?)
        }
    };
    let server = match &server {
        None => None,
        Some(town) => Some(Writer::new(town).await?),
    };
    let ways = u32::try_from(SIDE_BY_SIDE)?;
    let each = args.commits.checked_div(ways).unwrap_or(1);
    let (mut ours, mut bare, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut one, mut many) = (Vec::new(), Vec::new());
    let mut ratios = (Vec::new(), Vec::new());
    // What is done for the first time is not counted.
    writer.commits(ways).await?;
    for _ in 0..args.rounds {
        let (mine, disk) =
            (writer.commits(args.commits).await?, appends(folder, args.commits).await?);
        let (alone, among) =
            (writer.effects(1, args.commits).await?, writer.effects(SIDE_BY_SIDE, each).await?);
        if let Some(server) = &server {
            theirs.push(server.commits(args.commits).await?);
        }
        ratios.0.push(mine / disk);
        ratios.1.push(among / alone);
        ours.push(mine);
        bare.push(disk);
        one.push(alone);
        many.push(among);
    }
    let a_second = "/s";
    figures.push(Figure::told("commits of the journal, SQLite", median(&ours).round(), a_second));
    let name = format!("appends of {APPEND} bytes, each flushed");
    figures.push(Figure::told(name, median(&bare).round(), a_second));
    let least = Bound::AtLeast(OF_APPENDS);
    figures.push(Figure::bound("commits by appends", median(&ratios.0), "", least));
    if !theirs.is_empty() {
        let name = "commits of the journal, PostgreSQL";
        figures.push(Figure::told(name, median(&theirs).round(), a_second));
    }
    figures.push(Figure::told("an effect alone, its database time", median(&one), "ms"));
    let name = format!("an effect among {SIDE_BY_SIDE}");
    figures.push(Figure::told(name, median(&many), "ms"));
    let most = Bound::AtMost(AMONG_OTHERS);
    figures.push(Figure::bound("among others by alone", median(&ratios.1), "", most));
    Ok(())
}

async fn turns(
    args: &Queue,
    folder: &Path,
    print: Print,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    print.talk(format!("a plan of {} steps, a house with {} disclosures", args.steps, args.past));
    let mut empty = Running::new(folder, Inside::Nothing).await?;
    let mut long = Running::new(folder, Inside::Steps(args.steps)).await?;
    let mut full = Running::new(folder, Inside::Past(args.past)).await?;
    let mut rounds: Vec<[Cost; 3]> = Vec::new();
    for _ in 0..args.rounds {
        rounds.push([empty.round().await?, long.round().await?, full.round().await?]);
    }
    for running in [empty, long, full] {
        running.end().await?;
    }
    let kinds: [(&str, Kind); 2] = [("a turn", |c| c.idle), ("a turn after a write", |c| c.told)];
    for (what, of) in kinds {
        let all = |which: fn(&[Cost; 3]) -> &Cost| -> Vec<f64> {
            rounds.iter().map(|round| of(which(round))).collect()
        };
        let ratio = |which: fn(&[Cost; 3]) -> &Cost| -> f64 {
            let by: Vec<f64> = rounds.iter().map(|r| of(which(r)) / of(&r[0])).collect();
            median(&by)
        };
        figures.push(Figure::told(format!("{what}, nothing there"), median(&all(|r| &r[0])), "ms"));
        let most = Bound::AtMost(FULL);
        let name = format!("{what}, {} steps wait", args.steps);
        figures.push(Figure::told(name, median(&all(|r| &r[1])), "ms"));
        let name = format!("{what}, with the steps by nothing there");
        figures.push(Figure::bound(name, ratio(|r| &r[1]), "", most));
        let name = format!("{what}, {} disclosures long public", args.past);
        figures.push(Figure::told(name, median(&all(|r| &r[2])), "ms"));
        let name = format!("{what}, with the past by nothing there");
        figures.push(Figure::bound(name, ratio(|r| &r[2]), "", most));
    }
    Ok(())
}
