//! Advisories: written privately, every edit a revision, every edit voiding what was pinned.

use super::members::import;
use super::plans::void_of_advisory;
use super::{Case, CaseError, House};
use crate::domain::advisory::{Advisory, AdvisoryText};
use crate::domain::deed::Actor;
use crate::domain::finding::Finding;
use crate::domain::ids::{AdvisoryId, ReporterId};
use crate::domain::rules;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::Stage;
use crate::domain::view::AdvisoryView;
use crate::formats::{osv, template_lint};
use crate::store::StoreError;

/// Drafts one. Findings do not stop a draft, except an id that cannot ever work.
pub async fn create(
    house: &House,
    actor: Actor,
    text: AdvisoryText,
) -> Case<(Advisory, Vec<Finding>)> {
    let (text, findings) = prepare(house, text)?;
    let now = house.now();
    let advisory = Advisory {
        id: house.fresh(AdvisoryId::new),
        revision: 1,
        created_at: now,
        updated_at: now,
        withdrawn_at: None,
        text: Embargoed::new(text),
    };
    let deed = house.deed(actor, "advisory-new", advisory.id);
    let added = advisory.clone();
    house.store.write(&deed, move |tx| tx.add_advisory(added.id, &added.text)).await?;
    Ok((advisory, findings))
}

/// Replaces its text by a new revision and voids plans that pinned the old one.
pub async fn edit(
    house: &House,
    actor: Actor,
    advisory: &Advisory,
    text: AdvisoryText,
) -> Case<(Advisory, Vec<Finding>)> {
    let old = advisory.text.open(Reason::Editing);
    if old.public_id != text.public_id {
        return Err(CaseError::invalid(
            "public_id",
            "cannot change",
            "it may already be quoted; draft another advisory",
        ));
    }
    let (text, findings) = prepare(house, text)?;
    let deed = house.deed(actor, "advisory-edit", advisory.id);
    let mut changed =
        Advisory { updated_at: deed.at, text: Embargoed::new(text), ..advisory.clone() };
    let stored = changed.clone();
    changed.revision = house
        .store
        .write(&deed, move |tx| {
            let revision = tx.revise_advisory(stored.id, stored.revision, &stored.text)?;
            void_of_advisory(tx, stored.id)?;
            Ok::<_, StoreError>(revision)
        })
        .await?;
    Ok((changed, findings))
}

/// Takes in an OSV record, JSON or YAML.
pub async fn import_osv(
    house: &House,
    actor: Actor,
    bytes: &[u8],
    file_name: &str,
    public_id: Option<String>,
) -> Case<(Advisory, Vec<Finding>)> {
    let imported = osv::import(bytes, file_name)
        .map_err(|e| CaseError::invalid("file", "cannot be imported", e.to_string()))?;
    let mut text = imported.text;
    if let Some(id) = public_id {
        let old = std::mem::replace(&mut text.public_id, id);
        if !old.is_empty() && !text.aliases.contains(&old) && old != text.public_id {
            text.aliases.push(old);
        }
    }
    let mut findings = imported.findings;
    let (advisory, more) = create(house, actor, text).await?;
    findings.extend(more);
    Ok((advisory, findings))
}

/// Everything the rules find in a text.
pub fn check(advisory: &Advisory) -> Vec<Finding> {
    rules::advisory::check(advisory.text.open(Reason::Judging))
}

/// All advisories.
pub async fn list(house: &House) -> Case<Vec<Advisory>> {
    Ok(house.store.read(|r| r.advisories()).await?)
}

/// Gives reporters their ids, checks their certificates and collects findings.
fn prepare(house: &House, mut text: AdvisoryText) -> Case<(AdvisoryText, Vec<Finding>)> {
    let findings = rules::advisory::check(&text);
    if let Some(id) = findings.iter().find(|f| f.code == "id-malformed") {
        return Err(CaseError::Blocked(vec![id.clone()]));
    }
    for (i, reporter) in text.reporters.iter_mut().enumerate() {
        if let Some(armored) = &reporter.certificate {
            import(&format!("reporters[{i}].certificate"), armored.as_bytes())?;
        }
        if reporter.id.is_none() {
            reporter.id = Some(house.fresh(ReporterId::new));
        }
    }
    Ok((text, findings))
}

/// What the team's own templates say of advisories that are not public.
pub async fn named_in_templates(house: &House) -> Case<Vec<Finding>> {
    let (all, disclosures) =
        house.store.read(|r| Ok::<_, StoreError>((r.advisories()?, r.disclosures()?))).await?;
    let known = |a: &Advisory| {
        disclosures.iter().any(|d| {
            matches!(d.stage, Stage::Releasing | Stage::Public)
                && d.case.open(Reason::Judging).advisories.contains(&a.id)
        })
    };
    let secret = all.iter().filter(|a| !known(a));
    let views: Vec<_> = secret.map(|a| AdvisoryView::of(a.text.open(Reason::Judging))).collect();
    Ok(template_lint::spoken(&house.templates, &views))
}
