//! `daybreak team`: who may approve.

use std::path::PathBuf;

use clap::Subcommand;

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::files;
use super::print::table;
use crate::casework::members;
use crate::domain::secret::Reason;

#[derive(Debug, Subcommand)]
pub enum Team {
    /// Add somebody who may approve; prints their id
    #[command(after_help = "Example:\n  \
        daybreak team add --name Ada --address ada@meadow.example --certificate ada.asc")]
    Add {
        /// Their name
        #[arg(long)]
        name: String,
        /// Their mail address
        #[arg(long)]
        address: String,
        /// Their OpenPGP certificate, armored or binary
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
    },
    /// Show everybody who may approve
    #[command(after_help = "Example:\n  daybreak team list")]
    List,
}

pub async fn run(verb: Team, desk: &Desk) -> Ended {
    match verb {
        Team::Add { name, address, certificate } => {
            let bytes = files::read(&certificate, files::TEXT)?;
            let member = members::add(&desk.house, desk.actor, &name, &address, &bytes).await?;
            let fingerprint = &member.record.open(Reason::Review).certificate.fingerprint;
            desk.print.talk(format!(
                "{name} may approve from now on. Compare the fingerprint with them: {fingerprint}"
            ));
            desk.print.made(member.id, &[])?;
            let needed = desk.house.config.plans.release as usize;
            let have = members::list(&desk.house).await?.iter().filter(|m| m.active).count();
            if have < needed {
                desk.print.talk(format!(
                    "Plans need {needed} approvals and the team has {have}: add the others."
                ));
            }
        }
        Team::List => list(desk).await?,
    }
    Ok(Exit::Ok)
}

async fn list(desk: &Desk) -> anyhow::Result<()> {
    let all = members::list(&desk.house).await?;
    let records = || all.iter().map(|m| (m, m.record.open(Reason::Review)));
    let json: Vec<_> = records()
        .map(|(m, r)| {
            serde_json::json!({
                "id": m.id, "name": r.name, "address": r.address, "active": m.active,
                "fingerprint": r.certificate.fingerprint,
            })
        })
        .collect();
    desk.print.either(&json, || {
        let rows = records().map(|(m, r)| {
            let active = if m.active { "yes" } else { "no" };
            vec![
                m.id.to_string(),
                r.name.clone(),
                r.address.clone(),
                active.to_owned(),
                r.certificate.fingerprint.clone(),
            ]
        });
        table(&["id", "name", "address", "may approve", "fingerprint"], rows)
    })
}
