//! Phases that wait for a person's word.
//!
//! Before GO a pause keeps GO back; after it the day goes forward, so a pause keeps back only
//! steps that have not begun, ends by itself, and never outlasts `announce_after`, after which
//! announcements go anyway. Enough members who ask to start before T0 pass a pause before GO.

use std::collections::BTreeMap;

use super::{Command, Run, Status};
use crate::domain::pause::Pause;
use crate::domain::plan::{Phase, Step};
use crate::domain::time::{At, Span};

/// How long a phase waits for the person at a terminal before the whole team is called.
const ALONE: Span = Span::secs(60);

/// What is asked to wait, and since when each phase could have begun.
#[derive(Debug, Clone, Default)]
pub(super) struct Pauses {
    asked: BTreeMap<Phase, Bound>,
    /// On the steady clock: when everything before a phase was settled.
    reached: BTreeMap<Phase, At>,
}

/// How long one holds.
#[derive(Debug, Clone, Copy)]
struct Bound {
    holds: Span,
    until: Option<At>,
}

impl Run {
    /// Takes in the pauses that nobody has ended, instead of those known before.
    pub fn heed(&mut self, pauses: &[Pause]) {
        let bound = |p: &Pause| (p.phase, Bound { holds: p.holds, until: p.until });
        self.pauses.asked = pauses.iter().map(bound).collect();
    }

    /// Until when at most a phase that could begin waits for a word, by the wall; `None` when
    /// it does not wait.
    pub fn paused_until(&self, phase: Phase, now: At) -> Option<At> {
        let pause = self.pauses.asked.get(&phase)?;
        let ends = self.reached(phase, now)?.plus(pause.holds);
        let left = match phase {
            Phase::Prepare => return None,
            // An instant that people chose: the wall's.
            Phase::Gate => ends.since(now),
            Phase::Announce | Phase::FollowUp => {
                let anyway = self.gone?.plus(self.announce_after);
                ends.min(anyway).since(self.steady.now(now))
            }
        };
        let left = pause.until.map_or(left, |until| left.min(until.since(now)));
        (left > Span::ZERO).then(|| now.plus(left))
    }

    /// Since when a phase could begin: before GO by the wall, afterwards by the steady clock.
    fn reached(&self, phase: Phase, now: At) -> Option<At> {
        if phase <= Phase::Gate {
            let waits = self.gone.is_none() && !self.facts.lifted && now >= self.t0;
            return waits.then_some(self.t0);
        }
        let gone = self.gone?;
        let reached = self.pauses.reached.get(&phase).copied().unwrap_or(gone).max(gone);
        self.is_reached(phase).then_some(reached)
    }

    fn is_reached(&self, phase: Phase) -> bool {
        self.steps.iter().filter(|s| s.phase < phase).all(|s| self.settled(s.id))
    }

    /// A step was settled at `at`: some phase may have been reached with it.
    pub(super) fn note_reached(&mut self, at: At) {
        for phase in [Phase::Announce, Phase::FollowUp] {
            // Without anything before it a phase is reached with GO.
            let follows = self.steps.iter().any(|s| s.phase < phase);
            if follows && !self.pauses.reached.contains_key(&phase) && self.is_reached(phase) {
                self.pauses.reached.insert(phase, at);
            }
        }
    }

    /// Whether a pause keeps this step from beginning. What began goes on.
    pub(super) fn waits_for_a_word(&self, step: &Step, now: At) -> bool {
        !self.has_begun(step) && self.paused_until(step.phase, now).is_some()
    }

    /// Whether a step was acted on, or anything but a look became of it.
    pub fn has_begun(&self, step: &Step) -> bool {
        self.progress.get(&step.id).is_some_and(|p| {
            p.attempts > 0 || !matches!(p.status, Status::Waiting | Status::Clear { .. })
        })
    }

    /// Whether GO waits for a word, and what is said of it.
    pub(super) fn pause_before_go(&self, now: At) -> Option<Vec<Command>> {
        self.paused_until(Phase::Gate, now)?;
        let alone = self.is_alone(Phase::Gate, self.t0, now);
        Some(if alone { Vec::new() } else { vec![said_of(None)] })
    }

    /// What is said of phases after GO that wait, once each.
    pub(super) fn pause_pages(&self, now: At) -> Vec<Command> {
        let first = |phase: Phase| {
            self.paused_until(phase, now)?;
            let since = self.reached(phase, now)?;
            let step = self.steps.iter().find(|s| s.phase == phase && !self.has_begun(s))?;
            let alone = self.is_alone(phase, since, self.steady.now(now));
            (!alone).then(|| said_of(Some(step)))
        };
        [Phase::Announce, Phase::FollowUp].into_iter().filter_map(first).collect()
    }

    /// Whether somebody sits at a terminal and has not been asked for long.
    fn is_alone(&self, phase: Phase, since: At, now: At) -> bool {
        let at_terminal = self.pauses.asked.get(&phase).is_some_and(|b| b.until.is_some());
        at_terminal && now.since(since) < ALONE
    }

    /// When each pause ends by itself.
    pub(super) fn pauses_end(&self, now: At) -> impl Iterator<Item = Option<At>> + '_ {
        Phase::ALL.into_iter().map(move |phase| self.paused_until(phase, now))
    }
}

fn said_of(step: Option<&Step>) -> Command {
    Command::Page { code: "paused-between-phases", step: step.map(|s| s.id) }
}
