//! `daybreak plan rehearse`: the plan as it would go, against shadows of every target.

use std::path::PathBuf;

use clap::Args;

use crate::casework::find_plan;
use crate::cli::desk::Desk;
use crate::cli::exit::{Ended, Exit};
use crate::cli::files;
use crate::engine::rehearsal::rehearse;

/// Let a plan go through the real engine against shadows: folders, bare copies of the mirrors, a
/// mail catcher; and compare what would have gone out with what was approved
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak plan rehearse x_meadow-2026-0001/2\n  \
    daybreak plan rehearse x_meadow-2026-0001/2 --out rehearsal\n\n\
    No real target is reached. Exit code 0: green. 3: red, and the plan can be neither approved nor\n\
    resumed until a rehearsal of it is green.")]
pub struct Rehearse {
    /// Id, or DISCLOSURE/NUMBER
    plan: String,
    /// Keep what would have gone out in this new or empty folder; it is embargoed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub async fn run(desk: &Desk, order: &Rehearse) -> Ended {
    let plan = find_plan(&desk.house, &order.plan).await?;
    if let Some(out) = &order.out {
        files::empty_folder(out)?;
    }
    let report = rehearse(&desk.house, desk.actor, &plan, order.out.as_deref()).await?;
    desk.print.either(&report, || report.as_text().trim_end().to_owned())?;
    if let Some(out) = &order.out {
        desk.print.talk(format!(
            "What would have gone out is in {}, with REPORT.txt. It is embargoed.",
            out.display()
        ));
    }
    Ok(if report.green { Exit::Ok } else { Exit::Blocked })
}
