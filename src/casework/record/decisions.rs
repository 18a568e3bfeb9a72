//! What people decided, what called them, and what was seen from outside first.

use serde::Serialize;

use super::{Line, Sources, When, steps};
use crate::casework::audits::spoken;
use crate::casework::rehearsals;
use crate::domain::deed::Actor;
use crate::domain::escalation::{ACK, SAID, Said};
use crate::domain::event::Happened;
use crate::domain::ledger::Delivery;
use crate::domain::receipt::{Evidence, Receipt, Seen};
use crate::domain::secret::Reason;
use crate::store::AuditLine;

/// Beginnings of verbs by which somebody steers; what is only prepared is left out.
const STEERING: [&str; 13] = [
    "plan-",
    "pause-leave",
    "publish-now",
    "disclosure-move",
    "disclosure-cancel",
    "disclosure-drop-advisory",
    "disclosure-deputy",
    "disclosure-take",
    "disclosure-close",
    "disclosure-mitigation",
    "leak-",
    "house-",
    ACK,
];
/// Of these the plans tell themselves; a rehearsal decides nothing.
const NO_DECISION: [&str; 4] = ["plan-make", "plan-approve", "plan-finish", rehearsals::VERB];

/// One decision: an override, a pause, a word in the place of a machine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// When.
    pub at: When,
    /// Who decided.
    pub who: String,
    /// What, as the audit calls it.
    pub what: String,
    /// About what.
    pub about: String,
    /// Why, in their words.
    pub reason: String,
}

pub(super) fn all(sources: &Sources) -> Vec<Decision> {
    let steers = |l: &&AuditLine| {
        STEERING.iter().any(|verb| l.verb.starts_with(verb))
            && !NO_DECISION.contains(&l.verb.as_str())
            && !matches!(l.actor, Actor::Engine(_))
    };
    let mut all: Vec<Decision> = sources
        .audit
        .iter()
        .filter(steers)
        .map(|l| Decision {
            at: When(l.at),
            who: sources.names.of(l.actor),
            what: l.verb.clone(),
            about: about(sources, &l.subject),
            reason: l.detail.open(Reason::Review).clone(),
        })
        .collect();
    for (standing, _) in &sources.standings {
        for event in &standing.events {
            let (what, reason) = match &event.happened {
                Happened::ByHand { evidence, .. } => ("step-done", evidence),
                Happened::Skipped { reason, .. } => ("step-skip", reason),
                Happened::Released { reason, .. } => ("step-retry", reason),
                _ => continue,
            };
            let step = standing.manifest.steps.iter().find(|s| s.id == event.step);
            all.push(Decision {
                at: When(event.at),
                who: steps::by(&event.happened).unwrap_or_default().to_owned(),
                what: what.to_owned(),
                about: format!(
                    "plan {}: {}",
                    standing.plan.number,
                    step.map(spoken).unwrap_or_default()
                ),
                reason: reason.clone(),
            });
        }
    }
    all.sort_by_key(|d| d.at);
    all
}

fn about(sources: &Sources, subject: &str) -> String {
    let mut plans = sources.standings.iter().map(|(s, _)| &s.plan);
    match plans.find(|p| p.id.to_string() == subject) {
        Some(plan) => format!("plan {} ({})", plan.number, plan.kind),
        None => subject.to_owned(),
    }
}

/// The bells that were written down.
pub(super) fn bells(sources: &Sources) -> Vec<Line> {
    let line = |l: &AuditLine| {
        let said: Option<Said> = serde_json::from_str(l.detail.open(Reason::Review)).ok();
        let step = said.as_ref().and_then(|s| s.step).map(|s| format!(" {s}"));
        Line {
            at: When(l.at),
            planned: None,
            who: sources.names.of(l.actor),
            what: said.map(|s| s.code).unwrap_or_default(),
            detail: about(sources, &l.subject) + &step.unwrap_or_default(),
        }
    };
    sources.audit.iter().filter(|l| l.verb == SAID).map(line).collect()
}

/// The first sight of each step's effect by somebody who is not us.
pub(super) fn seen(sources: &Sources) -> Vec<Line> {
    let mut all = Vec::new();
    for (standing, _) in sources.standings.iter().filter(|(s, _)| s.plan.kind.is_public()) {
        for step in &standing.manifest.steps {
            let mut log = standing.events.iter().filter(|e| e.step == step.id);
            let first = log.find_map(|e| Some((e.at, sight(&e.happened)?)));
            if let Some((at, receipt)) = first {
                all.push(Line {
                    at: When(at),
                    planned: Some(When(steps::planned(standing, step))),
                    who: step.outlet.clone(),
                    what: spoken(step),
                    detail: receipt.detail.clone(),
                });
            }
        }
    }
    all.sort_by_key(|l| l.at);
    all
}

fn sight(happened: &Happened) -> Option<&Receipt> {
    match happened {
        Happened::Looked { seen: Seen::Present(receipt), .. } | Happened::Acted { receipt } => {
            (receipt.evidence == Evidence::Seen).then_some(receipt)
        }
        _ => None,
    }
}

/// One notice to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The organisation, or `reporter`.
    pub who: String,
    /// The address.
    pub address: String,
    /// Which revision of the notice.
    pub revision: i64,
    /// By which plan.
    pub plan: i64,
    /// What is known.
    pub state: &'static str,
    /// Since when.
    pub since: When,
    /// A code where there is one, and what was said.
    pub detail: String,
}

impl Told {
    pub(super) fn of((who, delivery): &(String, Delivery)) -> Self {
        let Delivery { address, revision, number, state, since, code, detail, .. } = delivery;
        Self {
            who: who.clone(),
            address: address.clone(),
            revision: *revision,
            plan: *number,
            state: state.word(),
            since: When(*since),
            // Where a code explains itself it is not said twice.
            detail: match detail.starts_with(code.as_str()) {
                true => detail.clone(),
                false => format!("{code} {detail}").trim().to_owned(),
            },
        }
    }
}
