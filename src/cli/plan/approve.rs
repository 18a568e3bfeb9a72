//! `daybreak plan approve`: a signed approval text, in any of the three forms.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::casework::{approvals, plans, rehearsals};
use crate::cli::desk::Desk;
use crate::cli::plan::preflight;
use crate::cli::{files, words};
use crate::domain::secret::Reason;

/// Take a signed approval text: clear-signed, inline or detached
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak plan approve APPROVAL.txt.asc\n  \
    daybreak plan approve APPROVAL.txt.sig --text APPROVAL.txt")]
pub struct Approve {
    /// What was signed (stdin unless given)
    #[arg(default_value = "-")]
    file: PathBuf,
    /// What a detached signature is over (the waiting plans' own texts unless given)
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
}

pub async fn run(desk: &Desk, approve: &Approve) -> anyhow::Result<()> {
    if approve.file.as_os_str() == "-" && std::io::stdin().is_terminal() {
        desk.print.talk("Paste the signed approval text, then press Ctrl-D.");
    }
    let form = files::read(&approve.file, files::TEXT)?;
    let text = approve.text.as_ref().map(|file| files::read(file, files::TEXT)).transpose()?;
    let approved = approvals::approve(&desk.house, &form, text.as_deref()).await?;
    let last = rehearsals::newest(&desk.house, &approved.plan).await?;
    let unrehearsed = rehearsals::finding(last.as_ref(), desk.house.now());
    desk.print.findings(&unrehearsed.into_iter().collect::<Vec<_>>());
    let (plan, given, needed) = (&approved.plan, approved.given, approved.needed);
    let name = &approved.member.record.open(Reason::Review).name;
    let looked = given >= needed && plan.kind.is_public();
    if desk.print.is_json() {
        let report = if looked { preflight::after_approval(desk, plan).await } else { None };
        return desk.print.json(&json!({
            "plan": plan.id, "number": plan.number, "member": approved.member.id, "name": name,
            "given": given, "needed": needed, "state": plan.state,
            "preflight": report.as_ref().map(preflight::as_json),
        }));
    }
    let missing = needed.saturating_sub(given);
    if missing > 0 {
        desk.print.talk(format!(
            "{name} approved plan {} ({}): {given} of {needed}, {} needed.",
            plan.number,
            plan.kind,
            words::more(missing, "approval")
        ));
        return Ok(());
    }
    let now = desk.house.now();
    let first = plans::manifest_of(plan)?.first_effect().filter(|at| *at > now);
    let when = first.map_or_else(
        || "it sends AT ONCE, as soon as an engine runs (daybreak serve)".to_owned(),
        |at| {
            format!("it sends at {}; an engine must be running then (daybreak serve)", at.spoken())
        },
    );
    desk.print.talk(format!(
        "{name} approved plan {} ({}): {given} of {needed}, approved; {when}.",
        plan.number, plan.kind
    ));
    if looked {
        let _said = preflight::after_approval(desk, plan).await;
    }
    Ok(())
}
