//! A day that is due and may not begin, because the clock, the machine's own word or a
//! quarantine forbids it: what forbids it was said once, perhaps days ago; here it is said of
//! the plan whose hour has come.

use super::unarmed::Armed;
use super::watch::Suspicion;
use super::{Day, Engine};
use crate::domain::deed::Subject;
use crate::domain::ids::PlanId;
use crate::domain::run::GoRow;
use crate::domain::time::At;

impl Day {
    /// Whether people wait for its GO: its hour has come, or enough of them asked for it.
    fn wants_go(&self, now: At) -> bool {
        !self.facts.held && (self.is_due(now) || (self.facts.lifted && self.facts.go.is_none()))
    }
}

impl Engine {
    /// Tells people, once, of a clock that keeps something from going: ahead of time where it
    /// will not pass by itself.
    pub(super) fn say_of_the_clock(&mut self, suspicion: Option<Suspicion>, now: At) {
        let Some(why) = suspicion else {
            Suspicion::ALL.iter().for_each(|s| self.alarms.pass(&Subject::house(), s.code()));
            return;
        };
        let stops = |d: &Day| d.is_due(now) || (why.lasts() && d.waits_for_the_clock());
        if self.days.values().any(stops) {
            self.page(Subject::house(), why.code(), None);
        }
    }

    /// The same of one plan at its hour. A clock that jumped is steady again in a minute, and was
    /// said now.
    pub(super) fn say_if_barred(&mut self, id: PlanId, suspicion: Option<Suspicion>, now: At) {
        let Some(day) = self.days.get(&id) else { return };
        let lasts = |s: &Suspicion| s.lasts() && s.bars(day.facts.lifted);
        let barred = !self.known.is_sure() || suspicion.as_ref().is_some_and(lasts);
        if barred && day.wants_go(now) {
            self.page(id, "go-barred-at-t0", None);
        }
    }

    /// In quarantine nothing is armed, and what GO opened stands still.
    pub(super) fn watch_quarantined(&mut self, now: At) {
        let mut due = Vec::new();
        let mut said = Vec::new();
        for (id, day) in &self.days {
            let gone = matches!(day.facts.go, Some(GoRow::Go(_)));
            let code = match () {
                () if day.wants_go(now) => "go-barred-at-t0",
                () if day.plan.kind.is_public() && gone && !day.run.is_settled() => {
                    "day-in-quarantine"
                }
                () => continue,
            };
            due.push((*id, code));
            said.push(day.plan.disclosure);
        }
        for (id, code) in due {
            self.page(id, code, None);
        }
        self.watch_unarmed(now, Armed::Only(said));
    }
}
