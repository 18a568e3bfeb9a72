//! The step machine with one outlet's own habit: what the engine does when an answer was lost.

use daybreak::domain::blob::Sha256;
use daybreak::domain::event::{Happened, StepEvent};
use daybreak::domain::ids::{DisclosureId, EventId, PlanId};
use daybreak::domain::manifest::Manifest;
use daybreak::domain::plan::{Phase, PlanKind, PlanState, Step};
use daybreak::domain::receipt::Habit;
use daybreak::domain::run::{Command, GoRow, PlanFacts, Run};
use daybreak::domain::zone::T0;

use super::*;

const T: At = At::from_secs(1_796_137_200);

/// One step of a day that has begun.
pub(super) struct Law {
    run: Run,
    step: StepId,
    now: At,
}

impl Law {
    /// It was begun, and ended without an answer.
    pub(super) fn lost(outlet: &dyn Outlet, error: OutletError) -> Self {
        let step = StepId::new(T, [1; 10]);
        let action = Action::Run { command: "x".into(), args: vec![], files: vec![] };
        let only = Step {
            id: step,
            outlet: "x".into(),
            phase: Phase::Gate,
            not_before: T,
            after: vec![],
            action,
            sealing: None,
            on_move: None,
        };
        let manifest = Manifest {
            salt: String::new(),
            plan: PlanId::new(T, [2; 10]),
            disclosure: DisclosureId::new(T, [3; 10]),
            number: 1,
            kind: PlanKind::Release,
            made_at: T,
            t0: T0::parse("2026-12-01 16:00 Europe/Berlin").unwrap(),
            threshold: 1,
            early_lift: 1,
            announce_after: Span::mins(15),
            recipients: Sha256::of(b""),
            groups: vec![],
            announces: None,
            templates: vec![],
            resends: None,
            tells: None,
            past: None,
            steps: vec![only],
        };
        let go = Some(GoRow::Go(T));
        let facts = PlanFacts { state: PlanState::Running, held: false, go, lifted: false };
        let habit = Habit { repeat: outlet.repeat(), settle: outlet.settle() };
        let run = Run::new(&manifest, facts, [("x".to_owned(), habit)].into());
        let mut law = Self { run, step, now: T };
        law.tell(Happened::looked(Seen::Absent));
        law.tell(Happened::Intended);
        law.tell(Happened::Failed { error });
        law
    }

    fn tell(&mut self, happened: Happened) {
        let id = EventId::new(self.now, [4; 10]);
        self.run.apply(&StepEvent { id, step: self.step, at: self.now, epoch: 1, happened });
    }

    /// How often it is done again while every look within `span` says `seen`.
    pub(super) fn acts_while(&mut self, seen: &Seen, span: Span) -> usize {
        let (end, mut acts) = (self.now.plus(span), 0);
        while self.now < end {
            for command in self.run.decide(self.now, true) {
                match command {
                    Command::Look(_) => self.tell(Happened::looked(seen.clone())),
                    Command::Act(_) => acts += 1,
                    _ => {}
                }
            }
            self.now = self.now.plus(Span::secs(1));
        }
        acts
    }

    /// Whether it would still be done after a look says `seen`.
    pub(super) fn ends_with(&mut self, seen: &Seen) -> bool {
        self.tell(Happened::looked(seen.clone()));
        self.run.decide(self.now, true).iter().any(|c| matches!(c, Command::Act(_)))
    }
}
