//! `daybreak house`: letting a house act again that may be a copy.

use clap::Subcommand;
use serde_json::json;

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::print::table;
use super::words::listed;
use crate::casework::rearm::{Found, Rearmed, rearm};

#[derive(Debug, Subcommand)]
pub enum House {
    /// Let a restored, copied or failed-over house act again, once enough members say so; the
    /// world is asked about every open step first
    #[command(
        after_help = "Example:\n  daybreak house rearm --as ada --reason \"the old machine is switched off\""
    )]
    Rearm {
        /// Why this is the one house: what became of the other one
        #[arg(long)]
        reason: String,
    },
}

pub async fn run(verb: &House, desk: &Desk) -> Ended {
    let House::Rearm { reason } = verb;
    match rearm(&desk.house, desk.member()?, reason).await? {
        Rearmed::Waits { given, needed } => {
            desk.print.either(&json!({ "given": given, "needed": needed }), || {
                format!("{given} of {needed} members let it act again")
            })?;
            desk.print.talk("Nothing is sent until the others say so too.");
            Ok(Exit::NeedsApproval)
        }
        Rearmed::Done { found, held } => {
            let held: Vec<String> = held.iter().map(ToString::to_string).collect();
            let steps: Vec<_> = found.iter().map(as_json).collect();
            let asks = found.iter().filter(|f| f.asks).count();
            desk.print.either(&json!({ "steps": steps, "held": held }), || {
                let rows = found.iter().map(|f| {
                    let step = f.step.to_string();
                    vec![step, f.outlet.clone(), f.log.to_owned(), f.world.to_owned()]
                });
                table(&["step", "outlet", "our log", "the world"], rows)
            })?;
            desk.print.talk("The house acts again.");
            if !held.is_empty() {
                desk.print.talk(format!(
                    "Held until looked at: {}. Abort what was aborted after the backup; then \
                     daybreak plan resume PLAN",
                    listed(&held)
                ));
            }
            if asks > 0 {
                desk.print.talk(format!(
                    "Of {asks} step(s) nobody can tell whether they happened: daybreak plan show \
                     PLAN, then plan done, skip or retry"
                ));
            }
            Ok(Exit::Ok)
        }
    }
}

fn as_json(f: &Found) -> serde_json::Value {
    json!({
        "plan": f.plan.to_string(), "step": f.step.to_string(), "outlet": f.outlet,
        "log": f.log, "world": f.world, "asks": f.asks,
    })
}
