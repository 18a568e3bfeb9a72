//! `daybreak plan branches`: where a plan's branches stand, what would be made of one that moved
//! if T0 were now, and, where the patches no longer fit, what could be sent instead.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::casework::branches::{Outlook, Patches, Shown, outlook};
use crate::casework::find_plan;
use crate::cli::desk::Desk;
use crate::cli::files;
use crate::domain::plan::{OnMove, Plan};
use crate::workshop::Foreseen;

/// How much of an object id is shown to people.
const SHORT: usize = 12;

/// Show where a plan's branches stand and what would be made of one that moved
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak plan branches x_meadow-2026-0001/2\n  \
    daybreak plan branches x_meadow-2026-0001/2 --out moved\n\n\
    Nothing is pushed. Where patches no longer fit, the folder holds those that could be sent\n\
    instead and the difference to those that were.")]
pub struct Branches {
    /// Id, or DISCLOSURE/NUMBER
    plan: String,
    /// A new or empty folder for what would be pushed and for patches made again
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub async fn run(desk: &Desk, order: &Branches) -> anyhow::Result<()> {
    let plan = find_plan(&desk.house, &order.plan).await?;
    let all = outlook(&desk.house, &plan).await?;
    if let Some(out) = &order.out {
        write(out, &all)?;
    }
    let json: Vec<_> = all.iter().map(|o| as_json(o, &plan, order.out.as_deref())).collect();
    desk.print.either(&json, || {
        let block = |o: &Outlook| as_text(o, &plan, order.out.as_deref());
        all.iter().map(block).collect::<Vec<_>>().join("\n\n")
    })?;
    if all.iter().any(|o| !matches!(o.patches, Patches::Fit)) {
        desk.print.talk("Patches no longer fit: tell the distributors while there is time.");
    }
    Ok(())
}

fn write(out: &Path, all: &[Outlook]) -> anyhow::Result<()> {
    files::empty_folder(out)?;
    for outlook in all {
        let stem = outlook.tip.branch.file_stem();
        if let Some(Foreseen::Makes { diff, .. }) = &outlook.foreseen {
            files::write_new(&out.join(format!("{stem}.diff")), diff)?;
        }
        if let Patches::Moved { series, interdiff, .. } = &outlook.patches {
            for file in series {
                files::write_new(&out.join(&file.name), &file.bytes)?;
            }
            files::write_new(&out.join(format!("{stem}.interdiff")), interdiff)?;
        }
    }
    Ok(())
}

/// What `on_move` does to the branch now, and the word for programs.
fn would(outlook: &Outlook) -> (&'static str, String) {
    let tip = &outlook.tip;
    let by_itself = tip.on_move.way().is_some();
    match (&tip.now, &outlook.foreseen) {
        (Shown::Unreadable, _) => ("unreadable", "the repository cannot be read now".to_owned()),
        (Shown::Gone, _) => ("gone", "the branch is no longer there".to_owned()),
        (Shown::At(oid), _) if *oid == tip.base => ("unmoved", "it has not moved".to_owned()),
        (Shown::At(oid), None) if *oid != tip.approved => {
            ("unknown", "it moved, and what would be made of it cannot be tried here".to_owned())
        }
        (Shown::At(_), None | Some(Foreseen::Holds)) => {
            ("holds", "it holds what was approved".to_owned())
        }
        (_, Some(Foreseen::Makes { .. })) if by_itself => {
            ("makes", format!("{}: it fits", tip.on_move.spoken()))
        }
        (_, Some(Foreseen::Makes { .. })) => {
            ("waits", format!("{}; merging would fit", tip.on_move.spoken()))
        }
        (_, Some(Foreseen::Waits(why))) if tip.on_move == OnMove::Leave => {
            ("waits", format!("{}; merging: {why}", tip.on_move.spoken()))
        }
        (_, Some(Foreseen::Waits(why))) => ("waits", format!("waits for a person: {why}")),
    }
}

/// What to type so that distributors get patches that fit.
fn commands(outlook: &Outlook, plan: &Plan, out: Option<&Path>) -> Vec<String> {
    let (branch, disclosure) = (&outlook.tip.branch, plan.disclosure);
    let onto = match &outlook.tip.now {
        Shown::At(oid) => oid.as_str(),
        Shown::Gone | Shown::Unreadable => "TIP",
    };
    let add = format!("daybreak disclosure add-patch {disclosure} --branch {branch}");
    let add = match (&outlook.patches, out) {
        (Patches::Fit, _) => return Vec::new(),
        (Patches::Moved { series, .. }, Some(out)) => {
            let named = |n: &String| out.join(n).display().to_string();
            let all = series.iter().map(|f| format!("{add} {}", named(&f.name)));
            all.collect::<Vec<_>>()
        }
        _ => vec![format!("{add} --from-git PATH {onto}..HEAD")],
    };
    let mut all = vec![format!("daybreak disclosure drop-patch {disclosure} --branch {branch}")];
    all.extend(add);
    all.push(format!("daybreak disclosure stage {disclosure} --branch {branch}"));
    all.push(format!("daybreak plan make {disclosure} --kind notice"));
    all.push(format!("daybreak plan make {disclosure} --kind release"));
    all
}

fn as_json(outlook: &Outlook, plan: &Plan, out: Option<&Path>) -> Value {
    let tip = &outlook.tip;
    let (word, said) = would(outlook);
    let (patches, interdiff) = match &outlook.patches {
        Patches::Fit => ("fit", None),
        Patches::Moved { interdiff, .. } => ("moved", Some(String::from_utf8_lossy(interdiff))),
        Patches::Stuck(_) => ("stuck", None),
    };
    json!({
        "branch": tip.branch, "step": tip.step, "on_move": tip.on_move, "base": tip.base,
        "approved": tip.approved, "moved": tip.moved(), "would": word, "said": said,
        "tip": match &tip.now { Shown::At(oid) => Some(oid), Shown::Gone | Shown::Unreadable => None },
        "stat": stat(outlook), "patches": patches, "interdiff": interdiff,
        "commands": commands(outlook, plan, out),
    })
}

fn stat(outlook: &Outlook) -> Option<&str> {
    match &outlook.foreseen {
        Some(Foreseen::Makes { stat, .. }) => Some(stat.trim_end()),
        _ => None,
    }
}

fn as_text(outlook: &Outlook, plan: &Plan, out: Option<&Path>) -> String {
    let tip = &outlook.tip;
    let short = |oid: &str| oid.chars().take(SHORT).collect::<String>();
    let now = match &tip.now {
        Shown::At(oid) => format!("now at {}", short(oid)),
        Shown::Gone => "gone now".to_owned(),
        Shown::Unreadable => "not to be read now".to_owned(),
    };
    let mut lines = vec![
        format!(
            "{}: staged on {}, {now}; on_move = {}",
            tip.branch,
            short(&tip.base),
            tip.on_move.word()
        ),
        format!("  {}", would(outlook).1),
    ];
    lines.extend(stat(outlook).iter().flat_map(|s| s.lines()).map(|l| format!("  {l}")));
    match &outlook.patches {
        Patches::Fit => {}
        Patches::Moved { interdiff, sent, .. } => {
            let held = if *sent { "that distributors hold" } else { "of this disclosure" };
            lines.push(format!("  The patches {held} no longer apply there. Made again, they are"));
            lines.push("  different by:".to_owned());
            lines.extend(String::from_utf8_lossy(interdiff).lines().map(str::to_owned));
        }
        Patches::Stuck(why) => {
            lines.push(format!("  The patches no longer apply there: {why}."));
            lines.push("  Make them again on the new tip.".to_owned());
        }
    }
    let commands = commands(outlook, plan, out);
    if !commands.is_empty() {
        lines.push("  To issue them again:".to_owned());
        lines.extend(commands.iter().map(|c| format!("    {c}")));
    }
    lines.join("\n")
}
