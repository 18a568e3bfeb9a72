//! `daybreak distributor`: the confidential list.

mod proof;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::print::table;
use super::{files, words};
use crate::casework::distributors::{self, NewContact, NewDistributor};
use crate::casework::find_distributor;
use crate::domain::finding::{Finding, any_stop};
use crate::domain::party::{self, ContactKind, Profile};
use crate::domain::secret::Reason;

#[derive(Debug, Subcommand)]
pub enum Distributor {
    /// Add an organisation with its first address; prints its id
    #[command(after_help = "Example:\n  \
        daybreak distributor add --name Heath --contact security@heath.example --kind role --certificate a.asc b.asc")]
    Add {
        /// The organisation's name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        contact: Contact,
        /// Days before T0 at which it hears (the configured lead unless said)
        #[arg(long, value_name = "N")]
        lead_days: Option<u32>,
        /// Longest embargo it accepts, in days
        #[arg(long, value_name = "N")]
        longest_embargo_days: Option<u32>,
    },
    /// Add an address to an organisation; prints the contact's id
    #[command(after_help = "Example:\n  \
        daybreak distributor add-contact Heath --contact night@heath.example --certificate night.asc")]
    AddContact {
        /// Name or id
        distributor: String,
        #[command(flatten)]
        contact: Contact,
    },
    /// Take a fresh copy of a contact's certificate, or one more for that contact
    #[command(after_help = "Example:\n  \
        daybreak distributor renew Heath --contact security@heath.example --certificate heath.asc")]
    Renew {
        /// Name or id
        distributor: String,
        /// The address whose certificate it is
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        /// OpenPGP certificate, armored or binary
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
    },
    /// Encrypt to a certificate no more; it is kept for the record
    #[command(after_help = "Example:\n  \
        daybreak distributor retire Heath --contact security@heath.example \
        --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567")]
    Retire {
        /// Name or id
        distributor: String,
        /// The address whose certificate it is
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        /// Its whole fingerprint
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: String,
    },
    /// Tell an organisation nothing more; plans stay as they are and leave it out
    #[command(after_help = "Example:\n  daybreak distributor deactivate Heath")]
    Deactivate {
        /// Name or id
        distributor: String,
    },
    /// Let an organisation hear again, from the next notice plan on
    #[command(after_help = "Example:\n  daybreak distributor activate Heath")]
    Activate {
        /// Name or id
        distributor: String,
    },
    /// Show everybody on the list
    #[command(after_help = "Example:\n  daybreak distributor list")]
    List,
    /// Show one organisation with its addresses and certificates
    #[command(after_help = "Example:\n  daybreak distributor show Heath")]
    Show {
        /// Name or id
        distributor: String,
    },
    #[command(flatten)]
    Evidence(proof::Evidence),
    /// Judge every certificate now, at each open T0 and two weeks after it
    #[command(after_help = "Example:\n  daybreak distributor check")]
    Check,
}

/// One address.
#[derive(Debug, Args)]
pub struct Contact {
    /// Its mail address
    #[arg(long, value_name = "ADDRESS")]
    contact: String,
    /// What reads it
    #[arg(long, default_value = "person", value_parser = words::contact_kind())]
    kind: ContactKind,
    /// OpenPGP certificates, one a file, armored or binary
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    certificate: Vec<PathBuf>,
    /// Subject that stands in CLEAR TEXT on its mails ("[...]" unless said)
    #[arg(long, value_name = "SUBJECT")]
    clear_subject: Option<String>,
    /// Ask it by itself to show that it can read us: when it is added, and two weeks before T0
    #[arg(long)]
    receipts: bool,
    /// Take certificates that cannot be encrypted to now; the contact stays blocked
    #[arg(long)]
    accept_unusable: bool,
}

impl Contact {
    fn read(self) -> anyhow::Result<(NewContact, bool)> {
        let read = |path: &PathBuf| Ok((files::name(path), files::read(path, files::TEXT)?));
        let certificates = self.certificate.iter().map(read).collect::<anyhow::Result<_>>()?;
        let contact = NewContact {
            address: self.contact,
            kind: self.kind,
            profile: Profile { clear_subject: self.clear_subject, receipts: self.receipts },
            certificates,
        };
        Ok((contact, self.accept_unusable))
    }
}

pub async fn run(verb: Distributor, desk: &Desk) -> Ended {
    match verb {
        Distributor::Add { name, contact, lead_days, longest_embargo_days } => {
            let (contact, accept_unusable) = contact.read()?;
            let new =
                NewDistributor { name, lead_days, longest_embargo_days, contact, accept_unusable };
            let (made, findings) = distributors::add(&desk.house, desk.actor, new).await?;
            desk.print.made(made.id, &findings)?;
            for contact in &made.record.open(Reason::Review).contacts {
                compare(desk, contact);
            }
        }
        Distributor::AddContact { distributor, contact } => {
            let found = find_distributor(&desk.house, &distributor).await?;
            let (contact, accept) = contact.read()?;
            let (changed, findings) =
                distributors::add_contact(&desk.house, desk.actor, &found, contact, accept).await?;
            if let Some(contact) = changed.record.open(Reason::Review).contacts.last() {
                desk.print.made(contact.id, &findings)?;
                compare(desk, contact);
            }
        }
        Distributor::Renew { distributor, contact, certificate } => {
            let found = find_distributor(&desk.house, &distributor).await?;
            let bytes = files::read(&certificate, files::TEXT)?;
            let (changed, findings) =
                distributors::renew(&desk.house, desk.actor, &found, &contact, &bytes).await?;
            desk.print.made(changed.id, &findings)?;
        }
        Distributor::Retire { distributor, contact, fingerprint } => {
            let found = find_distributor(&desk.house, &distributor).await?;
            let (house, actor) = (&desk.house, desk.actor);
            let retired =
                distributors::retire_certificate(house, actor, &found, &contact, &fingerprint);
            let (changed, findings) = retired.await?;
            desk.print.made(changed.id, &findings)?;
        }
        Distributor::Deactivate { distributor } => {
            let found = find_distributor(&desk.house, &distributor).await?;
            let changed = distributors::deactivate(&desk.house, desk.actor, &found).await?;
            desk.print.made(changed.id, &[])?;
        }
        Distributor::Activate { distributor } => {
            let found = find_distributor(&desk.house, &distributor).await?;
            let changed = distributors::activate(&desk.house, desk.actor, &found).await?;
            desk.print.made(changed.id, &[])?;
            desk.print.talk("Notice plans made while it was inactive do not tell it.");
        }
        Distributor::List => list(desk).await?,
        Distributor::Show { distributor } => show(desk, &distributor).await?,
        Distributor::Evidence(verb) => proof::run(verb, desk).await?,
        Distributor::Check => return check(desk).await,
    }
    Ok(Exit::Ok)
}

fn compare(desk: &Desk, contact: &party::Contact) {
    for certificate in contact.current() {
        desk.print.talk(format!(
            "Compare the fingerprint with {} by another way: {}",
            contact.address, certificate.fingerprint
        ));
    }
}

async fn list(desk: &Desk) -> anyhow::Result<()> {
    let all = distributors::list(&desk.house).await?;
    let json: Vec<_> = all.iter().map(as_json).collect();
    desk.print.either(&json, || {
        let rows = all.iter().map(|d| {
            let record = d.record.open(Reason::Review);
            let addresses: Vec<_> = record.contacts.iter().map(|c| c.address.as_str()).collect();
            vec![
                d.id.to_string(),
                record.name.clone(),
                if d.active { "yes" } else { "no" }.to_owned(),
                addresses.join(", "),
            ]
        });
        table(&["id", "name", "hears", "addresses"], rows)
    })
}

fn as_json(distributor: &party::Distributor) -> serde_json::Value {
    serde_json::json!({
        "id": distributor.id, "revision": distributor.revision, "active": distributor.active,
        "record": distributor.record.open(Reason::Review),
    })
}

async fn show(desk: &Desk, name: &str) -> anyhow::Result<()> {
    let found = find_distributor(&desk.house, name).await?;
    let record = found.record.open(Reason::Review);
    desk.print.either(&as_json(&found), || {
        let days = |d: Option<u32>, otherwise: &str| {
            d.map_or_else(|| otherwise.to_owned(), |d| format!("{d} days"))
        };
        let head = table(
            &[],
            [
                vec!["id".to_owned(), found.id.to_string()],
                vec!["name".to_owned(), record.name.clone()],
                vec!["hears".to_owned(), if found.active { "yes" } else { "no" }.to_owned()],
                vec!["lead".to_owned(), days(record.lead_days, "as configured")],
                vec!["longest embargo".to_owned(), days(record.longest_embargo_days, "any")],
            ],
        );
        let rows = record.contacts.iter().flat_map(|c| {
            let sealed_to = c.certificates.iter().map(|held| (held, "in use"));
            let replies = c.reply_certificates.iter().map(|held| (held, "signs replies"));
            sealed_to.chain(replies).map(|(held, use_)| {
                vec![
                    c.id.to_string(),
                    c.address.clone(),
                    c.kind.word().to_owned(),
                    c.clear_subject().to_owned(),
                    held.fingerprint.clone(),
                    if held.retired_at.is_some() { "retired" } else { use_ }.to_owned(),
                ]
            })
        });
        let head_row = ["contact", "address", "kind", "clear subject", "certificate", ""];
        format!("{head}\n\n{}", table(&head_row, rows))
    })
}

async fn check(desk: &Desk) -> Ended {
    let all = distributors::check(&desk.house).await?;
    let json: Vec<_> = all
        .iter()
        .map(|h| {
            serde_json::json!({
                "distributor": h.distributor, "address": h.address,
                "fingerprints": h.fingerprints, "findings": h.findings,
            })
        })
        .collect();
    desk.print.either(&json, || {
        let rows = all.iter().flat_map(|h| {
            let row = |state: String| vec![h.distributor.clone(), h.address.clone(), state];
            let said = |f: &Finding| row(format!("{}: {} ({})", f.severity, f.message, f.cure));
            if h.findings.is_empty() {
                vec![row("good".to_owned())]
            } else {
                h.findings.iter().map(said).collect()
            }
        });
        table(&["distributor", "address", "certificate"], rows)
    })?;
    let stopped = all.iter().any(|h| any_stop(&h.findings));
    Ok(if stopped { Exit::Blocked } else { Exit::Ok })
}
