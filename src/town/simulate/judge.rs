//! What must be true after every step of a simulated day.

mod since;

use std::collections::BTreeMap;
use std::sync::Arc;

use since::Since;

use super::case::Point;
use super::world::{Happening, Way, World};
use crate::casework::plans::{Standing, events};
use crate::casework::publications;
use crate::domain::action::Action;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::StepId;
use crate::domain::receipt::{Repeat, Retry};
use crate::domain::run::{GoRow, Status};
use crate::domain::time::{At, Span};
use crate::store::{Store, StoreError, Verdict};

/// Watches one day.
pub struct Judge {
    store: Store,
    world: Arc<World>,
    point: PointFacts,
    /// How far machines' clocks may be off without anybody being able to know.
    off: Span,
    seen: (i64, usize),
    since: Since,
    /// How much of the world's log was judged for its time.
    timed: usize,
}

/// What of a point is asked again and again.
struct PointFacts {
    public: bool,
    t0: At,
    opens: BTreeMap<StepId, At>,
    early_lift: u32,
}

/// A thing that must never be.
pub type Broken = String;

impl Judge {
    /// Of a day from that point; `calm` says that nothing will go wrong in it.
    pub fn new(
        point: &Point,
        (store, world): (&Store, &Arc<World>),
        off: Span,
        calm: bool,
    ) -> Self {
        let manifest = &point.pinned.manifest;
        let facts = PointFacts {
            public: manifest.kind.is_public(),
            t0: manifest.t0.at,
            opens: manifest.steps.iter().map(|s| (s.id, s.not_before)).collect(),
            early_lift: manifest.early_lift,
        };
        let (store, world) = (store.clone(), Arc::clone(world));
        let (seen, since, timed) = ((-1, 0), Since::new(calm), 0);
        Self { store, world, point: facts, off, seen, since, timed }
    }

    /// Whether it still is as it must be. Nothing is asked again that nobody changed.
    pub async fn look(&mut self, now: &Standing) -> Result<(), Broken> {
        if let Some(complaint) = self.world.complaint() {
            return Err(complaint);
        }
        // While the database is away nobody can judge; it will be asked again.
        let Ok(revision) = self.store.revision().await else {
            self.since.blink();
            return Ok(());
        };
        let seen = (revision, self.world.len());
        if seen == self.seen {
            return Ok(());
        }
        self.seen = seen;
        match self.store.read(|r| r.lease()).await {
            Ok(lease) => self.since.look(now, lease.epoch, (self.world.now(), self.opens()))?,
            Err(_) => self.since.blink(),
        }
        let log = self.world.log();
        self.nothing_early(now, &log)?;
        self.timed = log.len();
        self.public_iff_gone(now, &log).await?;
        done_with_evidence(now, &log)?;
        repeated_as_declared(now)?;
        copies_as_allowed(now, &log)
    }

    /// Somebody could not look.
    pub const fn blink(&mut self) {
        self.since.blink();
    }

    /// The machines were away for hours.
    pub const fn not_calm(&mut self) {
        self.since.not_calm();
    }

    /// The first true instant at which GO may be written by itself.
    fn opens(&self) -> At {
        self.point.t0.plus(Span::millis(-self.off.as_millis()))
    }

    /// Nothing public before the true T0 unless enough people lifted it; no notice before its
    /// window; nothing public at all after an ABORT.
    fn nothing_early(&self, now: &Standing, log: &[Happening]) -> Result<(), Broken> {
        let lifts = now.facts.lifted && self.point.early_lift > 0;
        // Judged once, when it is new: what is lifted later excuses nothing.
        for happening in log.iter().skip(self.timed) {
            let opens = self.point.opens.get(&happening.step).copied().unwrap_or(self.point.t0);
            let opens = opens.plus(Span::millis(-self.off.as_millis()));
            let early = happening.at < opens && happening.way != Way::ByHand;
            if early && !(self.point.public && lifts) {
                return Err(format!(
                    "{:?} by {} is {} ms early",
                    happening.way,
                    happening.step,
                    opens.since(happening.at).as_millis()
                ));
            }
            if !self.point.public || happening.way == Way::ByHand {
                continue;
            }
            match now.facts.go {
                Some(GoRow::Go(_)) => {}
                Some(GoRow::Abort) => {
                    return Err(format!("{:?} in spite of an ABORT", happening.way));
                }
                None => return Err(format!("{:?} without GO", happening.way)),
            }
        }
        Ok(())
    }

    /// A page is public only with a GO, and the world saw it exactly when the row is there.
    async fn public_iff_gone(&self, now: &Standing, log: &[Happening]) -> Result<(), Broken> {
        let Ok(shown) = publications::all(&self.store).await else { return Ok(()) };
        let gone = matches!(now.facts.go, Some(GoRow::Go(_)));
        if !shown.is_empty() && !gone {
            return Err("a page is public without GO".to_owned());
        }
        let pages = log.iter().filter(|h| h.way == Way::Published).count();
        if pages > shown.len() {
            return Err(format!("{pages} pages were seen, {} are there", shown.len()));
        }
        Ok(())
    }
}

/// A step is done only when the world has it, or a person said so.
fn done_with_evidence(now: &Standing, log: &[Happening]) -> Result<(), Broken> {
    for step in &now.manifest.steps {
        let done = now.run.progress(step.id).is_some_and(|p| p.status == Status::Done);
        let by_hand = |e: &StepEvent| matches!(e.happened, Happened::ByHand { .. });
        let vouched = || now.events.iter().any(|e| e.step == step.id && by_hand(e));
        let there = || log.iter().any(|h| h.step == step.id);
        if done && !there() && !vouched() {
            return Err(format!("{} {} is done, and nobody has it", step.outlet, step.id));
        }
    }
    Ok(())
}

/// What really lies in mailboxes: every copy the same, and no more of them than one and what its
/// outlet declares, each time a person lets it try again.
fn copies_as_allowed(now: &Standing, log: &[Happening]) -> Result<(), Broken> {
    for step in &now.manifest.steps {
        let copies: Vec<&Happening> = log.iter().filter(|h| h.step == step.id).collect();
        if other_bytes(&copies) {
            return Err(format!("{} went twice, with other bytes", step.id));
        }
        let more = match now.run.stands(step.id) {
            Some((_, Repeat::SameBytes { max, .. })) => max,
            _ => 0,
        };
        let released =
            |e: &&StepEvent| e.step == step.id && matches!(e.happened, Happened::Released { .. });
        let begun = now.events.iter().filter(released).count().saturating_add(1);
        let most = begun.saturating_mul(usize::try_from(more).unwrap_or(0).saturating_add(1));
        let mails = copies.iter().filter(|h| h.way == Way::Mailed).count();
        if mails > most {
            return Err(format!("{} lies in a mailbox {mails} times, not {most}", step.id));
        }
    }
    Ok(())
}

fn other_bytes(copies: &[&Happening]) -> bool {
    let mails = || copies.iter().filter(|h| h.way == Way::Mailed);
    mails().any(|h| mails().any(|other| other.bytes != h.bytes))
}

/// From a doubt an act is repeated as often as its outlet declared, until a person lets it try
/// again; where a person must be asked, never.
fn repeated_as_declared(now: &Standing) -> Result<(), Broken> {
    for step in &now.manifest.steps {
        let most = match now.run.stands(step.id) {
            Some((_, Repeat::SameBytes { max, .. })) => max,
            Some((_, Repeat::AskHuman)) => 0,
            Some((_, Repeat::Safe)) | None => continue,
        };
        let (mut doubt, mut repeats, mut again) = (false, 0_u32, false);
        for event in now.events.iter().filter(|e| e.step == step.id) {
            match &event.happened {
                Happened::Lost => doubt = true,
                Happened::Failed { error } if error.retry == Retry::Unknown => doubt = true,
                // It was certainly not taken: nobody has one more for it.
                Happened::Failed { .. } => repeats = repeats.saturating_sub(u32::from(again)),
                Happened::Released { .. } => (doubt, repeats) = (false, 0),
                Happened::Intended => {
                    again = doubt;
                    repeats = repeats.saturating_add(u32::from(again));
                }
                _ => {}
            }
            if repeats > most && !matches!(step.action, Action::Ask { .. }) {
                return Err(format!("{} {} was repeated {repeats} times", step.outlet, step.id));
            }
        }
    }
    Ok(())
}

/// The record of a whole day: that nobody altered it, and every line that tells one day from
/// another.
pub async fn record(store: &Store, point: &Point) -> Result<Vec<String>, Broken> {
    let plan = point.plan.id;
    let read = store.read(move |r| Ok::<_, StoreError>((r.verify_audit()?, events(r, plan)?)));
    let (verdict, log) = read.await.map_err(|e| format!("the record cannot be read: {e}"))?;
    if !matches!(verdict, Verdict::Intact { .. }) {
        return Err("the audit does not verify".to_owned());
    }
    let nth = |step| point.pinned.manifest.steps.iter().position(|s| s.id == step);
    Ok(log
        .iter()
        .map(|e| format!("{} {:?} {} {}", e.at.millis(), nth(e.step), e.epoch, e.happened.word()))
        .collect())
}
