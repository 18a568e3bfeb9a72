//! Gathering a Notice plan: each contact its own sealed mail at its own window, and the
//! reporters in the moment of the first one.

mod courier;
mod due;
mod others;
mod past;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use super::Order;
use super::content::{Content, level};
use super::pin::{Draft, pin};
use super::unfixed;
use super::views::{self, Opened};
use crate::casework::disclosures::t0_of;
use crate::casework::distributors::editing::watermark_lost;
use crate::casework::distributors::{AFTER, When, shared, waits};
use crate::casework::members::recall;
use crate::casework::windows::hears;
use crate::casework::{Case, CaseError, House, challenges};
use crate::clock::{random, shuffle};
use crate::domain::action::Action;
use crate::domain::advisory::Reporter;
use crate::domain::blob::{Blob, BlobRef, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::{ContactId, StepId};
use crate::domain::news::{News, NoticeKind};
use crate::domain::party::{CLEAR_SUBJECT, Contact, Distributor, HeldCertificate};
use crate::domain::plan::{Phase, Plan, PlanKind, Sealing, Step};
use crate::domain::planner::{self, Notice, PERSON};
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::domain::view::NoticeView;
use crate::domain::zone::T0;
use crate::formats::leak::leaks;
use crate::letters::{entity, notice as letter};
use crate::pgp::{self, Certificate};
use courier::{Courier, Letter};
use due::hold_back_the_first;
use others::of_others;
use past::TOLD;
use tell::occasion;

pub use due::{Aware, aware};
pub(in crate::casework) use others::told_of_others;
pub(in crate::casework) use past::Past;
pub use tell::Tell;

pub(super) async fn make(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    order: &Order,
) -> Case<(Plan, Vec<Finding>)> {
    let occasion = occasion(disclosure, &order.tell)?;
    let t0 = t0_of(disclosure)?;
    let distributors = house.store.read(|r| r.distributors()).await?;
    let mut past = Past::read(house, disclosure.id).await?;
    past.fetch(house).await?;
    let opened = views::open(house, disclosure).await?;
    let told = occasion.told(&past, &opened, t0);
    let mut findings =
        occasion.findings(house, disclosure, &order.accept, past.newest(), &told).await?;
    let view = opened.notice(house, disclosure, occasion.instant(t0), told.revision);
    // Who was told hears the news, whatever groups the disclosure is for now.
    let knows = |d: &Distributor| past.knows(d.record.open(Reason::Dispatch));
    let active: Vec<&Distributor> = distributors
        .iter()
        .filter(|d| d.active && (hears(d, &opened.content) || knows(d)))
        .collect();
    findings.extend(past.left_behind(&listed(&active, &opened)));
    let proofs = challenges::proofs(house).await?;
    let gather = |replaces: bool| {
        let courier = Courier {
            occasion: &occasion,
            past: &past,
            told: &told,
            view: &view,
            moved: opened.content.last_move(),
            latecomers: !hold_back_the_first(&findings),
            replaces,
        };
        let (proofs, findings) = (&proofs, findings.clone());
        let (blobs, notices) = (Vec::new(), Vec::new());
        let unfixed = opened.content.mitigation_only.is_some();
        let mut making =
            Making { house, t0, view: &view, courier, proofs, blobs, notices, findings, unfixed };
        making.distributors(&active, &opened)?;
        let asks = making.reporters(&opened)?;
        Ok::<_, CaseError>((making, asks))
    };
    let mut gathered = gather(false)?;
    // Once approved, news ends the plan that runs: whoever waits in that one must stand in this.
    if gathered.0.notices.iter().any(|n| n.sealing.notice > NoticeKind::First) {
        gathered = gather(true)?;
        gathered.0.findings.extend(past.goes_on());
    }
    let (Making { mut blobs, mut notices, findings, .. }, asks) = gathered;
    level(&mut blobs, &mut notices);
    // Sent in the plan's order: whoever watches the relay learns nothing of the list's.
    shuffle(house.rng.as_ref(), &mut notices);
    if any_stop(&findings) {
        return Err(CaseError::Blocked(findings));
    }
    if notices.is_empty() {
        return Err(occasion.nobody(&past));
    }
    let kept =
        serde_json::to_vec(&told).map_err(|e| CaseError::machine("keeping the notice", e))?;
    blobs.push(Blob::new(TOLD, kept, vec![]));
    let recipients = recipient_set(&notices);
    let first = notices.iter().map(|n| n.not_before).min().unwrap_or(t0.at);
    let mut steps = planner::notices(notices, || house.fresh(StepId::new));
    steps.extend(asks.into_iter().map(|instruction| ask(house, instruction, first)));
    let draft = Draft {
        past: Some(past.basis(&steps, None)),
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

/// Ids of everybody who hears: contacts and reporters.
fn listed(distributors: &[&Distributor], opened: &Opened) -> BTreeSet<String> {
    let contacts = distributors.iter().flat_map(|d| &d.record.open(Reason::Dispatch).contacts);
    let reporters = unique_reporters(opened);
    let reporters = reporters.iter().filter_map(|r| r.id.map(|id| id.to_string()));
    contacts.map(|c| c.id.to_string()).chain(reporters).collect()
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
    courier: Courier<'a>,
    proofs: &'a BTreeMap<ContactId, At>,
    blobs: Vec<Blob>,
    notices: Vec<Notice>,
    findings: Vec<Finding>,
    /// Whether no text may promise a fix.
    unfixed: bool,
}

impl Making<'_> {
    fn distributors(&mut self, all: &[&Distributor], opened: &Opened) -> Case<()> {
        let (now, lead) = (self.house.now(), self.house.config.plans.lead_days);
        for distributor in all {
            let record = distributor.record.open(Reason::Dispatch);
            for contact in &record.contacts {
                let window = planner::notice_at(&self.t0, record, contact, lead, now);
                self.contact(contact, hears(distributor, &opened.content), window, all)?;
            }
        }
        Ok(())
    }

    fn contact(
        &mut self,
        contact: &Contact,
        hears: bool,
        window: At,
        all: &[&Distributor],
    ) -> Case<()> {
        let id = contact.id.to_string();
        let Some(Letter { mut news, stem, references }) =
            self.courier.distributor(&id, hears, contact.profile.poc)
        else {
            return Ok(());
        };
        // News for those who know is due at once; everything else at their own window.
        let now = self.house.now();
        let at_once = planner::whole_second(now);
        let not_before = if news.kind() == NoticeKind::First { window } else { at_once };
        let mut content = Content::of(&contact.profile, self.view).fit_for(&mut news);
        if content.is_individual() && self.house.config.signing.shared_body {
            content = content.equal();
            self.findings.push(watermark_lost(&contact.address));
        }
        let group = self.content(content, &news, &stem)?;
        let held: Vec<&HeldCertificate> =
            contact.for_notice(now).filter(|h| h.in_force(not_before)).collect();
        let shared: Vec<_> = held.iter().map(|h| shared(all, contact, h, now)).collect();
        let good = held.iter().zip(&shared).filter(|(_, shared)| shared.is_none());
        let good: Vec<Certificate> = good.map(|(h, _)| recall(h)).collect::<Case<_>>()?;
        self.judge(&contact.address, &good, not_before);
        let waiting = contact.pending(now).filter(|c| !c.in_force(not_before));
        let waiting = waiting.map(|c| waits(&contact.address, c, now));
        self.findings.extend(waiting.chain(shared.into_iter().flatten().map(mild)));
        let clear = leaks("clear subject", contact.clear_subject(), &self.view.advisories);
        self.findings.extend(clear);
        self.findings.extend(challenges::unproven(contact, self.proofs, self.house.now()));
        let sealing = Sealing {
            recipient: id,
            notice: news.kind(),
            subject: letter::subject(self.view, &news),
            clear_subject: contact.clear_subject().to_owned(),
            references,
            fingerprints: held.iter().map(|c| c.fingerprint.clone()).collect(),
        };
        self.push(contact.address.clone(), group, sealing, not_before);
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
                asks.extend(self.courier.by_hand(&reporter.name, &reporter.address));
                continue;
            };
            let id = reporter.id.map(|id| id.to_string()).unwrap_or_default();
            let Some(Letter { news, references, .. }) =
                self.courier.reporter(&id, &reporter.address)
            else {
                continue;
            };
            let when = if news.kind() == NoticeKind::First { when } else { now };
            let certificate =
                crate::casework::members::import("reporter's certificate", armored.as_bytes())?;
            let view = opened.for_reporter(self.view, &reporter.address);
            self.findings.extend(of_others(&view.advisories, &self.view.advisories, &news.words()));
            let name = format!("reporter-{}.entity", n.saturating_add(1));
            let group = self.group(&view, &news, false, &name)?;
            self.judge(&reporter.address, std::slice::from_ref(&certificate), when);
            let sealing = Sealing {
                recipient: id,
                notice: news.kind(),
                subject: letter::subject(&view, &news),
                clear_subject: CLEAR_SUBJECT.to_owned(),
                references,
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

    /// The pinned part of what contacts with this content and this news get, made once.
    fn content(&mut self, content: Content, news: &News, stem: &str) -> Case<BlobRef> {
        let name = content.named(stem);
        match self.blobs.iter().find(|b| b.about.name == name) {
            Some(there) => Ok(there.about.clone()),
            None => self.group(&content.view(self.view), news, content.is_individual(), &name),
        }
    }

    /// The pinned part of a content group.
    fn group(
        &mut self,
        view: &NoticeView,
        news: &News,
        individual: bool,
        name: &str,
    ) -> Case<BlobRef> {
        if self.unfixed {
            self.findings.extend(unfixed::of_notice(&self.house.templates, view, news));
        }
        let boundary = hex::encode(random::<16>(self.house.rng.as_ref()));
        let group = letter::group(&self.house.templates, view, news, individual, &boundary)
            .map_err(|e| CaseError::invalid("notice", "cannot be made", e.to_string()))?;
        let body = match self.house.config.signing.shared_body {
            true => {
                let from = &self.house.config.team.address;
                entity::shared(&group.body, from, &letter::subject(view, news))
                    .map_err(|e| CaseError::invalid("notice", "cannot be made", e.to_string()))?
            }
            false => group.body,
        };
        let blob = Blob::new(name, body, group.slots);
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
