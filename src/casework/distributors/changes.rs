//! A certificate that waits: members confirm its fingerprint or turn it down, the old address
//! is told. What it takes is in `domain::change`.

use super::certificates::{held_mut, plain};
use super::{contact_of, health, save};
use crate::casework::identity::refuse_a_copy;
use crate::casework::{Case, CaseError, House};
use crate::domain::change::{COOL_DOWN, Change, Confirmation, Rejection};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::finding::Finding;
use crate::domain::ids::{CertificateId, MemberId};
use crate::domain::party::{Distributor, HeldCertificate};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;
use crate::formats::bell_text::{Bell, PublicUrl};
use crate::store::StoreError;

/// Different members who must confirm a fingerprint that the old key did not sign.
const CONFIRMATIONS: u32 = 2;
/// Longest text of a confirmation or a reason, in bytes.
const LONGEST: usize = 500;

/// Every disclosure, and how many members must confirm a change now: two, or one where the
/// team is one person.
pub(super) async fn circumstances(house: &House) -> Case<(Vec<Disclosure>, u32)> {
    let (disclosures, members) =
        house.store.read(|r| Ok::<_, StoreError>((r.disclosures()?, r.members()?))).await?;
    let active = members.iter().filter(|m| m.active).count();
    let needed = u32::try_from(active).unwrap_or(CONFIRMATIONS).clamp(1, CONFIRMATIONS);
    Ok((disclosures, needed))
}

/// A change that begins now.
pub(super) fn ask(
    now: At,
    by: String,
    instead_of: Option<String>,
    needed: u32,
    planned: Vec<At>,
) -> Change {
    let mut change = Change {
        asked_at: now,
        asked_by: by,
        instead_of,
        vouched: None,
        code: String::new(),
        told_at: None,
        needed,
        cools_until: now.plus(COOL_DOWN),
        confirmations: Vec::new(),
        rejected: None,
    };
    change.end_before(planned);
    change
}

/// What a certificate that is not used yet waits for.
pub fn waits(address: &str, held: &HeldCertificate, now: At) -> Finding {
    let Some(change) = &held.change else {
        return Finding::note("cert-pending", address, format!("{} waits", held.fingerprint));
    };
    let have = change.confirmations.len();
    let asked = format!("{} was asked for at {}", held.fingerprint, change.asked_at.rfc3339());
    let message = match change.in_force_from() {
        Some(from) if from > now => {
            format!("{asked}, is confirmed, and is used from {} on", from.rfc3339())
        }
        _ => {
            let signed = match change.vouched {
                Some(_) => "signed by the old key, ".to_owned(),
                None => format!(
                    "not before {} unless a notice is planned earlier, ",
                    change.cools_until.rfc3339()
                ),
            };
            format!(
                "{asked} and is not used yet: {signed}{have} of {} confirmations",
                change.needed
            )
        }
    };
    Finding::warn("cert-pending", address, message).cure(
        "ask its owner for the fingerprint by another way, then `daybreak distributor confirm DIST \
         --contact ADDRESS --fingerprint FINGERPRINT --how TEXT --as MEMBER`; if it is not theirs: \
         `daybreak distributor reject`",
    )
}

/// A member was told this fingerprint by its owner, `how` in words.
pub async fn confirm(
    house: &House,
    member: MemberId,
    distributor: &Distributor,
    address: &str,
    fingerprint: &str,
    how: &str,
) -> Case<(Distributor, Vec<Finding>)> {
    check_words("how", how, "say by which way its owner told it: `called their number`")?;
    let active = house.store.read(|r| r.members()).await?;
    if !active.iter().any(|m| m.id == member && m.active) {
        return Err(CaseError::not_now("this is no active member", "see `daybreak team list`"));
    }
    let (disclosures, _) = circumstances(house).await?;
    let mut record = distributor.record.open(Reason::Editing).clone();
    let now = house.now();
    let contact = contact_of(&mut record, address)?;
    let planned = health::planned_notices(house, distributor, contact, &disclosures);
    let held = waiting(&mut contact.certificates, fingerprint, now)?;
    if let Some(change) = held.change.as_mut() {
        if change.confirmed_at().is_some() {
            return Err(CaseError::not_now(
                "it has all its confirmations",
                "it is used when its cool-down is over; see `daybreak distributor show`",
            ));
        }
        if change.confirmed_by(member) {
            return Err(CaseError::not_now(
                "this member confirmed it already",
                "another member must hear the fingerprint from its owner and confirm it: --as",
            ));
        }
        change.confirmations.push(Confirmation { member, at: now, how: how.to_owned() });
        change.end_before(planned);
    }
    let finding = match held.change.as_ref().and_then(Change::in_force_from) {
        Some(from) if from <= now => Finding::note(
            "cert-in-force",
            &contact.address,
            "it is in use from now on; notice plans made before do not seal to it",
        ),
        _ => waits(&contact.address, held, now),
    };
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    let by = Actor::Member(member);
    let saved = save(house, by, "distributor-confirm-certificate", changed).await?;
    Ok((saved, vec![finding]))
}

/// Turns a waiting certificate down. One person may: it is the safe direction.
pub async fn reject(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    fingerprint: &str,
    reason: &str,
) -> Case<Distributor> {
    check_words("reason", reason, "say why: `its owner did not ask for it`")?;
    let mut record = distributor.record.open(Reason::Editing).clone();
    let now = house.now();
    let contact = contact_of(&mut record, address)?;
    let held = waiting(&mut contact.certificates, fingerprint, now)?;
    held.retired_at = Some(now);
    if let Some(change) = held.change.as_mut() {
        let (by, reason) = (actor.to_string(), reason.to_owned());
        change.rejected = Some(Rejection { by, at: now, reason });
    }
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    save(house, actor, "distributor-reject-certificate", changed).await
}

/// The waiting certificate with the fingerprint that a person typed. Never answers with a
/// fingerprint: whoever confirms must have it from its owner.
fn waiting<'a>(
    all: &'a mut [HeldCertificate],
    typed: &str,
    now: At,
) -> Case<&'a mut HeldCertificate> {
    let wanted = plain(typed);
    if !all.iter().any(|c| c.pending(now)) {
        return Err(CaseError::not_now(
            "no certificate of this contact waits",
            "what is in use is ended with `daybreak distributor retire`",
        ));
    }
    all.iter_mut().find(|c| c.pending(now) && c.fingerprint == wanted).ok_or_else(|| {
        CaseError::invalid(
            "fingerprint",
            "is not that of a certificate that waits",
            "type the whole fingerprint as its owner told it; if it is right, the file is not \
             theirs: `daybreak distributor show`, then `daybreak distributor reject`",
        )
    })
}

fn check_words(field: &str, text: &str, right: &str) -> Case<()> {
    if text.trim().is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        let wrong = "is empty, too long or has a line break";
        return Err(CaseError::invalid(field, wrong, right));
    }
    Ok(())
}

/// Rings at the address whose certificate shall change, and records it. That the bell could
/// not be rung is a finding; housekeeping tries again.
pub(super) async fn tell(
    house: &House,
    actor: Actor,
    distributor: Distributor,
    certificate: CertificateId,
    mut findings: Vec<Finding>,
) -> Case<(Distributor, Vec<Finding>)> {
    match tell_owner(house, actor, &distributor, certificate).await {
        Ok(told) => Ok((told, findings)),
        Err(CaseError::Store(e)) => Err(CaseError::Store(e)),
        Err(_) => {
            findings.push(
                Finding::warn(
                    "bell-not-rung",
                    "mail",
                    "the contact could not be told that a change was asked for",
                )
                .cure("see that the relay takes mail; the nightly round tries again"),
            );
            Ok((distributor, findings))
        }
    }
}

/// Tells the address of a waiting certificate's contact that a change was asked for.
pub async fn tell_owner(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    certificate: CertificateId,
) -> Case<Distributor> {
    refuse_a_copy(house).await?;
    let mut record = distributor.record.open(Reason::Dispatch).clone();
    let Some((address, held)) = held_mut(&mut record, certificate) else {
        return Err(CaseError::not_now("the certificate is gone", "see `distributor show`"));
    };
    let code = house.bells.code();
    let page = PublicUrl::parse(&house.config.site.base_url)
        .map_err(|e| CaseError::machine("writing a bell", e))?;
    house.bells.ring_contact(&Bell::CertificateChange { page, code }, &address).await?;
    if let Some(change) = held.change.as_mut() {
        change.code = code.spoken();
        change.told_at = Some(house.now());
    }
    let changed = Distributor { record: Embargoed::new(record), ..distributor.clone() };
    save(house, actor, "distributor-tell-change", changed).await
}
