//! Who hears of a disclosure, since when, and what follows from it: gathered here, judged by
//! `domain::rules::windows`.

use std::collections::BTreeMap;

use super::{Case, CaseError, House};
use crate::domain::disclosure::{Case as Content, Disclosure};
use crate::domain::finding::{Finding, Severity};
use crate::domain::had::Had;
use crate::domain::ids::DisclosureId;
use crate::domain::party::Distributor;
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::rules::windows::{self, Listener, TOO_LONG};
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::store::Reader;

/// Whether a distributor hears of a disclosure in advance.
pub(super) fn hears(distributor: &Distributor, content: &Content) -> bool {
    distributor.active && distributor.record.open(Reason::Judging).is_in(&content.groups)
}

/// Longest embargo, in days, that everybody who hears accepts.
pub(super) fn longest_for_all(distributors: &[Distributor], groups: &[String]) -> Option<u32> {
    let records = distributors.iter().map(|d| d.record.open(Reason::Judging));
    records
        .filter(|record| record.is_in(groups))
        .flat_map(|record| record.contacts.iter().filter_map(|c| record.longest_embargo(c)))
        .min()
}

/// What the rules say of everybody's window.
pub(super) async fn check(house: &House, disclosure: &Disclosure) -> Case<Vec<Finding>> {
    let id = disclosure.id;
    let (told, distributors) =
        house.store.read(move |r| Ok::<_, CaseError>((told(r, id)?, r.distributors()?))).await?;
    let content = disclosure.case.open(Reason::Judging);
    let mut all = Vec::new();
    for distributor in &distributors {
        let record = distributor.record.open(Reason::Judging);
        let hears = hears(distributor, content) && content.without_notice.is_none();
        all.extend(record.contacts.iter().map(|contact| Listener {
            address: &contact.address,
            hears,
            lead: record.lead_days.unwrap_or(house.config.plans.lead_days),
            longest: record.longest_embargo(contact),
            told: told.get(&contact.id.to_string()).copied(),
            requires_public_post: contact.profile.requires_public_post.as_deref(),
        }));
    }
    let posts: Vec<&str> = content.posts.iter().map(|p| p.list.as_str()).collect();
    let mut found = windows::check(disclosure.t0.as_ref(), &all, &posts);
    found.extend(empty_groups(content, &distributors));
    Ok(found)
}

/// A group without anybody in it: perhaps everybody left it since.
fn empty_groups(content: &Content, distributors: &[Distributor]) -> Vec<Finding> {
    let in_it = |group: &&String| {
        distributors
            .iter()
            .any(|d| d.active && d.record.open(Reason::Judging).groups.iter().any(|g| g == *group))
    };
    let empty = content.groups.iter().filter(|group| !in_it(group));
    empty
        .map(|group| {
            Finding::warn("group-empty", group, "no active distributor is in this group")
                .cure("daybreak distributor edit DIST --group NAME, or disclosure tell")
        })
        .collect()
}

/// An embargo that somebody did not agree to stops a plan unless it is accepted by its code.
pub(super) fn weigh(findings: &mut [Finding], accepted: &[String]) {
    let heavy = |f: &&mut Finding| f.code == TOO_LONG && !accepted.contains(&f.code);
    findings.iter_mut().filter(heavy).for_each(|f| f.severity = Severity::Stop);
}

/// Since when each contact or reporter may have a mail of a disclosure, by their id.
pub(super) fn told(r: &mut Reader<'_>, disclosure: DisclosureId) -> Case<BTreeMap<String, At>> {
    let mut all: BTreeMap<String, At> = BTreeMap::new();
    for plan in r.plans(disclosure)?.iter().filter(|p| p.kind == PlanKind::Notice) {
        for (recipient, at) in told_by(r, plan)? {
            let known = all.entry(recipient).or_insert(at);
            *known = at.min(*known);
        }
    }
    Ok(all)
}

/// The same by one plan.
pub(super) fn told_by(r: &mut Reader<'_>, plan: &Plan) -> Case<BTreeMap<String, At>> {
    let manifest = super::plans::manifest_of(plan)?;
    let events = super::plans::events(r, plan.id)?;
    let sealed = manifest.steps.iter().filter_map(|s| Some((s.id, s.sealing.as_ref()?)));
    let told = sealed.filter_map(|(step, sealing)| {
        let had = Had::of(events.iter().filter(|e| e.step == step));
        Some((sealing.recipient.clone(), had.since()?))
    });
    Ok(told.collect())
}
