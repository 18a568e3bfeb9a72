//! The confidential list: who hears in advance, and whether they could read it.

mod certificates;
mod replies;

pub use certificates::{renew, retire_certificate};
pub use replies::{add_reply_certificate, retire_reply_certificate};

use super::members::{check_address, check_name, hold, import, recall};
use super::{Case, CaseError, House, challenges};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::{Finding, any_stop};
use crate::domain::ids::{ContactId, DistributorId};
use crate::domain::party::{Contact, ContactKind, Distributor, DistributorRecord, Profile};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::{At, Span};
use crate::pgp;
use crate::store::StoreError;

/// An address to be added.
pub struct NewContact {
    /// Plain address.
    pub address: String,
    /// What reads it.
    pub kind: ContactKind,
    /// How it wants its mail.
    pub profile: Profile,
    /// Certificate files: name and bytes.
    pub certificates: Vec<(String, Vec<u8>)>,
}

/// An organisation to be added.
pub struct NewDistributor {
    /// Name.
    pub name: String,
    /// Days before T0 at which it hears.
    pub lead_days: Option<u32>,
    /// Longest embargo it accepts, in days.
    pub longest_embargo_days: Option<u32>,
    /// Its first address.
    pub contact: NewContact,
    /// Take a certificate that cannot be encrypted to now; its contact stays blocked.
    pub accept_unusable: bool,
}

/// Adds an organisation with one address.
pub async fn add(
    house: &House,
    actor: Actor,
    new: NewDistributor,
) -> Case<(Distributor, Vec<Finding>)> {
    check_name("name", &new.name)?;
    if let Some(days) = new.longest_embargo_days.filter(|d| *d == 0) {
        return Err(CaseError::invalid(
            "longest_embargo_days",
            format!("is {days}"),
            "write at least 1, or leave it out",
        ));
    }
    let (contact, findings) = make_contact(house, new.contact, new.accept_unusable)?;
    let taken = |d: &Distributor| d.record.open(Reason::Judging).name == new.name;
    if house.store.read(|r| r.distributors()).await?.iter().any(taken) {
        return Err(CaseError::invalid(
            "name",
            "is taken",
            "use `distributor add-contact` to add an address to it",
        ));
    }
    let record = DistributorRecord {
        name: new.name,
        lead_days: new.lead_days,
        longest_embargo_days: new.longest_embargo_days,
        contacts: vec![contact],
    };
    let distributor = Distributor {
        id: house.fresh(DistributorId::new),
        revision: 1,
        active: true,
        record: Embargoed::new(record),
    };
    let deed = house.deed(actor, "distributor-add", distributor.id);
    let added = distributor.clone();
    house.store.write(&deed, move |tx| tx.add_distributor(&added)).await?;
    Ok((distributor, findings))
}

/// Adds an address to an organisation.
pub async fn add_contact(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    new: NewContact,
    accept_unusable: bool,
) -> Case<(Distributor, Vec<Finding>)> {
    let (contact, findings) = make_contact(house, new, accept_unusable)?;
    let mut record = distributor.record.open(Reason::Editing).clone();
    if record.contacts.iter().any(|c| c.address == contact.address) {
        return Err(CaseError::invalid(
            "contact",
            "is an address of this distributor already",
            "name another address",
        ));
    }
    record.contacts.push(contact);
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    Ok((save(house, actor, "distributor-add-contact", changed).await?, findings))
}

/// Lets an organisation hear again. Plans made while it was inactive do not tell it.
pub async fn activate(house: &House, actor: Actor, distributor: &Distributor) -> Case<Distributor> {
    set_active(house, actor, "distributor-activate", distributor, true).await
}

/// Keeps an organisation from hearing. No plan becomes void: what is not sealed yet is not
/// sealed for it any more, and everybody else still hears.
pub async fn deactivate(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
) -> Case<Distributor> {
    set_active(house, actor, "distributor-deactivate", distributor, false).await
}

async fn set_active(
    house: &House,
    actor: Actor,
    verb: &'static str,
    distributor: &Distributor,
    active: bool,
) -> Case<Distributor> {
    if distributor.active == active {
        let (why, cure) = if active {
            ("it is active already", "see `daybreak distributor list`")
        } else {
            ("it is inactive already", "`daybreak distributor activate` lets it hear again")
        };
        return Err(CaseError::not_now(why, cure));
    }
    save(house, actor, verb, Distributor { active, ..distributor.clone() }).await
}

/// Writes the next revision of a distributor.
async fn save(
    house: &House,
    actor: Actor,
    verb: &'static str,
    mut changed: Distributor,
) -> Case<Distributor> {
    let deed = house.deed(actor, verb, changed.id);
    let stored = changed.clone();
    changed.revision = house.store.write(&deed, move |tx| tx.save_distributor(&stored)).await?;
    Ok(changed)
}

fn make_contact(
    house: &House,
    new: NewContact,
    accept_unusable: bool,
) -> Case<(Contact, Vec<Finding>)> {
    check_address("contact", &new.address)?;
    if let Some(subject) = &new.profile.clear_subject
        && (subject.chars().any(char::is_control) || !subject.is_ascii() || subject.len() > 100)
    {
        return Err(CaseError::invalid(
            "clear_subject",
            "has a line break, is not ASCII or is too long",
            "write one short ASCII line without embargoed words",
        ));
    }
    if new.profile.receipts && new.kind == ContactKind::List {
        return Err(CaseError::invalid(
            "receipts",
            "is asked of a list, whose readers are not ours to count",
            "leave it out",
        ));
    }
    if new.certificates.is_empty() {
        return Err(CaseError::invalid(
            "certificate",
            "is missing",
            "give at least one certificate file: nothing is ever sent in clear",
        ));
    }
    let now = house.now();
    let (mut held, mut findings) = (Vec::new(), Vec::new());
    for (name, bytes) in &new.certificates {
        let certificate = import(&format!("certificate {name}"), bytes)?;
        findings.extend(pgp::report(&certificate, name, &[("now", now)]));
        held.push(hold(house, &certificate));
    }
    if any_stop(&findings) && !accept_unusable {
        return Err(CaseError::Blocked(findings));
    }
    let contact = Contact {
        id: house.fresh(ContactId::new),
        address: new.address,
        kind: new.kind,
        profile: new.profile,
        certificates: held,
        reply_certificates: Vec::new(),
    };
    Ok((contact, findings))
}

/// Everybody on the list.
pub async fn list(house: &House) -> Case<Vec<Distributor>> {
    Ok(house.store.read(|r| r.distributors()).await?)
}

/// One contact's health.
pub struct ContactHealth {
    /// The organisation's name.
    pub distributor: String,
    /// The address.
    pub address: String,
    /// Fingerprints in use.
    pub fingerprints: Vec<String>,
    /// What is wrong, now and later.
    pub findings: Vec<Finding>,
}

/// Certificate health now, and at T0 and two weeks after it for every open disclosure.
pub async fn check(house: &House) -> Case<Vec<ContactHealth>> {
    let (distributors, disclosures) =
        house.store.read(|r| Ok::<_, StoreError>((r.distributors()?, r.disclosures()?))).await?;
    let times = times(house.now(), &disclosures);
    let proofs = challenges::proofs(house).await?;
    let mut all = Vec::new();
    for distributor in distributors.iter().filter(|d| d.active) {
        let record = distributor.record.open(Reason::Review);
        for contact in &record.contacts {
            let mut health = health_of(&record.name, contact, &times)?;
            health.findings.extend(challenges::unproven(contact, &proofs, house.now()));
            all.push(health);
        }
    }
    Ok(all)
}

/// When a certificate must be good: now, at each coming T0 and two weeks after it.
fn times(now: At, disclosures: &[Disclosure]) -> Vec<(&'static str, At)> {
    let open = disclosures.iter().filter(|d| d.stage.is_open()).filter_map(|d| d.t0);
    let mut times = vec![("now", now)];
    for t0 in open.filter(|t| t.at > now) {
        times.push(("at T0", t0.at));
        times.push(("14 days after T0", t0.at.plus(Span::days(14))));
    }
    times
}

fn health_of(distributor: &str, contact: &Contact, times: &[(&str, At)]) -> Case<ContactHealth> {
    let mut findings = Vec::new();
    for held in contact.current() {
        let certificate = recall(held)?;
        findings.extend(pgp::report(&certificate, &contact.address, times));
    }
    Ok(ContactHealth {
        distributor: distributor.to_owned(),
        address: contact.address.clone(),
        fingerprints: contact.current().map(|c| c.fingerprint.clone()).collect(),
        findings,
    })
}
