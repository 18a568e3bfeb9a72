//! `daybreak disclosure timeline`: the record of a disclosure, ready for a post-mortem.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::casework::{find_disclosure, record};
use crate::cli::desk::Desk;
use crate::cli::files;

/// Print the record: figures, open questions, who decided what, and planned beside real times
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    daybreak disclosure timeline x_meadow-2026-0001 --out post-mortem.md\n  \
    daybreak disclosure timeline x_meadow-2026-0001 --json")]
pub struct Timeline {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// As Markdown, which it is unless --json says otherwise
    #[arg(long)]
    markdown: bool,
    /// Write a new file for your own eyes instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub async fn show(desk: &Desk, order: &Timeline) -> anyhow::Result<()> {
    let found = find_disclosure(&desk.house, &order.disclosure).await?;
    let record = record::of(&desk.house, &found).await?;
    let wants_json = desk.print.is_json() && !order.markdown;
    let text = match wants_json {
        true => format!("{}\n", record::as_json(&record)?),
        false => record::as_markdown(&record),
    };
    match &order.out {
        Some(file) => {
            files::write_new(file, text.as_bytes())?;
            let path = file.display().to_string();
            desk.print.either(&json!({ "file": path, "bytes": text.len() }), || path.clone())?;
            desk.print.talk("It names who was told in advance: keep it within the team.");
        }
        None if wants_json => desk.print.bytes(text.as_bytes())?,
        None => desk.print.data(&text)?,
    }
    Ok(())
}
