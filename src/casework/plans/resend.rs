//! Sending an approved notice again, unchanged, to one more listed contact: somebody who was
//! added since, whose certificate was replaced, or whom the mail did not reach.
//!
//! It is a Notice plan of its own with one step and the threshold of a resend. Its content is
//! the pinned bytes of the other plan, and it tells no new revision. What was edited since is
//! never sent again.

use super::notice::Past;
use super::pin::{Draft, pin, tells};
use super::preview::blobs;
use super::succession::has_begun;
use super::{content, manifest_of, views};
use crate::casework::disclosures::{open_for_change, t0_of};
use crate::casework::ledger::ledger_of;
use crate::casework::members::recall;
use crate::casework::windows::hears;
use crate::casework::{Case, CaseError, House};
use crate::domain::action::Action;
use crate::domain::blob::{BlobRef, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{Case as Content, Disclosure};
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::{AdvisoryId, ContactId, StepId};
use crate::domain::ledger::{Delivery, DeliveryState};
use crate::domain::manifest::Manifest;
use crate::domain::party::{Contact, Distributor};
use crate::domain::plan::{Plan, PlanKind, Sealing};
use crate::domain::planner::{self, Notice};
use crate::domain::run::NOBODY_CAN_TELL;
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::domain::view::NoticeView;
use crate::formats::leak::leaks;
use crate::pgp::{self, Certificate};

/// Pins a resend of the newest notice to `address`.
pub async fn resend(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    address: &str,
) -> Case<(Plan, Vec<Finding>)> {
    open_for_change(disclosure)?;
    let t0 = t0_of(disclosure)?;
    if house.now() >= t0.at {
        let cure = "there is nothing left to tell in advance";
        return Err(CaseError::not_now("its T0 has passed", cure));
    }
    // Read first: what happens from here on is found again by whoever pins and approves.
    let past = Past::read(house, disclosure.id).await?;
    let opened = views::open(house, disclosure).await?;
    let advisories: Vec<(AdvisoryId, i64)> =
        opened.advisories.iter().map(|a| (a.id, a.revision)).collect();
    let (base, manifest) = told(house, disclosure).await?;
    if manifest.t0.at != t0.at || manifest.tells != Some(tells(disclosure, &advisories)) {
        return Err(CaseError::not_now(
            format!("the case was edited after notice plan {} was made", base.number),
            "tell everybody anew: daybreak plan make DISC --kind notice",
        ));
    }
    let distributors = house.store.read(|r| r.distributors()).await?;
    let (distributor, contact) = listed(&distributors, &opened.content, address)?;
    let certificates: Vec<Certificate> =
        contact.current(house.now()).map(recall).collect::<Case<_>>()?;
    let fingerprints: Vec<String> =
        certificates.iter().map(|c| c.fingerprint().to_string()).collect();
    let ledger = ledger_of(house, disclosure.id).await?;
    let recipient = contact.id.to_string();
    let had = ledger.newest().find(|d| d.recipient == recipient);
    may_have_it(house, disclosure, had, &fingerprints).await?;

    let record = distributor.record.open(Reason::Dispatch);
    let lead = house.config.plans.lead_days;
    let not_before = planner::notice_at(&t0, record, contact, lead, house.now());
    let view = opened.notice(house, disclosure, t0, 1);
    let shared = house.config.signing.shared_body;
    let like = like(&manifest, contact, &view, shared)?;
    let mut findings = leaks("clear subject", contact.clear_subject(), &view.advisories);
    findings.extend(judged(&certificates, &contact.address, not_before));
    if any_stop(&findings) {
        return Err(CaseError::Blocked(findings));
    }
    let from = house.config.team.address.clone();
    let mail = Action::Mail {
        from,
        envelope_from: house.sender(),
        to: contact.address.clone(),
        message_id: house.message_id(),
        message: like.group.clone(),
    };
    let clear_subject = contact.clear_subject().to_owned();
    // Another contact's earlier mails are nobody's business.
    let own = like.sealing.recipient == recipient;
    let references = if own { like.sealing.references.clone() } else { Vec::new() };
    let sealing =
        Sealing { recipient, clear_subject, fingerprints, references, ..like.sealing.clone() };
    let recipients = Sha256::of(sealing.recipient.as_bytes());
    let notices = vec![Notice { mail, sealing, not_before }];
    let steps = planner::notices(notices, || house.fresh(StepId::new));
    let draft = Draft {
        kind: PlanKind::Notice,
        t0,
        threshold: house.config.plans.resend,
        recipients,
        past: Some(past.basis(&steps, Some(base.id))),
        steps,
        blobs: blobs(house, base.id, vec![like.group.clone()]).await?,
        advisories,
        distributors: vec![(distributor.id, distributor.revision)],
        groups: manifest.groups.clone(),
        announces: None,
        resends: Some(base.id),
    };
    Ok((pin(house, actor, disclosure, draft).await?, findings))
}

/// Nobody gets clear text, and this plan is for nobody else: without a usable certificate there
/// is none.
fn judged(certificates: &[Certificate], address: &str, when: At) -> Vec<Finding> {
    let report = |c| pgp::report(c, address, &[("when it is sent", when)]);
    let mut findings: Vec<Finding> = certificates.iter().flat_map(report).collect();
    findings.iter_mut().for_each(|f| f.severity = Severity::Warn);
    if !certificates.iter().any(|c| pgp::judge(c, when).usable()) {
        findings.push(
            Finding::stop(
                "contact-blocked",
                address,
                "no certificate of this contact can be used when its notice is due",
            )
            .cure("daybreak distributor renew, or tell them otherwise: daybreak notice mark"),
        );
    }
    findings
}

/// The newest notice that was approved and still holds; what it says.
async fn told(house: &House, disclosure: &Disclosure) -> Case<(Plan, Manifest)> {
    for plan in super::of(house, disclosure.id).await?.into_iter().rev() {
        if plan.kind != PlanKind::Notice || !has_begun(&plan) || plan.held {
            continue;
        }
        let manifest = manifest_of(&plan)?;
        if manifest.resends.is_none() {
            return Ok((plan, manifest));
        }
    }
    Err(CaseError::not_now(
        "no notice that still holds was sent",
        "make one for everybody: daybreak plan make DISC --kind notice",
    ))
}

/// Nobody hears who is not on the list now, or not in the groups this disclosure is for.
fn listed<'a>(
    distributors: &'a [Distributor],
    told: &Content,
    address: &str,
) -> Case<(&'a Distributor, &'a Contact)> {
    for distributor in distributors.iter().filter(|d| hears(d, told)) {
        let contacts = &distributor.record.open(Reason::Dispatch).contacts;
        if let Some(contact) = contacts.iter().find(|c| c.address.eq_ignore_ascii_case(address)) {
            return Ok((distributor, contact));
        }
    }
    Err(CaseError::unknown(
        "contact on the list",
        address,
        "add it first: daybreak distributor add-contact; see `daybreak distributor list`",
    ))
}

/// Who has it and can read it, or will get it by itself, gets no second one.
async fn may_have_it(
    house: &House,
    disclosure: &Disclosure,
    had: Option<&Delivery>,
    fingerprints: &[String],
) -> Case<()> {
    let Some(had) = had else { return Ok(()) };
    let plans = super::of(house, disclosure.id).await?;
    let live = plans.iter().any(|p| p.id == had.plan && p.state.is_live());
    let waits = live && had.code != NOBODY_CAN_TELL;
    let renewed = fingerprints.iter().any(|f| !had.fingerprints.contains(f));
    let no = |why: String, cure: &str| Err(CaseError::not_now(why, cure));
    match had.state {
        DeliveryState::Queued | DeliveryState::Unknown if waits => no(
            format!("the mail of plan {} to them is {}", had.number, had.state),
            "wait for it; see `daybreak notice status`",
        ),
        DeliveryState::HandedOver | DeliveryState::Delayed if !renewed => no(
            format!("the mail of plan {} is {}, for the same certificates", had.number, had.state),
            "if they say that they do not have it: daybreak notice mark, or wait until it is silent",
        ),
        DeliveryState::Acknowledged if !renewed => {
            no(format!("it was read: {}", had.detail), "nothing more is needed")
        }
        _ => Ok(()),
    }
}

/// What the new mail repeats.
struct Like<'a> {
    sealing: &'a Sealing,
    group: &'a BlobRef,
}

/// The contact's own mail, or any distributor's with the content that its profile asks for.
/// Never a reporter's.
fn like<'a>(
    manifest: &'a Manifest,
    contact: &Contact,
    view: &NoticeView,
    shared: bool,
) -> Case<Like<'a>> {
    let content = content::Content::of(&contact.profile, view);
    let wanted = if shared { content.equal() } else { content }.name();
    let own = contact.id.to_string();
    let mut other = None;
    for step in &manifest.steps {
        if let (Some(sealing), Action::Mail { message: group, .. }) = (&step.sealing, &step.action)
            && sealing.recipient.parse::<ContactId>().is_ok()
        {
            let fits = !sealing.notice.tells_all() || same_wishes(&group.name, &wanted);
            if sealing.recipient == own && fits {
                return Ok(Like { sealing, group });
            }
            if group.name == wanted {
                other = Some(Like { sealing, group });
            }
        }
    }
    other.ok_or_else(|| {
        CaseError::not_now(
            "nobody was sent the content that this contact's profile asks for",
            "tell everybody anew: daybreak plan make DISC --kind notice",
        )
    })
}

/// Whether two content groups hold the same beside the text: the profile may have changed since.
fn same_wishes(one: &str, other: &str) -> bool {
    ["+poc", "-patches", "-json", content::MARKED]
        .iter()
        .all(|wish| one.contains(wish) == other.contains(wish))
}
