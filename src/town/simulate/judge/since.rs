//! What may not have happened between one look of the judge and the next: an intent of whoever
//! was replaced before, an intent under a hold or after the end, a GO that came too soon, or on a
//! calm day too late.

use super::Broken;
use crate::casework::plans::Standing;
use crate::domain::event::Happened;
use crate::domain::plan::PlanState;
use crate::domain::run::GoRow;
use crate::domain::time::{At, Span};

/// On a calm day GO is written no later than this after T0.
const PROMPT: Span = Span::secs(1);

/// What was seen at one look.
#[derive(Debug, Clone, Copy)]
struct Seen {
    events: usize,
    epoch: i64,
    /// Nothing may begin: it is held, or it is over.
    rests: bool,
    gone: bool,
}

/// What the judge remembers.
pub(super) struct Since {
    last: Option<Seen>,
    /// Whether nothing goes wrong on this day, so that GO must be prompt.
    calm: bool,
}

impl Since {
    pub const fn new(calm: bool) -> Self {
        Self { last: None, calm }
    }

    /// Somebody could not look: what happened meanwhile is nobody's to judge.
    pub const fn blink(&mut self) {
        self.last = None;
    }

    /// The machines were away: GO may be late.
    pub const fn not_calm(&mut self) {
        self.calm = false;
    }

    /// Compares with the look before; `epoch` is the lease's, `at` the true time, `opens` the
    /// first true instant at which GO may be written by itself.
    pub fn look(
        &mut self,
        now: &Standing,
        epoch: i64,
        (at, opens): (At, At),
    ) -> Result<(), Broken> {
        let over = matches!(now.plan.state, PlanState::Void | PlanState::Finished)
            || now.facts.go == Some(GoRow::Abort);
        let gone = matches!(now.facts.go, Some(GoRow::Go(_)));
        let rests = now.facts.held || over;
        let seen = Seen { events: now.events.len(), epoch, rests, gone };
        let Some(last) = self.last.replace(seen) else { return Ok(()) };
        for event in now.events.iter().skip(last.events) {
            if event.happened != Happened::Intended {
                continue;
            }
            if event.epoch < last.epoch {
                return Err(format!(
                    "{} was begun in epoch {}, epoch {} led",
                    event.step, event.epoch, last.epoch
                ));
            }
            if last.rests && rests {
                return Err(format!("{} was begun though the plan is held or over", event.step));
            }
        }
        if gone && !last.gone {
            self.prompt(now, at, opens)?;
        }
        Ok(())
    }

    fn prompt(&self, now: &Standing, at: At, opens: At) -> Result<(), Broken> {
        if at < opens && !now.facts.lifted {
            return Err(format!("GO is {} ms early", opens.since(at).as_millis()));
        }
        let late = at.since(now.plan.t0);
        if self.calm && late > PROMPT {
            return Err(format!("GO is {} ms late on a calm day", late.as_millis()));
        }
        Ok(())
    }
}
