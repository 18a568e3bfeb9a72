//! The confidential list: who hears in advance, and whether they could read it.

mod certificates;
mod changes;
pub(super) mod editing;
mod health;
mod replies;
mod sealing;
mod sharing;

pub use certificates::{Renewal, renew, retire_certificate};
pub use changes::{confirm, reject, tell_owner, waits};
pub use editing::{ContactEdit, Edit, edit, edit_contact};
pub use health::{AFTER, CertificateHealth, ContactHealth, Moment, Verdict, When, check};
pub use replies::{add_reply_certificate, retire_reply_certificate};
pub use sealing::sealable;
pub use sharing::{explain, shared};

use super::groups::named;
use super::members::{check_address, check_name, hold, import};
use super::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::{ContactId, DistributorId};
use crate::domain::party::{Contact, ContactKind, Distributor, DistributorRecord, Profile};
use crate::domain::secret::{Embargoed, Reason};
use crate::pgp;

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
    /// Named groups it belongs to.
    pub groups: Vec<String>,
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
    check_longest(new.longest_embargo_days)?;
    let (contact, mut findings) = make_contact(house, new.contact, new.accept_unusable)?;
    let taken = |d: &Distributor| d.record.open(Reason::Judging).name == new.name;
    let all = list(house).await?;
    findings.extend(sharing::of_new(&all, &contact, house.now()));
    if all.iter().any(taken) {
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
        groups: named(new.groups)?,
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
    let (contact, mut findings) = make_contact(house, new, accept_unusable)?;
    findings.extend(sharing::of_new(&list(house).await?, &contact, house.now()));
    let mut record = distributor.record.open(Reason::Editing).clone();
    if record.contacts.iter().any(|c| c.address.eq_ignore_ascii_case(&contact.address)) {
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

/// An embargo of no day at all would be none.
fn check_longest(days: Option<u32>) -> Case<()> {
    match days {
        Some(0) => Err(CaseError::invalid(
            "longest_embargo_days",
            "is 0",
            "write at least 1, or leave it out",
        )),
        _ => Ok(()),
    }
}

fn make_contact(
    house: &House,
    new: NewContact,
    accept_unusable: bool,
) -> Case<(Contact, Vec<Finding>)> {
    check_address("contact", &new.address)?;
    let unwise = editing::check_profile(house, &new.address, new.kind, &new.profile)?;
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
        // What is only worth knowing is said by `check`.
        let weak = pgp::remarks(&certificate, &new.address, name, now).into_iter();
        findings.extend(weak.filter(|f| f.severity > Severity::Note));
        held.push(hold(house, &certificate));
    }
    if any_stop(&findings) && !accept_unusable {
        return Err(CaseError::Blocked(findings));
    }
    findings.extend(unwise);
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

/// The contact with this address.
fn contact_of<'a>(record: &'a mut DistributorRecord, address: &str) -> Case<&'a mut Contact> {
    check_address("contact", address)?;
    let known: Vec<String> = record.contacts.iter().map(|c| c.address.clone()).collect();
    record.contacts.iter_mut().find(|c| c.address.eq_ignore_ascii_case(address)).ok_or_else(|| {
        let cure = format!("addresses of this distributor: {}", known.join(", "));
        CaseError::unknown("contact", address, cure)
    })
}
