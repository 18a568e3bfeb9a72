//! Candidates: the commits and the tag of a branch, made or brought privately, and handed to
//! the team's own build.

use std::path::Path;

use async_trait::async_trait;

use super::disclosures::{advisories_of, change};
use super::patches::{fresh, series_of};
use super::{Case, CaseError, House};
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{
    BranchRef, Candidate, Case as Content, CommitLine, Disclosure, Origin, Release, TagObject,
};
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::{BlobId, CandidateId};
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::domain::view::AdvisoryView;
use crate::formats::leak::leaks;
use crate::pgp::Signer;
use crate::workshop::{
    Committer, ExtraCommit, NewTag, Series, StageOrder, Staged, TagSigner, Unsigned,
};

/// The configured signer, as the workshop wants it.
struct Tagger<'a> {
    signer: &'a dyn Signer,
    at: At,
}

#[async_trait]
impl TagSigner for Tagger<'_> {
    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, Unsigned> {
        self.signer.detach(payload, self.at).await.map_err(|e| Unsigned(e.to_string()))
    }
}

/// Branches that need commits or a tag: those with patches, then those with a release.
pub fn branches(content: &Content) -> Vec<BranchRef> {
    let patched = content.patches.iter().map(|p| &p.branch);
    let mut all: Vec<_> =
        patched.chain(content.releases.iter().map(|r| &r.branch)).cloned().collect();
    all.sort();
    all.dedup();
    all
}

/// Makes the commits of a branch from its series and the release's extra commits, and the
/// signed tag. Doing it again on the same public tip gives the same commits.
pub async fn stage(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    branch: &BranchRef,
) -> Case<(Disclosure, Candidate, Vec<Finding>)> {
    let content = disclosure.case.open(Reason::Editing).clone();
    let release = content.releases.iter().find(|r| r.branch == *branch);
    let workshop = fresh(house, branch).await?;
    let series = series_of(house, &workshop, &content, branch).await?;
    let stack: Vec<&Series> = series.iter().collect();
    let repository = house.repository(&branch.repository)?;
    let extra: Vec<ExtraCommit> = release.map(extra_commits).unwrap_or_default();
    // Dated at T0: feeds that look back only a little show the tag on the day, and staging
    // again gives the same ids.
    let at = disclosure.t0.map_or(disclosure.created_at, |t| t.at);
    let tagger = Tagger { signer: house.keys.tag.as_ref(), at: house.now() };
    let message = release.map(|r| format!("{} {}\n", r.project, r.version)).unwrap_or_default();
    let findings = leak_check(house, &content, release, &message, &extra).await?;
    let order = StageOrder {
        branch: &branch.branch,
        series: &stack,
        extra: &extra,
        messages: repository.commit_message.into(),
        committer: committer(house, branch)?,
        at,
        tag: release.map(|r| NewTag { name: &r.tag, message: &message, signer: Some(&tagger) }),
    };
    let staged = workshop.stage(&order).await.map_err(|e| {
        CaseError::invalid("stage", format!("{branch} was not staged"), e.to_string())
    })?;
    let made = Made { origin: Origin::Applied, dated: Some(at), staged, findings };
    keep(house, actor, disclosure, content, branch, made).await
}

/// Takes a bundle made with the team's own tools and keys; it is never rewritten.
pub async fn bring(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    branch: &BranchRef,
    bundle: &[u8],
) -> Case<(Disclosure, Candidate, Vec<Finding>)> {
    let content = disclosure.case.open(Reason::Editing).clone();
    let release = content.releases.iter().find(|r| r.branch == *branch);
    let workshop = fresh(house, branch).await?;
    let staged = workshop
        .bring(bundle, &branch.branch, release.map(|r| r.tag.as_str()))
        .await
        .map_err(|e| CaseError::invalid("bundle", "was not taken", e.to_string()))?;
    let mut findings = Vec::new();
    let views = views(house, &content).await?;
    for commit in &staged.commits {
        findings.extend(leaks(&format!("commit {}", commit.oid), &commit.message, &views));
    }
    if let Some(tag) = &staged.tag {
        findings.extend(leaks(&format!("tag {}", tag.name), &tag.name, &views));
        findings.extend(leaks(&format!("message of tag {}", tag.name), &tag.message, &views));
    }
    // Brought commits and tags are the team's own words: said, not stopped.
    findings.iter_mut().for_each(|f| f.severity = Severity::Warn);
    if staged.tag.as_ref().is_some_and(|t| !t.signed) {
        findings.push(
            Finding::warn("tag-unsigned", "tag", "the brought tag is not signed")
                .cure("make it with `git tag -s`"),
        );
    }
    let made = Made { origin: Origin::Brought, dated: None, staged, findings };
    keep(house, actor, disclosure, content, branch, made).await
}

/// Staged commits and what is to be said of them.
struct Made {
    origin: Origin,
    dated: Option<At>,
    staged: Staged,
    findings: Vec<Finding>,
}

async fn keep(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    mut content: Content,
    branch: &BranchRef,
    made: Made,
) -> Case<(Disclosure, Candidate, Vec<Finding>)> {
    let Made { origin, dated, staged, findings } = made;
    let candidate = Candidate {
        id: house.fresh(CandidateId::new),
        branch: branch.clone(),
        origin,
        base: staged.base,
        tip: staged.tip,
        tag: staged.tag.map(|t| TagObject { name: t.name, oid: t.oid }),
        commits: staged
            .commits
            .into_iter()
            .map(|c| CommitLine { oid: c.oid, subject: c.subject })
            .collect(),
        bundle: house.fresh(BlobId::new),
        sha256: Sha256::of(&staged.bundle),
        staged_at: house.now(),
        dated,
    };
    content.candidates.retain(|c| c.branch != *branch);
    content.candidates.push(candidate.clone());
    // Files built from another tree are not this candidate's.
    let rebuilt = |r: &&mut Release| r.branch == *branch;
    let same_tree = disclosure
        .case
        .open(Reason::Editing)
        .candidate(branch)
        .is_some_and(|c| c.tip == candidate.tip);
    if !same_tree {
        for release in content.releases.iter_mut().filter(rebuilt) {
            release.artefacts.clear();
        }
    }
    let blob = Blob::new("candidate.bundle", staged.bundle, vec![]);
    let changed = change(
        house,
        actor,
        "disclosure-stage",
        disclosure,
        content,
        vec![(candidate.bundle, candidate.id.into(), blob)],
    )
    .await?;
    Ok((changed, candidate, findings))
}

/// Writes a candidate's tree into an empty folder, for the team's own build.
pub async fn export(
    house: &House,
    disclosure: &Disclosure,
    branch: &BranchRef,
    out: &Path,
) -> Case<()> {
    let content = disclosure.case.open(Reason::Review);
    let candidate = content.candidate(branch).ok_or_else(|| {
        CaseError::not_now(format!("{branch} is not staged"), "daybreak disclosure stage")
    })?;
    let id = candidate.bundle;
    let blob = house.store.read(move |r| r.blob(id)).await?;
    let workshop = fresh(house, branch).await?;
    workshop
        .export(&blob.bytes, &candidate.tip, out)
        .await
        .map_err(|e| CaseError::machine("exporting the candidate", e))
}

fn extra_commits(release: &Release) -> Vec<ExtraCommit> {
    release
        .extra_commits
        .iter()
        .map(|c| ExtraCommit { message: c.message.clone(), files: c.files.clone() })
        .collect()
}

pub(super) fn committer(house: &House, branch: &BranchRef) -> Case<Committer> {
    let repository = house.repository(&branch.repository)?;
    let team = &house.config.team;
    let name = repository.committer_name.as_deref().unwrap_or(&team.name);
    let address = repository.committer_address.as_deref().unwrap_or(&team.address);
    Committer::new(name, address).ok_or_else(|| {
        CaseError::invalid(
            "committer_name",
            "cannot stand in a commit",
            "use a plain name and address",
        )
    })
}

async fn views(house: &House, content: &Content) -> Case<Vec<AdvisoryView>> {
    let advisories = advisories_of(house, content).await?;
    Ok(advisories.iter().map(|a| AdvisoryView::of(a.text.open(Reason::Judging))).collect())
}

/// Nothing that is visible before the announcement may tell.
async fn leak_check(
    house: &House,
    content: &Content,
    release: Option<&Release>,
    tag_message: &str,
    extra: &[ExtraCommit],
) -> Case<Vec<Finding>> {
    let views = views(house, content).await?;
    let mut findings = Vec::new();
    if let Some(release) = release {
        findings.extend(leaks(&format!("tag {}", release.tag), &release.tag, &views));
        findings.extend(leaks(&format!("message of tag {}", release.tag), tag_message, &views));
    }
    for commit in extra {
        findings.extend(leaks("extra commit", &commit.message, &views));
    }
    if any_stop(&findings) { Err(CaseError::Blocked(findings)) } else { Ok(findings) }
}
