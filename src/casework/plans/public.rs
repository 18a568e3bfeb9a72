//! What Release and Headsup plans have in common: an open disclosure with an instant, posts to
//! lists, and effects that the world sees. So every target is tried when they are made, and
//! nothing that stops is pinned.

use async_trait::async_trait;

use super::hurry::Hurry;
use super::pin::{Draft, pin};
use super::views::Opened;
use super::{Order, manifest_of, preview};
use crate::casework::disclosures::{open_for_change, t0_of};
use crate::casework::{Case, CaseError, House};
use crate::clock::random;
use crate::config::List;
use crate::domain::action::Action;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::effect::Intended;
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::ids::StepId;
use crate::domain::plan::{Plan, PlanKind, Step};
use crate::domain::planner::{self, Post, ReleaseDay};
use crate::domain::time::At;
use crate::domain::zone::T0;
use crate::letters::post::{self, Detached, PostSigner};
use crate::outlets::Outlet;
use crate::outlets::git::REPOSITORY_MOVED;
use crate::outlets::webhook::WEBHOOK_MOVED;
use crate::pgp::Signer;
use crate::store::StoreError;

/// The disclosure's instant and its plans so far, if it may still be changed.
pub(super) async fn begin(house: &House, disclosure: &Disclosure) -> Case<(T0, Vec<Plan>)> {
    open_for_change(disclosure)?;
    Ok((t0_of(disclosure)?, super::of(house, disclosure.id).await?))
}

/// What was gathered for a plan that the world will see.
pub(super) struct Public<'a> {
    pub kind: PlanKind,
    /// When it begins.
    pub t0: T0,
    /// The disclosure's instant, where `t0` is the plan's own.
    pub announces: Option<At>,
    pub threshold: u32,
    pub day: ReleaseDay<'a>,
    pub blobs: Vec<Blob>,
    pub findings: Vec<Finding>,
    /// What a haste waives of what targets say.
    pub hurry: Option<&'a Hurry>,
}

impl Public<'_> {
    /// Tries every target and stores the plan.
    pub(super) async fn pin(
        self,
        house: &House,
        actor: Actor,
        disclosure: &Disclosure,
        opened: &Opened,
    ) -> Case<(Plan, Vec<Finding>)> {
        let Self { kind, t0, announces, threshold, day, blobs, mut findings, hurry } = self;
        let steps = planner::release(day, || house.fresh(StepId::new));
        findings.extend(try_targets(house, &steps, &blobs).await);
        if let Some(hurry) = hurry {
            hurry.weigh(&mut findings);
        }
        if any_stop(&findings) {
            return Err(CaseError::Blocked(findings));
        }
        let draft = Draft {
            kind,
            t0,
            threshold,
            recipients: Sha256::of(b""),
            groups: Vec::new(),
            announces,
            steps,
            blobs,
            advisories: opened.advisories.iter().map(|a| (a.id, a.revision)).collect(),
            distributors: Vec::new(),
            resends: None,
            past: None,
        };
        Ok((pin(house, actor, disclosure, draft).await?, findings))
    }
}

/// The outlet of a step and what it is asked about; a finding when it is not configured.
pub(in crate::casework) fn asked<'a>(
    house: &'a House,
    step: &Step,
    blobs: &[Blob],
) -> Result<(&'a dyn Outlet, Intended), Finding> {
    let Some(outlet) = house.outlets.get(&step.outlet) else {
        let message = "a step needs this outlet, and it is not configured";
        return Err(Finding::stop("outlet-missing", &step.outlet, message)
            .cure("add its section to daybreak.toml"));
    };
    let wanted = step.action.blobs();
    let wanted = wanted.iter().filter_map(|b| blobs.iter().find(|have| have.about == **b).cloned());
    let blobs: Vec<Blob> = wanted.collect();
    Ok((outlet.as_ref(), Intended { step: step.id, action: step.action.clone(), blobs }))
}

/// Asks every outlet whether its step could work. Nothing is sent; what a target says now
/// may be cured before T0, so it is said but stops only where the content itself is wrong.
pub async fn try_targets(house: &House, steps: &[Step], blobs: &[Blob]) -> Vec<Finding> {
    let mut all = Vec::new();
    for step in steps {
        match asked(house, step, blobs) {
            Ok((outlet, intended)) => all.extend(outlet.check(&intended).await),
            Err(missing) => all.push(missing),
        }
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
        "sender-deferred",
    ];
    for finding in all.iter_mut().filter(|f| PASSING.contains(&f.code.as_str())) {
        finding.severity = Severity::Warn;
    }
    all.dedup_by(|a, b| a.code == b.code && a.place == b.place && a.message == b.message);
    all
}

/// What stops, of what the targets say to the release that waits, if one does: a release that is
/// made instead of it goes to the same places. What was waived by name stops nothing.
pub(in crate::casework) async fn refused_now(
    house: &House,
    plans: &[Plan],
    order: &Order,
) -> Case<Vec<Finding>> {
    let waits = |p: &&Plan| p.kind == PlanKind::Release && p.state.is_voidable();
    let Some(plan) = plans.iter().rfind(waits) else { return Ok(Vec::new()) };
    let mut findings = match targets_of(house, plan).await {
        Ok(findings) => findings,
        Err(CaseError::Store(e @ (StoreError::Unavailable(_) | StoreError::Full))) => {
            return Err(e.into());
        }
        // To make it anew is what cures it.
        Err(_) => {
            tracing::warn!(plan = %plan.id, "it cannot be read: its targets were not tried");
            return Ok(Vec::new());
        }
    };
    if let Some(hurry) = &order.hurry {
        hurry.weigh(&mut findings);
    }
    // What is made anew is made for where the configuration leads now.
    let anew = |f: &Finding| [REPOSITORY_MOVED, WEBHOOK_MOVED].contains(&f.code.as_str());
    findings.retain(|f| f.severity == Severity::Stop && !anew(f));
    Ok(findings)
}

async fn targets_of(house: &House, plan: &Plan) -> Case<Vec<Finding>> {
    let manifest = manifest_of(plan)?;
    let blobs = preview::blobs(house, plan.id, preview::all_of(&manifest)).await?;
    Ok(try_targets(house, &manifest.steps, &blobs).await)
}

/// What a list reads.
pub(super) struct Words<'a> {
    /// What it is: `post`, `headsup`.
    pub what: &'a str,
    pub subject: &'a str,
    pub full: &'a str,
    /// What is said instead where the full text does not fit.
    pub short: &'a str,
}

/// One mail to a list, signed as that list wants it, and its bytes.
pub(super) async fn posted(
    house: &House,
    name: &str,
    list: &List,
    words: &Words<'_>,
) -> Case<(Post, Blob)> {
    let signer = Poster { signer: house.keys.post.as_ref(), at: house.now() };
    let (message_id, boundary) = (house.message_id(), random::<16>(house.rng.as_ref()));
    let what = words.what;
    let post = post::Post {
        list,
        from: &house.config.team.address,
        subject: words.subject,
        full: words.full,
        short: words.short,
        message_id: &message_id,
        boundary: &hex::encode(boundary),
    };
    let posted = post::compose(&post, &signer).await.map_err(|e| {
        CaseError::invalid(format!("{what} to {name}"), "cannot be made", e.to_string())
    })?;
    let (from, envelope_from, to) =
        (posted.from.clone(), posted.envelope_from.clone(), posted.to.clone());
    let blob = posted.blob(format!("{what}-{name}.eml"));
    let message = blob.about.clone();
    let mail = Action::Mail { from, envelope_from, to, message_id, message };
    let moderation = list.moderated.then(|| {
        let archive = list.archive_url.as_deref().unwrap_or("its archive");
        format!("Release the {what} to {} from moderation, then give the address at which {archive} shows it", list.address)
    });
    Ok((Post { list: name.to_owned(), mail, order: list.order, moderation, arrival: None }, blob))
}

/// The team's signer of posts, as letters want it.
struct Poster<'a> {
    signer: &'a dyn Signer,
    at: At,
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
