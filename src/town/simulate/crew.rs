//! The people of a simulated day: they press buttons, and answer what they are asked.

use std::sync::Arc;

use super::case::{Case, Point};
use super::fate::Fate;
use super::world::{Way, World};
use crate::casework::pauses::{self, Asker};
use crate::casework::plans::{Standing, standing};
use crate::casework::{House, controls};
use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::deed::Actor;
use crate::domain::ids::{HolderId, StepId};
use crate::domain::plan::{Phase, Plan, PlanState};
use crate::domain::run::{GoRow, Status};
use crate::domain::time::Span;

/// Whoever sits at the command line.
const ACTOR: Actor = Actor::Operator;
/// How they call themselves.
const NAME: &str = "Ada";
/// The same, when they want to be asked.
const ASKER: Asker<'_> = Asker { actor: ACTOR, by: NAME };

/// The people.
pub struct Crew {
    house: House,
    plan: Plan,
    world: Arc<World>,
    /// What was read last, and at which revision: reading a whole plan is most of a day's work.
    read: Option<(i64, Arc<Standing>)>,
}

impl Crew {
    /// Those of a house.
    pub fn new(house: House, point: &Point, world: &Arc<World>) -> Self {
        let (plan, world) = (point.plan.clone(), Arc::clone(world));
        Self { house, plan, world, read: None }
    }

    /// How everything stands; `None` when the database is away.
    pub async fn look(&mut self) -> Option<Arc<Standing>> {
        let revision = self.house.store.revision().await.ok()?;
        if let Some((at, standing)) = &self.read
            && *at == revision
        {
            return Some(Arc::clone(standing));
        }
        let now = Arc::new(standing(&self.house, &self.plan).await.ok()?);
        self.read = Some((revision, Arc::clone(&now)));
        Some(now)
    }

    /// Somebody presses a button, wise or not. What they may not do, they are refused.
    pub async fn meddle(&mut self, case: &Case, fate: &mut Fate) {
        let Some(now) = self.look().await else { return };
        let house = &self.house;
        let _refused = match fate.below(8) {
            0 | 1 => controls::hold(house, ACTOR, &now.plan, "wait").await,
            3 if !now.facts.held => pause(house, &now).await,
            2 | 3 => controls::resume(house, ACTOR, &now.plan, "go on").await,
            4 if fate.chance(200) => controls::abort(house, ACTOR, &now.plan, "not today").await,
            5 => self.publish_now(case, fate).await,
            6 => {
                let Some(step) = fate.pick(&now.manifest.steps) else { return };
                controls::skip(house, ACTOR, NAME, &now.plan, step.id, "not needed").await
            }
            _ => {
                let Some(step) = fate.pick(&now.run.blocked()).copied() else { return };
                controls::retry(house, ACTOR, NAME, &now.plan, step, "try again").await
            }
        };
    }

    async fn publish_now(&self, case: &Case, fate: &mut Fate) -> crate::casework::Case<()> {
        let Some(member) = fate.pick(&case.members) else { return Ok(()) };
        let lifted = controls::publish_now(&self.house, *member, &case.disclosure, "it leaked");
        lifted.await.map(|_| ())
    }

    /// Everything that waits for a person is answered, as a careful person would.
    pub async fn answer(&mut self, case: &Case) {
        let Some(now) = self.look().await else { return };
        let house = &self.house;
        if now.facts.held {
            let _refused = controls::resume(house, ACTOR, &now.plan, "go on").await;
        }
        for asked in pauses::of(house, &now.plan).await.unwrap_or_default() {
            let phase = Some(asked.phase);
            let _refused = pauses::go_on(house, ASKER, &now.plan, phase, "go on").await;
        }
        let late = self.world.now().since(now.plan.t0) > Span::hours(6);
        if late && now.plan.kind.is_public() && now.facts.go.is_none() {
            for member in &case.members {
                let wish = controls::publish_now(house, *member, &case.disclosure, "too late");
                let _refused = wish.await;
            }
        }
        for id in now.run.blocked() {
            let Some(step) = now.manifest.steps.iter().find(|s| s.id == id) else { continue };
            let answered = match &step.action {
                Action::Ask { .. } => {
                    let bytes = Sha256::of(b"by hand");
                    self.world.send(id, Way::ByHand, bytes, Span::ZERO);
                    self.world.arrive();
                    controls::done(house, ACTOR, NAME, &now.plan, id, "I did it").await
                }
                // Nobody can encrypt to them: they are told on the telephone.
                _ if is_blocked_for(&now, id, "no-usable-certificate") => {
                    let bytes = Sha256::of(b"by hand");
                    self.world.send(id, Way::ByHand, bytes, Span::ZERO);
                    self.world.arrive();
                    controls::done(house, ACTOR, NAME, &now.plan, id, "I called them").await
                }
                // They look into the mailbox, where no program can.
                _ if self.world.happened(id) > 0 => {
                    controls::done(house, ACTOR, NAME, &now.plan, id, "I saw it").await
                }
                _ => controls::retry(house, ACTOR, NAME, &now.plan, id, "try again").await,
            };
            let _refused = answered;
        }
    }

    /// Whether there is nothing left to wait for.
    pub async fn is_over(&mut self) -> bool {
        let Some(now) = self.look().await else { return false };
        matches!(now.plan.state, PlanState::Finished | PlanState::Void)
            || now.facts.go == Some(GoRow::Abort)
    }

    /// What still waits, in words, for whoever must understand a day that did not end.
    pub async fn waits(&mut self) -> String {
        let Some(now) = self.look().await else { return "the database is away".to_owned() };
        let steps: Vec<String> = now
            .manifest
            .steps
            .iter()
            .filter_map(|s| Some((s, now.run.progress(s.id)?)))
            .filter(|(_, p)| !matches!(p.status, Status::Done | Status::Skipped))
            .map(|(s, p)| format!("{} {}", s.outlet, words(&p.status)))
            .collect();
        let held = if now.facts.held { "held" } else { "not held" };
        format!("{} {:?} {held}: {}", now.plan.state, now.facts.go, steps.join(", "))
    }
}

/// Somebody wants to be asked before what comes next, or the terminal of somebody dies.
async fn pause(house: &House, now: &Standing) -> crate::casework::Case<()> {
    let phase = if now.facts.go.is_none() { Phase::Gate } else { Phase::Announce };
    if now.events.len().is_multiple_of(2) {
        pauses::place(house, ASKER, &now.plan, phase, None, "wait").await.map(|_| ())
    } else {
        let session = house.fresh(HolderId::new);
        pauses::attend(house, ASKER, &now.plan, session, &pauses::PHASES).await.map(|_| ())
    }
}

fn words(status: &Status) -> String {
    match status {
        Status::Blocked { code } => format!("blocked {code}"),
        other => other.word().to_owned(),
    }
}

fn is_blocked_for(now: &Standing, step: StepId, why: &str) -> bool {
    let is_it = |s: &Status| matches!(s, Status::Blocked { code } if code == why);
    now.run.progress(step).is_some_and(|p| is_it(&p.status))
}
