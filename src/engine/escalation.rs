//! Calls that a person must answer: said again 5, 10 and 20 minutes after the first time, for as
//! long as what they call for lasts and nobody answers.
//!
//! What must stay true: only what must be decided before T0, or what keeps a day half-way, is
//! urgent; an engine that comes back goes on with the calls of the one before it.

use std::sync::Arc;

use super::alarms::{Cause, Rung, Saying};
use super::errands::Errand;
use super::rehearsal::RED;
use super::{Day, Engine};
use crate::casework::{House, calls};
use crate::domain::deed::{Actor, Subject};
use crate::domain::escalation::{Said, State};
use crate::domain::ids::{HolderId, PlanId};
use crate::domain::plan::PlanKind;
use crate::domain::run::GoRow;
use crate::domain::time::Span;
use crate::formats::bell_text::{Attention, Code};

/// Urgent whenever they are said: a T0 has come and somebody must decide.
const AT_T0: [&str; 8] = [
    "held-at-t0",
    "held-half-way",
    "too-late-for-go",
    "late-go-in-ten-minutes",
    "go-refused",
    "go-barred-at-t0",
    "not-armed-at-t0",
    "day-in-quarantine",
];
/// Urgent once the plan's GO is written or due: some of it may be public, and the rest is not.
const ON_THE_DAY: [&str; 8] = [
    "approvals-do-not-verify",
    "plan-unreadable",
    "plan-troubled",
    "step-blocked",
    "step-keeps-failing",
    "step-troubled",
    "intent-refused",
    "event-not-recorded",
];
/// Urgent when any day is due: it stands still until the clock is steady.
const JUMPED: &str = "clock-jumped";
/// Urgent when any day is due or half-way: nothing goes on without the database.
const FAILING: [&str; 3] = ["database-full", "database-away", "engine-troubled"];

impl Engine {
    /// Whether a person must decide now.
    pub(super) fn is_urgent(&self, cause: &Cause) -> bool {
        let now = self.house.clock.wall();
        match cause.code {
            // Of a draft nobody was told: nobody goes public without us. Of a plan that is held
            // more is said already.
            "not-armed-at-t0" => self.awaited.iter().any(|a| {
                let planned =
                    |d: &Day| d.plan.disclosure == a.disclosure && d.plan.kind == PlanKind::Release;
                a.told
                    && Subject::from(a.disclosure) == cause.subject
                    && !self.days.values().any(planned)
            }),
            code if AT_T0.contains(&code) || code == RED => true,
            JUMPED => self.days.values().any(|d| d.is_due(now)),
            code if FAILING.contains(&code) => self
                .days
                .values()
                .any(|d| d.is_due(now) || matches!(d.facts.go, Some(GoRow::Go(_)))),
            code if ON_THE_DAY.contains(&code) => {
                let plan = cause.subject.as_str().parse::<PlanId>().ok();
                plan.and_then(|id| self.days.get(&id)).is_some_and(|d| {
                    let gone = matches!(d.facts.go, Some(GoRow::Go(_)));
                    d.plan.kind.is_public() && (gone || d.is_due(now))
                })
            }
            _ => false,
        }
    }

    /// Says it, unless another engine did or somebody answered.
    pub(super) fn insist(&mut self, cause: Cause, rung: Rung) {
        let insistence = Insistence {
            house: Arc::clone(&self.house),
            holder: self.lead.holder,
            epoch: self.lead.epoch,
        };
        self.errands.spawn(async move {
            let saying = insistence.say(&cause, &rung).await;
            Errand::Said(cause, rung.tier, saying)
        });
    }

    pub(super) fn came_of(&mut self, cause: &Cause, tier: usize, saying: Saying) {
        match &saying {
            Saying::Unheard => {
                tracing::error!(code = cause.code, "the team's bell could not be rung");
            }
            // It may be time for the next one already.
            Saying::Stands(_) => self.moved = true,
            Saying::Answered | Saying::Heard(_) => {}
        }
        let now = (self.house.clock.wall(), self.house.clock.mono());
        self.alarms.said(cause, tier, saying, now);
    }

    /// GO is written: what kept it back is over.
    pub(super) fn gone(&mut self, plan: PlanId) {
        let subject = Subject::from(plan);
        AT_T0.iter().for_each(|code| self.alarms.pass(&subject, code));
    }

    /// What is owed: to ways that did not take a bell, and to the audit.
    pub(super) fn mind_bells(&mut self) {
        let now = self.house.clock.mono();
        for belated in self.house.bells.belated(now) {
            let house = Arc::clone(&self.house);
            self.errands.spawn(async move {
                house.bells.call_again(belated).await;
                Errand::Minded
            });
        }
        if self.house.bells.is_failing(now) {
            self.page(Subject::house(), "bell-way-fails", None);
        } else {
            self.alarms.pass(&Subject::house(), "bell-way-fails");
        }
        for (subject, call) in self.alarms.take_ended() {
            let house = Arc::clone(&self.house);
            let (actor, epoch) = (Actor::Engine(self.lead.holder), self.lead.epoch);
            self.errands.spawn(async move {
                if calls::over(&house, actor, &subject, &call, epoch).await.is_err() {
                    tracing::warn!("a call that is over could not be written down");
                }
                Errand::Minded
            });
        }
    }
}

struct Insistence {
    house: Arc<House>,
    holder: HolderId,
    epoch: i64,
}

impl Insistence {
    async fn say(&self, cause: &Cause, rung: &Rung) -> Saying {
        let about = (cause.code, &cause.subject, cause.step);
        if rung.inherits || rung.tier > 0 {
            // What cannot be asked is said: two bells are better than none.
            let found = calls::standing(&self.house, about).await.ok().flatten();
            match (found, &rung.call) {
                (Some(call), None) if rung.inherits => return Saying::Stands(call),
                (Some(call), Some(known))
                    if call.said.call == *known && call.state == State::Answered =>
                {
                    return Saying::Answered;
                }
                _ => {}
            }
        }
        let known = rung.call.as_deref().and_then(Code::parse);
        let code = known.unwrap_or_else(|| self.house.bells.code());
        let attention = Attention {
            code: cause.code,
            subject: cause.subject.clone(),
            step: cause.step,
            call: code,
            tier: Some(rung.tier),
        };
        if self.house.bells.call_team(attention).await.is_err() {
            return Saying::Unheard;
        }
        let first = self.house.now().plus(Span::ZERO.minus(rung.elapsed));
        let said = Said {
            code: cause.code.to_owned(),
            step: cause.step,
            tier: rung.tier,
            call: code.spoken(),
            first,
        };
        let actor = Actor::Engine(self.holder);
        if calls::said(&self.house, actor, &cause.subject, &said, self.epoch).await.is_err() {
            tracing::warn!(code = cause.code, "a call could not be written down");
        }
        Saying::Heard(said.call)
    }
}
