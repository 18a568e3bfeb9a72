//! Whether an absence proves anything. The engine that looked says so in the line it writes, so
//! that whoever reads the log later comes to the same, whatever clocks showed.

use super::Run;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::StepId;
use crate::domain::receipt::{Habit, Repeat};
use crate::domain::time::At;

impl Run {
    /// Whether nothing seen of a step at `at`, by the wall, proves that nothing happened.
    pub fn proves(&self, step: StepId, at: At) -> bool {
        let found = self.steps.iter().find(|s| s.id == step);
        let habit = found.map(|s| self.habit_of(s)).unwrap_or_default();
        self.has_lasted(step, habit, self.steady.now(at))
    }

    /// What the event says of it; of lines that say nothing, what `at` on the steady clock says.
    pub(super) fn is_proof(&self, event: &StepEvent, habit: Habit, at: At) -> bool {
        match event.happened {
            Happened::Looked { proves: Some(proves), .. } => proves,
            _ => self.has_lasted(event.step, habit, at),
        }
    }

    fn has_lasted(&self, step: StepId, habit: Habit, at: At) -> bool {
        let span = match habit.repeat {
            Repeat::SameBytes { after, .. } => habit.settle.max(after),
            Repeat::Safe | Repeat::AskHuman => habit.settle,
        };
        self.doubted.get(&step).is_none_or(|since| at.since(*since) >= span)
    }
}
