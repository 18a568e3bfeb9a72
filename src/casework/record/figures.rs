//! The day in figures, and what they leave to be asked.

use serde::Serialize;

use super::When;
use super::steps::{PlanRecord, StepRecord};
use crate::casework::ledger::Status;
use crate::casework::plans::Standing;
use crate::domain::disclosure::Disclosure;
use crate::domain::ledger::{DeliveryState, Tally};
use crate::domain::plan::{Phase, PlanKind};
use crate::domain::time::Span;
use crate::store::Decided;

/// From here on a public step is called late.
const LATE: Span = Span::secs(5);
/// From here on GO is called late: the law's own second.
const GO_LATE: Span = Span::secs(1);

/// The day in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// The instant.
    pub t0: Option<When>,
    /// When GO was written.
    pub go: Option<When>,
    /// GO after T0, in milliseconds; negative when people started it early.
    pub go_late_ms: Option<i64>,
    /// The first effect that a machine has evidence of.
    pub first_public: Option<When>,
    /// The last one before the day's rest.
    pub last_public: Option<When>,
    /// From the first to the last, in milliseconds.
    pub spread_ms: Option<i64>,
    /// Steps of the release, of which the next four are parts.
    pub steps: usize,
    /// Settled by evidence.
    pub done: usize,
    /// Settled more than five seconds after they were due, gates and announcements only.
    pub late: usize,
    /// Settled by a person's word.
    pub by_hand: usize,
    /// Decided against.
    pub skipped: usize,
    /// Recipients of the newest notice.
    pub recipients: usize,
    /// Of these, how many had it, as far as anybody could tell.
    pub had_it: usize,
    /// Of these, how many relays took it for, and nothing was heard since for too long.
    pub silent: usize,
    /// Bells on record.
    pub bells: usize,
}

/// One question that the data leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Stable code.
    pub code: &'static str,
    /// About what.
    pub about: String,
    /// What there is to say.
    pub what: String,
}

/// The release that had a GO, or else the newest.
fn release(plans: &[PlanRecord]) -> Option<&PlanRecord> {
    let releases = || plans.iter().filter(|p| p.kind == PlanKind::Release.word());
    let went = |p: &&PlanRecord| p.go.as_ref().is_some_and(|g| g.word == "GO");
    releases().find(went).or_else(|| releases().next_back())
}

/// Whether it is one of those that tell the world.
fn is_public(step: &StepRecord) -> bool {
    [Phase::Gate.word(), Phase::Announce.word()].contains(&step.phase)
}

fn is_late(step: &StepRecord) -> bool {
    is_public(step) && step.late_ms.is_some_and(|ms| ms > LATE.as_millis())
}

impl Figures {
    pub(super) fn of(
        disclosure: &Disclosure,
        plans: &[PlanRecord],
        told: &Status,
        bells: usize,
    ) -> Self {
        let plan = release(plans);
        let steps: &[StepRecord] = plan.map_or(&[], |p| &p.steps);
        let shown = || {
            let by_machine = |s: &&StepRecord| is_public(s) && s.status == "done" && s.by.is_none();
            steps.iter().filter(by_machine).filter_map(|s| s.settled)
        };
        let (first, last) = (shown().min(), shown().max());
        let count = |fits: fn(&StepRecord) -> bool| steps.iter().filter(|s| fits(s)).count();
        let go = plan.and_then(|p| p.go.as_ref()).filter(|g| g.word == "GO");
        Self {
            t0: disclosure.t0.map(|t0| When(t0.at)),
            go: go.map(|g| g.at),
            go_late_ms: go.map(|g| g.late_ms),
            first_public: first,
            last_public: last,
            spread_ms: first.zip(last).map(|(a, b)| b.0.since(a.0).as_millis()),
            steps: steps.len(),
            done: count(|s| s.status == "done" && s.by.is_none()),
            late: count(is_late),
            by_hand: count(|s| s.status == "done" && s.by.is_some()),
            skipped: count(|s| s.status == "skipped"),
            recipients: told.tally.as_ref().map_or(0, |t| t.of),
            had_it: told.tally.as_ref().map_or(0, |t| t.have),
            silent: silent(told),
            bells,
        }
    }
}

/// What a post-mortem has to ask, from the data alone.
pub(super) fn open(
    plans: &[PlanRecord],
    told: &Status,
    standings: &[(Standing, Option<Decided>)],
) -> Vec<Open> {
    let mut all = Vec::new();
    if let Some(plan) = release(plans) {
        all.extend(of_go(plan));
        all.extend(plan.steps.iter().flat_map(|s| of_step(plan, s)));
        let run = standings.iter().find(|(s, _)| s.plan.id.to_string() == plan.id);
        let aside = run.into_iter().flat_map(|(s, _)| {
            let detoured = |id| s.run.progress(id).is_some_and(|p| p.detoured);
            s.manifest.steps.iter().filter(move |step| detoured(step.id)).map(|step| Open {
                code: "branch-left-aside",
                about: crate::casework::audits::spoken(step),
                what: "the branch had moved: was it merged?".to_owned(),
            })
        });
        all.extend(aside);
    }
    if let Some(tally) = &told.tally {
        let about = format!("notice {}", tally.revision);
        let silent = silent(told);
        let without = tally.of.saturating_sub(tally.have).saturating_sub(silent);
        if without > 0 {
            let what = format!("{without} of {} recipients did not get theirs", tally.of);
            all.push(Open { code: "not-told", about: about.clone(), what });
        }
        if silent > 0 {
            let what = format!("a relay took it for {silent} of {}, who were silent", tally.of);
            all.push(Open { code: "silent", about, what });
        }
    }
    all
}

fn silent(told: &Status) -> usize {
    let of = |t: &Tally| t.states.get(&DeliveryState::Silent).copied();
    told.tally.as_ref().and_then(of).unwrap_or(0)
}

fn of_go(plan: &PlanRecord) -> Option<Open> {
    let go = plan.go.as_ref().filter(|g| g.word == "GO")?;
    let about = format!("plan {}", plan.number);
    if go.late_ms < 0 {
        let what = format!("people started it {} s before T0", go.late_ms.abs() / 1000);
        return Some(Open { code: "started-early", about, what });
    }
    let late = go.late_ms > GO_LATE.as_millis();
    late.then(|| Open {
        code: "go-late",
        about,
        what: format!("GO came {} after T0", secs(go.late_ms)),
    })
}

fn of_step(plan: &PlanRecord, step: &StepRecord) -> Vec<Open> {
    let mut all = Vec::new();
    let mut ask = |code, what: String| {
        all.push(Open { code, about: format!("plan {}: {}", plan.number, step.what), what });
    };
    let by = step.by.as_deref().unwrap_or("nobody");
    match step.status {
        "done" if step.by.is_some() => {
            ask("settled-by-hand", format!("{by} vouches for it: {}", step.detail));
        }
        "skipped" => ask("skipped", format!("{by} decided against it: {}", step.detail)),
        "done" => {}
        other => ask("not-settled", format!("{other}: {}", step.detail)),
    }
    if is_late(step) {
        ask("late", format!("settled {} after it was due", secs(step.late_ms.unwrap_or(0))));
    }
    if step.failures > 0 {
        ask(
            "failed-on-the-way",
            format!("it failed, or was lost sight of, {} time(s)", step.failures),
        );
    }
    all
}

/// `12.345 s`
pub(super) fn secs(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.saturating_abs();
    format!("{sign}{}.{:03} s", millis / 1000, millis % 1000)
}
