//! Pinning: from gathered steps and bytes to a stored, immutable plan. The write refuses when
//! anything that was gathered has changed meanwhile.

use super::succession::{Succession, of_other_kind};
use crate::casework::{Case, CaseError, House};
use crate::clock::random;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::Disclosure;
use crate::domain::ids::{AdvisoryId, BlobId, DistributorId, PlanId};
use crate::domain::manifest::Manifest;
use crate::domain::news::NoticeKind;
use crate::domain::plan::{Plan, PlanKind, PlanState, Step};
use crate::domain::planner::whole_second;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::Stage;
use crate::domain::time::At;
use crate::domain::zone::T0;
use crate::store::StoreError;

/// What was gathered for a plan.
pub(super) struct Draft {
    pub kind: PlanKind,
    pub t0: T0,
    pub threshold: u32,
    pub recipients: Sha256,
    /// The groups it is for; empty for all.
    pub groups: Vec<String>,
    /// The disclosure's instant, where `t0` is the plan's own.
    pub announces: Option<At>,
    pub steps: Vec<Step>,
    pub blobs: Vec<Blob>,
    /// Revisions of everything the content came from.
    pub advisories: Vec<(AdvisoryId, i64)>,
    pub distributors: Vec<(DistributorId, i64)>,
    /// The Notice plan whose content this one sends again.
    pub resends: Option<PlanId>,
    /// Digest of who had been told what, for a Notice.
    pub past: Option<Sha256>,
}

/// A digest of what a notice is made from, the instant aside: whoever tells it again compares.
pub(super) fn tells(disclosure: &Disclosure, advisories: &[(AdvisoryId, i64)]) -> Sha256 {
    let case = disclosure.case.open(Reason::Rendering);
    let versions: Vec<_> = case.releases.iter().map(|r| (&r.branch, &r.version, &r.tag)).collect();
    let told =
        (advisories, &case.advisories, &case.cells, &case.patches, &case.attachments, versions);
    Sha256::of(&serde_json::to_vec(&told).unwrap_or_default())
}

/// Stores it. A notice ends no other before it is approved; a plan of any other kind takes the
/// place of older ones that have not begun.
pub(super) async fn pin(
    house: &House,
    actor: Actor,
    disclosure: &Disclosure,
    draft: Draft,
) -> Case<Plan> {
    check_size(house, &draft.blobs)?;
    let (id, dis, kind) = (house.fresh(PlanId::new), disclosure.id, draft.kind);
    let built = disclosure.case.open(Reason::Rendering).built_from_tag();
    let salt: [u8; 32] = random(house.rng.as_ref());
    let number = house.store.read(move |r| r.next_plan_number(dis)).await?;
    let manifest = Manifest {
        salt: hex::encode(salt),
        plan: id,
        disclosure: dis,
        number,
        kind,
        made_at: whole_second(house.now()),
        t0: draft.t0,
        threshold: draft.threshold,
        early_lift: house.config.plans.early_lift,
        announce_after: house.config.plans.announce_wait(built),
        resends: draft.resends,
        past: draft.past,
        tells: (kind == PlanKind::Notice).then(|| tells(disclosure, &draft.advisories)),
        recipients: draft.recipients,
        groups: draft.groups,
        announces: draft.announces,
        templates: house.templates.digests().iter().map(|(n, d)| ((*n).to_owned(), *d)).collect(),
        steps: draft.steps,
    };
    let text = manifest.render();
    if Manifest::parse(&text).as_ref() != Ok(&manifest) {
        return Err(CaseError::machine("pinning the plan", "its MANIFEST does not read back"));
    }
    let plan = Plan {
        id,
        disclosure: dis,
        number,
        kind,
        state: PlanState::Made,
        held: false,
        t0: draft.t0.at,
        made_at: manifest.made_at,
        digest: Sha256::of(text.as_bytes()),
        manifest: Embargoed::new(text),
    };
    let deed = house.deed(actor, "plan-make", id);
    let blobs: Vec<(BlobId, Blob)> =
        draft.blobs.into_iter().map(|b| (house.fresh(BlobId::new), b)).collect();
    let (stored, seen, notice) = (plan.clone(), disclosure.revision, manifest.notice());
    let (advisories, distributors) = (draft.advisories, draft.distributors);
    let (steps, succession) = (manifest.steps.clone(), Succession::of(house, manifest));
    house
        .store
        .write(&deed, move |tx| {
            let now = tx.disclosure(dis)?;
            // After a cancellation only that may be told (law 8).
            let fits = match notice {
                Some(NoticeKind::Cancellation) => now.stage == Stage::Cancelled,
                _ => now.stage.is_open(),
            };
            if now.revision != seen || !fits {
                return Err(CaseError::Store(StoreError::Conflict("disclosure")));
            }
            for (id, revision) in advisories {
                if tx.advisory(id)?.revision != revision {
                    return Err(StoreError::Conflict("advisory").into());
                }
            }
            for (id, revision) in distributors {
                if tx.distributor(id)?.revision != revision {
                    return Err(StoreError::Conflict("distributor").into());
                }
            }
            if !succession.holds(tx)? {
                return Err(StoreError::Conflict("ledger").into());
            }
            of_other_kind(tx, &stored)?;
            tx.add_plan(&stored, &steps)?;
            for (blob_id, blob) in &blobs {
                tx.put_blob(*blob_id, stored.id, blob)?;
            }
            Ok(())
        })
        .await?;
    Ok(plan)
}

fn check_size(house: &House, blobs: &[Blob]) -> Case<()> {
    let sum: u64 = blobs.iter().map(|b| b.about.len).sum();
    let most = u64::from(house.config.plans.max_mib).saturating_mul(1024 * 1024);
    if sum <= most {
        return Ok(());
    }
    Err(CaseError::invalid(
        "plans.max_mib",
        format!("is {}, and this plan holds {sum} bytes", house.config.plans.max_mib),
        "raise it, or release fewer files",
    ))
}
