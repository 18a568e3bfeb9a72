//! `daybreak restore`: a new data directory from a backup, in quarantine.

use std::path::PathBuf;

use clap::Args;

use super::Global;
use super::desk::whole;
use super::exit::{Ended, Exit};
use super::files;
use super::print::Print;
use crate::casework::restore::{Keys, restore};
use crate::clock::{Clock as _, SystemClock};

/// Most bytes of a backup that are read.
const LIMIT: u64 = 8 << 30;

/// Make a new data directory (`--dir`) from a decrypted backup; it sends nothing until the team
/// re-arms it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  gpg --decrypt daybreak.backup.asc > backup.tar\n  \
                  daybreak restore backup.tar --dir restored --vault-key vault.key --team-key team.key")]
pub struct Restore {
    /// The backup, decrypted (`-`: from stdin)
    #[arg(value_name = "FILE")]
    backup: PathBuf,
    /// The key that the database was sealed with
    #[arg(long, value_name = "KEYFILE")]
    vault_key: PathBuf,
    /// The team's secret key, if it was resident
    #[arg(long, value_name = "KEYFILE")]
    team_key: Option<PathBuf>,
    /// Fill this empty PostgreSQL database, postgres://USER@HOST/NAME, instead of an SQLite file
    /// in the new directory; one with a password belongs in the environment, where other users
    /// do not see it
    #[arg(long, value_name = "URL", env = "DAYBREAK_RESTORE_INTO", hide_env_values = true)]
    database: Option<String>,
}

pub async fn run(args: &Restore, global: &Global, print: Print) -> Ended {
    let dir = whole(&global.dir)?;
    let tar = files::read(&args.backup, LIMIT)?;
    let keys = Keys { vault: args.vault_key.clone(), team: args.team_key.clone() };
    let restored =
        restore(&tar, &dir, &keys, args.database.as_deref(), SystemClock::new().wall()).await?;
    let json = serde_json::json!({
        "dir": dir, "lines": restored.lines, "head": restored.head.to_string(),
    });
    print.either(&json, || {
        format!(
            "{}: {} audited writes, intact, head {}",
            dir.display(),
            restored.lines,
            restored.head
        )
    })?;
    print.talk(
        "It is in quarantine: nothing is sent or published until the team re-arms it.\n\
         Make sure that the old one does not run, then: daybreak house rearm",
    );
    Ok(Exit::Ok)
}
