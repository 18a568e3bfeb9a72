//! Disclosing without a fix: a leak, or use against people, before any patch exists. What goes
//! out says what helps, and claims no fixed version anywhere; the branches stay open, and the
//! disclosure stays listed with them until another one brings the fix.

use super::disclosures::change;
use super::{Case, CaseError, House};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{
    BranchRef, Case as Content, CellState, Disclosure, MitigationOnly,
};
use crate::domain::ids::DisclosureId;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::Stage;

/// Says that it goes without a fix; branches that nothing was decided for become pending.
pub async fn without_fix(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    reason: &str,
) -> Case<Disclosure> {
    if reason.trim().is_empty() {
        return Err(CaseError::invalid("reason", "is empty", "say why it cannot wait for a fix"));
    }
    let mut content = disclosure.case.open(Reason::Editing).clone();
    go_without_fix(&mut content, &house.supported(), reason);
    change(house, actor, "disclosure-mitigation-only", disclosure, content, vec![]).await
}

/// There will be a fix after all: branches that were pending must be decided again.
pub async fn with_fix(house: &House, actor: Actor, disclosure: &Disclosure) -> Case<Disclosure> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    content.mitigation_only = None;
    content.cells.retain(|c| c.state != CellState::Pending);
    change(house, actor, "disclosure-with-fix", disclosure, content, vec![]).await
}

/// The same for a case at hand.
pub(super) fn go_without_fix(content: &mut Content, supported: &[BranchRef], reason: &str) {
    content.mitigation_only = Some(MitigationOnly { reason: reason.to_owned(), closed_by: None });
    for advisory in content.advisories.clone() {
        for branch in supported {
            if content.cell(advisory, branch).is_none() {
                content.set_cell(advisory, branch.clone(), CellState::Pending);
            }
        }
    }
}

/// Branches for which no fix is out yet although the world knows: empty once another disclosure
/// brought it, or before anybody knows.
pub fn open_branches(disclosure: &Disclosure) -> Vec<String> {
    let case = disclosure.case.open(Reason::Review);
    let open = case.mitigation_only.as_ref().is_some_and(|m| m.closed_by.is_none());
    if !open || !matches!(disclosure.stage, Stage::Releasing | Stage::Public) {
        return Vec::new();
    }
    let pending = case.cells.iter().filter(|c| c.state == CellState::Pending);
    let mut branches: Vec<String> = pending.map(|c| c.branch.to_string()).collect();
    branches.sort();
    branches.dedup();
    branches
}

/// Says that another disclosure, which is public, brought the fix.
pub async fn close(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    by: &Disclosure,
) -> Case<Disclosure> {
    if open_branches(disclosure).is_empty() {
        return Err(CaseError::not_now(
            "no branch of it is open in public",
            "daybreak disclosure show DISC says what it holds",
        ));
    }
    let fixes = !by.case.open(Reason::Judging).releases.is_empty();
    if by.stage != Stage::Public || !fixes || by.id == disclosure.id {
        return Err(CaseError::invalid(
            "closed-by",
            format!(
                "{} is {} and has {}",
                by.id,
                by.stage,
                if fixes { "releases" } else { "no release" }
            ),
            "name the disclosure whose releases brought the fix, once it is public",
        ));
    }
    let (id, other, seen) = (disclosure.id, by.id, disclosure.revision);
    let deed = house.deed(actor, "disclosure-close", id).detail(by.id.to_string());
    let revision = house.store.write(&deed, move |tx| {
        let mut now = tx.disclosure(id)?;
        now.revision = seen;
        let mut content = now.case.open(Reason::Editing).clone();
        closed(&mut content, other);
        now.case = Embargoed::new(content);
        tx.save_disclosure(&now)
    });
    let mut content = disclosure.case.open(Reason::Editing).clone();
    closed(&mut content, other);
    let case = Embargoed::new(content);
    Ok(Disclosure { revision: revision.await?, case, ..disclosure.clone() })
}

fn closed(content: &mut Content, by: DisclosureId) {
    if let Some(open) = &mut content.mitigation_only {
        open.closed_by = Some(by);
    }
}
