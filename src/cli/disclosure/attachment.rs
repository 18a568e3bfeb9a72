//! `daybreak disclosure add-attachment` and `remove-attachment`: files beside the patches,
//! for distributors only.

use std::path::PathBuf;

use clap::Args;

use crate::casework::attachments::{self, NewAttachment};
use crate::casework::find_disclosure;
use crate::cli::desk::Desk;
use crate::cli::{files, words};
use crate::domain::disclosure::AttachmentKind;

/// Add a file that distributors get beside the patches and nobody else ever; prints its id
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure add-attachment x_meadow-2026-0001 latch.py --kind poc")]
pub struct AddAttachment {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// poc: only for contacts that asked for such; file: for every distributor that hears
    #[arg(long, value_parser = words::attachment_kind())]
    kind: AttachmentKind,
}

pub async fn add(desk: &Desk, order: AddAttachment) -> anyhow::Result<()> {
    let disclosure = find_disclosure(&desk.house, &order.disclosure).await?;
    let new = NewAttachment {
        file_name: files::name(&order.file),
        kind: order.kind,
        bytes: files::read(&order.file, files::LARGE)?,
    };
    let (_, made) = attachments::add(&desk.house, desk.actor, &disclosure, new).await?;
    desk.print.talk(format!("{}  {}", made.sha256, made.file_name));
    desk.print.made(made.id, &[])
}

/// Take a file out again; whoever has it has it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure remove-attachment x_meadow-2026-0001 latch.py")]
pub struct RemoveAttachment {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// Its file name or id
    attachment: String,
}

pub async fn remove(desk: &Desk, order: &RemoveAttachment) -> anyhow::Result<()> {
    let disclosure = find_disclosure(&desk.house, &order.disclosure).await?;
    let (house, actor) = (&desk.house, desk.actor);
    let changed = attachments::remove(house, actor, &disclosure, &order.attachment).await?;
    desk.print.made(changed.id, &[])
}
