//! `daybreak disclosure stage` and `export-candidate`: commits and tags made privately, and
//! their tree for the team's own build.

use std::path::PathBuf;

use clap::Args;

use crate::casework::{candidates, find_disclosure};
use crate::cli::desk::Desk;
use crate::cli::exit::{Ended, Exit, refuse, report};
use crate::cli::files;
use crate::domain::disclosure::Candidate;
use crate::domain::finding::Finding;
use crate::domain::secret::Reason;

/// Make the commits and the signed tag of a branch privately; prints the candidates' ids
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak disclosure stage x_meadow-2026-0001\n  \
    daybreak disclosure stage x_meadow-2026-0001 --branch 1.x --bundle fix.bundle")]
pub struct Stage {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// Only this branch (every branch with a patch or a release unless said)
    #[arg(long)]
    branch: Option<String>,
    /// Take the commits and the tag from a git bundle made with your own tools and keys
    #[arg(long, value_name = "FILE", requires = "branch")]
    bundle: Option<PathBuf>,
}

/// Write a candidate's tree into a new folder, to build from
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure export-candidate x_meadow-2026-0001 --branch main --out build")]
pub struct ExportCandidate {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// repository:branch, or the branch alone when there is one repository
    #[arg(long)]
    branch: String,
    /// A new or empty folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub async fn stage(desk: &Desk, order: Stage) -> Ended {
    let (house, print) = (&desk.house, desk.print);
    let mut disclosure = find_disclosure(house, &order.disclosure).await?;
    let branches = match &order.branch {
        Some(branch) => vec![house.branch(branch)?],
        None => candidates::branches(disclosure.case.open(Reason::Review)),
    };
    if branches.is_empty() {
        return Err(refuse(
            Exit::Failure,
            "there is nothing to stage",
            "add a patch or a release first: daybreak disclosure add-patch, add-release",
        ));
    }
    let bundle = order.bundle.map(|file| files::read(&file, files::LARGE)).transpose()?;
    let mut staged: Vec<(Candidate, Vec<Finding>)> = Vec::new();
    let mut failed = None;
    for branch in &branches {
        let done = match &bundle {
            Some(bytes) => candidates::bring(house, desk.actor, &disclosure, branch, bytes).await,
            None => candidates::stage(house, desk.actor, &disclosure, branch).await,
        };
        match done {
            Ok((changed, candidate, findings)) => {
                disclosure = changed;
                say(desk, &candidate);
                staged.push((candidate, findings));
            }
            // The other branches do not depend on this one: go on, then say what is missing.
            Err(error) if branches.len() > 1 => {
                failed = Some(report(print, &anyhow::Error::new(error)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let findings: Vec<Finding> = staged.iter().flat_map(|(_, f)| f.clone()).collect();
    let json: Vec<_> = staged.iter().map(|(candidate, _)| candidate).collect();
    print.findings(&findings);
    if print.is_json() {
        print.json(&serde_json::json!({ "candidates": json, "findings": findings }))?;
    } else if !staged.is_empty() {
        let ids: Vec<_> = json.iter().map(|c| c.id.to_string()).collect();
        print.data(&ids.join("\n"))?;
    }
    Ok(match failed {
        None => Exit::Ok,
        Some(exit) if staged.is_empty() => exit,
        Some(_) => Exit::Partly,
    })
}

fn say(desk: &Desk, candidate: &Candidate) {
    let tag = candidate
        .tag
        .as_ref()
        .map_or_else(|| "no tag".to_owned(), |t| format!("tag {} ({})", t.name, t.oid));
    desk.print.talk(format!(
        "{}: {} commit(s) on {}, tip {}, {tag}",
        candidate.branch,
        candidate.commits.len(),
        candidate.base,
        candidate.tip
    ));
    for commit in &candidate.commits {
        desk.print.talk(format!("  {} {}", commit.oid, commit.subject));
    }
}

pub async fn export(desk: &Desk, order: &ExportCandidate) -> anyhow::Result<()> {
    let disclosure = find_disclosure(&desk.house, &order.disclosure).await?;
    let branch = desk.house.branch(&order.branch)?;
    candidates::export(&desk.house, &disclosure, &branch, &order.out).await?;
    let out = order.out.display().to_string();
    desk.print.either(&serde_json::json!({ "out": out }), || out.clone())?;
    desk.print.talk("Build from this folder, then: daybreak disclosure add-artefact DISCLOSURE --release TAG FILES");
    Ok(())
}
