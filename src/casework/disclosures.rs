//! Disclosures: one instant and everything that becomes public at it.

use super::groups::known;
use super::instants::{To, move_to};
use super::plans::notice::told_of_others;
use super::plans::{Stale, void_of};
use super::windows::longest_for_all;
use super::{Case, CaseError, House};
use crate::domain::advisory::Advisory;
use crate::domain::blob::Blob;
use crate::domain::deed::{Actor, Deed, Subject};
use crate::domain::disclosure::{BranchRef, Case as Content, CellState, Disclosure, Post};
use crate::domain::finding::{Finding, any_stop};
use crate::domain::ids::{AdvisoryId, BlobId, DisclosureId, PostId};
use crate::domain::plan::PlanState;
use crate::domain::rules;
use crate::domain::rules::dates::Limits;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::{Move, Stage};
use crate::domain::time::At;
use crate::domain::zone::T0;
use crate::store::{StoreError, Tx};

/// Opens one. A date that cannot work is refused; what is merely unwise is returned.
pub async fn create(
    house: &House,
    actor: Actor,
    t0: Option<T0>,
    advisories: Vec<AdvisoryId>,
    without_notice: Option<String>,
) -> Case<(Disclosure, Vec<Finding>)> {
    create_for(house, actor, t0, advisories, without_notice, Vec::new()).await
}

/// The same for some groups of distributors only; for all when `groups` is empty.
pub async fn create_for(
    house: &House,
    actor: Actor,
    t0: Option<T0>,
    advisories: Vec<AdvisoryId>,
    without_notice: Option<String>,
    groups: Vec<String>,
) -> Case<(Disclosure, Vec<Finding>)> {
    let groups = known(house, groups).await?;
    let findings = check_date(house, t0, &advisories, &groups).await?;
    for id in &advisories {
        free(house, *id).await?;
    }
    let content = Content { advisories, without_notice, groups, ..Content::default() };
    let disclosure = Disclosure {
        id: house.fresh(DisclosureId::new),
        revision: 1,
        stage: Stage::Drafting,
        t0,
        created_at: house.now(),
        case: Embargoed::new(content),
    };
    let deed = house.deed(actor, "disclosure-new", disclosure.id);
    let added = disclosure.clone();
    house.store.write(&deed, move |tx| tx.add_disclosure(&added)).await?;
    Ok((disclosure, findings))
}

/// An advisory belongs to one open disclosure at most.
async fn free(house: &House, advisory: AdvisoryId) -> Case<()> {
    let all = house.store.read(|r| r.disclosures()).await?;
    let holds = |d: &&Disclosure| {
        d.stage != Stage::Cancelled && d.case.open(Reason::Judging).advisories.contains(&advisory)
    };
    match all.iter().find(holds) {
        None => Ok(()),
        Some(d) => Err(CaseError::invalid(
            "advisory",
            format!("belongs to {} already", d.id),
            "cancel that disclosure first, or add to it",
        )),
    }
}

/// What the rules say of an instant; findings that stop are an error.
pub async fn check_date(
    house: &House,
    t0: Option<T0>,
    advisories: &[AdvisoryId],
    groups: &[String],
) -> Case<Vec<Finding>> {
    let Some(t0) = t0 else { return Ok(Vec::new()) };
    let findings = dates_of(house, t0, advisories, groups).await?;
    if any_stop(&findings) { Err(CaseError::Blocked(findings)) } else { Ok(findings) }
}

/// The same, and what stops stands among it.
pub(super) async fn dates_of(
    house: &House,
    t0: T0,
    advisories: &[AdvisoryId],
    groups: &[String],
) -> Case<Vec<Finding>> {
    let (all, distributors) =
        house.store.read(|r| Ok::<_, StoreError>((r.advisories()?, r.distributors()?))).await?;
    let ours: Vec<_> = all.into_iter().filter(|a| advisories.contains(&a.id)).collect();
    let received_at = received(&ours);
    let longest_embargo_days = longest_for_all(&distributors, groups);
    let limits =
        Limits { received_at, longest_embargo_days, lead_days: house.config.plans.lead_days };
    Ok(rules::dates::check(&t0, house.now(), &limits))
}

/// Everything: the texts, the matrix, the date, what a Release plan still lacks.
pub async fn check(house: &House, disclosure: &Disclosure) -> Case<Vec<Finding>> {
    let content = disclosure.case.open(Reason::Judging);
    let advisories = advisories_of(house, content).await?;
    let mut findings = Vec::new();
    let mut named = Vec::new();
    for advisory in &advisories {
        let id = advisory.text.open(Reason::Judging).public_id.clone();
        for mut finding in super::advisories::check(advisory) {
            finding.place = format!("{id}: {}", finding.place);
            findings.push(finding);
        }
        if content.mitigation_only.is_some() {
            let text = advisory.text.open(Reason::Judging);
            let named = |mut finding: Finding| {
                finding.place = format!("{id}: {}", finding.place);
                finding
            };
            findings.extend(rules::mitigation::check_text(text).into_iter().map(named));
        }
        named.push((advisory.id, id));
    }
    findings.extend(rules::matrix::check(content, &house.supported(), &named));
    findings.extend(rules::mitigation::check(content));
    findings.extend(rules::readiness::check(content));
    findings.extend(rules::readiness::dates(content, disclosure.t0.map(|t| t.at)));
    findings.extend(told_otherwise(house, disclosure).await?);
    findings.extend(super::windows::check(house, disclosure).await?);
    findings.extend(super::plans::headsup::outdated(house, disclosure).await?);
    match disclosure.t0 {
        None => findings.push(
            Finding::stop("t0-open", "at", "no instant is set")
                .cure("daybreak disclosure move DISC --at \"2026-12-01 16:00 Europe/Berlin\""),
        ),
        Some(t0) if disclosure.stage.is_open() => {
            match check_date(house, Some(t0), &content.advisories, &content.groups).await {
                Ok(more) | Err(CaseError::Blocked(more)) => findings.extend(more),
                Err(other) => return Err(other),
            }
        }
        Some(_) => {}
    }
    Ok(findings)
}

/// Somebody was told something that no longer holds, and nobody told them better.
async fn told_otherwise(house: &House, disclosure: &Disclosure) -> Case<Option<Finding>> {
    if disclosure.stage != Stage::Embargoed {
        return Ok(None);
    }
    let id = disclosure.id;
    let read = house.store.read(move |r| {
        let mut approved = Vec::new();
        for plan in r.plans(id)? {
            // What was never approved tells nothing, and makes nothing better.
            let given = u32::try_from(r.approvals(plan.id)?.len()).unwrap_or(u32::MAX);
            let yes = given >= super::plans::manifest_of(&plan)?.threshold;
            approved.extend(yes.then_some(plan));
        }
        Ok::<_, CaseError>(approved)
    });
    let approved = read.await?;
    let newest = approved.iter().rfind(|p| super::plans::tells_anew(p));
    let stale = newest.is_some_and(|p| p.state == PlanState::Void);
    Ok(stale.then(|| {
        Finding::warn(
            "notice-stale",
            "notice",
            "distributors were told something that was changed since",
        )
        .cure("daybreak plan make DISC --kind notice, and have it approved")
    }))
}

/// The advisories of a case, in its order.
pub(super) async fn advisories_of(house: &House, content: &Content) -> Case<Vec<Advisory>> {
    let all = house.store.read(|r| r.advisories()).await?;
    let find = |id: &AdvisoryId| all.iter().find(|a| a.id == *id).cloned();
    Ok(content.advisories.iter().filter_map(find).collect())
}

/// Changes the content of an open disclosure and voids plans that pinned the old one.
pub(super) async fn change(
    house: &House,
    actor: Actor,
    verb: &'static str,
    disclosure: &Disclosure,
    content: Content,
    blobs: Vec<(BlobId, Subject, Blob)>,
) -> Case<Disclosure> {
    open_for_change(disclosure)?;
    let changed = Disclosure { case: Embargoed::new(content), ..disclosure.clone() };
    let deed = house.deed(actor, verb, changed.id);
    save(house, &deed, disclosure, changed, move |tx| {
        for (id, owner, blob) in &blobs {
            tx.put_blob(*id, owner.clone(), blob)?;
        }
        Ok(())
    })
    .await
}

/// Writes the next revision, whatever goes with it, and voids plans that pinned the old one.
pub(super) async fn save(
    house: &House,
    deed: &Deed,
    old: &Disclosure,
    mut changed: Disclosure,
    also: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Case<Disclosure> {
    let (stored, seen) = (changed.clone(), old.stage);
    let same = old.case.open(Reason::Judging).tells_the_same(changed.case.open(Reason::Judging));
    let same = same && old.t0 == changed.t0 && old.stage == changed.stage;
    let stale = if same { Stale::Release } else { Stale::All };
    changed.revision = house
        .store
        .write(deed, move |tx| {
            // GO moves the stage without a new revision: nothing may be edited over it.
            if tx.disclosure(stored.id)?.stage != seen {
                return Err(StoreError::Conflict("disclosure"));
            }
            let revision = tx.save_disclosure(&stored)?;
            also(tx)?;
            void_of(tx, stored.id, stale)?;
            Ok::<_, StoreError>(revision)
        })
        .await?;
    Ok(changed)
}

pub(super) fn open_for_change(disclosure: &Disclosure) -> Case<()> {
    if disclosure.stage.is_open() {
        return Ok(());
    }
    let cure = if disclosure.stage == Stage::Cancelled {
        "open another one: daybreak disclosure new"
    } else {
        MEND
    };
    Err(CaseError::not_now(format!("the disclosure is {}", disclosure.stage), cure))
}

/// What to do about something public that is wrong: no plan changes it in this version.
pub(super) const MEND: &str = "what is public stays as it is: say what was wrong where it was \
    announced, and open another disclosure for what must still be fixed";

/// Sets or moves T0. Whoever was told the old date is told the new one by a new notice.
pub async fn move_t0(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    t0: T0,
    reason: &str,
) -> Case<(Disclosure, Vec<Finding>)> {
    move_to(house, actor, disclosure, To { t0, reason, overridden: None }).await
}

/// Gives it up, unless the reason would tell a reporter of another's flaw. No plan goes on.
pub async fn cancel(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    reason: &str,
) -> Case<Disclosure> {
    let stage = disclosure
        .stage
        .after(Move::Cancel)
        .map_err(|e| CaseError::not_now(e.to_string(), "it cannot be cancelled any more"))?;
    if disclosure.stage == Stage::Embargoed {
        // It cannot be said otherwise later, and reporters read it.
        let findings = told_of_others(house, disclosure, reason).await?;
        if any_stop(&findings) {
            return Err(CaseError::Blocked(findings));
        }
    }
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.cancelled = Some(reason.to_owned());
    let changed = Disclosure { stage, case: Embargoed::new(content), ..disclosure.clone() };
    let (id, deed) = (changed.id, house.deed(actor, "disclosure-cancel", changed.id));
    let deed = deed.detail(reason);
    save(house, &deed, disclosure, changed, move |tx| tx.move_stage(id, Move::Cancel)).await
}

/// Adds an advisory to an open disclosure.
pub async fn add_advisory(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    advisory: AdvisoryId,
) -> Case<Disclosure> {
    free(house, advisory).await?;
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.advisories.push(advisory);
    change(house, actor, "disclosure-add-advisory", disclosure, content, vec![]).await
}

/// Says which groups of distributors hear in advance; all when `groups` is empty.
pub async fn tell(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    groups: Vec<String>,
) -> Case<Disclosure> {
    let groups = known(house, groups).await?;
    let content = Content { groups, ..disclosure.case.open(Reason::Editing).clone() };
    change(house, actor, "disclosure-tell", disclosure, content, vec![]).await
}

/// Decides what happens to one advisory on one branch.
pub async fn mark(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    advisory: AdvisoryId,
    branch: BranchRef,
    state: CellState,
) -> Case<Disclosure> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    if !content.advisories.contains(&advisory) {
        return Err(CaseError::invalid(
            "advisory",
            "is not part of this disclosure",
            "add it with `disclosure add-advisory`",
        ));
    }
    if matches!(&state, CellState::WillNotFix { reason } if reason.trim().is_empty()) {
        return Err(CaseError::invalid("reason", "is empty", "say why the branch stays as it is"));
    }
    content.set_cell(advisory, branch, state);
    change(house, actor, "disclosure-mark", disclosure, content, vec![]).await
}

/// Adds a mailing-list post.
pub async fn add_post(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    list: &str,
    subject: Option<String>,
) -> Case<Disclosure> {
    if !house.config.list.contains_key(list) {
        let known: Vec<_> = house.config.list.keys().map(String::as_str).collect();
        return Err(CaseError::unknown(
            "list",
            list,
            format!("configured are: {}", known.join(", ")),
        ));
    }
    if subject.as_deref().is_some_and(|s| s.trim().is_empty() || s.chars().any(char::is_control)) {
        return Err(CaseError::invalid(
            "subject",
            "is empty or has a line break",
            "write one line, or leave it out",
        ));
    }
    let mut content = disclosure.case.open(Reason::Editing).clone();
    if content.posts.iter().any(|p| p.list == list) {
        return Err(CaseError::invalid("list", "hears already", "one post a list"));
    }
    content.posts.push(Post { id: house.fresh(PostId::new), list: list.to_owned(), subject });
    change(house, actor, "disclosure-add-post", disclosure, content, vec![]).await
}

/// All disclosures.
pub async fn list(house: &House) -> Case<Vec<Disclosure>> {
    Ok(house.store.read(|r| r.disclosures()).await?)
}

/// The instant, or a clear word that none is set.
pub(super) fn t0_of(disclosure: &Disclosure) -> Case<T0> {
    disclosure.t0.ok_or_else(|| {
        CaseError::not_now("no instant is set", "daybreak disclosure move DISC --at TIME")
    })
}

/// When the earliest report behind a case arrived.
pub fn received(advisories: &[Advisory]) -> Option<At> {
    advisories
        .iter()
        .flat_map(|a| a.text.open(Reason::Judging).reporters.iter().filter_map(|r| r.received()))
        .min()
}
