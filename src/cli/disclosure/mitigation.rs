//! `daybreak disclosure mitigation-only`: it is disclosed before there is a fix.

use clap::Args;

use crate::casework::{find_disclosure, mitigations};
use crate::cli::desk::Desk;
use crate::cli::words;

/// Disclose without a fix; no text claims a fixed version, and the branches stay open
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure mitigation-only x_meadow-2026-0001 --reason \"it is exploited\"\n  \
    daybreak disclosure mitigation-only x_meadow-2026-0001 --off\n  \
    daybreak disclosure mitigation-only x_meadow-2026-0001 \
        --closed-by 0197c2d1-0000-7000-8000-000000000000")]
pub struct MitigationOnly {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// Why it cannot wait for a fix
    #[arg(long, value_parser = words::said(), required_unless_present_any = ["off", "closed_by"])]
    reason: Option<String>,
    /// There will be a fix after all
    #[arg(long, conflicts_with_all = ["reason", "closed_by"])]
    off: bool,
    /// The public disclosure whose releases brought the fix
    #[arg(long, value_name = "DISCLOSURE", conflicts_with = "reason")]
    closed_by: Option<String>,
}

pub async fn run(desk: &Desk, order: MitigationOnly) -> anyhow::Result<()> {
    let (house, actor) = (&desk.house, desk.actor);
    let found = find_disclosure(house, &order.disclosure).await?;
    let changed = match (order.closed_by, order.reason) {
        (Some(by), _) => {
            let by = find_disclosure(house, &by).await?;
            mitigations::close(house, actor, &found, &by).await?
        }
        (None, Some(reason)) => mitigations::without_fix(house, actor, &found, &reason).await?,
        (None, None) => mitigations::with_fix(house, actor, &found).await?,
    };
    desk.print.made(changed.id, &[])
}
