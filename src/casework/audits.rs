//! The record: whether it is whole, and a readable timeline of one disclosure.

use super::plans::{self, Standing};
use super::{Case, CaseError, House};
use crate::domain::deed::Subject;
use crate::domain::disclosure::Disclosure;
use crate::domain::event::{Happened, StepEvent};
use crate::domain::plan::{Plan, Step};
use crate::domain::receipt::Seen;
use crate::domain::secret::Reason;
use crate::domain::time::At;
use crate::store::{AuditLine, StoreError, Verdict};

/// Walks the whole chain.
pub async fn verify(house: &House) -> Case<Verdict> {
    Ok(house.store.read(|r| r.verify_audit()).await?)
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// When it happened.
    pub at: At,
    /// When it was planned for, if it was.
    pub planned: Option<At>,
    /// Who or what did it.
    pub who: String,
    /// What.
    pub what: String,
    /// Evidence or particulars.
    pub detail: String,
}

/// Everything that happened to a disclosure, in order.
pub async fn timeline(house: &House, disclosure: &Disclosure) -> Case<Vec<Line>> {
    let plans = plans::of(house, disclosure.id).await?;
    let mut lines: Vec<Line> = about(house, disclosure, &plans)
        .await?
        .into_iter()
        .map(|l| Line {
            at: l.at,
            planned: None,
            who: l.actor.to_string(),
            what: format!("{} {}", l.verb, l.subject),
            detail: l.detail.open(Reason::Review).clone(),
        })
        .collect();
    for plan in &plans {
        let standing = plans::standing(house, plan).await?;
        lines.extend(standing.events.iter().map(|e| step_line(&standing, e)));
    }
    lines.sort_by_key(|l| l.at);
    Ok(lines)
}

/// Every line of the audit about a disclosure, its advisories and its plans, subject by subject.
pub(super) async fn about(
    house: &House,
    disclosure: &Disclosure,
    plans: &[Plan],
) -> Case<Vec<AuditLine>> {
    let case = disclosure.case.open(Reason::Review);
    let mut subjects: Vec<Subject> = vec![disclosure.id.into()];
    subjects.extend(case.advisories.iter().map(|a| Subject::from(*a)));
    subjects.extend(plans.iter().map(|p| Subject::from(p.id)));
    let lines = house.store.read(move |r| {
        let mut all = Vec::new();
        for subject in &subjects {
            all.extend(r.audit_of(subject)?);
        }
        Ok::<_, StoreError>(all)
    });
    Ok(lines.await?)
}

fn step_line(standing: &Standing, event: &StepEvent) -> Line {
    let step = standing.manifest.steps.iter().find(|s| s.id == event.step);
    let (what, detail) = told(&event.happened);
    Line {
        at: event.at,
        planned: step.map(|s| s.not_before),
        who: format!("plan {}", standing.plan.number),
        what: format!("{} {what}", step.map(spoken).unwrap_or_default()),
        detail,
    }
}

/// What happened to a step, in a few words, and the evidence or particulars.
pub fn told(happened: &Happened) -> (&'static str, String) {
    match happened {
        Happened::Looked { seen, .. } => ("looked", said(seen)),
        Happened::Intended => ("began", String::new()),
        Happened::Acted { receipt } => ("done", receipt.detail.clone()),
        Happened::Failed { error } => ("failed", format!("{}: {}", error.code, error.message)),
        Happened::Lost => ("lost track", "the engine ended in between".to_owned()),
        Happened::ByHand { by, evidence } => ("done by hand", format!("{by}: {evidence}")),
        Happened::Skipped { by, reason } => ("skipped", format!("{by}: {reason}")),
        Happened::Released { by, reason } => ("may try again", format!("{by}: {reason}")),
        Happened::Delayed { code, said } => ("delayed on its way", format!("{code}: {said}")),
        Happened::Bounced { code, said } => ("came back", format!("{code}: {said}")),
        Happened::Acknowledged { by, how } => ("was read", format!("{by}: {how}")),
    }
}

fn said(seen: &Seen) -> String {
    match seen {
        Seen::Absent => "not there".to_owned(),
        Seen::Underway(since) => format!("under way since {since}"),
        Seen::Present(receipt) => format!("there: {}", receipt.detail),
        Seen::Conflict(why) => format!("in conflict: {why}"),
        Seen::CannotTell => "cannot be told".to_owned(),
    }
}

/// What a step does, in a few words for the team.
pub fn spoken(step: &Step) -> String {
    use crate::domain::action::Action;
    match &step.action {
        Action::Mail { to, .. } => format!("mail to {to}"),
        Action::Push { repository, refs, .. } => {
            let names: Vec<_> = refs.iter().map(|r| r.name.as_str()).collect();
            format!("push {} to {repository}", names.join(", "))
        }
        Action::Run { command, args, .. } => format!("run {command} for {}", args.join(" ")),
        Action::Await { look, .. } if look.starts_with("list:") => format!("see it at {look}"),
        Action::Await { look, args, .. } => format!("wait at {look} for {}", args.join(" ")),
        Action::Publish { public_id, .. } => format!("publish {public_id}"),
        Action::Post { webhook, .. } => format!("call {webhook}"),
        Action::Ask { instruction, .. } => format!("ask: {instruction}"),
    }
}

/// The timeline as Markdown, planned beside actual times.
pub fn as_markdown(disclosure: &Disclosure, lines: &[Line]) -> String {
    let mut text = format!(
        "# Timeline of {}\n\nTimes are UTC. Stage: {}.\n\n",
        disclosure.id, disclosure.stage
    );
    text.push_str("| when | planned | who | what | evidence |\n|---|---|---|---|---|\n");
    let plain = |s: &str| s.replace('|', "\\|").replace(['\r', '\n'], " ");
    for line in lines {
        let planned = line.planned.map(At::rfc3339).unwrap_or_default();
        text.push_str(&format!(
            "| {} | {planned} | {} | {} | {} |\n",
            line.at,
            plain(&line.who),
            plain(&line.what),
            plain(&line.detail)
        ));
    }
    text
}

/// The timeline as JSON.
pub fn as_json(lines: &[Line]) -> Case<String> {
    serde_json::to_string_pretty(lines).map_err(|e| CaseError::machine("writing the timeline", e))
}
