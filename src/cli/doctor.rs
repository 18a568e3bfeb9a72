//! `daybreak doctor`: everything that can be judged without reaching out, and with `--live`
//! what can only be told by asking the world.

mod checks;
mod live;
mod probe;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::Global;
use super::desk::{open_house, whole};
use super::exit::{Ended, Exit, report};
use super::print::{Print, table};
use crate::domain::finding::{Finding, any_stop};

/// Look for what would go wrong: configuration, keys, database, audit, signers, clock
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  daybreak doctor\n  daybreak doctor --live\n  daybreak doctor --mail\n  \
                  daybreak doctor --mail --read probe.eml"
)]
pub struct Doctor {
    /// Also reach out to the relay, the repositories and what the waiting plans will use;
    /// nothing is sent
    #[arg(long)]
    live: bool,
    /// Only send a probe of a notice's shape, empty, through the relay to our own mailbox
    #[arg(long, conflicts_with = "live")]
    mail: bool,
    /// The probe as it arrived, saved with all its headers (`-`: from stdin): says what
    /// became of it on its way
    #[arg(long, value_name = "FILE", requires = "mail")]
    read: Option<PathBuf>,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// What.
    about: &'static str,
    /// What there is to know when nothing is wrong.
    said: String,
    /// What is wrong.
    findings: Vec<Finding>,
}

impl Looked {
    fn new(about: &'static str, said: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self { about, said: said.into(), findings }
    }
}

pub async fn run(doctor: &Doctor, global: &Global, print: Print) -> Ended {
    let dir = whole(&global.dir)?;
    if doctor.mail {
        let house = open_house(&dir)?;
        return match &doctor.read {
            None => probe::send(&house, print).await,
            Some(file) => probe::read(&house, file, print),
        };
    }
    let mut all = vec![checks::configuration(&dir)?, checks::modes(&dir)];
    // Without a house nothing more can be said; what is known so far still is.
    let house = match open_house(&dir) {
        Ok(house) => house,
        Err(error) => {
            show(print, &all)?;
            return Ok(report(print, &error));
        }
    };
    all.push(checks::database(&house).await?);
    all.push(checks::spoken(&house).await?);
    all.push(checks::publications(&house).await?);
    all.push(checks::audit(&house).await?);
    all.push(checks::signers(&house).await?);
    all.push(checks::distributors(&house).await?);
    all.push(checks::identity(&house).await?);
    if !house.config.webhook.is_empty() {
        all.push(checks::webhooks(&house));
    }
    all.push(checks::leader(&house).await?);
    all.push(checks::clock(&house).await?);
    all.extend(checks::witnesses(&house).await?);
    all.push(checks::plans(&house).await?);
    all.push(checks::notices(&house).await?);
    all.push(checks::mail(&house).await?);
    if doctor.live {
        all.extend(live::looks(&house).await?);
    }
    show(print, &all)?;
    if !doctor.live {
        print.talk("The relay, the repositories and the outlets were not tried: --live does.");
    }
    let stopped = all.iter().any(|l| any_stop(&l.findings));
    Ok(if stopped { Exit::Blocked } else { Exit::Ok })
}

fn show(print: Print, all: &[Looked]) -> anyhow::Result<()> {
    print.either(&all, || {
        let rows = all.iter().flat_map(|looked| {
            let row =
                |state: &str, said: String| vec![looked.about.to_owned(), state.to_owned(), said];
            if looked.findings.is_empty() {
                return vec![row("good", looked.said.clone())];
            }
            let said = |f: &Finding| match f.cure.as_str() {
                "" => row(f.severity.word(), format!("{}: {}", f.place, f.message)),
                cure => row(f.severity.word(), format!("{}: {}; {cure}", f.place, f.message)),
            };
            looked.findings.iter().map(said).collect()
        });
        table(&[], rows)
    })
}
