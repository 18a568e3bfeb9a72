//! Gathering a Release plan: everything rendered, signed and pinned now, so that nothing is
//! left to decide on the day.

use async_trait::async_trait;

use super::Order;
use super::pin::{Draft, pin};
use super::views::{self, Opened};
use crate::casework::disclosures::{MEND, check, open_for_change, t0_of};
use crate::casework::windows::{hears, weigh};
use crate::casework::{Case, CaseError, House};
use crate::clock::random;
use crate::domain::action::Action;
use crate::domain::advisory::Reporter;
use crate::domain::blob::{Blob, BlobRef, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{Case as Content, Disclosure, ReleaseKind};
use crate::domain::effect::Intended;
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::StepId;
use crate::domain::plan::{Plan, PlanKind, PlanState, Step};
use crate::domain::planner::{self, Post, Push, ReleaseDay, Upload, Wait};
use crate::domain::secret::Reason;
use crate::domain::stage::Stage;
use crate::domain::time::At;
use crate::domain::view::PublicView;
use crate::formats::post_text::{self, Patches};
use crate::formats::{Document, entry, osv, page};
use crate::letters::post::{self, Detached, PostSigner};
use crate::pgp::Signer;

pub(super) async fn make(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    order: &Order,
) -> Case<(Plan, Vec<Finding>)> {
    open_for_change(disclosure)?;
    let t0 = t0_of(disclosure)?;
    let id = disclosure.id;
    let plans = house.store.read(move |r| r.plans(id)).await?;
    if plans.iter().any(|p| {
        p.kind == PlanKind::Release && matches!(p.state, PlanState::Running | PlanState::Finished)
    }) {
        return Err(CaseError::not_now("a release plan is running or done", MEND));
    }
    let mut findings = check(house, disclosure).await?;
    weigh(&mut findings, &order.accept);
    findings.extend(unannounced(house, disclosure, &plans).await?);
    let opened = views::open(house, disclosure).await?;
    findings.extend(reporters_named(&opened));
    let public = opened.public(house);
    let content = &opened.content;
    let mut making =
        Making { house, content, public: &public, blobs: Vec::new(), kept: Vec::new() };
    let pushes = making.pushes().await?;
    let (uploads, waits) = making.files().await?;
    let posts = making.posts().await?;
    let pages = making.pages()?;
    let blobs = making.blobs;
    let day = ReleaseDay {
        t0: t0.at,
        pushes,
        uploads,
        waits,
        posts,
        pages,
        static_tree: house.config.site.static_tree.is_some(),
        owner: house.config.team.address.clone(),
    };
    let steps = planner::release(day, || house.fresh(StepId::new));
    findings.extend(try_targets(house, &steps, &blobs).await);
    if any_stop(&findings) {
        return Err(CaseError::Blocked(findings));
    }
    let draft = Draft {
        kind: PlanKind::Release,
        t0,
        threshold: house.config.plans.release,
        recipients: Sha256::of(b""),
        groups: Vec::new(),
        announces: None,
        steps,
        blobs,
        advisories: opened.advisories.iter().map(|a| (a.id, a.revision)).collect(),
        distributors: vec![],
        resends: None,
        past: None,
    };
    Ok((pin(house, actor, disclosure, draft).await?, findings))
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

/// Asks every outlet whether its step could work. Nothing is sent; what a target says now
/// may be cured before T0, so it is said but stops only where the content itself is wrong.
pub async fn try_targets(house: &House, steps: &[Step], blobs: &[Blob]) -> Vec<Finding> {
    let mut all = Vec::new();
    for step in steps {
        let Some(outlet) = house.outlets.get(&step.outlet) else {
            all.push(
                Finding::stop(
                    "outlet-missing",
                    &step.outlet,
                    "a step needs this outlet, and it is not configured",
                )
                .cure("add its section to daybreak.toml"),
            );
            continue;
        };
        let wanted: Vec<Blob> = step
            .action
            .blobs()
            .iter()
            .filter_map(|b| blobs.iter().find(|have| have.about == **b).cloned())
            .collect();
        let intended = Intended { step: step.id, action: step.action.clone(), blobs: wanted };
        all.extend(outlet.check(&intended).await);
    }
    // Reachability comes and goes; what will not mend itself stops.
    const PASSING: &[&str] = &[
        "relay-unreachable",
        "relay-tls",
        "relay-auth",
        "index-unreachable",
        "site-unreachable",
        "repository-unreachable",
        "public-unreachable",
    ];
    for finding in all.iter_mut().filter(|f| PASSING.contains(&f.code.as_str())) {
        finding.severity = Severity::Warn;
    }
    all.dedup_by(|a, b| a.code == b.code && a.place == b.place && a.message == b.message);
    all
}

/// The team's signer of posts, as letters want it.
pub(super) struct Poster<'a> {
    pub signer: &'a dyn Signer,
    pub at: At,
}

#[async_trait]
impl PostSigner for Poster<'_> {
    async fn detached(&self, bytes: &[u8]) -> Result<Detached, String> {
        let armored = self.signer.detach(bytes, self.at).await.map_err(|e| e.to_string())?;
        Ok(Detached { armored, micalg: "pgp-sha512".to_owned() })
    }

    async fn clearsign(&self, text: &str) -> Result<String, String> {
        let signed =
            self.signer.clearsign(text.as_bytes(), self.at).await.map_err(|e| e.to_string())?;
        String::from_utf8(signed).map_err(|_| "the signature is no text".to_owned())
    }
}

struct Making<'a> {
    house: &'a House,
    content: &'a Content,
    public: &'a PublicView,
    blobs: Vec<Blob>,
    /// What each name stands for.
    kept: Vec<(String, String)>,
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
            let repository = self.house.repository(&candidate.branch.repository)?;
            let on_move =
                repository.branch(&candidate.branch.branch).map(|b| b.on_move).unwrap_or_default();
            all.push(Push { candidate, bundle, on_move });
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
        let signer = Poster { signer: self.house.keys.post.as_ref(), at: self.house.now() };
        let mut all = Vec::new();
        for wanted in &self.content.posts {
            let list = self.house.config.list.get(&wanted.list).ok_or_else(|| {
                CaseError::unknown("list", &wanted.list, "it is no longer configured")
            })?;
            let (message_id, boundary) =
                (self.house.message_id(), random::<16>(self.house.rng.as_ref()));
            let post = post::Post {
                list,
                from: &self.house.config.team.address,
                subject: wanted.subject.as_deref().unwrap_or(&full.subject),
                full: &full.text,
                short: &short.text,
                message_id: &message_id,
                boundary: &hex::encode(boundary),
            };
            let posted = post::compose(&post, &signer).await.map_err(|e| {
                CaseError::invalid(
                    format!("post to {}", wanted.list),
                    "cannot be made",
                    e.to_string(),
                )
            })?;
            let (from, envelope_from, to) =
                (posted.from.clone(), posted.envelope_from.clone(), posted.to.clone());
            let what = format!("post to {}", wanted.list);
            let message = self.keep(what, posted.blob(format!("post-{}.eml", wanted.list)))?;
            let mail = Action::Mail { from, envelope_from, to, message_id, message };
            let moderation = list.moderated.then(|| {
                let archive = list.archive_url.as_deref().unwrap_or("its archive");
                format!("Release the post to {} from moderation, then give the address at which {archive} shows it", list.address)
            });
            all.push(Post { list: wanted.list.clone(), mail, order: list.order, moderation });
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
}
