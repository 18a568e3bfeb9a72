//! `daybreak backup`: one file that only the team can open.

use std::path::PathBuf;

use clap::Args;

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::files;
use crate::casework::backup::backup;

/// Write one consistent copy of database and configuration, encrypted to the team; without
/// the keys
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak backup --out daybreak.backup.asc")]
pub struct Backup {
    /// Where to; must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub async fn run(args: &Backup, desk: &Desk) -> Ended {
    let made = backup(&desk.house, desk.actor).await?;
    files::write_new(&args.out, &made.sealed)?;
    let json = serde_json::json!({
        "file": args.out, "lines": made.lines, "head": made.head.to_string(), "members": made.members,
    });
    desk.print.either(&json, || {
        format!(
            "{}: {} audited writes, head {}, for {} members",
            args.out.display(),
            made.lines,
            made.head,
            made.members
        )
    })?;
    desk.print.talk(
        "vault.key and team.key are not in it: keep a copy of them elsewhere, or it cannot be read.",
    );
    Ok(Exit::Ok)
}
