//! Who showed that they can read us, and whose signatures count on replies.

use std::path::PathBuf;

use clap::Subcommand;

use super::Certificate;
use crate::casework::challenges::Asked;
use crate::casework::{challenges, distributors, find_distributor};
use crate::cli::bar::bar;
use crate::cli::desk::Desk;
use crate::cli::files;
use crate::cli::print::table;
use crate::domain::party::{ContactKind, Distributor};
use crate::domain::secret::Reason;

#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// Ask for a proof of readability: a sealed code that must come back
    #[command(after_help = "Example:\n  \
        daybreak distributor challenge Heath --contact security@heath.example\n\n\
        From outside the mail looks like a notice. The code comes back in an encrypted reply \
        (`daybreak mail receive`) or by telephone (`daybreak distributor proof`). Lists are \
        never asked.")]
    Challenge {
        /// Name or id
        distributor: String,
        /// The address to ask (all of it unless said)
        #[arg(long, value_name = "ADDRESS")]
        contact: Option<String>,
    },
    /// Take a code that came back by another way
    #[command(after_help = "Example:\n  \
        daybreak distributor proof Heath --contact security@heath.example --code 0102-0304-0506-07ab")]
    Proof {
        /// Name or id
        distributor: String,
        /// The address that was asked
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        /// The code as it stands in their mail
        #[arg(long, value_name = "CODE")]
        code: String,
    },
    /// Let signatures by one more certificate count on replies from a list
    #[command(after_help = "Example:\n  \
        daybreak distributor add-reply-certificate Sedge --contact distros@lists.sedge.example \
        --certificate member.asc\n\nNothing is ever encrypted to it.")]
    AddReplyCertificate {
        /// Name or id
        distributor: String,
        /// The list's address
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        /// OpenPGP certificate, armored or binary
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
    },
    /// Let them count no more
    #[command(after_help = "Example:\n  \
        daybreak distributor retire-reply-certificate Sedge --contact distros@lists.sedge.example \
        --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567")]
    RetireReplyCertificate {
        #[command(flatten)]
        whose: Certificate,
    },
}

pub async fn run(verb: Evidence, desk: &Desk) -> anyhow::Result<()> {
    let (house, actor) = (&desk.house, desk.actor);
    match verb {
        Evidence::Challenge { distributor, contact } => {
            let found = find_distributor(house, &distributor).await?;
            let asked = ask(desk, &found, contact.as_deref()).await?;
            let json: Vec<_> = asked
                .iter()
                .map(|a| serde_json::json!({ "id": a.id, "address": a.address }))
                .collect();
            desk.print.either(&json, || {
                let rows = asked.iter().map(|a| vec![a.id.to_string(), a.address.clone()]);
                table(&["challenge", "sent to"], rows)
            })?;
        }
        Evidence::Proof { distributor, contact, code } => {
            let found = find_distributor(house, &distributor).await?;
            let id = challenges::prove(house, actor, &found, &contact, &code).await?;
            desk.print.made(id, &[])?;
        }
        Evidence::AddReplyCertificate { distributor, contact, certificate } => {
            let found = find_distributor(house, &distributor).await?;
            let bytes = files::read(&certificate, files::TEXT)?;
            let changed =
                distributors::add_reply_certificate(house, actor, &found, &contact, &bytes).await?;
            desk.print.made(changed.id, &[])?;
        }
        Evidence::RetireReplyCertificate { whose } => {
            let Certificate { distributor, contact, fingerprint } = whose;
            let found = find_distributor(house, &distributor).await?;
            let retired = distributors::retire_reply_certificate(
                house,
                actor,
                &found,
                &contact,
                &fingerprint,
            );
            desk.print.made(retired.await?.id, &[])?;
        }
    }
    Ok(())
}

/// Asks one contact, or one after the other: each is sealed and handed over while a person waits.
async fn ask(desk: &Desk, of: &Distributor, address: Option<&str>) -> anyhow::Result<Vec<Asked>> {
    let contacts = &of.record.open(Reason::Review).contacts;
    let can = contacts.iter().filter(|c| c.kind != ContactKind::List);
    let addresses: Vec<&str> = match address {
        Some(address) => vec![address],
        None => can.map(|c| c.address.as_str()).collect(),
    };
    if addresses.is_empty() {
        // Why nobody can be asked is said there.
        return Ok(challenges::challenge(&desk.house, desk.actor, of, None).await?);
    }
    let bar = bar(addresses.len(), "asked", desk.print);
    let mut asked = Vec::new();
    for address in addresses {
        bar.tick();
        asked.extend(challenges::challenge(&desk.house, desk.actor, of, Some(address)).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(asked)
}
