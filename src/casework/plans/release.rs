//! Gathering a Release plan: everything rendered, signed and pinned now, so that nothing is
//! left to decide on the day.

use super::Order;
use super::public::{Public, Words, begin, posted};
use super::remakes;
use super::unfixed;
use super::views::{self, Opened};
use crate::casework::disclosures::{MEND, check};
use crate::casework::instants::behind;
use crate::casework::windows::{hears, weigh};
use crate::casework::{Case, CaseError, House};
use crate::config::Webhook;
use crate::domain::action::Action;
use crate::domain::advisory::Reporter;
use crate::domain::blob::{Blob, BlobRef};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{Case as Content, Disclosure, ReleaseKind};
use crate::domain::finding::Finding;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::planner::{Post, Push, ReleaseDay, Upload, Wait};
use crate::domain::secret::Reason;
use crate::domain::stage::Stage;
use crate::domain::view::PublicView;
use crate::formats::post_text::{self, Patches};
use crate::formats::{Document, entry, event_json, osv, page};
use crate::outlets::posts::arrival_of;

pub(super) async fn make(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    order: &Order,
) -> Case<(Plan, Vec<Finding>)> {
    let (t0, plans) = begin(house, disclosure).await?;
    if plans.iter().any(|p| {
        p.kind == PlanKind::Release && matches!(p.state, PlanState::Running | PlanState::Finished)
    }) {
        return Err(CaseError::not_now("a release plan is running or done", MEND));
    }
    let mut findings = judge(house, disclosure, &plans, order).await?;
    let opened = views::open(house, disclosure).await?;
    findings.extend(reporters_named(&opened));
    let public = opened.public(house);
    let content = &opened.content;
    findings.extend(remakes::weighed(house, content).await?);
    let mut making =
        Making { house, content, public: &public, blobs: vec![], kept: vec![], promises: vec![] };
    let pushes = making.pushes().await?;
    let (uploads, waits) = making.files().await?;
    let posts = making.posts().await?;
    let pages = making.pages()?;
    let calls = making.calls()?;
    findings.extend(making.promises);
    findings.extend(unfixed::of_documents(content, &making.blobs));
    let blobs = making.blobs;
    let day = ReleaseDay {
        pushes,
        uploads,
        waits,
        posts,
        pages,
        static_tree: house.config.site.static_tree.is_some(),
        calls,
        ..ReleaseDay::empty(t0.at, house.config.team.address.clone())
    };
    let thresholds = &house.config.plans;
    let threshold = match &order.hurry {
        Some(hurry) if hurry.leaked => thresholds.publish_now,
        // Haste alone is no reason to ask fewer people.
        Some(_) => thresholds.publish_now.max(thresholds.release),
        None => thresholds.release,
    };
    let kind = PlanKind::Release;
    let hurry = order.hurry.as_ref();
    let public = Public { kind, t0, announces: None, threshold, day, blobs, findings, hurry };
    public.pin(house, actor, disclosure, &opened).await
}

/// Everything that is said of the case itself, before anything of the day is made.
pub(in crate::casework) async fn judge(
    house: &House,
    disclosure: &Disclosure,
    plans: &[Plan],
    order: &Order,
) -> Case<Vec<Finding>> {
    let mut findings = check(house, disclosure).await?;
    weigh(&mut findings, &order.accept);
    findings.extend(unannounced(house, disclosure, plans).await?);
    findings.extend(not_all_know(house, disclosure).await?);
    if let Some(hurry) = &order.hurry {
        hurry.weigh(&mut findings);
    }
    Ok(findings)
}

/// It can be made, but not be armed yet.
async fn not_all_know(house: &House, disclosure: &Disclosure) -> Case<Option<Finding>> {
    let Some(t0) = disclosure.t0 else { return Ok(None) };
    let behind = behind(house, disclosure, t0.at).await?;
    Ok(behind.map(|count| {
        Finding::warn(
            "old-date-stands",
            "at",
            format!("{count} of those who were told an earlier date do not have the new one yet: this plan cannot be approved before they do"),
        )
        .cure("make and approve the notice plan; daybreak notice status DISC shows who lacks it")
    }))
}

/// A patch is posted as its author wrote it: with a reporter's address in a trailer, too, or
/// with the name of one who wants no credit. Nobody but the team can say whether that is meant.
fn reporters_named(opened: &Opened) -> Vec<Finding> {
    let mut all = Vec::new();
    for (patch, bytes) in &opened.patches {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let holds = |words: &str| !words.trim().is_empty() && text.contains(&words.to_lowercase());
        let named = |r: &Reporter| holds(&r.address) || (!r.credit_consent && holds(&r.name));
        let mut texts = opened.advisories.iter().map(|a| a.text.open(Reason::Judging));
        if texts.any(|t| t.reporters.iter().any(named)) {
            all.push(
                Finding::warn(
                    "reporter-named",
                    &patch.file_name,
                    "the patch holds the address of a reporter, or the name of one who did not agree to be credited, and it is published as it is",
                )
                .cure("take it out of the commit message and add the patch again, unless they agreed"),
            );
        }
    }
    all
}

/// Nobody was or will be told in advance, and nobody said why.
async fn unannounced(
    house: &House,
    disclosure: &Disclosure,
    plans: &[Plan],
) -> Case<Option<Finding>> {
    let content = disclosure.case.open(Reason::Judging);
    let list = house.store.read(|r| r.distributors()).await?;
    let told = |p: &Plan| p.kind == PlanKind::Notice && p.state != PlanState::Void;
    let silent = disclosure.stage == Stage::Drafting
        && content.without_notice.is_none()
        && !content.advisories.is_empty()
        && list.iter().any(|d| hears(d, content))
        && !plans.iter().any(told);
    Ok(silent.then(|| {
        Finding::stop(
            "notice-missing",
            "notice",
            "no notice plan is made, and no reason is recorded why distributors do not hear",
        )
        .cure("daybreak plan make DISC --kind notice; or disclosure new --without-notice REASON")
    }))
}

struct Making<'a> {
    house: &'a House,
    content: &'a Content,
    public: &'a PublicView,
    blobs: Vec<Blob>,
    /// What each name stands for.
    kept: Vec<(String, String)>,
    /// Fixes that its texts promise and that are not there.
    promises: Vec<Finding>,
}

impl<'a> Making<'a> {
    /// Pins `blob`, which is `what`. Names are unique within a plan: they are files of one
    /// folder for those who approve it.
    fn keep(&mut self, what: impl Into<String>, blob: Blob) -> Case<BlobRef> {
        let (what, about) = (what.into(), blob.about.clone());
        if let Some((first, _)) = self.kept.iter().find(|(_, name)| *name == about.name) {
            return Err(CaseError::invalid(
                about.name.clone(),
                format!("would be the {first} and the {what}"),
                "the files of a plan need different names: give one of them another",
            ));
        }
        self.kept.push((what, about.name.clone()));
        self.blobs.push(blob);
        Ok(about)
    }

    async fn pushes(&mut self) -> Case<Vec<Push<'a>>> {
        let mut all = Vec::new();
        for candidate in &self.content.candidates {
            let id = candidate.bundle;
            let bundle = self.house.store.read(move |r| r.blob(id)).await?.bytes;
            let name = format!("{}.bundle", candidate.branch.file_stem());
            let what = format!("commits of {}", candidate.branch);
            let bundle = self.keep(what, Blob::new(name, bundle, vec![]))?;
            let on_move = remakes::on_move_of(self.house, candidate)?;
            let remake = remakes::remake_of(self.house, candidate, on_move)?;
            let place = Some(self.house.repository(&candidate.branch.repository)?.place());
            all.push(Push { candidate, bundle, on_move, remake, place });
        }
        Ok(all)
    }

    async fn files(&mut self) -> Case<(Vec<Upload>, Vec<Wait>)> {
        let (mut uploads, mut waits) = (Vec::new(), Vec::new());
        for release in &self.content.releases {
            let args = vec![release.project.clone(), release.version.clone()];
            if release.kind == ReleaseKind::BuiltFromTag {
                waits.extend(release.upload.iter().map(|look| Wait {
                    tag: release.tag.clone(),
                    look: look.clone(),
                    args: args.clone(),
                    expected: release.expected.clone(),
                }));
                continue;
            }
            let mut files = Vec::new();
            for artefact in &release.artefacts {
                let id = artefact.blob;
                let bytes = self.house.store.read(move |r| r.blob(id)).await?.bytes;
                let what = format!("file of release {}", release.tag);
                let blob = Blob::new(artefact.file_name.clone(), bytes, vec![]);
                files.push(self.keep(what, blob)?);
            }
            uploads.extend(release.upload.iter().map(|command| Upload {
                command: command.clone(),
                args: args.clone(),
                files: files.clone(),
            }));
        }
        Ok((uploads, waits))
    }

    async fn posts(&mut self) -> Case<Vec<Post>> {
        let words = |patches| {
            post_text::render(&self.house.templates, self.public, patches)
                .map_err(|e| CaseError::invalid("post", "cannot be made", e.to_string()))
        };
        let (full, short) = (words(Patches::Inline)?, words(Patches::Named)?);
        self.promises.extend(unfixed::of_text(self.content, "post", &full.text));
        let mut all = Vec::new();
        for wanted in &self.content.posts {
            let list = self.house.config.list.get(&wanted.list).ok_or_else(|| {
                CaseError::unknown("list", &wanted.list, "it is no longer configured")
            })?;
            let words = Words {
                what: "post",
                subject: wanted.subject.as_deref().unwrap_or(&full.subject),
                full: &full.text,
                short: &short.text,
            };
            let (mut post, blob) = posted(self.house, &wanted.list, list, &words).await?;
            let watched = list.is_watched() && !self.house.config.mail.rewrites_message_id;
            if let (Action::Mail { message_id, .. }, true) = (&post.mail, watched) {
                post.arrival = Some(arrival_of(&wanted.list, message_id, &blob.bytes));
            }
            self.keep(format!("post to {}", wanted.list), blob)?;
            all.push(post);
        }
        Ok(all)
    }

    fn pages(&mut self) -> Case<Vec<Action>> {
        let wrong = |e: crate::formats::FormatError| {
            CaseError::invalid("advisory", "cannot be published", e.to_string())
        };
        let mut all = Vec::new();
        for advisory in &self.public.advisories {
            let html =
                page::advisory(&self.house.templates, advisory, self.public).map_err(wrong)?;
            let record = osv::export(advisory, self.public).map_err(wrong)?;
            let short = entry::document(advisory, self.public).map_err(wrong)?;
            let what = format!("document of {}", advisory.public_id);
            let mut keep = |document: Document| self.keep(what.as_str(), document.blob());
            let documents = vec![keep(html)?, keep(record)?];
            let entries = vec![keep(short)?];
            all.push(Action::Publish { public_id: advisory.public_id.clone(), documents, entries });
        }
        Ok(all)
    }

    /// One event for all receivers, after the pages it leads to. Without an advisory nothing
    /// was disclosed that a receiver could look up.
    fn calls(&mut self) -> Case<Vec<(String, Action)>> {
        let webhooks = &self.house.config.webhook;
        if self.public.advisories.is_empty() || webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let event = event_json::published(self.public)
            .map_err(|e| CaseError::invalid("event", "cannot be made", e.to_string()))?;
        let event = self.keep("event for webhooks", event.blob())?;
        let call = |w: &Webhook| {
            let (webhook, url, event) = (w.name.clone(), w.url.clone(), event.clone());
            (w.name.clone(), Action::Post { webhook, url, event })
        };
        Ok(webhooks.iter().map(call).collect())
    }
}
