//! `daybreak distributor`: the confidential list.

mod check;
mod edit;
mod proof;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::desk::Desk;
use super::exit::{Ended, Exit};
use super::voided::Before;
use super::{files, words};
use crate::casework::distributors::{self, NewContact, NewDistributor, Renewal};
use crate::casework::find_distributor;
use crate::domain::party::{self, ContactKind};
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
        /// Groups it belongs to: a disclosure may be for some of them only
        #[arg(long, value_name = "NAME", num_args = 1..)]
        group: Vec<String>,
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
    Edit(edit::EditDistributor),
    EditContact(edit::EditContact),
    /// Take a fresh copy of a contact's certificate, or ask for another one
    #[command(
        after_help = "A certificate with another fingerprint is not used before it is confirmed; whoever \
        reads the address is told that it was asked for.\n\nExample:\n  \
        daybreak distributor renew Heath --contact security@heath.example --certificate heath.asc"
    )]
    Renew {
        /// Name or id
        distributor: String,
        /// The address whose certificate it is
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        /// OpenPGP certificate, armored or binary
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        /// Detached signature over that file, made with the key in use
        #[arg(long, value_name = "FILE")]
        signed_by_old: Option<PathBuf>,
        /// Fingerprint of the certificate in use that the new one replaces (beside it unless said)
        #[arg(long, value_name = "FINGERPRINT")]
        instead_of: Option<String>,
    },
    /// Say that a certificate's owner told you its fingerprint by another way
    #[command(after_help = "Example:\n  \
        daybreak distributor confirm Heath --contact security@heath.example \
        --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567 --how 'called their number' --as Ada")]
    Confirm {
        #[command(flatten)]
        whose: Certificate,
        /// By which way you were told
        #[arg(long, value_name = "TEXT")]
        how: String,
    },
    /// Turn down a certificate that waits to be confirmed
    #[command(after_help = "Example:\n  \
        daybreak distributor reject Heath --contact security@heath.example \
        --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567 --reason 'they did not ask for it'")]
    Reject {
        #[command(flatten)]
        whose: Certificate,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say why a contact has the same certificate as another one
    #[command(after_help = "Example:\n  \
        daybreak distributor explain Heath --contact night@heath.example \
        --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567 --reason 'the same team reads both'")]
    Explain {
        #[command(flatten)]
        whose: Certificate,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Encrypt to a certificate no more; it is kept for the record
    #[command(after_help = "Example:\n  \
        daybreak distributor retire Heath --contact security@heath.example \
        --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567")]
    Retire {
        #[command(flatten)]
        whose: Certificate,
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
    /// Judge every certificate now, when its notice is due, at each open T0 and two weeks after
    #[command(after_help = "Example:\n  daybreak distributor check")]
    Check,
}

/// One certificate of a contact.
#[derive(Debug, Args)]
pub struct Certificate {
    /// Name or id
    distributor: String,
    /// The address whose certificate it is
    #[arg(long, value_name = "ADDRESS")]
    contact: String,
    /// Its whole fingerprint
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: String,
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
    #[command(flatten)]
    wishes: edit::Wishes,
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
            profile: self.wishes.profile(),
            certificates,
        };
        Ok((contact, self.accept_unusable))
    }
}

pub async fn run(verb: Distributor, desk: &Desk) -> Ended {
    match verb {
        Distributor::Edit(order) => {
            let before = Before::edit(desk).await?;
            let ended = edit::edit(desk, order).await.map(|()| Exit::Ok);
            return before.tell(desk, ended).await;
        }
        Distributor::EditContact(order) => {
            let before = Before::edit(desk).await?;
            let ended = edit::edit_contact(desk, order).await.map(|()| Exit::Ok);
            return before.tell(desk, ended).await;
        }
        Distributor::Add { name, contact, lead_days, longest_embargo_days, group } => {
            let (contact, accept_unusable) = contact.read()?;
            let new = NewDistributor {
                name,
                lead_days,
                longest_embargo_days,
                groups: group,
                contact,
                accept_unusable,
            };
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
        Distributor::Renew { distributor, contact, certificate, signed_by_old, instead_of } => {
            let found = find_distributor(&desk.house, &distributor).await?;
            let signature = signed_by_old.map(|path| files::read(&path, files::TEXT));
            let renewal = Renewal {
                address: contact,
                certificate: files::read(&certificate, files::TEXT)?,
                signed_by_old: signature.transpose()?,
                instead_of,
            };
            let (changed, findings) =
                distributors::renew(&desk.house, desk.actor, &found, renewal).await?;
            desk.print.made(changed.id, &findings)?;
        }
        Distributor::Confirm { whose, how } => {
            let Certificate { distributor, contact, fingerprint } = whose;
            let found = find_distributor(&desk.house, &distributor).await?;
            let (house, member) = (&desk.house, desk.member()?);
            let confirmed =
                distributors::confirm(house, member, &found, &contact, &fingerprint, &how);
            let (changed, findings) = confirmed.await?;
            desk.print.made(changed.id, &findings)?;
        }
        Distributor::Reject { whose, reason } => {
            let Certificate { distributor, contact, fingerprint } = whose;
            let found = find_distributor(&desk.house, &distributor).await?;
            let (house, actor) = (&desk.house, desk.actor);
            let rejected =
                distributors::reject(house, actor, &found, &contact, &fingerprint, &reason);
            desk.print.made(rejected.await?.id, &[])?;
        }
        Distributor::Explain { whose, reason } => {
            let Certificate { distributor, contact, fingerprint } = whose;
            let found = find_distributor(&desk.house, &distributor).await?;
            let (house, actor) = (&desk.house, desk.actor);
            let explained =
                distributors::explain(house, actor, &found, &contact, &fingerprint, &reason);
            desk.print.made(explained.await?.id, &[])?;
        }
        Distributor::Retire { whose } => {
            let Certificate { distributor, contact, fingerprint } = whose;
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
        Distributor::List => show::list(desk).await?,
        Distributor::Show { distributor } => show::one(desk, &distributor).await?,
        Distributor::Evidence(verb) => proof::run(verb, desk).await?,
        Distributor::Check => return check::run(desk).await,
    }
    Ok(Exit::Ok)
}

fn compare(desk: &Desk, contact: &party::Contact) {
    for certificate in contact.current(desk.house.now()) {
        desk.print.talk(format!(
            "Compare the fingerprint with {} by another way: {}",
            contact.address, certificate.fingerprint
        ));
    }
}
