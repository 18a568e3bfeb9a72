//! `daybreak disclosure add-patch`: a series from files, an mbox or a range of commits.

use std::path::PathBuf;

use clap::Args;

use super::advisory_ids;
use crate::casework::find_disclosure;
use crate::casework::patches::{self, NewPatch};
use crate::cli::desk::Desk;
use crate::cli::files;
use crate::workshop::{Named, Source};

/// Add a patch series on top of those its branch has; prints its id
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure add-patch x_meadow-2026-0001 --branch main --from-git ~/src/meadow main..fix\n  \
    daybreak disclosure add-patch x_meadow-2026-0001 --branch 1.x 0001-fix.patch 0002-test.patch")]
pub struct AddPatch {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// git format-patch files in order, or mboxes
    #[arg(value_name = "FILES", required_unless_present = "from_git")]
    files: Vec<PathBuf>,
    /// repository:branch, or the branch alone when there is one repository
    #[arg(long)]
    branch: String,
    /// What it fixes (all advisories of the disclosure unless said); may be repeated
    #[arg(long, value_name = "ADVISORY")]
    fixes: Vec<String>,
    /// Take the commits BASE..HEAD of a repository on this machine
    #[arg(long, num_args = 2, value_names = ["PATH", "BASE..HEAD"], conflicts_with = "files")]
    from_git: Vec<PathBuf>,
    /// Full object id of the public commit it was made on, if the patches do not say
    #[arg(long, value_name = "OID")]
    base: Option<String>,
}

/// Take the patches of a branch out again, to add others in their place
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure drop-patch x_meadow-2026-0001 --branch main\n\n\
    Whoever was sent them hears what changed with the next notice.")]
pub struct DropPatch {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// repository:branch, or the branch alone when there is one repository
    #[arg(long)]
    branch: String,
}

pub async fn withdraw(desk: &Desk, order: &DropPatch) -> anyhow::Result<()> {
    let disclosure = find_disclosure(&desk.house, &order.disclosure).await?;
    let branch = desk.house.branch(&order.branch)?;
    let changed = patches::withdraw(&desk.house, desk.actor, &disclosure, &branch).await?;
    desk.print.made(changed.id, &[])
}

pub async fn add(desk: &Desk, add: AddPatch) -> anyhow::Result<()> {
    let disclosure = find_disclosure(&desk.house, &add.disclosure).await?;
    let branch = desk.house.branch(&add.branch)?;
    let fixes = advisory_ids(desk, &add.fixes).await?;
    let source = match add.from_git.as_slice() {
        [path, range] => Source::Git {
            path: std::path::absolute(path)?,
            range: range.to_string_lossy().into_owned(),
        },
        _ => {
            let named = |path: &PathBuf| {
                Ok(Named { name: files::name(path), bytes: files::read(path, files::LARGE)? })
            };
            Source::Files(add.files.iter().map(named).collect::<anyhow::Result<_>>()?)
        }
    };
    let new = NewPatch { branch, fixes, source, base: add.base };
    let (_, patch, findings) = patches::add(&desk.house, desk.actor, &disclosure, new).await?;
    for fit in &patch.fits {
        let applies = if fit.applies { "applies to" } else { "does NOT apply to" };
        desk.print.talk(format!("{} {applies} {}", patch.file_name, fit.place));
    }
    desk.print.made(patch.id, &findings)
}
