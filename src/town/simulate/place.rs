//! An outlet into the imagined world: judges what it is asked to do against what was approved
//! and against the log, then lets the world decide what becomes of it.

use std::sync::Arc;

use async_trait::async_trait;

use super::case::Pinned;
use super::world::{Ending, Way, World};
use crate::clock::witness::{Testimony, TimeWitness};
use crate::clock::{Clock, sleep};
use crate::domain::action::Action;
use crate::domain::blob::{Blob, Sha256, equal_outside_slots};
use crate::domain::effect::{Effect, Intended};
use crate::domain::event::Happened;
use crate::domain::finding::Finding;
use crate::domain::plan::Step;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::{At, Span};
use crate::letters::bell::BellMail;
use crate::outlets::{Carrier, Outlet};
use crate::store::{Decision, Store};

/// One outlet of one machine.
pub struct Place {
    /// The real outlet: what may be repeated, and what only the database can show.
    pub inner: Arc<dyn Outlet>,
    /// Where it leads.
    pub world: Arc<World>,
    /// What was approved.
    pub pinned: Arc<Pinned>,
    /// Where intents are read, by another way than the engine's.
    pub store: Store,
}

impl Place {
    /// Whoever acts must have said so before, durably, and with exactly what was approved.
    async fn judge(&self, effect: &Effect) {
        let (intended, permit) = (effect.intended(), effect.permit());
        let (id, epoch, plan) = (intended.step, permit.epoch(), permit.plan());
        let nth = self.world.count_act(id, epoch);
        let read = self.store.read(move |r| r.step_events::<Happened>(plan, 0)).await;
        // A database that is away proves nothing.
        if let Ok(log) = read {
            let said = log
                .iter()
                .filter(|e| e.step == id && e.epoch == epoch && e.record == Happened::Intended)
                .count();
            if said < usize::try_from(nth).unwrap_or(usize::MAX) {
                self.world.complain(format!("{id} acted {nth} times on {said} intents"));
            }
        }
        let public = self.pinned.manifest.kind.is_public();
        if let (true, Ok(decided)) = (public, self.store.read(move |r| r.decided(plan)).await)
            && decided.is_none_or(|d| d.decision != Decision::Go)
        {
            self.world.complain(format!("{id} acted without GO"));
        }
        match self.pinned.step(id) {
            Some(step) if is_as_approved(step, intended, &self.pinned) => {}
            Some(_) => self.world.complain(format!("{id} is not what was approved")),
            None => self.world.complain(format!("{id} is no step of the plan")),
        }
    }

    async fn do_it(&self, effect: &Effect, way: Way) -> Result<Receipt, OutletError> {
        let (world, step) = (&self.world, effect.intended().step);
        let course = world.course();
        let bytes = digest(&effect.intended().blobs);
        let clock = world.clock.as_ref();
        let unknown = || OutletError::unknown("answer-lost", "");
        match course.ending {
            Ending::Refused => {
                sleep(clock, course.before).await;
                return Err(OutletError::later("not-now", ""));
            }
            Ending::Never => {
                sleep(clock, course.before).await;
                return Err(OutletError::never("refused", ""));
            }
            Ending::Cut => {
                sleep(clock, course.before).await;
                return Err(unknown());
            }
            Ending::Well | Ending::AnswerLost => {}
        }
        let answer = if way == Way::Published {
            // The page is a row of the database: it cannot arrive after its writer died.
            sleep(clock, course.before).await;
            let answer = self.inner.act(effect).await?;
            world.send(step, way, bytes, Span::ZERO);
            world.arrive();
            sleep(clock, course.after).await;
            answer
        } else {
            world.send(step, way, bytes, course.before);
            sleep(clock, course.before).await;
            sleep(clock, course.after).await;
            if way == Way::Mailed { Receipt::handed_over("250") } else { Receipt::seen("there") }
        };
        if course.ending == Ending::AnswerLost { Err(unknown()) } else { Ok(answer) }
    }
}

const fn way_of(action: &Action) -> Option<Way> {
    match action {
        Action::Mail { .. } => Some(Way::Mailed),
        Action::Push { .. } => Some(Way::Pushed),
        Action::Run { .. } => Some(Way::Uploaded),
        Action::Publish { .. } => Some(Way::Published),
        Action::Post { .. } => Some(Way::Called),
        Action::Await { .. } | Action::Ask { .. } => None,
    }
}

/// The same action, or the detour that was approved with it, and the same bytes outside slots.
/// A notice is sealed after its approval: its address and Message-ID are judged here.
fn is_as_approved(step: &Step, intended: &Intended, pinned: &Pinned) -> bool {
    let same = match (&step.action, &intended.action) {
        (Action::Push { refs, place, .. }, Action::Push { refs: now, place: to, .. }) => {
            place == to && (refs == now || *now == Step::detour(refs))
        }
        (approved, now) => approved == now,
    };
    let bytes = step.sealing.is_some()
        || intended.blobs.iter().all(|now| {
            pinned.blob(&now.about.name).is_some_and(|approved| {
                equal_outside_slots(&approved.bytes, &now.bytes, &approved.about.slots)
            })
        });
    same && bytes
}

fn digest(blobs: &[Blob]) -> Sha256 {
    let mut all = Vec::new();
    for blob in blobs {
        all.extend_from_slice(Sha256::of(&blob.bytes).raw());
    }
    Sha256::of(&all)
}

#[async_trait]
impl Outlet for Place {
    async fn check(&self, _intended: &Intended) -> Vec<Finding> {
        Vec::new()
    }

    async fn look(&self, intended: &Intended) -> Seen {
        let (takes, fails) = self.world.glance();
        sleep(self.world.clock.as_ref(), takes).await;
        if fails {
            return Seen::CannotTell;
        }
        match &intended.action {
            Action::Mail { .. } | Action::Ask { .. } | Action::Publish { .. } => {
                self.inner.look(intended).await
            }
            // A receiver has no question for it.
            Action::Post { .. } => Seen::CannotTell,
            Action::Push { .. } | Action::Run { .. } | Action::Await { .. } => {
                if self.world.shows(intended.step) {
                    Seen::Present(Receipt::seen("there"))
                } else {
                    Seen::Absent
                }
            }
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        self.judge(effect).await;
        match way_of(&effect.intended().action) {
            Some(way) => self.do_it(effect, way).await,
            None => self.inner.act(effect).await,
        }
    }

    fn repeat(&self) -> Repeat {
        self.inner.repeat()
    }

    fn settle(&self) -> Span {
        self.inner.settle()
    }
}

/// A kernel that knows whether its machine's wall is right.
pub struct Honest {
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// The true one.
    pub world: Arc<World>,
}

/// As near as a time server keeps a clock.
const RIGHT: Span = Span::secs(2);

/// Whether nobody can tell this wall from a true one.
pub fn is_right(wall: At, truth: At) -> bool {
    let off = wall.since(truth);
    off.max(Span::ZERO.minus(off)) <= RIGHT
}

#[async_trait]
impl TimeWitness for Honest {
    fn name(&self) -> &'static str {
        "kernel"
    }

    async fn testify(&self) -> Testimony {
        if is_right(self.clock.wall(), self.world.now()) {
            Testimony::Synchronised { within: RIGHT }
        } else {
            Testimony::Unsynchronised
        }
    }
}

/// Takes the team's bells.
pub struct Doorbell(pub Arc<World>);

#[async_trait]
impl Carrier for Doorbell {
    async fn ring(&self, _bell: &BellMail) -> Result<Receipt, OutletError> {
        if self.0.bell() {
            Ok(Receipt::handed_over("250"))
        } else {
            Err(OutletError::later("relay-unreachable", ""))
        }
    }
}
