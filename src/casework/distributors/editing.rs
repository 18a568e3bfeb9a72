//! Changing what we know of an organisation and how its contacts want their mail.
//!
//! A plan that has not told them yet pinned the old window and the old content, so it becomes
//! void in the same write; what they have already does not change. A name is in no plan.

use super::contact_of;
use crate::casework::groups::named;
use crate::casework::windows::{hears, told_by};
use crate::casework::{Case, CaseError, House, plans};
use crate::domain::deed::Actor;
use crate::domain::finding::Finding;
use crate::domain::party::{Contact, ContactKind, Distributor, DistributorRecord, Profile};
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::secret::{Embargoed, Reason};
use crate::store::Tx;

/// What shall be different; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Name.
    pub name: Option<String>,
    /// Days before T0 at which it hears; `Some(None)` for the house's default.
    pub lead_days: Option<Option<u32>>,
    /// Longest embargo it accepts, in days; `Some(None)` for any.
    pub longest_embargo_days: Option<Option<u32>>,
    /// All its groups.
    pub groups: Option<Vec<String>>,
}

/// The same of one contact.
#[derive(Debug, Clone, Default)]
pub struct ContactEdit {
    /// What reads it.
    pub kind: Option<ContactKind>,
    /// Subject in clear; `Some(None)` for the usual one.
    pub clear_subject: Option<Option<String>>,
    /// Whether it gets the patches.
    pub patches: Option<bool>,
    /// Whether it gets proofs of concept.
    pub poc: Option<bool>,
    /// Whether it gets the machine-readable advisory.
    pub json_advisory: Option<bool>,
    /// The list at which telling it obliges us to post; `Some(None)` for none.
    pub requires_public_post: Option<Option<String>>,
    /// Whether it is asked to show that it can read us.
    pub receipts: Option<bool>,
    /// Whether it gets a cover mail each month.
    pub cover: Option<bool>,
    /// Whether each of its notices has a code of its own.
    pub watermark: Option<bool>,
}

/// Changes an organisation.
pub async fn edit(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    edit: Edit,
) -> Case<(Distributor, Vec<Finding>)> {
    let mut record = distributor.record.open(Reason::Editing).clone();
    if let Some(name) = edit.name {
        let taken =
            |d: &Distributor| d.id != distributor.id && d.record.open(Reason::Judging).name == name;
        crate::casework::members::check_name("name", &name)?;
        if house.store.read(|r| r.distributors()).await?.iter().any(taken) {
            return Err(CaseError::invalid("name", "is taken", "choose another"));
        }
        record.name = name;
    }
    if let Some(days) = edit.lead_days {
        record.lead_days = days;
    }
    if let Some(days) = edit.longest_embargo_days {
        super::check_longest(days)?;
        record.longest_embargo_days = days;
    }
    if let Some(groups) = edit.groups {
        record.groups = named(groups)?;
    }
    save(house, actor, "distributor-edit", distributor, record, Vec::new()).await
}

/// Changes how one contact wants its mail.
pub async fn edit_contact(
    house: &House,
    actor: Actor,
    distributor: &Distributor,
    address: &str,
    edit: ContactEdit,
) -> Case<(Distributor, Vec<Finding>)> {
    let mut record = distributor.record.open(Reason::Editing).clone();
    let contact = contact_of(&mut record, address)?;
    contact.kind = edit.kind.unwrap_or(contact.kind);
    let profile = &mut contact.profile;
    if let Some(subject) = edit.clear_subject {
        profile.clear_subject = subject;
    }
    if let Some(patches) = edit.patches {
        profile.without_patches = !patches;
    }
    if let Some(poc) = edit.poc {
        profile.poc = poc;
    }
    if let Some(json) = edit.json_advisory {
        profile.without_json = !json;
    }
    if let Some(list) = edit.requires_public_post {
        profile.requires_public_post = list;
    }
    profile.receipts = edit.receipts.unwrap_or(profile.receipts);
    profile.cover = edit.cover.unwrap_or(profile.cover);
    profile.watermark = edit.watermark.unwrap_or(profile.watermark);
    let findings = check_profile(house, &contact.address, contact.kind, &contact.profile)?;
    save(house, actor, "distributor-edit-contact", distributor, record, findings).await
}

/// Whether a profile can be used, and what is unwise about it.
pub(super) fn check_profile(
    house: &House,
    address: &str,
    kind: ContactKind,
    profile: &Profile,
) -> Case<Vec<Finding>> {
    if let Some(subject) = &profile.clear_subject
        && (subject.chars().any(char::is_control) || !subject.is_ascii() || subject.len() > 100)
    {
        return Err(CaseError::invalid(
            "clear_subject",
            "has a line break, is not ASCII or is too long",
            "write one short ASCII line without embargoed words",
        ));
    }
    if let Some(list) = &profile.requires_public_post
        && !house.config.list.contains_key(list)
    {
        let known: Vec<_> = house.config.list.keys().map(String::as_str).collect();
        let cure = format!("configured are: {}", known.join(", "));
        return Err(CaseError::unknown("list", list, cure));
    }
    if profile.receipts && kind == ContactKind::List {
        return Err(CaseError::invalid(
            "receipts",
            "is asked of a list, whose readers are not ours to count",
            "leave it out",
        ));
    }
    if profile.cover && kind == ContactKind::List {
        return Err(CaseError::invalid(
            "cover",
            "is asked for a list, which would pass each cover mail on to all its readers",
            "leave it out, or write `--cover no`",
        ));
    }
    if profile.cover && profile.clear_subject.is_some() {
        return Err(CaseError::invalid(
            "cover",
            "is asked for a contact with a subject in clear: nobody approves a cover mail, and \
             with another subject it would not look like that contact's notices",
            "leave out one of the two",
        ));
    }
    if profile.watermark && kind == ContactKind::List {
        return Err(CaseError::invalid(
            "watermark",
            "is asked for a list, all of whose readers would have the same copy",
            "leave it out, or write `--watermark no`",
        ));
    }
    let mut found = Vec::new();
    if profile.watermark && house.config.signing.shared_body {
        found.push(watermark_lost(address));
    }
    if kind == ContactKind::List && profile.clear_subject.is_none() {
        found.push(
            Finding::note(
                "list-subject",
                address,
                "some lists refuse mail whose clear subject lacks their tag; linux-distros wants `[vs] ...`",
            )
            .cure("daybreak distributor edit-contact DIST --contact ADDRESS --clear-subject \"[vs] Upcoming release\""),
        );
    }
    Ok(found)
}

/// What one signature for all copies costs a contact with a watermark.
pub(in crate::casework) fn watermark_lost(address: &str) -> Finding {
    Finding::warn(
        "watermark-lost",
        address,
        "with `signing.shared_body` all copies of a notice are equal: this contact's has no code \
         of its own",
    )
    .cure("leave `shared_body` out, or daybreak distributor edit-contact DIST --contact ADDRESS --watermark no")
}

async fn save(
    house: &House,
    actor: Actor,
    verb: &'static str,
    old: &Distributor,
    record: DistributorRecord,
    findings: Vec<Finding>,
) -> Case<(Distributor, Vec<Finding>)> {
    if record == *old.record.open(Reason::Judging) {
        return Err(CaseError::not_now("nothing would change", "say what shall be different"));
    }
    let mut changed = Distributor { record: Embargoed::new(record), ..old.clone() };
    let deed = house.deed(actor, verb, changed.id);
    let (was, stored) = (old.clone(), changed.clone());
    changed.revision = house
        .store
        .write(&deed, move |tx| {
            let revision = tx.save_distributor(&stored)?;
            void_of(tx, &was, &stored)?;
            Ok::<_, CaseError>(revision)
        })
        .await?;
    Ok((changed, findings))
}

/// What of an edit plans have pinned.
struct Changed {
    /// Windows, content, clear subjects: what notices that have not left pin.
    notices: bool,
    /// Which public posts are owed: what Release plans were judged by.
    posts: bool,
}

impl Changed {
    fn between(was: &DistributorRecord, now: &DistributorRecord) -> Self {
        let posts = |r: &DistributorRecord| -> Vec<Option<String>> {
            r.contacts.iter().map(|c| c.profile.requires_public_post.clone()).collect()
        };
        let told = |r: &DistributorRecord| {
            let of = |c: &Contact| {
                let profile =
                    Profile { requires_public_post: None, cover: false, ..c.profile.clone() };
                (c.kind, profile)
            };
            let contacts: Vec<_> = r.contacts.iter().map(of).collect();
            (r.lead_days, r.longest_embargo_days, r.groups.clone(), contacts)
        };
        let groups = was.groups != now.groups;
        Self { notices: told(was) != told(now), posts: groups || posts(was) != posts(now) }
    }
}

/// Voids the plans of open disclosures that pinned what is no longer so.
fn void_of(tx: &mut Tx<'_>, was: &Distributor, now: &Distributor) -> Case<()> {
    let (old, new) = (was.record.open(Reason::Judging), now.record.open(Reason::Judging));
    let changed = Changed::between(old, new);
    for disclosure in tx.disclosures()?.into_iter().filter(|d| d.stage.is_open()) {
        let content = disclosure.case.open(Reason::Judging);
        let (heard, hears) = (hears(was, content), hears(now, content));
        for plan in tx.plans(disclosure.id)? {
            let stale = match plan.kind {
                PlanKind::Notice => changed.notices && (heard != hears || waits(tx, &plan, new)?),
                PlanKind::Release => changed.posts && (heard || hears) && plan.state.is_voidable(),
                PlanKind::Headsup | PlanKind::Correction => false,
            };
            let open = plan.state.is_voidable() || plan.state == PlanState::Running;
            if stale && open {
                tx.move_plan(plan.id, plan.state, PlanState::Void)?;
            }
        }
    }
    Ok(())
}

/// Whether a plan has still to tell one of the organisation's contacts.
fn waits(tx: &mut Tx<'_>, plan: &Plan, record: &DistributorRecord) -> Case<bool> {
    let told = told_by(tx, plan)?;
    let manifest = plans::manifest_of(plan)?;
    let theirs = |id: &String| record.contacts.iter().any(|c| c.id.to_string() == *id);
    let mut steps = manifest.steps.iter().filter_map(|s| s.sealing.as_ref());
    Ok(steps.any(|s| theirs(&s.recipient) && !told.contains_key(&s.recipient)))
}
