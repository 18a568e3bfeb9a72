//! Whether everybody on the list could read what is sent to them: now, when their notice is
//! due, at T0 and two weeks after it, for every open disclosure.

use super::{changes, sharing};
use crate::casework::members::recall;
use crate::casework::windows::hears;
use crate::casework::{Case, House, challenges, covers};
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::Finding;
use crate::domain::party::{Contact, Distributor, HeldCertificate};
use crate::domain::planner;
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::pgp;
use crate::store::StoreError;

/// How long after T0 people still write to each other about it.
pub const AFTER: Span = Span::days(14);

/// One of the four times at which a certificate must be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now,
    /// When the contact's notice is due.
    Sending,
    /// At T0.
    T0,
    /// Two weeks after T0.
    After,
}

impl When {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Now, Self::Sending, Self::T0, Self::After];

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Sending => "at the planned sending",
            Self::T0 => "at T0",
            Self::After => "14 days after T0",
        }
    }
}

/// A time that matters to one distributor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Which of the four.
    pub when: When,
    /// The instant.
    pub at: At,
}

/// What a certificate is at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// When.
    pub moment: Moment,
    /// `None` when a message can be sealed to it, else the code of what is wrong.
    pub wrong: Option<String>,
}

/// One certificate's health.
pub struct CertificateHealth {
    /// Its fingerprint.
    pub fingerprint: String,
    /// At every moment that matters.
    pub verdicts: Vec<Verdict>,
    /// What is wrong or weak.
    pub findings: Vec<Finding>,
}

/// One contact's health.
pub struct ContactHealth {
    /// The organisation's name.
    pub distributor: String,
    /// The address.
    pub address: String,
    /// Fingerprints in use.
    pub fingerprints: Vec<String>,
    /// The same with their health.
    pub certificates: Vec<CertificateHealth>,
    /// What is wrong, now and later, certificates that wait included.
    pub findings: Vec<Finding>,
}

/// Judges every certificate in use.
pub async fn check(house: &House) -> Case<Vec<ContactHealth>> {
    let (distributors, disclosures) =
        house.store.read(|r| Ok::<_, StoreError>((r.distributors()?, r.disclosures()?))).await?;
    let (proofs, asked) = (challenges::proofs(house).await?, challenges::all(house).await?);
    let mut all = Vec::new();
    for distributor in distributors.iter().filter(|d| d.active) {
        let record = distributor.record.open(Reason::Review);
        for contact in &record.contacts {
            let moments = moments(house, distributor, contact, &disclosures);
            let mut health =
                of_contact(&record.name, contact, &moments, &distributors, house.now())?;
            health.findings.extend(challenges::unproven(contact, &proofs, house.now()));
            health.findings.extend(covers::trouble(contact, &asked, house.now()));
            all.push(health);
        }
    }
    Ok(all)
}

/// When a contact's certificates must be good.
pub(super) fn moments(
    house: &House,
    distributor: &Distributor,
    contact: &Contact,
    disclosures: &[Disclosure],
) -> Vec<Moment> {
    let (now, record) = (house.now(), distributor.record.open(Reason::Judging));
    let mut moments = vec![Moment { when: When::Now, at: now }];
    for disclosure in disclosures.iter().filter(|d| d.stage.is_open()) {
        let Some(t0) = disclosure.t0.filter(|t0| t0.at > now) else { continue };
        if is_told(distributor, disclosure) {
            let at = planner::notice_at(&t0, record, contact, house.config.plans.lead_days, now)
                .max(now);
            moments.push(Moment { when: When::Sending, at });
        }
        moments.push(Moment { when: When::T0, at: t0.at });
        moments.push(Moment { when: When::After, at: t0.at.plus(AFTER) });
    }
    moments
}

/// When this contact's notices of open disclosures are due, past ones included.
pub(super) fn planned_notices(
    house: &House,
    distributor: &Distributor,
    contact: &Contact,
    disclosures: &[Disclosure],
) -> Vec<At> {
    let (lead, ever) = (house.config.plans.lead_days, At::from_secs(0));
    let record = distributor.record.open(Reason::Judging);
    let open = disclosures.iter().filter(|d| d.stage.is_open() && is_told(distributor, d));
    let due = |t0| planner::notice_at(&t0, record, contact, lead, ever);
    open.filter_map(|d| d.t0).map(due).collect()
}

/// Whether a distributor hears of a disclosure in advance at all.
fn is_told(distributor: &Distributor, disclosure: &Disclosure) -> bool {
    let content = disclosure.case.open(Reason::Judging);
    content.without_notice.is_none() && hears(distributor, content)
}

fn of_contact(
    distributor: &str,
    contact: &Contact,
    moments: &[Moment],
    all: &[Distributor],
    now: At,
) -> Case<ContactHealth> {
    let mut certificates = Vec::new();
    for held in contact.current(now) {
        certificates.push(of_certificate(contact, held, moments, all, now)?);
    }
    let mut findings: Vec<Finding> = certificates.iter().flat_map(|c| c.findings.clone()).collect();
    if certificates.is_empty() {
        let message = "no certificate of this contact is in use: it will not hear";
        findings.push(
            Finding::stop("contact-blocked", &contact.address, message)
                .cure("daybreak distributor renew DIST --contact ADDRESS --certificate FILE"),
        );
    }
    findings.extend(contact.pending(now).map(|c| changes::waits(&contact.address, c, now)));
    Ok(ContactHealth {
        distributor: distributor.to_owned(),
        address: contact.address.clone(),
        fingerprints: contact.current(now).map(|c| c.fingerprint.clone()).collect(),
        certificates,
        findings,
    })
}

fn of_certificate(
    contact: &Contact,
    held: &HeldCertificate,
    moments: &[Moment],
    all: &[Distributor],
    now: At,
) -> Case<CertificateHealth> {
    let certificate = recall(held)?;
    let shared = sharing::shared(all, contact, held, now);
    let verdict = |moment: &Moment| {
        let at = pgp::report(&certificate, &contact.address, &[(moment.when.words(), moment.at)]);
        let wrong = shared.iter().chain(&at).next().map(|f| f.code.clone());
        Verdict { moment: *moment, wrong }
    };
    let verdicts: Vec<Verdict> = moments.iter().map(verdict).collect();
    let times: Vec<_> = moments.iter().map(|m| (m.when.words(), m.at)).collect();
    let mut findings = pgp::report(&certificate, &contact.address, &times);
    findings.extend(shared);
    findings.extend(pgp::remarks(&certificate, &contact.address, &contact.address, now));
    Ok(CertificateHealth { fingerprint: held.fingerprint.clone(), verdicts, findings })
}
