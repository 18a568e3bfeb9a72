//! Patch series: read, tried on the branch's tip and on the last release, and sealed.

use super::disclosures::change;
use super::{Case, CaseError, House};
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{BranchRef, Case as Content, CellState, Disclosure, Fit, Patch};
use crate::domain::finding::Finding;
use crate::domain::ids::{AdvisoryId, BlobId, PatchId};
use crate::domain::secret::Reason;
use crate::workshop::{self, Named, Origin, Series, Source, Workshop};

/// A series to be added.
pub struct NewPatch {
    /// Branch it is for.
    pub branch: BranchRef,
    /// What it fixes; all advisories of the disclosure when empty.
    pub fixes: Vec<AdvisoryId>,
    /// Where it comes from.
    pub source: Source,
    /// Full object id it was made on, if the person says so.
    pub base: Option<String>,
}

/// Adds a series on top of those already there for its branch.
pub async fn add(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    new: NewPatch,
) -> Case<(Disclosure, Patch, Vec<Finding>)> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    let fixes = if new.fixes.is_empty() { content.advisories.clone() } else { new.fixes };
    if fixes.is_empty() || fixes.iter().any(|a| !content.advisories.contains(a)) {
        return Err(CaseError::invalid(
            "fixes",
            "names no advisory of this disclosure",
            "name one of its advisories, or add the advisory first",
        ));
    }
    let workshop = fresh(house, &new.branch).await?;
    let below = series_of(house, &workshop, &content, &new.branch).await?;
    let stack: Vec<&Series> = below.iter().collect();
    let origin = Origin { branch: &new.branch.branch, base: new.base.as_deref(), below: &stack };
    let series = workshop
        .read_series(&new.source, &origin)
        .await
        .map_err(|e| CaseError::invalid("patch", "cannot be used", e.to_string()))?;
    let bytes = series.mbox();
    let whole: Vec<&Series> = stack.into_iter().chain([&series]).collect();
    let (fits, findings) = try_places(house, &workshop, &new.branch, &whole).await?;
    let nth = below.len().saturating_add(1);
    let patch = Patch {
        id: house.fresh(PatchId::new),
        // The branch, and which of its series.
        file_name: format!("{}-{nth}.patch", new.branch.file_stem()),
        branch: new.branch.clone(),
        fixes: fixes.clone(),
        base: series.base.clone(),
        series: house.fresh(BlobId::new),
        sha256: Sha256::of(&bytes),
        fits,
    };
    for advisory in fixes {
        content.set_cell(advisory, new.branch.clone(), CellState::Patched);
    }
    content.patches.push(patch.clone());
    // What was staged from the old series no longer is what will be pushed.
    content.candidates.retain(|c| c.branch != new.branch);
    let blob = Blob::new(patch.file_name.clone(), bytes, vec![]);
    let changed = change(
        house,
        actor,
        "disclosure-add-patch",
        disclosure,
        content,
        vec![(patch.series, patch.id.into(), blob)],
    )
    .await?;
    Ok((changed, patch, findings))
}

/// Takes the series of a branch out again, so that others can be added in their place. What
/// was sent of them is kept: the next notice says what changed.
pub async fn withdraw(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    branch: &BranchRef,
) -> Case<Disclosure> {
    let mut content = disclosure.case.open(Reason::Editing).clone();
    if content.patches.iter().all(|p| p.branch != *branch) {
        return Err(CaseError::invalid(
            "branch",
            format!("{branch} has no patch here"),
            "`daybreak disclosure show DISC` lists those there are",
        ));
    }
    content.patches.retain(|p| p.branch != *branch);
    content.candidates.retain(|c| c.branch != *branch);
    change(house, actor, "disclosure-drop-patch", disclosure, content, vec![]).await
}

/// The workshop of a branch with a fresh mirror.
pub(super) async fn fresh(house: &House, branch: &BranchRef) -> Case<Workshop> {
    let workshop = house.workshop(&branch.repository)?;
    workshop
        .mirror()
        .refresh()
        .await
        .map_err(|e| CaseError::machine("reading the public repository", e))?;
    Ok(workshop)
}

/// The series of a branch, lowest first, read again from what was sealed.
pub(super) async fn series_of(
    house: &House,
    workshop: &Workshop,
    content: &Content,
    branch: &BranchRef,
) -> Case<Vec<Series>> {
    let mut stack: Vec<Series> = Vec::new();
    for patch in content.patches.iter().filter(|p| p.branch == *branch) {
        let id = patch.series;
        let blob = house.store.read(move |r| r.blob(id)).await?;
        let source =
            Source::Files(vec![Named { name: patch.file_name.clone(), bytes: blob.bytes }]);
        let below: Vec<&Series> = stack.iter().collect();
        let base = below.is_empty().then_some(patch.base.as_str());
        let origin = Origin { branch: &branch.branch, base, below: &below };
        let series = workshop.read_series(&source, &origin).await.map_err(|e| {
            CaseError::invalid("patch", "no longer fits the public repository", e.to_string())
        })?;
        stack.push(series);
    }
    Ok(stack)
}

async fn try_places(
    house: &House,
    workshop: &Workshop,
    branch: &BranchRef,
    stack: &[&Series],
) -> Case<(Vec<Fit>, Vec<Finding>)> {
    let git = |e| CaseError::machine("trying the patch", e);
    let mirror = workshop.mirror();
    let mut places = Vec::new();
    if let Some(tip) = mirror.tip(&branch.branch).await.map_err(git)? {
        places.push((format!("tip of {}", branch.branch), tip));
    }
    let tag = house
        .repository(&branch.repository)?
        .branch(&branch.branch)
        .and_then(|b| b.last_release_tag.clone());
    let mut findings = Vec::new();
    if let Some(tag) = tag {
        match mirror.commit(&format!("refs/tags/{tag}")).await.map_err(git)? {
            Some(commit) => places.push((format!("tag {tag}"), commit)),
            None => findings.push(
                Finding::warn(
                    "release-tag-missing",
                    branch.to_string(),
                    format!("the public repository has no tag {tag}"),
                )
                .cure("correct last_release_tag in daybreak.toml"),
            ),
        }
    }
    let mut fits = Vec::new();
    for (place, commit) in places {
        let applies = workshop.fits(stack, &commit).await.map_err(git)? == workshop::Fit::Applies;
        if !applies {
            findings.push(
                Finding::warn(
                    "patch-does-not-apply",
                    format!("{branch}: {place}"),
                    "the series does not apply there",
                )
                .cure("the notice says so; make the series again on the tip before staging"),
            );
        }
        fits.push(Fit { place, commit, applies });
    }
    Ok((fits, findings))
}
