//! What a person vouched for is looked at once more. The step stays done whatever is seen: a
//! person decided. But a world that shows something else, or nothing when it must show by then,
//! is told to the team.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::event::{Happened, StepEvent};
use super::ids::StepId;
use super::plan::Step;
use super::receipt::{Habit, Seen};
use super::time::{At, Span};

/// How long between two looks at the same.
const AGAIN: Span = Span::secs(10);

/// One vouched step that is still looked at.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// When it was vouched for.
    since: At,
    /// When it was looked at last.
    looked: Option<At>,
}

/// The vouched steps of one plan.
#[derive(Debug, Clone, Default)]
pub struct Vouched {
    /// After how long an absence proves something, of every step that can be looked at.
    settles: BTreeMap<StepId, Span>,
    open: BTreeMap<StepId, Open>,
    unseen: BTreeSet<StepId>,
}

impl Vouched {
    /// For a plan's steps. Of what a person is asked there is nothing to look at, and of a sealed
    /// mail nothing that the world shows: whoever says that they telephoned is believed.
    pub fn new(steps: &[Step], habits: &BTreeMap<String, Habit>) -> Self {
        let shown = |s: &&Step| s.sealing.is_none() && !matches!(s.action, Action::Ask { .. });
        let settle = |s: &Step| habits.get(&s.outlet).map_or(Span::ZERO, |h| h.settle);
        let settles = steps.iter().filter(shown).map(|s| (s.id, settle(s))).collect();
        Self { settles, open: BTreeMap::new(), unseen: BTreeSet::new() }
    }

    /// One event more, in the log's order.
    pub fn fold(&mut self, event: &StepEvent) {
        let Some(settle) = self.settles.get(&event.step).copied() else { return };
        match &event.happened {
            Happened::ByHand { .. } => {
                self.open.insert(event.step, Open { since: event.at, looked: None });
            }
            Happened::Looked { seen, .. } => self.looked(event.step, settle, event.at, seen),
            Happened::Failed { .. } | Happened::Lost => self.failed(event.step, settle, event.at),
            _ => {}
        }
    }

    /// It could not be looked at: tried once more, then a person hears that nobody saw it. Without
    /// an end it would be tried in every turn.
    fn failed(&mut self, step: StepId, settle: Span, at: At) {
        let Some(open) = self.open.get_mut(&step) else { return };
        if open.looked.is_none() && at.since(open.since) < settle {
            open.looked = Some(at);
            return;
        }
        self.open.remove(&step);
        self.unseen.insert(step);
    }

    fn looked(&mut self, step: StepId, settle: Span, at: At, seen: &Seen) {
        let Some(open) = self.open.get_mut(&step) else { return };
        let settled = at.since(open.since) >= settle;
        match seen {
            Seen::Absent | Seen::Underway(_) if !settled => open.looked = Some(at),
            Seen::Absent | Seen::Underway(_) | Seen::Conflict(_) => {
                self.open.remove(&step);
                self.unseen.insert(step);
            }
            // Where nobody can tell, the person's word is all there is.
            Seen::Present(_) | Seen::CannotTell => {
                self.open.remove(&step);
                self.unseen.remove(&step);
            }
        }
    }

    /// What is to be looked at now.
    pub fn due(&self, now: At) -> Vec<StepId> {
        let due = |(step, open): (&StepId, &Open)| {
            // Vouched for on a machine whose clock is ahead: the first look does not wait for it.
            let ahead = open.looked.is_none() && now < open.since;
            (ahead || self.when(*step, open) <= now).then_some(*step)
        };
        self.open.iter().filter_map(due).collect()
    }

    /// When the next look is due.
    pub fn next_due(&self) -> Option<At> {
        self.open.iter().map(|(step, open)| self.when(*step, open)).min()
    }

    /// Again after a while, and once more when an absence proves something.
    fn when(&self, step: StepId, open: &Open) -> At {
        let Some(looked) = open.looked else { return open.since };
        let settles = open.since.plus(self.settles.get(&step).copied().unwrap_or_default());
        let again = looked.plus(AGAIN);
        if settles > looked { again.min(settles) } else { again }
    }

    /// Whether something is still looked at.
    pub fn is_waiting(&self) -> bool {
        !self.open.is_empty()
    }

    /// What is vouched for and not shown.
    pub fn unseen(&self) -> Vec<StepId> {
        self.unseen.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EventId;
    use crate::domain::receipt::Receipt;

    fn step() -> StepId {
        StepId::new(At::from_secs(1), [1; 10])
    }

    fn vouched() -> Vouched {
        let settles = [(step(), Span::mins(5))].into();
        let mut one = Vouched { settles, ..Vouched::default() };
        one.fold(&event(0, Happened::ByHand { by: "Ada".into(), evidence: "URL".into() }));
        one
    }

    fn event(secs: i64, happened: Happened) -> StepEvent {
        let at = At::from_secs(100 + secs);
        StepEvent { id: EventId::new(at, [0; 10]), step: step(), at, epoch: 0, happened }
    }

    fn saw(one: &mut Vouched, secs: i64, seen: Seen) {
        one.fold(&event(secs, Happened::looked(seen)));
    }

    #[test]
    fn it_is_looked_until_it_is_there_or_must_be() {
        let mut one = vouched();
        assert_eq!(one.due(At::from_secs(100)), [step()]);
        saw(&mut one, 1, Seen::Absent);
        assert!(one.due(At::from_secs(105)).is_empty() && one.is_waiting());
        assert_eq!(one.next_due(), Some(At::from_secs(111)));
        saw(&mut one, 295, Seen::Absent);
        assert_eq!(one.next_due(), Some(At::from_secs(400)), "exactly when it is conclusive");
        assert!(one.unseen().is_empty());
        saw(&mut one, 300, Seen::Absent);
        assert_eq!(one.unseen(), [step()]);
        assert!(!one.is_waiting());
    }

    #[test]
    fn what_cannot_be_looked_at_ends_too() {
        let error = crate::domain::receipt::OutletError::never("outlet-missing", "");
        let mut one = vouched();
        one.fold(&event(1, Happened::Failed { error: error.clone() }));
        assert!(one.due(At::from_secs(105)).is_empty(), "it is tried in every turn");
        one.fold(&event(11, Happened::Failed { error }));
        assert!(!one.is_waiting());
        assert_eq!(one.unseen(), [step()]);
    }

    #[test]
    fn what_is_there_ends_it_and_what_is_else_is_told_at_once() {
        let mut one = vouched();
        saw(&mut one, 1, Seen::Present(Receipt::seen("there")));
        assert!(!one.is_waiting() && one.unseen().is_empty());
        let mut one = vouched();
        saw(&mut one, 1, Seen::CannotTell);
        assert!(!one.is_waiting() && one.unseen().is_empty());
        let mut one = vouched();
        saw(&mut one, 1, Seen::Conflict("another tag".into()));
        assert_eq!(one.unseen(), [step()]);
    }
}
