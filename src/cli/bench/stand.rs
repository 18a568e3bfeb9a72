//! A town with plans made by hand: as many steps of whichever kind a bench needs, approved by a
//! real signature and carried out by the real engine.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::casework::CaseError;
use crate::clock::random;
use crate::domain::action::Action;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::deed::Actor;
use crate::domain::disclosure::{Case, Disclosure};
use crate::domain::ids::{BlobId, DisclosureId, PlanId, StepId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Phase, Plan, PlanKind, PlanState, Step};
use crate::domain::planner::{PERSON, whole_second};
use crate::domain::secret::Embargoed;
use crate::domain::stage::Stage;
use crate::domain::time::{At, Span};
use crate::domain::zone::T0;
use crate::store::StoreError;
use crate::town::{Database, Options, Time, Town, config, story};

/// A town in `folder` in which nobody is told anything ahead; one member's yes is enough.
pub async fn town(folder: PathBuf, time: Time, database: Database) -> anyhow::Result<Town> {
    let keep = Some(folder);
    let options =
        Options { approvals: 1, distributors: 0, keep, time, database, ..Options::live(1) };
    let town = Town::build(options).await?;
    story::add_members(&town).await?;
    Ok(town)
}

/// Where a bench makes its databases: gone with the bench.
pub fn ground(on: Option<&PathBuf>) -> anyhow::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("daybreak-bench-");
    let made = match on {
        Some(folder) => builder.tempdir_in(folder),
        None => builder.tempdir(),
    };
    made.context("cannot make a folder")
}

/// A new disclosure in the first stage.
pub fn disclosure(town: &Town, t0: At) -> Disclosure {
    let now = town.house.now();
    Disclosure {
        id: town.house.fresh(DisclosureId::new),
        revision: 1,
        stage: Stage::Drafting,
        t0: Some(T0::new(t0, chrono_tz::Tz::UTC)),
        created_at: now,
        case: Embargoed::new(Case::default()),
    }
}

/// A step that begins at `t0`.
pub fn step(town: &Town, outlet: &str, phase: Phase, t0: At, action: Action) -> Step {
    Step {
        id: town.house.fresh(StepId::new),
        outlet: outlet.to_owned(),
        phase,
        not_before: t0,
        after: Vec::new(),
        action,
        sealing: None,
        on_move: None,
    }
}

/// Something a person is asked, which leads nowhere outside.
pub fn ask(town: &Town, phase: Phase, t0: At) -> Step {
    let action = Action::Ask {
        owner: config::ADDRESS.to_owned(),
        deputy: String::new(),
        instruction: "Release the post from moderation, then give the address at which the \
                      archive shows it"
            .to_owned(),
        paste: String::new(),
        due: t0,
    };
    step(town, PERSON, phase, t0, action)
}

/// The plan of these steps as it would be pinned, and what it says.
pub fn pinned(
    town: &Town,
    disclosure: &Disclosure,
    kind: PlanKind,
    steps: Vec<Step>,
    state: PlanState,
) -> anyhow::Result<(Plan, Manifest)> {
    let house = &town.house;
    let t0 = disclosure.t0.context("a plan needs an instant")?;
    let (id, salt): (_, [u8; 32]) = (house.fresh(PlanId::new), random(house.rng.as_ref()));
    let manifest = Manifest {
        salt: hex::encode(salt),
        plan: id,
        disclosure: disclosure.id,
        number: 1,
        kind,
        made_at: whole_second(house.now()),
        t0,
        threshold: 1,
        early_lift: 1,
        announce_after: Span::mins(15),
        recipients: Sha256::of(b""),
        groups: Vec::new(),
        announces: None,
        templates: Vec::new(),
        resends: None,
        tells: None,
        past: None,
        steps,
    };
    let text = manifest.render();
    let plan = Plan {
        id,
        disclosure: disclosure.id,
        number: 1,
        kind,
        state,
        held: false,
        t0: t0.at,
        made_at: manifest.made_at,
        digest: Sha256::of(text.as_bytes()),
        manifest: Embargoed::new(text),
    };
    Ok((plan, manifest))
}

/// Stores the plan with its disclosure and its bytes, and lets a member approve it.
pub async fn approved(
    town: &Town,
    disclosure: &Disclosure,
    kind: PlanKind,
    steps: Vec<Step>,
    blobs: Vec<Blob>,
) -> anyhow::Result<Plan> {
    let house = &town.house;
    let (plan, manifest) = pinned(town, disclosure, kind, steps, PlanState::Made)?;
    let blobs: Vec<(BlobId, Blob)> =
        blobs.into_iter().map(|b| (house.fresh(BlobId::new), b)).collect();
    let deed = house.deed(Actor::Operator, "plan-make", plan.id);
    let (new, stored) = (disclosure.clone(), plan.clone());
    let written = house.store.write(&deed, move |tx| {
        tx.add_disclosure(&new)?;
        tx.add_plan(&stored, &manifest.steps)?;
        blobs.iter().try_for_each(|(id, blob)| tx.put_blob(*id, stored.id, blob))
    });
    written.await.map_err(|e: StoreError| CaseError::Store(e))?;
    Ok(story::approve_by_all(town, &plan).await?)
}
