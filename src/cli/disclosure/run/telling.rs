//! What an attended run shows: a line for each event, of text or of JSON, on stdout. Nobody who
//! reads it is no reason to stop.

use serde_json::{Value, json};

use super::from_t0;
use super::lead::Lead;
use crate::casework::audits::{spoken, told};
use crate::casework::plans::Standing;
use crate::cli::exit::Exit;
use crate::cli::print::Print;
use crate::domain::plan::{Phase, PlanState};
use crate::domain::run::{GoRow, Status};
use crate::domain::time::{At, Span};

/// What was shown already.
pub struct Telling {
    print: Print,
    events: usize,
    go: bool,
    held: bool,
    lead: Lead,
}

impl Telling {
    pub const fn new(print: Print) -> Self {
        Self { print, events: 0, go: false, held: false, lead: Lead::Asked }
    }

    fn tell(&self, event: &str, fields: Value, text: impl FnOnce() -> String) {
        let mut line = json!({ "event": event });
        if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
            line.extend(fields);
        }
        let _nobody_reads = self.print.each(&line, text);
    }

    /// Something said in words.
    pub fn say(&self, event: &str, text: &str) {
        self.tell(event, json!({ "text": text }), || text.to_owned());
    }

    /// The plan, and what silence will mean.
    pub fn begin(&self, standing: &Standing, most: Span) {
        let Standing { plan, manifest, .. } = standing;
        let steps = manifest.steps.len();
        let fields = json!({
            "plan": plan.id, "number": plan.number, "t0": plan.t0.rfc3339(), "steps": steps,
            "at_most_seconds": most.as_secs(),
        });
        self.tell("plan", fields, || {
            format!(
                "Release plan {}, {steps} steps, T0 {}.\nYou are asked before gate (which is GO), \
                 announce and follow-up. GO never comes before T0. Without an answer each phase \
                 begins by itself {} s after it could, and if this terminal is gone, within a \
                 minute. Answers: go, hold REASON, resume, leave, quit.",
                plan.number,
                plan.t0.spoken(),
                most.as_secs()
            )
        });
    }

    /// Who carries it out, when that changed.
    pub fn lead(&mut self, now: Lead) {
        if now == self.lead {
            return;
        }
        match &now {
            Lead::Here => self.say(
                "leads-here",
                "no other engine runs: this process is the engine until it ends",
            ),
            Lead::Elsewhere => self
                .say("leads-elsewhere", "`daybreak serve` carries it out; this terminal only asks"),
            Lead::Asked | Lead::Failed(_) => {}
        }
        self.lead = now;
    }

    /// Everything that was journalled since.
    pub fn news(&mut self, standing: &Standing) {
        if let (Some(GoRow::Go(at)), false) = (standing.facts.go, self.go) {
            self.go = true;
            let after = from_t0(at, standing.plan.t0);
            self.tell("go", json!({ "at": at.to_string() }), || format!("GO, T0 {after}"));
        }
        if standing.facts.held != self.held {
            self.held = standing.facts.held;
            let word = if self.held { "held" } else { "resumed" };
            self.say(word, if self.held { "the plan is HELD" } else { "the plan goes on" });
        }
        for event in standing.events.iter().skip(self.events) {
            let mut steps = standing.manifest.steps.iter().enumerate();
            let Some((n, step)) = steps.find(|(_, s)| s.id == event.step) else { continue };
            let (what, detail) = told(&event.happened);
            let number = n.saturating_add(1);
            let fields = json!({
                "at": event.at.to_string(), "step": step.id, "number": number,
                "phase": step.phase, "what": spoken(step), "happened": event.happened.word(),
                "detail": detail,
            });
            self.tell("step", fields, || {
                let after = from_t0(event.at, standing.plan.t0);
                let colon = if detail.is_empty() { "" } else { ": " };
                format!(
                    "T0 {after:<14} {:<9} {number} {}: {what}{colon}{detail}",
                    step.phase.word(),
                    spoken(step)
                )
            });
        }
        self.events = standing.events.len();
    }

    /// A question.
    pub fn question(&self, phase: Phase, standing: &Standing, until: Option<At>) {
        let fields = json!({ "before": phase, "until": until.map(At::rfc3339) });
        self.tell("asks", fields, || {
            let what: Vec<String> = standing
                .manifest
                .steps
                .iter()
                .filter(|s| s.phase == phase)
                .map(|s| format!("  {}", spoken(s)))
                .collect();
            let when = match (phase, until) {
                (Phase::Gate, None) => ", GO at T0".to_owned(),
                (_, Some(until)) => format!(", which goes on by itself at {}", until.rfc3339()),
                (_, None) => String::new(),
            };
            format!("Next is {}{when}:\n{}\ngo?", phase.word(), what.join("\n"))
        });
    }

    /// The phase was let go.
    pub fn word(&self, phase: Phase, standing: &Standing) {
        let early = phase == Phase::Gate && standing.facts.go.is_none();
        self.tell("word", json!({ "before": phase }), || match early {
            true => format!("noted; GO comes at {}, not before", standing.plan.t0.rfc3339()),
            false => format!("{} begins", phase.word()),
        });
    }

    /// The phase went on without an answer from here.
    pub fn passed(&self, phase: Phase) {
        self.tell("passed", json!({ "before": phase }), || {
            format!("{} goes on without an answer", phase.word())
        });
    }

    /// The plan ended.
    pub fn end(&self, standing: &Standing) -> Exit {
        let state = standing.plan.state;
        self.tell("end", json!({ "state": state }), || format!("The plan is {state}."));
        if state == PlanState::Finished { Exit::Ok } else { Exit::Failure }
    }

    /// This process ends before the plan does.
    pub fn left(&self, standing: &Standing) -> Exit {
        let open = |s: &crate::domain::plan::Step| {
            let status = standing.run.progress(s.id).map(|p| &p.status);
            !matches!(status, Some(Status::Done | Status::Skipped))
        };
        let open = standing.manifest.steps.iter().filter(|s| open(s)).count();
        let here = self.lead == Lead::Here;
        self.tell("left", json!({ "open": open, "was_engine": here }), || match here {
            true => format!("{open} steps are open and NO ENGINE RUNS: start `daybreak serve`"),
            false => format!("{open} steps are open; `daybreak serve` goes on"),
        });
        Exit::Partly
    }
}
