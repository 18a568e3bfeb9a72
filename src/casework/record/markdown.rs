//! The record for people: figures and open questions first, then what they follow from.

use super::figures::secs;
use super::steps::{PlanRecord, StepRecord};
use super::{Decision, Line, Record, Told, When};

/// The whole record.
pub fn as_markdown(record: &Record) -> String {
    let title = match record.advisories.as_slice() {
        [] => record.disclosure.clone(),
        ids => ids.join(", "),
    };
    let mut text = format!("# Record of {}\n\n", plain(&title));
    text.push_str(
        "For the team only: it names who was told in advance. Times are UTC. It is made from the \
         database alone.\n",
    );
    section(&mut text, "The day in figures", table(&["figure", "value"], figures(record)));
    let open = record
        .open
        .iter()
        .map(|o| vec![o.code.to_owned(), o.about.clone(), o.what.clone()])
        .collect();
    section(&mut text, "Open questions", table(&["code", "about", "what"], open));
    let decisions = record.decisions.iter().map(decision).collect();
    let head = ["when", "who", "what", "about", "reason"];
    section(&mut text, "Who decided what", table(&head, decisions));
    let head = ["plan", "kind", "state", "GO", "approved by", "MANIFEST sha256"];
    section(&mut text, "Plans", table(&head, record.plans.iter().map(plan).collect()));
    for plan in record.plans.iter().filter(|p| p.go.is_some()) {
        let title = format!("Steps of plan {} ({})", plan.number, plan.kind);
        let head =
            ["#", "phase", "what", "planned", "began", "settled", "late", "status", "evidence"];
        section(&mut text, &title, table(&head, plan.steps.iter().map(step).collect()));
    }
    let head = ["seen first", "planned", "where", "what", "evidence"];
    let seen = record.seen.iter().map(line).collect();
    section(&mut text, "What the world showed", table(&head, seen));
    let head = ["who", "address", "revision", "plan", "state", "since", "detail"];
    let notices = record.notices.iter().map(told).collect();
    section(&mut text, "Who had the notice", table(&head, notices));
    let bells = record
        .bells
        .iter()
        .map(|b| vec![b.at.0.to_string(), b.what.clone(), b.detail.clone()])
        .collect();
    section(&mut text, "Bells on record", table(&["when", "code", "about"], bells));
    let head = ["when", "planned", "who", "what", "detail"];
    let timeline = record.timeline.iter().map(line).collect();
    section(&mut text, "Timeline", table(&head, timeline));
    text
}

fn section(text: &mut String, title: &str, body: String) {
    text.push_str(&format!("\n## {title}\n\n{body}"));
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return "None.\n".to_owned();
    }
    let rule = vec!["---"; head.len()];
    let mut text = format!("| {} |\n|{}|\n", head.join(" | "), rule.join("|"));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|c| plain(c)).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// What comes from outside ends no cell and no line.
fn plain(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(char::is_control, " ")
}

fn when(at: Option<When>) -> String {
    at.map(|w| w.0.to_string()).unwrap_or_default()
}

fn figures(record: &Record) -> Vec<Vec<String>> {
    let f = &record.figures;
    let span = |ms: Option<i64>| ms.map(secs).unwrap_or_default();
    let mut rows = vec![
        ("disclosure", record.disclosure.clone()),
        ("stage", record.stage.clone()),
        ("T0", record.t0.clone().unwrap_or_else(|| "to be set".to_owned())),
        ("GO", when(f.go)),
        ("GO after T0", span(f.go_late_ms)),
        ("first public", when(f.first_public)),
        ("last public", when(f.last_public)),
        ("first to last", span(f.spread_ms)),
        ("steps of the release", f.steps.to_string()),
        ("settled by evidence", f.done.to_string()),
        ("settled by a person's word", f.by_hand.to_string()),
        ("skipped", f.skipped.to_string()),
        ("public steps more than 5 s late", f.late.to_string()),
        ("recipients known to have had the notice", format!("{} of {}", f.had_it, f.recipients)),
        ("others silent after a relay took it", f.silent.to_string()),
        ("bells on record", f.bells.to_string()),
        ("made from everything until", when(record.as_of)),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
}

fn decision(d: &Decision) -> Vec<String> {
    vec![d.at.0.to_string(), d.who.clone(), d.what.clone(), d.about.clone(), d.reason.clone()]
}

fn plan(p: &PlanRecord) -> Vec<String> {
    let yes: Vec<String> = p.approvals.iter().map(|y| format!("{} at {}", y.who, y.at.0)).collect();
    let go = p.go.as_ref().map(|g| format!("{} at {} ({})", g.word, g.at.0, g.reason));
    vec![
        p.number.to_string(),
        p.kind.to_owned(),
        p.state.to_owned(),
        go.unwrap_or_default(),
        format!("{} of {}: {}", p.approvals.len(), p.needed, yes.join(", ")),
        p.digest.clone(),
    ]
}

fn step(s: &StepRecord) -> Vec<String> {
    let evidence = match (s.evidence, s.by.as_deref()) {
        (_, Some(by)) => format!("{by}: {}", s.detail),
        (Some(kind), None) => format!("{kind}: {}", s.detail),
        (None, None) => s.detail.clone(),
    };
    vec![
        s.number.to_string(),
        s.phase.to_owned(),
        s.what.clone(),
        s.planned.0.to_string(),
        when(s.began),
        when(s.settled),
        s.late_ms.map(secs).unwrap_or_default(),
        s.status.to_owned(),
        evidence,
    ]
}

fn told(t: &Told) -> Vec<String> {
    vec![
        t.who.clone(),
        t.address.clone(),
        t.revision.to_string(),
        t.plan.to_string(),
        t.state.to_owned(),
        t.since.0.to_string(),
        t.detail.clone(),
    ]
}

fn line(l: &Line) -> Vec<String> {
    vec![l.at.0.to_string(), when(l.planned), l.who.clone(), l.what.clone(), l.detail.clone()]
}
