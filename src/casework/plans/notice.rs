//! Gathering a Notice plan: each contact its own sealed mail at its own window, and the
//! reporters in the moment of the first one.

use std::collections::BTreeMap;

use super::Order;
use super::content::{Content, level};
use super::pin::{Draft, pin};
use super::views::{self, Opened};
use crate::casework::disclosures::{check, open_for_change, t0_of};
use crate::casework::distributors::{AFTER, When, shared, waits};
use crate::casework::members::recall;
use crate::casework::windows::{hears, weigh};
use crate::casework::{Case, CaseError, House, challenges};
use crate::clock::{random, shuffle};
use crate::domain::action::Action;
use crate::domain::advisory::Reporter;
use crate::domain::blob::{Blob, BlobRef, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::{ContactId, DisclosureId, StepId};
use crate::domain::party::{CLEAR_SUBJECT, Contact, Distributor, HeldCertificate};
use crate::domain::plan::{Phase, Plan, PlanKind, Sealing, Step};
use crate::domain::planner::{self, Notice, PERSON};
use crate::domain::rules::windows::POST_MISSING;
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::domain::view::NoticeView;
use crate::domain::zone::T0;
use crate::formats::leak::leaks;
use crate::letters::{entity, notice as letter};
use crate::pgp::{self, Certificate};
use crate::store::{Reader, StoreError};

/// What a Release plan needs but a notice does not: it may follow later.
const NOT_YET: &[&str] = &[
    "not-staged",
    "tag-not-staged",
    "artefacts-missing",
    "expectation-missing",
    "no-post",
    "candidate-dated-otherwise",
    POST_MISSING,
];

pub(super) async fn make(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    order: &Order,
) -> Case<(Plan, Vec<Finding>)> {
    open_for_change(disclosure)?;
    let t0 = t0_of(disclosure)?;
    let mut findings = check(house, disclosure).await?;
    findings.retain(|f| !NOT_YET.contains(&f.code.as_str()));
    weigh(&mut findings, &order.accept);
    let id = disclosure.id;
    let (told, distributors) =
        house.store.read(move |r| Ok::<_, StoreError>((told(r, id)?, r.distributors()?))).await?;
    let revision = told.saturating_add(1);
    let opened = views::open(house, disclosure).await?;
    let view = opened.notice(house, disclosure, t0, revision);
    let active: Vec<&Distributor> =
        distributors.iter().filter(|d| hears(d, &opened.content)).collect();
    let proofs = challenges::proofs(house).await?;
    let (blobs, notices) = (Vec::new(), Vec::new());
    let mut making = Making { house, t0, view: &view, proofs, blobs, notices, findings };
    making.distributors(&active)?;
    let asks = making.reporters(&opened)?;
    let Making { mut blobs, mut notices, findings, .. } = making;
    level(&mut blobs, &mut notices);
    // Sent in the plan's order: whoever watches the relay learns nothing of the list's.
    shuffle(house.rng.as_ref(), &mut notices);
    if any_stop(&findings) {
        return Err(CaseError::Blocked(findings));
    }
    if notices.is_empty() {
        return Err(CaseError::not_now(
            "nobody would hear of it",
            "add distributors, or open the disclosure with --without-notice REASON",
        ));
    }
    let recipients = recipient_set(&notices);
    let first = notices.iter().map(|n| n.not_before).min().unwrap_or(t0.at);
    let mut steps = planner::notices(notices, || house.fresh(StepId::new));
    steps.extend(asks.into_iter().map(|instruction| ask(house, instruction, first)));
    let draft = Draft {
        kind: PlanKind::Notice,
        t0,
        threshold: house.config.plans.notice,
        recipients,
        groups: opened.content.groups.clone(),
        announces: None,
        steps,
        blobs,
        advisories: opened.advisories.iter().map(|a| (a.id, a.revision)).collect(),
        distributors: active.iter().map(|d| (d.id, d.revision)).collect(),
        resends: None,
    };
    Ok((pin(house, actor, disclosure, draft).await?, findings))
}

/// How many notice plans of a disclosure told anybody anything, void ones included. A resend
/// tells nothing new.
fn told(r: &mut Reader<'_>, disclosure: DisclosureId) -> Result<i64, StoreError> {
    let mut told = 0_i64;
    for plan in r.plans(disclosure)?.iter().filter(|p| super::tells_anew(p)) {
        let sent = |e: &StepEvent| matches!(e.happened, Happened::Intended);
        if super::events(r, plan.id)?.iter().any(sent) {
            told = told.saturating_add(1);
        }
    }
    Ok(told)
}

/// A digest of who gets it, so that two plans can be seen to have the same list.
fn recipient_set(notices: &[Notice]) -> Sha256 {
    let mut lines: Vec<String> = notices
        .iter()
        .map(|n| format!("{} {}\n", n.sealing.recipient, n.sealing.fingerprints.join(" ")))
        .collect();
    lines.sort();
    Sha256::of(lines.concat().as_bytes())
}

/// What only a person can do: tell a reporter to whom nothing can be sealed.
fn ask(house: &House, instruction: String, due: At) -> Step {
    let owner = house.config.team.address.clone();
    let action =
        Action::Ask { owner, deputy: String::new(), instruction, paste: String::new(), due };
    Step {
        id: house.fresh(StepId::new),
        outlet: PERSON.to_owned(),
        // Not after the mails: one that is stuck must not keep the reporter from hearing.
        phase: Phase::Prepare,
        not_before: due,
        after: vec![],
        action,
        sealing: None,
        on_move: None,
    }
}

struct Making<'a> {
    house: &'a House,
    t0: T0,
    view: &'a NoticeView,
    proofs: BTreeMap<ContactId, At>,
    blobs: Vec<Blob>,
    notices: Vec<Notice>,
    findings: Vec<Finding>,
}

impl Making<'_> {
    fn distributors(&mut self, all: &[&Distributor]) -> Case<()> {
        let (now, lead) = (self.house.now(), self.house.config.plans.lead_days);
        for distributor in all {
            let record = distributor.record.open(Reason::Dispatch);
            for contact in &record.contacts {
                let not_before = planner::notice_at(&self.t0, record, contact, lead, now);
                let content = Content::of(&contact.profile, self.view);
                let group = self.content(content)?;
                self.contact(contact, &group, not_before, all)?;
            }
        }
        Ok(())
    }

    fn contact(
        &mut self,
        contact: &Contact,
        group: &BlobRef,
        not_before: At,
        all: &[&Distributor],
    ) -> Case<()> {
        let now = self.house.now();
        let held: Vec<&HeldCertificate> = contact.for_notice(now).collect();
        let shared: Vec<_> = held.iter().map(|h| shared(all, contact, h, now)).collect();
        let good = held.iter().zip(&shared).filter(|(_, shared)| shared.is_none());
        let good: Vec<Certificate> = good.map(|(h, _)| recall(h)).collect::<Case<_>>()?;
        self.judge(&contact.address, &good, not_before);
        let waiting = contact.pending(now).filter(|c| !c.confirmed());
        let waiting = waiting.map(|c| waits(&contact.address, c, now));
        self.findings.extend(waiting.chain(shared.into_iter().flatten().map(mild)));
        let clear = leaks("clear subject", contact.clear_subject(), &self.view.advisories);
        self.findings.extend(clear);
        self.findings.extend(challenges::unproven(contact, &self.proofs, self.house.now()));
        let sealing = Sealing {
            recipient: contact.id.to_string(),
            subject: letter::subject(self.view),
            clear_subject: contact.clear_subject().to_owned(),
            fingerprints: held.iter().map(|c| c.fingerprint.clone()).collect(),
        };
        self.push(contact.address.clone(), group.clone(), sealing, not_before);
        Ok(())
    }

    /// Reporters hear in the moment of the first notice; who cannot read encrypted mail is
    /// told by hand.
    fn reporters(&mut self, opened: &Opened) -> Case<Vec<String>> {
        let when = self.notices.iter().map(|n| n.not_before).min();
        let now = planner::whole_second(self.house.now());
        let when =
            when.unwrap_or_else(|| self.t0.days_before(self.house.config.plans.lead_days).max(now));
        let mut asks = Vec::new();
        for (n, reporter) in unique_reporters(opened).iter().enumerate() {
            let Some(armored) = &reporter.certificate else {
                asks.push(format!(
                    "Tell the reporter {} <{}> the date by hand: {}",
                    reporter.name,
                    reporter.address,
                    self.t0.spoken()
                ));
                continue;
            };
            let certificate =
                crate::casework::members::import("reporter's certificate", armored.as_bytes())?;
            let view = opened.for_reporter(self.view, &reporter.address);
            let group = self.group(&view, &format!("reporter-{}.entity", n.saturating_add(1)))?;
            self.judge(&reporter.address, std::slice::from_ref(&certificate), when);
            let sealing = Sealing {
                recipient: reporter.id.map(|id| id.to_string()).unwrap_or_default(),
                subject: letter::subject(&view),
                clear_subject: CLEAR_SUBJECT.to_owned(),
                fingerprints: vec![certificate.fingerprint().to_string()],
            };
            self.push(reporter.address.clone(), group, sealing, when);
        }
        Ok(asks)
    }

    fn push(&mut self, to: String, group: BlobRef, sealing: Sealing, not_before: At) {
        let from = self.house.config.team.address.clone();
        let envelope_from = self.house.sender();
        let mail = Action::Mail {
            from,
            envelope_from,
            to,
            message_id: self.house.message_id(),
            message: group,
        };
        self.notices.push(Notice { mail, sealing, not_before });
    }

    /// The pinned part of what contacts with this content get, made once.
    fn content(&mut self, content: Content) -> Case<BlobRef> {
        let name = content.name();
        match self.blobs.iter().find(|b| b.about.name == name) {
            Some(there) => Ok(there.about.clone()),
            None => self.group(&content.view(self.view), &name),
        }
    }

    /// The pinned part of a content group.
    fn group(&mut self, view: &NoticeView, name: &str) -> Case<BlobRef> {
        let boundary: [u8; 16] = random(self.house.rng.as_ref());
        let group = letter::group(&self.house.templates, view, "", &hex::encode(boundary))
            .map_err(|e| CaseError::invalid("notice", "cannot be made", e.to_string()))?;
        let body = match self.house.config.signing.shared_body {
            true => {
                let from = &self.house.config.team.address;
                entity::shared(&group.body, from, &letter::subject(view))
                    .map_err(|e| CaseError::invalid("notice", "cannot be made", e.to_string()))?
            }
            false => group.body,
        };
        let blob = Blob::new(name, body, vec![]);
        let about = blob.about.clone();
        self.blobs.push(blob);
        Ok(about)
    }

    /// Nobody gets clear text: a contact that cannot be encrypted to when its mail is due is
    /// blocked, said before approval, and stops nobody else.
    fn judge(&mut self, address: &str, certificates: &[Certificate], when: At) {
        let when = when.max(self.house.now());
        let mut why = Vec::new();
        for certificate in certificates {
            let times = [
                ("when it is sent", when),
                (When::T0.words(), self.t0.at),
                (When::After.words(), self.t0.at.plus(AFTER)),
            ];
            why.extend(pgp::report(certificate, address, &times));
            let weak = pgp::remarks(certificate, address, address, when).into_iter();
            why.extend(weak.filter(|f| f.severity > Severity::Note));
        }
        let usable = certificates.iter().any(|c| pgp::judge(c, when).usable());
        if !usable {
            self.findings.push(
                Finding::warn("contact-blocked", address, "no certificate of this contact can be used when its notice is due: it will not hear")
                    .cure("renew the certificate (`daybreak distributor renew`) before that time, or reach them another way"),
            );
        }
        self.findings.extend(why.into_iter().map(mild));
    }
}

/// One contact's trouble stops nobody else.
fn mild(mut finding: Finding) -> Finding {
    finding.severity = Severity::Warn;
    finding
}

/// Reporters of all advisories, once an address.
fn unique_reporters(opened: &Opened) -> Vec<Reporter> {
    let mut all: Vec<Reporter> = Vec::new();
    for advisory in &opened.advisories {
        for reporter in &advisory.text.open(Reason::Dispatch).reporters {
            if !all.iter().any(|r| r.address == reporter.address) {
                all.push(reporter.clone());
            }
        }
    }
    all
}
