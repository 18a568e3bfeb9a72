//! Approvals: distinct people's signatures over the text that binds one plan's exact bytes.

use super::instants::may_be_armed;
use super::members::recall;
use super::plans::{Succession, approval_text, manifest_of};
use super::{Case, CaseError, House, rehearsals};
use crate::domain::approval::Approval;
use crate::domain::approval_text::ApprovalText;
use crate::domain::deed::Actor;
use crate::domain::ids::{ApprovalId, MemberId};
use crate::domain::news::NoticeKind;
use crate::domain::party::Member;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;
use crate::pgp::{self, Certificate, Verified, VerifyError};
use crate::store::{Store, StoreError};

/// What an approval led to.
pub struct Approved {
    /// The plan.
    pub plan: Plan,
    /// Who said yes.
    pub member: Member,
    /// How many have.
    pub given: u32,
    /// How many are needed.
    pub needed: u32,
}

/// Takes a signed approval text in any of the three forms. A detached signature is tried
/// over the text of every plan that waits for approval.
pub async fn approve(house: &House, form: &[u8], detached_over: Option<&[u8]>) -> Case<Approved> {
    let members = active(&house.store).await?;
    let now = house.now();
    let verified = match verify(form, detached_over, &members, now) {
        Ok(verified) => verified,
        Err(VerifyError::NothingToVerify) => over_waiting(house, form, &members, now).await?,
        Err(e) => return Err(refused(&e)),
    };
    let text = ApprovalText::parse(&verified.text)
        .map_err(|e| CaseError::invalid("approval", "is signed, but", e.to_string()))?;
    let member = signer(&members, &verified)?;
    let id = text.plan;
    let plan = match house.store.read(move |r| r.plan(id)).await {
        Err(StoreError::NotFound(_)) => {
            return Err(CaseError::unknown(
                "plan",
                id.to_string(),
                "it approves a plan of another house",
            ));
        }
        other => other?,
    };
    let manifest = manifest_of(&plan)?;
    if text != ApprovalText::of(&manifest, plan.digest) {
        return Err(CaseError::invalid(
            "approval",
            "is not over this plan's bytes",
            "export the plan again and sign its own approval text",
        ));
    }
    // A detached signature is kept without what it is over: it must hold over our own copy of
    // the text, or it would be taken now and not count at GO.
    over(form, &approval_text(&plan)?, &members, now).map_err(|e| refused(&e))?;
    match plan.state {
        PlanState::Made => {}
        PlanState::Void => {
            return Err(CaseError::not_now(
                format!(
                    "plan {} is void: something was edited, or another plan was approved, after \
                     it was made",
                    plan.number
                ),
                "review and approve the newest plan",
            ));
        }
        state => {
            return Err(CaseError::not_now(
                format!("plan {} is {state} already", plan.number),
                "nothing more is needed",
            ));
        }
    }
    // That it is off, or was published before its time, must be told after T0 too: others
    // still count on the date.
    let off = manifest.notice().is_some_and(NoticeKind::outlives_t0);
    let ahead = match plan.kind {
        PlanKind::Notice => Some(plan.t0).filter(|_| !off),
        _ => manifest.announces,
    };
    if ahead.is_some_and(|t0| now >= t0) {
        return Err(CaseError::not_now(
            "its T0 has passed",
            "there is nothing left to tell in advance",
        ));
    }
    if plan.kind == PlanKind::Release {
        may_be_armed(house, &plan).await?;
    }
    // After T0 nothing can be rehearsed any more, and doubt means forward.
    if now < plan.t0 {
        rehearsals::refuse_red(house, &plan).await?;
    }
    let approval = Approval {
        id: house.fresh(ApprovalId::new),
        plan: id,
        member: member.id,
        at: now,
        signed: Embargoed::new(form.to_vec()),
    };
    let (needed, number) = (manifest.threshold, plan.number);
    let succession = Succession::of(house, manifest);
    let deed = house.deed(Actor::Member(member.id), "plan-approve", id);
    let given = house
        .store
        .write(&deed, move |tx| {
            if tx.plan(id)?.state != PlanState::Made {
                return Err(CaseError::Store(StoreError::Conflict("plan")));
            }
            if !succession.holds(tx)? {
                return Err(outrun(number));
            }
            tx.add_approval(&approval)?;
            let given = u32::try_from(tx.approvals(id)?.len()).unwrap_or(u32::MAX);
            if given >= needed {
                succession.take_over(tx)?;
                tx.move_plan(id, PlanState::Made, PlanState::Approved)?;
            }
            Ok(given)
        })
        .await?;
    let plan = house.store.read(move |r| r.plan(id)).await?;
    Ok(Approved { plan, member, given, needed })
}

/// The running plan was quicker: what the new one pins for each recipient was chosen by what
/// they knew then.
fn outrun(number: i64) -> CaseError {
    CaseError::not_now(
        format!(
            "since plan {number} was made somebody was told, or a plan that it counts on ended: \
             who gets what in it no longer holds, and nothing was approved"
        ),
        "make it again, it is then right for everybody, and have that one approved",
    )
}

/// Verifies again what was stored: who of today's members really approved these bytes.
/// Signatures are judged at the moment they were handed in. Read by the lane that `store` is: GO
/// does not wait behind people.
pub async fn recheck(store: &Store, plan: &Plan) -> Case<Vec<MemberId>> {
    let members = active(store).await?;
    let id = plan.id;
    let approvals = store.read(move |r| r.approvals(id)).await?;
    let text = approval_text(plan)?;
    let mut people = Vec::new();
    for approval in &approvals {
        let form = approval.signed.open(Reason::Judging);
        let Ok(verified) = over(form, &text, &members, approval.at) else {
            continue;
        };
        let same = ApprovalText::parse(&verified.text).is_ok_and(|t| t.render() == text);
        let by = signer(&members, &verified).map(|m| m.id);
        if let (true, Ok(by)) = (same && by.as_ref().is_ok_and(|m| *m == approval.member), by)
            && !people.contains(&by)
        {
            people.push(by);
        }
    }
    Ok(people)
}

/// Today's members with their certificates. Whoever cannot be read does not count, and keeps
/// nobody else's word from counting.
async fn active(store: &Store) -> Case<Vec<(Member, Certificate)>> {
    let members = store.read(|r| r.active_members()).await?;
    let with = |m: Member| {
        let certificate = recall(&m.record.open(Reason::Judging).certificate);
        match certificate {
            Ok(certificate) => Some((m, certificate)),
            Err(_) => {
                tracing::error!(member = %m.id, "a member's certificate cannot be read");
                None
            }
        }
    };
    Ok(members.into_iter().filter_map(with).collect())
}

fn verify(
    form: &[u8],
    over: Option<&[u8]>,
    members: &[(Member, Certificate)],
    at: At,
) -> Result<Verified, VerifyError> {
    let certificates: Vec<Certificate> = members.iter().map(|(_, c)| c.clone()).collect();
    pgp::verify(form, over, &certificates, at)
}

/// The same over a plan's text as its signer may have had it: as we gave it, or with the line
/// ends that a mailer gave it.
fn over(
    form: &[u8],
    text: &str,
    members: &[(Member, Certificate)],
    at: At,
) -> Result<Verified, VerifyError> {
    match verify(form, Some(text.as_bytes()), members, at) {
        Err(VerifyError::Altered) => {
            verify(form, Some(text.replace('\n', "\r\n").as_bytes()), members, at)
        }
        other => other,
    }
}

/// A detached signature says what it is over only by fitting.
async fn over_waiting(
    house: &House,
    form: &[u8],
    members: &[(Member, Certificate)],
    now: At,
) -> Case<Verified> {
    let plans = super::plans::all(house).await?;
    let mut last = VerifyError::Altered;
    // Void plans too: the answer is then that the plan is void, not that the bytes differ.
    for plan in &plans {
        match over(form, &approval_text(plan)?, members, now) {
            Ok(verified) => return Ok(verified),
            Err(e) => last = e,
        }
    }
    Err(refused(&last))
}

fn signer(members: &[(Member, Certificate)], verified: &Verified) -> Case<Member> {
    let found = members.iter().find(|(_, c)| c.fingerprint() == verified.by);
    found.map(|(m, _)| m.clone()).ok_or_else(|| refused(&VerifyError::Stranger))
}

fn refused(error: &VerifyError) -> CaseError {
    CaseError::invalid("approval", "was not taken", error.to_string())
}
