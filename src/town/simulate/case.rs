//! The case that every simulated day begins with: made once, by the real verbs, in a real town
//! with a real repository and real keys; then copied into memory for every seed.

use std::sync::Arc;

use super::place::{Doorbell, Honest, Place};
use super::world::World;
use crate::casework::plans::manifest_of;
use crate::casework::plans::preview::{all_of, blobs};
use crate::casework::publications::StoreShelf;
use crate::casework::{Bells, CaseError, House};
use crate::clock::{Clock, Rng};
use crate::domain::blob::Blob;
use crate::domain::disclosure::Disclosure;
use crate::domain::ids::{MemberId, StepId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanKind, Step};
use crate::domain::planner::SITE;
use crate::domain::time::{At, Span};
use crate::engine::Engine;
use crate::outlets::site::SiteOutlet;
use crate::outlets::{Outlet, Outlets};
use crate::store::{Store, StoreError};
use crate::town::{Options, Town, TownError, story};

/// A Friday, as good as any.
const START: At = At::from_secs(1_795_132_800);
/// How far ahead T0 is chosen: more than the lead of a week.
const AHEAD: Span = Span::days(12);
/// Enough for windows that open on different days, and a certificate that cannot be used.
const DISTRIBUTORS: usize = 5;

/// What was approved.
pub struct Pinned {
    /// What people signed.
    pub manifest: Manifest,
    blobs: Vec<Blob>,
}

impl Pinned {
    /// A step of it.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.manifest.steps.iter().find(|s| s.id == id)
    }

    /// Bytes of it.
    pub fn blob(&self, name: &str) -> Option<&Blob> {
        self.blobs.iter().find(|b| b.about.name == name)
    }
}

/// Where days begin.
pub struct Point {
    store: Store,
    /// The true time there.
    pub now: At,
    /// The approved plan.
    pub plan: Plan,
    /// Its bytes.
    pub pinned: Arc<Pinned>,
    /// When something of it happens.
    pub instants: Vec<At>,
}

impl Point {
    async fn of(town: &Town, plan: &Plan, name: &str) -> Result<Self, TownError> {
        let manifest = manifest_of(plan)?;
        let blobs = blobs(&town.house, plan.id, all_of(&manifest)).await?;
        let mut instants: Vec<At> = manifest.steps.iter().map(|s| s.not_before).collect();
        instants.sort_unstable();
        instants.dedup();
        Ok(Self {
            store: town.house.store.imagine(name).map_err(CaseError::Store)?,
            now: town.house.now(),
            plan: plan.clone(),
            pinned: Arc::new(Pinned { manifest, blobs }),
            instants,
        })
    }

    /// A database of one's own, under a name nobody else uses.
    pub fn database(&self, name: &str) -> Result<Store, StoreError> {
        self.store.imagine(name)
    }
}

/// A case at both points.
pub struct Case {
    town: Town,
    /// Its disclosure.
    pub disclosure: Disclosure,
    /// Everybody who may decide.
    pub members: Vec<MemberId>,
    /// The Notice plan is approved, nobody has heard.
    pub notices: Point,
    /// Everybody has heard, the Release plan is approved.
    pub release: Point,
}

impl Case {
    /// Makes it: a matter of seconds.
    pub async fn new() -> Result<Self, TownError> {
        let options = Options { distributors: DISTRIBUTORS, ..Options::by_hand(START) };
        let town = Town::build(options).await?;
        let prepared = story::prepare(&town, AHEAD).await?;
        let disclosure = prepared.disclosure;
        let notice = story::approved_plan(&town, &disclosure, PlanKind::Notice).await?;
        let notices = Point::of(&town, &notice, "casenotices").await?;
        tell_everybody(&town, &notices.instants).await?;
        if let (Some(hand), Some(t0)) = (&town.hand, disclosure.t0) {
            hand.advance_to(t0.at.plus(Span::hours(-2)));
        }
        let release = story::approved_plan(&town, &disclosure, PlanKind::Release).await?;
        let mut release = Point::of(&town, &release, "caserelease").await?;
        release.instants.truncate(1);
        let members = town.house.store.read(|r| r.members()).await.map_err(CaseError::Store)?;
        let members = members.into_iter().map(|m| m.id).collect();
        let disclosure = story::again(&town.house, &disclosure).await?;
        Ok(Self { town, disclosure, members, notices, release })
    }

    /// A house on that database in that world: the same team, keys, rules and engine as ever.
    pub fn house(
        &self,
        point: &Point,
        store: &Store,
        world: &Arc<World>,
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
    ) -> House {
        let real = &self.town.house;
        let mut outlets = Outlets::default();
        for step in &point.pinned.manifest.steps {
            let inner: Option<Arc<dyn Outlet>> = if step.outlet == SITE {
                let shelf = StoreShelf::new(store.clone(), Arc::clone(clock));
                Some(Arc::new(SiteOutlet::new(Arc::new(shelf))))
            } else {
                real.outlets.get(&step.outlet).cloned()
            };
            let Some(inner) = inner else { continue };
            let (world, pinned) = (Arc::clone(world), Arc::clone(&point.pinned));
            let place = Place { inner, world, pinned, store: store.clone() };
            outlets.add(step.outlet.clone(), Arc::new(place));
        }
        let bells = Bells::new(
            Arc::new(Doorbell(Arc::clone(world))),
            real.config.team.clone(),
            Arc::clone(clock),
            Arc::clone(rng),
        );
        let witness = Honest { clock: Arc::clone(clock), world: Arc::clone(world) };
        let mut config = real.config.clone();
        config.clock.require_sync = true;
        House {
            store: store.clone(),
            clock: Arc::clone(clock),
            witnesses: vec![Arc::new(witness)],
            rng: Arc::clone(rng),
            config,
            outlets,
            bells,
            keys: real.keys.clone(),
            templates: Arc::clone(&real.templates),
            dir: real.dir.clone(),
        }
    }
}

/// The notices leave, as they would.
async fn tell_everybody(town: &Town, instants: &[At]) -> Result<(), TownError> {
    let failed = |_| TownError::Build("the town's notices do not leave".to_owned());
    let mut engine = Engine::start(Arc::clone(&town.house)).await.map_err(failed)?;
    for at in instants {
        if let Some(hand) = &town.hand {
            hand.advance_to(*at);
        }
        engine.settle().await.map_err(failed)?;
    }
    engine.end().await.map_err(failed)
}
