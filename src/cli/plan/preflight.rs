//! `daybreak plan preflight`: what stands in a plan's way, now or when an engine looked last.

use clap::Args;
use serde_json::{Value, json};

use crate::casework::{find_plan, preflight};
use crate::cli::desk::Desk;
use crate::cli::exit::{Ended, Exit, refuse};
use crate::cli::print::table;
use crate::cli::words;
use crate::domain::finding::Severity;
use crate::domain::plan::Plan;
use crate::domain::preflight::Report;

/// Look for everything that would stand in a release's or a headsup's way; nothing is sent
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak plan preflight x_meadow-2026-0001/2\n  \
    daybreak plan preflight x_meadow-2026-0001/2 --last\n\n\
    Exits with 3 when something is red. A red preflight disarms nothing: the plan still goes.")]
pub struct Preflight {
    /// Id, or DISCLOSURE/NUMBER
    plan: String,
    /// Only what an engine found when it looked last
    #[arg(long)]
    last: bool,
}

pub async fn run(desk: &Desk, order: &Preflight) -> Ended {
    let plan = find_plan(&desk.house, &order.plan).await?;
    let report = if order.last {
        preflight::last(&desk.house, &plan).await?.ok_or_else(|| {
            refuse(
                Exit::Failure,
                "no engine has looked ahead to this plan yet",
                "one looks when the plan is approved; leave out --last to look now",
            )
        })?
    } else {
        preflight::of(&desk.house, &plan).await?
    };
    desk.print.either(&as_json(&report), || as_text(&report))?;
    Ok(if report.is_red() { Exit::Blocked } else { Exit::Ok })
}

/// After the last approval: what is red is said, and the approval holds all the same.
pub async fn after_approval(desk: &Desk, plan: &Plan) -> Option<Report> {
    let report = preflight::of(&desk.house, plan).await.ok()?;
    if report.is_red() && !desk.print.is_json() {
        desk.print.talk("Approved, and something stands in its way; mend it before T0:");
        let red = report.found.iter().filter(|c| c.finding.severity == Severity::Stop);
        let findings: Vec<_> = red.map(|c| c.finding.clone()).collect();
        desk.print.findings(&findings);
    }
    Some(report)
}

/// In a line: for a plan's head.
pub fn spoken(report: &Report) -> String {
    let (red, warned) = (report.count(Severity::Stop), report.count(Severity::Warn));
    let state = match (red, warned) {
        (0, 0) => "green".to_owned(),
        (0, n) => format!("green, {}", words::counted(n, "warning")),
        (n, _) => format!("RED, {}: plan preflight --last", words::counted(n, "finding")),
    };
    format!("{state}; looked at {}", report.at.spoken())
}

pub fn as_json(report: &Report) -> Value {
    json!({
        "plan": report.plan, "at": report.at.rfc3339(), "t0": report.t0.rfc3339(),
        "red": report.is_red(), "tried": report.tried, "held": report.held,
        "findings": report.found,
    })
}

fn as_text(report: &Report) -> String {
    let tried = usize::try_from(report.tried).unwrap_or(usize::MAX);
    let head = format!("{}\n{} tried", spoken(report), words::counted(tried, "target"));
    if report.found.is_empty() {
        return head;
    }
    let rows = report.found.iter().map(|c| {
        let said = match c.finding.cure.as_str() {
            "" => c.finding.message.clone(),
            cure => format!("{}; {cure}", c.finding.message),
        };
        let words = [c.finding.severity.word(), c.family.word(), &c.finding.place, &said];
        words.map(str::to_owned).to_vec()
    });
    format!("{head}\n\n{}", table(&["", "about", "where", "what"], rows))
}
