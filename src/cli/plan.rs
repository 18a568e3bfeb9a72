//! `daybreak plan`: steps with their exact bytes, made, read, approved and steered.

mod approve;
mod branches;
mod make;
mod places;
mod preflight;
mod rehearse;
mod show;
mod steer;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::files;
use super::print::table;
use super::voided::Before;
use crate::casework::{find_disclosure, find_plan, plans};
use crate::domain::plan;

#[derive(Debug, Subcommand)]
pub enum Plan {
    Make(make::Make),
    /// Show the plans of a disclosure
    #[command(after_help = "Example:\n  daybreak plan list x_meadow-2026-0001")]
    List {
        /// Id, or the public id of one of its advisories
        disclosure: String,
    },
    /// Show a plan's steps and how far they are
    #[command(after_help = "Example:\n  daybreak plan show x_meadow-2026-0001/2\n  \
        daybreak plan show x_meadow-2026-0001/2 --approval-text | gpg --clear-sign | daybreak plan approve")]
    Show {
        /// Id, or DISCLOSURE/NUMBER
        plan: String,
        /// Only the text to be signed, byte for byte
        #[arg(long, conflicts_with = "manifest")]
        approval_text: bool,
        /// Only the MANIFEST, byte for byte
        #[arg(long)]
        manifest: bool,
    },
    /// Write the exact bytes of everything that will leave into a new folder
    #[command(after_help = "Example:\n  daybreak plan preview x_meadow-2026-0001/2 --out preview")]
    Preview {
        /// Id, or DISCLOSURE/NUMBER
        plan: String,
        /// A new or empty folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Encrypt the preview, the MANIFEST and the approval text to the team
    #[command(after_help = "Example:\n  \
        daybreak plan export x_meadow-2026-0001/2 --to-team plan.asc\n\n\
        An approver then needs only gpg, tar and sha256sum:\n  \
        gpg --decrypt plan.asc | tar x; cd plan-2; sha256sum -c MANIFEST; gpg --clear-sign APPROVAL.txt")]
    Export {
        /// Id, or DISCLOSURE/NUMBER
        plan: String,
        /// The file to write (- for stdout)
        #[arg(long, value_name = "FILE")]
        to_team: PathBuf,
    },
    Preflight(preflight::Preflight),
    Rehearse(rehearse::Rehearse),
    Approve(approve::Approve),
    Branches(branches::Branches),
    #[command(flatten)]
    Steer(steer::Steer),
}

pub async fn run(verb: Plan, desk: &Desk) -> Ended {
    let (house, print) = (&desk.house, desk.print);
    match verb {
        Plan::Make(order) => {
            // An older plan of the kind may give way to the new one.
            let before = Before::edit(desk).await?;
            let ended = make::run(desk, order).await.map(|()| Exit::Ok);
            return before.tell(desk, ended).await;
        }
        Plan::List { disclosure } => {
            let found = find_disclosure(house, &disclosure).await?;
            let all = plans::of(house, found.id).await?;
            let json: Vec<_> = all.iter().map(as_json).collect();
            print.either(&json, || rows(&all))?;
        }
        Plan::Show { plan, approval_text, manifest } => {
            let found = find_plan(house, &plan).await?;
            match (approval_text, manifest) {
                (true, _) => print.bytes(plans::approval_text(&found)?.as_bytes())?,
                (_, true) => print.bytes(show::manifest(&found).as_bytes())?,
                _ => show::one(desk, &found).await?,
            }
        }
        Plan::Preview { plan, out } => preview(desk, &plan, &out).await?,
        Plan::Export { plan, to_team } => {
            let found = find_plan(house, &plan).await?;
            let sealed = plans::preview::to_team(house, &found).await?;
            if to_team.as_os_str() == "-" {
                print.bytes(&sealed)?;
            } else {
                files::write_new(&to_team, &sealed)?;
                let path = to_team.display().to_string();
                print.either(&json!({ "file": path, "bytes": sealed.len() }), || path.clone())?;
            }
            print.talk(format!(
                "Encrypted to every active member. They read it with: gpg --decrypt FILE | tar x; \
                 cd plan-{}; sha256sum -c MANIFEST",
                found.number
            ));
        }
        Plan::Preflight(order) => return preflight::run(desk, &order).await,
        Plan::Rehearse(rehearse) => return rehearse::run(desk, &rehearse).await,
        Plan::Approve(approve) => {
            let before = Before::edit(desk).await?;
            let ended = approve::run(desk, &approve).await.map(|()| Exit::Ok);
            return before.tell(desk, ended).await;
        }
        Plan::Branches(order) => branches::run(desk, &order).await?,
        Plan::Steer(steer) => steer::run(desk, steer).await?,
    }
    Ok(Exit::Ok)
}

async fn preview(desk: &Desk, plan: &str, out: &std::path::Path) -> anyhow::Result<()> {
    let found = find_plan(&desk.house, plan).await?;
    let all = plans::preview::files(&desk.house, &found).await?;
    files::empty_folder(out)?;
    for file in &all {
        files::write_new(&out.join(&file.name), &file.bytes)?;
    }
    let json: Vec<_> = all
        .iter()
        .map(|f| json!({ "name": f.name, "bytes": f.bytes.len(), "slots": f.slots }))
        .collect();
    desk.print.either(&json, || {
        let rows = all.iter().map(|f| vec![f.name.clone(), f.bytes.len().to_string()]);
        table(&["file", "bytes"], rows)
    })?;
    desk.print
        .talk(format!("Written to {}; SLOTS lists what is filled in at dispatch.", out.display()));
    Ok(())
}

/// A plan for programs.
pub(super) fn as_json(plan: &plan::Plan) -> Value {
    json!({
        "id": plan.id, "disclosure": plan.disclosure, "number": plan.number,
        "kind": plan.kind, "state": plan.state, "held": plan.held,
        "t0": plan.t0.rfc3339(), "made_at": plan.made_at.rfc3339(), "digest": plan.digest,
    })
}

/// Plans as rows.
pub(super) fn rows(all: &[plan::Plan]) -> String {
    let row = |p: &plan::Plan| {
        vec![
            p.id.to_string(),
            p.number.to_string(),
            p.kind.to_string(),
            p.state.to_string(),
            if p.held { "held" } else { "" }.to_owned(),
            p.t0.rfc3339(),
            p.made_at.rfc3339(),
        ]
    };
    table(&["plan", "number", "kind", "state", "", "T0", "made"], all.iter().map(row))
}
