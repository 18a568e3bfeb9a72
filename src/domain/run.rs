//! The pure step machine: events in, commands out.
//!
//! `apply` folds one event; `decide` says what to do now. Neither reads a clock or touches
//! the world, so a run can be stopped at any event and rebuilt from its log. Before GO no
//! command of a public plan can change the world; after GO a step that fails never stops
//! another one for longer than `announce_after`.

mod doubt;
mod pause;
mod progress;
mod steady;

use std::collections::{BTreeMap, BTreeSet};

use pause::Pauses;
pub use progress::{GAVE_UP, NOBODY_CAN_TELL, Progress, Status};
use steady::Steady;

use super::action::Action;
use super::event::{Happened, StepEvent};
use super::ids::StepId;
use super::manifest::Manifest;
use super::news::NoticeKind;
use super::plan::{Phase, PlanKind, PlanState, Step};
use super::receipt::{Habit, Repeat};
use super::time::{At, Mono, Span};

/// Up to this late, GO follows the clock without looking first.
const ON_TIME: Span = Span::secs(5);
/// Up to this late: look, then GO.
const LATE: Span = Span::mins(15);
/// Up to this late: look, page, wait [`CANCEL_WINDOW`], then GO. Later: a person decides.
const VERY_LATE: Span = Span::hours(6);
/// How long people have to cancel a very late GO.
const CANCEL_WINDOW: Span = Span::mins(10);
/// A look older than this no longer clears an act.
const CLEAR_FOR: Span = Span::secs(60);

/// How the GO row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoRow {
    /// Go, since then.
    Go(At),
    /// Never.
    Abort,
}

/// What the database says of the plan as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanFacts {
    /// State of the plan.
    pub state: PlanState,
    /// Whether a person holds it.
    pub held: bool,
    /// GO row, if any.
    pub go: Option<GoRow>,
    /// Whether enough members asked to start before T0.
    pub lifted: bool,
}

/// What the engine shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask the world about a step.
    Look(StepId),
    /// Commit an intent for a step and act.
    Act(StepId),
    /// Write GO.
    Go,
    /// Every step is settled.
    Finish,
    /// Tell a person, once per code and step.
    Page {
        /// Stable code.
        code: &'static str,
        /// About which step, if one.
        step: Option<StepId>,
    },
}

/// One plan being carried out.
#[derive(Debug, Clone)]
pub struct Run {
    steps: Vec<Step>,
    /// Every instant before which some step must not begin, each once.
    openings: BTreeSet<At>,
    progress: BTreeMap<StepId, Progress>,
    habits: BTreeMap<String, Habit>,
    facts: PlanFacts,
    public: bool,
    t0: At,
    /// When there is nothing left to tell ahead; never for what happens at T0 itself.
    ends: Option<At>,
    /// Whether it begins with the last approval and not by the clock.
    at_once: bool,
    announce_after: Span,
    noticed_late: Option<At>,
    steady: Steady,
    /// When each step last changed, since when nobody can tell of it, and when GO was written,
    /// on the steady clock.
    changed: BTreeMap<StepId, At>,
    doubted: BTreeMap<StepId, At>,
    gone: Option<At>,
    pauses: Pauses,
}

impl Run {
    /// A fresh run; `habits` says for each outlet what may be done from `Unknown`, and when.
    pub fn new(manifest: &Manifest, facts: PlanFacts, habits: BTreeMap<String, Habit>) -> Self {
        let progress = manifest.steps.iter().map(|s| (s.id, Progress::default())).collect();
        let mut steady = Steady::default();
        let gone = go_at(facts).map(|at| steady.opened(at));
        Self {
            steps: manifest.steps.clone(),
            openings: manifest.steps.iter().map(|s| s.not_before).collect(),
            progress,
            habits,
            facts,
            public: manifest.kind.is_public(),
            t0: manifest.t0.at,
            ends: match manifest.kind {
                PlanKind::Notice if manifest.notice().is_some_and(NoticeKind::outlives_t0) => None,
                PlanKind::Notice => Some(manifest.t0.at),
                PlanKind::Headsup => Some(manifest.announces.unwrap_or(manifest.t0.at)),
                PlanKind::Release | PlanKind::Correction => None,
            },
            at_once: manifest.kind.is_public() && manifest.first_effect().is_none(),
            announce_after: manifest.announce_after,
            noticed_late: None,
            steady,
            changed: BTreeMap::new(),
            doubted: BTreeMap::new(),
            gone,
            pauses: Pauses::default(),
        }
    }

    /// What the database says now.
    pub fn learn(&mut self, facts: PlanFacts) {
        if self.gone.is_none() {
            self.gone = go_at(facts).map(|at| self.steady.opened(at));
        }
        self.facts = facts;
    }

    /// Takes a reading of both clocks: what waits between two events waits by the steady one,
    /// so that a wall clock set back lengthens no wait. Best before events are applied.
    pub fn tick(&mut self, wall: At, mono: Mono) {
        self.steady.tick(wall, mono);
    }

    /// Folds one event. Events of unknown steps are ignored.
    pub fn apply(&mut self, event: &StepEvent) {
        let Some(step) = self.steps.iter().find(|s| s.id == event.step) else { return };
        let habit = self.habit_of(step);
        let at = self.steady.heard(event.at, event.epoch > 0);
        let settled = self.is_proof(event, habit, at);
        self.changed.insert(event.step, at);
        let Some(progress) = self.progress.get_mut(&event.step) else { return };
        progress.fold(step, (habit, settled), self.t0, event);
        let is_settled = progress.status.is_settled();
        if !matches!(progress.status, Status::Unknown { .. }) {
            self.doubted.remove(&event.step);
        } else if !matches!(event.happened, Happened::Looked { .. }) {
            self.doubted.insert(event.step, at);
        }
        if is_settled {
            self.note_reached(at);
        }
    }

    /// The steps, in the plan's order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How far a step is.
    pub fn progress(&self, step: StepId) -> Option<&Progress> {
        self.progress.get(&step)
    }

    /// Steps whose intent has no end: after a restart they are `Lost`.
    pub fn in_act(&self) -> Vec<StepId> {
        self.with_status(|s| matches!(s, Status::Intended { .. }))
    }

    /// Steps that wait for a person.
    pub fn blocked(&self) -> Vec<StepId> {
        self.with_status(|s| matches!(s, Status::Blocked { .. }))
    }

    /// Whether every step is done or skipped.
    pub fn is_settled(&self) -> bool {
        self.steps.iter().all(|s| self.settled(s.id))
    }

    /// Whether every announcement is done or skipped; without any, every gate.
    pub fn is_announced(&self) -> bool {
        let of = |phase| self.steps.iter().filter(move |s| s.phase == phase);
        let telling =
            if of(Phase::Announce).next().is_some() { Phase::Announce } else { Phase::Gate };
        of(telling).all(|s| self.settled(s.id))
    }

    /// How far a step is, with what may be done from `Unknown`.
    pub fn stands(&self, step: StepId) -> Option<(Progress, Repeat)> {
        let found = self.steps.iter().find(|s| s.id == step)?;
        Some((self.progress.get(&step)?.clone(), self.habit_of(found).repeat))
    }

    /// How far a step would be after one more event.
    pub fn preview(&self, event: &StepEvent) -> Option<(Progress, Repeat)> {
        let step = self.steps.iter().find(|s| s.id == event.step)?;
        let habit = self.habit_of(step);
        let settled = self.is_proof(event, habit, self.steady.now(event.at));
        let mut progress = self.progress.get(&event.step)?.clone();
        progress.fold(step, (habit, settled), self.t0, event);
        Some((progress, habit.repeat))
    }

    /// What to do now. `clock_ok` says that the wall clock can be trusted with a GO.
    pub fn decide(&mut self, now: At, clock_ok: bool) -> Vec<Command> {
        if !self.facts.state.is_live() || self.facts.go == Some(GoRow::Abort) {
            return Vec::new();
        }
        if self.public && self.facts.go.is_none() {
            return self.decide_go(now, clock_ok);
        }
        let mut commands = Vec::new();
        // What is told ahead waits for a clock that can be trusted, and after T0 there is
        // nothing left to tell. The day itself goes on whatever the clock says.
        let may_begin = self.ends.is_none_or(|end| clock_ok && now < end);
        if !self.facts.held && may_begin {
            let open = self.steps.iter().filter(|s| !self.settled(s.id));
            let begun = open.map(|s| s.phase).min();
            let ready = self.steps.iter().filter(|s| self.is_ready(s, now, begun));
            let mut ready: Vec<_> = ready.collect();
            if !self.public {
                // Whoever was not tried yet comes first: a recipient that hangs or defers must
                // not take the places of those who would be served at once.
                ready.sort_by_cached_key(|s| self.progress.get(&s.id).map_or(0, |p| p.attempts));
            }
            commands.extend(ready.into_iter().filter_map(|s| self.next_for(s, now)));
        }
        commands.extend(self.pages());
        commands.extend(self.pause_pages(now));
        if self.public && !self.is_settled() {
            let ended = self.has_ended(now).then_some("headsup-too-late");
            // Whoever held a day that had begun must not forget it half-way.
            let held = self.facts.held.then_some("held-half-way");
            let codes = [ended, held].into_iter().flatten();
            commands.extend(codes.map(|code| Command::Page { code, step: None }));
        }
        if self.is_settled() {
            commands.push(Command::Finish);
        }
        commands
    }

    /// The next instant after `now` at which `decide` may say something new by itself.
    pub fn next_due(&self, now: At) -> Option<At> {
        if !self.facts.state.is_live() || self.facts.held {
            return None;
        }
        let opens = self.openings.iter().map(|at| self.shifted(*at));
        // Most plans wait for an instant and none of their steps for anything else.
        let waits = self.progress.values().any(|p| p.status.wakes());
        let woken = self.steps.iter().filter(|_| waits).filter_map(|step| self.wakes_at(step));
        // In as long as it still waits on the steady clock.
        let from_steps = opens.chain(woken.map(|at| now.plus(at.since(self.steady.now(now)))));
        let go = self.public.then_some(self.t0);
        let anyway = self.gone.map(|at| at.plus(self.announce_after));
        let anyway = anyway.map(|at| now.plus(at.since(self.steady.now(now))));
        let cancel = self.noticed_late.map(|at| at.plus(CANCEL_WINDOW));
        from_steps
            .chain([go, anyway, cancel].into_iter().chain(self.pauses_end(now)).flatten())
            .filter(|at| *at > now)
            .min()
    }

    fn has_ended(&self, now: At) -> bool {
        self.ends.is_some_and(|end| now >= end)
    }

    fn decide_go(&mut self, now: At, clock_ok: bool) -> Vec<Command> {
        if self.has_ended(now) {
            return vec![Command::Page { code: "headsup-too-late", step: None }];
        }
        if self.facts.held && now >= self.t0 {
            return vec![Command::Page { code: "held-at-t0", step: None }];
        }
        if self.facts.held || !clock_ok {
            return Vec::new();
        }
        if self.facts.lifted {
            return vec![Command::Go];
        }
        if now < self.t0 {
            // A clock that was ahead of T0 and was put right: it is not late any more.
            self.noticed_late = None;
            return Vec::new();
        }
        if let Some(said) = self.pause_before_go(now) {
            return said;
        }
        // Whoever approved it last wanted it now: an engine that was away is no reason to ask.
        if self.at_once {
            return vec![Command::Go];
        }
        let late = now.since(self.t0);
        if late <= ON_TIME && self.noticed_late.is_none() {
            return vec![Command::Go];
        }
        self.noticed_late = self.noticed_late.filter(|at| *at <= now);
        let noticed = *self.noticed_late.get_or_insert(now);
        if late > VERY_LATE {
            return vec![Command::Page { code: "too-late-for-go", step: None }];
        }
        let unseen: Vec<_> =
            self.steps.iter().filter(|s| !self.looked_since(s.id, noticed)).collect();
        if !unseen.is_empty() {
            return unseen.into_iter().map(|s| Command::Look(s.id)).collect();
        }
        if late > LATE && now < noticed.plus(CANCEL_WINDOW) {
            return vec![Command::Page { code: "late-go-in-ten-minutes", step: None }];
        }
        vec![Command::Go]
    }

    fn looked_since(&self, step: StepId, since: At) -> bool {
        self.progress
            .get(&step)
            // Where a person must decide anyway, no look can be waited for.
            .is_some_and(|p| {
                p.status.is_settled()
                    || matches!(p.status, Status::Blocked { .. })
                    || p.looked_at.is_some_and(|at| at >= since)
                    // Nor for one that cannot be made.
                    || (p.failures > 0 && matches!(p.status, Status::Retry { .. }))
            })
    }

    /// When a waiting step goes on by itself, on the steady clock.
    fn wakes_at(&self, step: &Step) -> Option<At> {
        let waits = self.progress.get(&step.id)?.waits(self.habit_of(step).repeat)?;
        Some(self.changed.get(&step.id)?.plus(waits))
    }

    /// `not_before`, moved as much earlier as GO was lifted.
    fn shifted(&self, not_before: At) -> At {
        match go_at(self.facts) {
            Some(go) if go < self.t0 => not_before.plus(go.since(self.t0)),
            _ => not_before,
        }
    }

    /// `begun` is the first phase that is not over.
    fn is_ready(&self, step: &Step, now: At, begun: Option<Phase>) -> bool {
        // What GO opened stays open, even when the clock is set back behind T0.
        let opened = go_at(self.facts).is_some() && step.not_before <= self.t0;
        if !opened && now < self.shifted(step.not_before) {
            return false;
        }
        if self.waits_for_a_word(step, now) {
            return false;
        }
        let steady = self.steady.now(now);
        let overdue = self.gone.is_some_and(|go| steady >= go.plus(self.announce_after));
        let after = step.after.iter().all(|id| self.settled(*id));
        let earlier_are_over = begun.is_none_or(|phase| phase >= step.phase);
        match step.phase {
            Phase::Prepare | Phase::Gate => after,
            // The approved post stands alone: a stuck gate delays it, never stops it.
            Phase::Announce => overdue || (after && earlier_are_over),
            Phase::FollowUp => after && (overdue || earlier_are_over),
        }
    }

    fn next_for(&self, step: &Step, now: At) -> Option<Command> {
        let progress = self.progress.get(&step.id)?;
        let look = Some(Command::Look(step.id));
        let steady = self.steady.now(now);
        let old = |at: &At| steady.since(*at) > CLEAR_FOR;
        match &progress.status {
            Status::Waiting => look,
            Status::Clear { .. } if self.changed.get(&step.id).is_none_or(old) => look,
            Status::Clear { .. } => Some(Command::Act(step.id)),
            Status::Retry { .. } | Status::Unknown { .. } => {
                let due = self.wakes_at(step).is_none_or(|at| steady >= at);
                if due { look } else { None }
            }
            Status::Intended { .. } | Status::Blocked { .. } | Status::Done | Status::Skipped => {
                None
            }
        }
    }

    fn pages(&self) -> Vec<Command> {
        let mut pages = Vec::new();
        for step in &self.steps {
            let Some(progress) = self.progress.get(&step.id) else { continue };
            let code = match (&progress.status, &step.action) {
                (Status::Blocked { .. }, Action::Ask { .. }) => "a-person-is-asked",
                (Status::Blocked { .. }, _) => "step-blocked",
                (Status::Retry { .. } | Status::Unknown { .. }, action)
                    if progress.failures >= 3 && !matches!(action, Action::Await { .. }) =>
                {
                    "step-keeps-failing"
                }
                (Status::Retry { .. } | Status::Unknown { .. }, _) if progress.is_long_unseen() => {
                    "step-not-seen"
                }
                (Status::Done, _) if progress.detoured => "branch-left-aside",
                _ => continue,
            };
            pages.push(Command::Page { code, step: Some(step.id) });
        }
        pages
    }

    fn habit_of(&self, step: &Step) -> Habit {
        self.habits.get(&step.outlet).copied().unwrap_or_default()
    }

    fn settled(&self, step: StepId) -> bool {
        self.progress.get(&step).is_some_and(|p| p.status.is_settled())
    }

    fn with_status(&self, is: impl Fn(&Status) -> bool) -> Vec<StepId> {
        let found = self.progress.iter().filter(|(_, p)| is(&p.status));
        found.map(|(id, _)| *id).collect()
    }
}

fn go_at(facts: PlanFacts) -> Option<At> {
    match facts.go {
        Some(GoRow::Go(at)) => Some(at),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
