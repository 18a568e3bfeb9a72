//! From a case to the views that renderers get: the only place that chooses what an audience
//! may see.

use crate::casework::disclosures::advisories_of;
use crate::casework::{Case, House};
use crate::domain::advisory::Advisory;
use crate::domain::disclosure::{Attachment, AttachmentKind, Case as Content, Disclosure, Patch};
use crate::domain::secret::Reason;
use crate::domain::view::{
    AdvisoryView, Audience, BranchView, FitView, NoticeFile, NoticePatch, NoticeView, PatchView,
    PublicView, ReleaseView,
};
use crate::domain::zone::T0;

/// A case with everything opened that rendering needs.
pub(super) struct Opened {
    pub content: Content,
    pub advisories: Vec<Advisory>,
    /// Each patch with its bytes, in the case's order.
    pub patches: Vec<(Patch, Vec<u8>)>,
    /// The same of what distributors get beside them.
    pub attachments: Vec<(Attachment, Vec<u8>)>,
}

pub(super) async fn open(house: &House, disclosure: &Disclosure) -> Case<Opened> {
    let content = disclosure.case.open(Reason::Rendering).clone();
    let advisories = advisories_of(house, &content).await?;
    let mut patches = Vec::new();
    for patch in &content.patches {
        let id = patch.series;
        let blob = house.store.read(move |r| r.blob(id)).await?;
        patches.push((patch.clone(), blob.bytes));
    }
    let mut attachments = Vec::new();
    for attachment in &content.attachments {
        let id = attachment.blob;
        let blob = house.store.read(move |r| r.blob(id)).await?;
        attachments.push((attachment.clone(), blob.bytes));
    }
    Ok(Opened { content, advisories, patches, attachments })
}

impl Opened {
    fn advisory_views(&self) -> Vec<AdvisoryView> {
        self.advisories.iter().map(|a| AdvisoryView::of(a.text.open(Reason::Rendering))).collect()
    }

    fn releases(&self) -> Vec<ReleaseView> {
        let view = |r: &crate::domain::disclosure::Release| ReleaseView {
            branch: r.branch.branch.clone(),
            version: r.version.clone(),
            tag: r.tag.clone(),
        };
        self.content.releases.iter().map(view).collect()
    }

    fn branches(&self) -> Vec<BranchView> {
        let mut all = Vec::new();
        for advisory in &self.advisories {
            let public_id = &advisory.text.open(Reason::Rendering).public_id;
            let ours = self.content.cells.iter().filter(|c| c.advisory == advisory.id);
            all.extend(ours.map(|c| BranchView {
                branch: c.branch.branch.clone(),
                public_id: public_id.clone(),
                state: c.state.to_string(),
            }));
        }
        all.sort_by(|a, b| (&a.public_id, &a.branch).cmp(&(&b.public_id, &b.branch)));
        all
    }

    /// What everybody sees after GO.
    pub fn public(&self, house: &House) -> PublicView {
        let patch = |(patch, bytes): &(Patch, Vec<u8>)| {
            let commits = self
                .content
                .candidate(&patch.branch)
                .map(|c| c.commits.iter().map(|c| c.oid.clone()).collect());
            PatchView {
                branch: patch.branch.branch.clone(),
                file_name: patch.file_name.clone(),
                commits: commits.unwrap_or_default(),
                bytes: bytes.clone(),
            }
        };
        let masthead = house.masthead();
        PublicView {
            team: masthead.team,
            contact: masthead.contact,
            base_url: masthead.base_url,
            advisories: self.advisory_views(),
            releases: self.releases(),
            patches: self.patches.iter().map(patch).collect(),
            branches: self.branches(),
        }
    }

    /// What distributors hear in advance.
    pub fn notice(
        &self,
        house: &House,
        disclosure: &Disclosure,
        t0: T0,
        revision: i64,
    ) -> NoticeView {
        let patch = |(patch, bytes): &(Patch, Vec<u8>)| NoticePatch {
            branch: patch.branch.branch.clone(),
            file_name: patch.file_name.clone(),
            base: patch.base.clone(),
            sha256: patch.sha256.to_string(),
            apply_command: format!("git am {}", patch.file_name),
            fits: patch
                .fits
                .iter()
                .map(|f| FitView {
                    place: f.place.clone(),
                    commit: f.commit.clone(),
                    applies: f.applies,
                })
                .collect(),
            bytes: bytes.clone(),
        };
        NoticeView {
            audience: Audience::Distributor,
            team: house.config.team.name.clone(),
            reply_to: house.config.team.address.clone(),
            reference: reference(disclosure),
            revision,
            t0,
            made_at: house.now(),
            advisories: self.advisory_views(),
            patches: self.patches.iter().map(patch).collect(),
            files: self.files(),
            machine_readable: true,
            releases: self.releases(),
            branches: self.branches(),
        }
    }

    fn files(&self) -> Vec<NoticeFile> {
        let file = |(attachment, bytes): &(Attachment, Vec<u8>)| NoticeFile {
            file_name: attachment.file_name.clone(),
            poc: attachment.kind == AttachmentKind::Poc,
            sha256: attachment.sha256.to_string(),
            bytes: bytes.clone(),
        };
        self.attachments.iter().map(file).collect()
    }

    /// What one reporter hears: their own advisories and the date, no patches.
    pub fn for_reporter(&self, whole: &NoticeView, address: &str) -> NoticeView {
        let theirs = |a: &&Advisory| {
            a.text.open(Reason::Rendering).reporters.iter().any(|r| r.address == address)
        };
        let mut view = whole.clone();
        view.audience = Audience::Reporter;
        view.advisories = self
            .advisories
            .iter()
            .filter(theirs)
            .map(|a| AdvisoryView::of(a.text.open(Reason::Rendering)))
            .collect();
        let named: Vec<_> = view.advisories.iter().map(|a| a.public_id.clone()).collect();
        view.branches.retain(|b| named.contains(&b.public_id));
        view.patches.clear();
        view.files.clear();
        view
    }
}

/// What distributors quote: the end of the disclosure's id says nothing.
pub(super) fn reference(disclosure: &Disclosure) -> String {
    let id = disclosure.id.to_string();
    id.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect()
}
