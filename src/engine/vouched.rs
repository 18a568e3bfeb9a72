//! A person says that a step is done: the engine looks once more, and writes down what it saw.

use super::Engine;
use crate::domain::ids::PlanId;
use crate::domain::run::GoRow;
use crate::domain::time::At;

impl Engine {
    /// Looks at what was vouched for, once it may be public, and tells the team what the world
    /// does not show. Says whether the plan must not end yet because a look is still to come.
    pub(super) fn look_at_vouched(&mut self, id: PlanId, now: At) -> bool {
        let Some(day) = self.days.get(&id) else { return false };
        if !matches!(day.facts.go, Some(GoRow::Go(_))) {
            return false;
        }
        let (due, unseen) = (day.vouched.due(now), day.vouched.unseen());
        let waits = day.vouched.is_waiting();
        for step in due {
            self.begin_look(id, step);
        }
        for step in unseen {
            self.page(id, "done-by-hand-not-seen", Some(step));
        }
        waits
    }
}
