//! How a plan is shown: who said yes, whether GO is written, each step, and the line after
//! which it is public.

use serde_json::{Value, json};

use super::places::{self, Place};
use crate::casework::plans::{self, Standing};
use crate::casework::rehearsals::{self, Rehearsed};
use crate::casework::{approvals, audits, members, pauses, preflight};
use crate::cli::desk::Desk;
use crate::cli::print::table;
use crate::cli::words;
use crate::domain::action::Action;
use crate::domain::news::NoticeKind;
use crate::domain::party::CLEAR_SUBJECT;
use crate::domain::pause::{Pause, Word};
use crate::domain::plan::{OnMove, Phase, Plan, PlanKind, Step};
use crate::domain::run::{GoRow, Progress, Run, Status};
use crate::domain::secret::Reason;
use crate::domain::time::At;

/// Drawn before the first step that anybody outside can see.
const LINE: &str = "--- after this step it is public ---";
/// The same of a Headsup.
const ANNOUNCED: &str = "--- after this step the date is public, and nothing else ---";
/// What a contact without wishes of its own gets.
const USUAL: &str = "notice.entity";
/// How much of a step's id is shown: its end is random, and enough to name it.
const TAIL: usize = 8;

/// The MANIFEST, byte for byte.
pub fn manifest(plan: &Plan) -> &str {
    plan.manifest.open(Reason::Review)
}

pub async fn one(desk: &Desk, plan: &Plan) -> anyhow::Result<()> {
    let standing = plans::standing(&desk.house, plan).await?;
    let people = approvers(desk, &standing).await?;
    let pauses = Pauses { all: pauses::of(&desk.house, plan).await?, now: desk.house.now() };
    let looked = preflight::last(&desk.house, plan).await?;
    let rehearsed = rehearsals::newest(&desk.house, &standing.plan).await?;
    let places = places::of(&standing.manifest, &desk.house.config);
    let ahead = Ahead { pauses, looked, rehearsed, places };
    let json = as_json(&standing, &people, &ahead);
    desk.print.either(&json, || as_text(&standing, &people, &ahead))?;
    if standing.plan.state.is_voidable() {
        let said = rehearsals::finding(ahead.rehearsed.as_ref(), desk.house.now());
        desk.print.findings(&said.into_iter().collect::<Vec<_>>());
    }
    Ok(())
}

/// What was found out or wished ahead of the day.
struct Ahead {
    pauses: Pauses,
    looked: Option<crate::domain::preflight::Report>,
    rehearsed: Option<Rehearsed>,
    places: Vec<Place>,
}

/// Who wants to be asked, as seen now.
struct Pauses {
    all: Vec<Pause>,
    now: At,
}

impl Pauses {
    fn as_json(&self, run: &Run) -> Vec<Value> {
        let one = |p: &Pause| {
            let word = p.word.open(Reason::Review);
            json!({
                "before": p.phase, "by": word.by, "reason": word.reason,
                "at_most_seconds": p.holds.as_secs(), "lapses_at": p.until.map(At::rfc3339),
                "waits_until": run.paused_until(p.phase, self.now).map(At::rfc3339),
            })
        };
        self.all.iter().map(one).collect()
    }

    fn rows<'a>(&'a self, run: &'a Run) -> impl Iterator<Item = (&'static str, String)> + 'a {
        self.all.iter().map(move |p| {
            let Word { by, reason } = p.word.open(Reason::Review);
            let state = match run.paused_until(p.phase, self.now) {
                Some(until) => format!("WAITS until {} for `daybreak plan go-on`", until.rfc3339()),
                None => format!("at most {} s once it could begin", p.holds.as_secs()),
            };
            ("pause", format!("before {}, {state} ({by}: {reason})", p.phase.word()))
        })
    }
}

fn rehearsed(last: Option<&Rehearsed>) -> String {
    match last {
        None => "never".to_owned(),
        Some(Rehearsed { at, red }) if red.is_empty() => format!("green on {}", at.spoken()),
        Some(Rehearsed { at, red }) => format!("RED on {}: {}", at.spoken(), red.join(", ")),
    }
}

/// Names of those whose approval still verifies today.
async fn approvers(desk: &Desk, standing: &Standing) -> anyhow::Result<Vec<String>> {
    let holds = approvals::recheck(&desk.house.store, &standing.plan).await?;
    let members = members::list(&desk.house).await?;
    let theirs = members.iter().filter(|m| holds.contains(&m.id));
    Ok(theirs.map(|m| m.record.open(Reason::Review).name.clone()).collect())
}

fn go(standing: &Standing) -> String {
    match standing.facts.go {
        None => "not yet".to_owned(),
        Some(GoRow::Go(at)) => format!("GO at {}", at.spoken()),
        Some(GoRow::Abort) => "ABORT".to_owned(),
    }
}

fn as_json(standing: &Standing, people: &[String], ahead: &Ahead) -> Value {
    let Standing { plan, manifest, facts, run, .. } = standing;
    let steps: Vec<_> = manifest
        .steps
        .iter()
        .enumerate()
        .map(|(n, step)| {
            let progress = run.progress(step.id);
            json!({
                "number": n.saturating_add(1), "id": step.id, "phase": step.phase,
                "outlet": step.outlet, "what": audits::spoken(step),
                "not_before": step.not_before.rfc3339(), "after": step.after,
                "on_move": step.on_move,
                "notice": step.sealing.as_ref().map(|s| s.notice.word()),
                "content": step.sealing.as_ref().and(content(step)),
                "clear_subject": step.sealing.as_ref().map(|s| s.clear_subject.as_str()),
                "status": progress.map(|p| p.status.word()), "evidence": progress.map(evidence),
            })
        })
        .collect();
    let mut value = super::as_json(plan);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("approved_by".to_owned(), json!(people));
        let looked = ahead.looked.as_ref().map(super::preflight::as_json);
        fields.insert("preflight".to_owned(), json!(looked));
        let played =
            ahead.rehearsed.as_ref().map(|l| json!({ "at": l.at.rfc3339(), "red": l.red }));
        fields.insert("rehearsed".to_owned(), json!(played));
        fields.insert("approvals_needed".to_owned(), json!(manifest.threshold));
        fields.insert("announces".to_owned(), json!(manifest.announces.map(|at| at.rfc3339())));
        fields.insert("groups".to_owned(), json!(manifest.groups));
        fields.insert("early_lift".to_owned(), json!(manifest.early_lift));
        fields.insert("lifted".to_owned(), json!(facts.lifted));
        fields.insert("go".to_owned(), json!(facts.go.map(|_| go(standing))));
        if let Some(notice) = manifest.notice() {
            fields.insert("notice".to_owned(), json!(notice.word()));
        }
        let places: Vec<_> = ahead.places.iter().map(Place::as_json).collect();
        fields.insert("pushes_to".to_owned(), json!(places));
        fields.insert("pauses".to_owned(), json!(ahead.pauses.as_json(run)));
        fields.insert("resends".to_owned(), json!(manifest.resends));
        fields.insert("steps".to_owned(), json!(steps));
    }
    value
}

fn as_text(standing: &Standing, people: &[String], ahead: &Ahead) -> String {
    let Standing { plan, manifest, facts, approvals, run, .. } = standing;
    let mut state = plan.state.to_string();
    if facts.held {
        state.push_str(", HELD");
    }
    let mut said = format!("{} of {}", people.len(), manifest.threshold);
    if !people.is_empty() {
        said.push_str(&format!(": {}", people.join(", ")));
    }
    if people.len() < approvals.len() {
        said.push_str(&format!(
            " ({} given no longer verify)",
            approvals.len().saturating_sub(people.len())
        ));
    }
    let effect = manifest
        .first_effect()
        .map_or_else(|| "AT ONCE on the last approval".to_owned(), |at| at.spoken());
    let kind = manifest.notice().map_or_else(
        || plan.kind.to_string(),
        |notice| format!("{}, {notice}: {}", plan.kind, words::told(manifest)),
    );
    let mut head = vec![
        ("plan", plan.id.to_string()),
        ("number", format!("{} ({kind})", plan.number)),
        ("disclosure", plan.disclosure.to_string()),
        ("state", state),
        ("approvals", said),
        (if manifest.announces.is_some() { "goes out" } else { "T0" }, manifest.t0.spoken()),
        ("first byte leaves", effect),
        ("rehearsed", rehearsed(ahead.rehearsed.as_ref())),
        ("MANIFEST sha256", plan.digest.to_string()),
    ];
    if plan.kind == PlanKind::Notice {
        let all = || "every active distributor".to_owned();
        let some = || format!("only the groups {}", words::listed(&manifest.groups));
        head.push(("for", if manifest.groups.is_empty() { all() } else { some() }));
    }
    if let Some(id) = manifest.resends {
        head.push(("sends again", format!("the content of {id}, unchanged, to one contact")));
    }
    if let Some(at) = manifest.announces {
        head.push(("announces T0", at.spoken()));
        head.push(("GO", go(standing)));
    } else if plan.kind.is_public() {
        let lift = if facts.lifted { "asked for: it starts before T0" } else { "not asked for" };
        head.push(("GO", go(standing)));
        head.push(("early start", lift.to_owned()));
    }
    let looked = ahead.looked.as_ref().map(super::preflight::spoken);
    head.extend(looked.map(|said| ("preflight", said)));
    head.extend(ahead.places.iter().map(Place::row));
    head.extend(ahead.pauses.rows(run));
    let head = head.into_iter().map(|(name, value)| vec![name.to_owned(), value]);
    format!("{}\n\n{}", table(&[], head), steps(standing))
}

/// The steps in their order; a public plan's with the line.
fn steps(standing: &Standing) -> String {
    let Standing { plan, manifest, run, .. } = standing;
    let rows = manifest.steps.iter().enumerate().map(|(n, step)| {
        let progress = run.progress(step.id);
        let status = progress.map_or_else(|| "waiting".to_owned(), status);
        vec![
            n.saturating_add(1).to_string(),
            tail(&step.id.to_string()),
            step.phase.word().to_owned(),
            step.not_before.rfc3339(),
            status,
            what(step),
            progress.map(evidence).unwrap_or_default(),
        ]
    });
    let head = ["#", "step", "phase", "not before", "status", "what", ""];
    let mut lines: Vec<String> = table(&head, rows).lines().map(str::to_owned).collect();
    let first = manifest.steps.iter().position(|s| s.phase >= Phase::Gate);
    if let (true, Some(first)) = (plan.kind.is_public(), first) {
        // One line for the head of the table.
        let line = if manifest.announces.is_some() { ANNOUNCED } else { LINE };
        lines.insert(first.saturating_add(1), line.to_owned());
    }
    lines.join("\n")
}

/// The pinned entity of a sealed mail: who gets which attachments.
fn content(step: &Step) -> Option<&str> {
    match &step.action {
        Action::Mail { message, .. } => Some(&message.name),
        _ => None,
    }
}

fn what(step: &Step) -> String {
    let mut spoken = audits::spoken(step);
    if let Some(on_move) = step.on_move.filter(|m| *m != OnMove::Hold) {
        spoken.push_str(&format!("; if it moved, {}", on_move.spoken()));
    }
    if let Some(sealing) = step.sealing.as_ref().filter(|s| s.notice != NoticeKind::First) {
        spoken.push_str(&format!(", {}", sealing.notice));
    }
    if let Some(name) = content(step).filter(|n| step.sealing.is_some() && *n != USUAL) {
        spoken.push_str(&format!(" ({name})"));
    }
    match step.sealing.as_ref().filter(|s| s.clear_subject != CLEAR_SUBJECT) {
        None => spoken,
        Some(sealing) => format!("{spoken}, subject in CLEAR TEXT: {}", sealing.clear_subject),
    }
}

fn status(progress: &Progress) -> String {
    match &progress.status {
        Status::Blocked { code } => format!("blocked ({code})"),
        Status::Retry { at } => format!("retry at {}", at.rfc3339()),
        other => other.word().to_owned(),
    }
}

fn evidence(progress: &Progress) -> String {
    match (&progress.receipt, &progress.last_error) {
        (Some(receipt), _) => receipt.detail.clone(),
        (None, Some(error)) => format!("{}: {}", error.code, error.message),
        (None, None) => String::new(),
    }
}

fn tail(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(TAIL);
    id.chars().skip(skip).collect()
}
