//! `daybreak audit`: whether the record is whole, and a timeline for people.

use clap::{Subcommand, ValueEnum};

use super::desk::Desk;
use super::exit::{Ended, Exit, refuse};
use crate::casework::{audits, find_disclosure};
use crate::store::{Break, Verdict};

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Walk the whole chain; names the first line that is not as it was written
    #[command(after_help = "Example:\n  daybreak audit verify")]
    Verify,
    /// Print a disclosure's timeline with planned and actual times and receipts
    #[command(after_help = "Example:\n  daybreak audit export x_meadow-2026-0001 --format json")]
    Export {
        /// Id, or the public id of one of its advisories
        disclosure: String,
        /// How (json with --json)
        #[arg(long, default_value = "markdown")]
        format: Format,
    },
}

/// How a timeline is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Markdown,
    /// For programs.
    Json,
}

pub async fn run(verb: &Audit, desk: &Desk) -> Ended {
    match verb {
        Audit::Verify => match audits::verify(&desk.house).await? {
            Verdict::Intact { lines, head } => {
                let json = serde_json::json!({ "intact": true, "lines": lines, "head": head });
                desk.print.either(&json, || format!("intact: {lines} lines, head {head}"))?;
                desk.print.talk(
                    "Write the head down elsewhere: it proves that nothing before it changed.",
                );
            }
            Verdict::Broken { seq, how } => {
                let how = match how {
                    Break::Missing => "is missing",
                    Break::Altered => "was altered",
                    Break::Unlinked => "does not follow the one before it",
                };
                return Err(refuse(
                    Exit::Failure,
                    format!("the audit chain is broken: line {seq} {how}"),
                    "stop `daybreak serve`, keep a copy of the database as evidence, and restore a backup",
                ));
            }
        },
        Audit::Export { disclosure, format } => {
            let found = find_disclosure(&desk.house, disclosure).await?;
            let lines = audits::timeline(&desk.house, &found).await?;
            if desk.print.is_json() || *format == Format::Json {
                desk.print.bytes(format!("{}\n", audits::as_json(&lines)?).as_bytes())?;
            } else {
                desk.print.data(&audits::as_markdown(&found, &lines))?;
            }
        }
    }
    Ok(Exit::Ok)
}
