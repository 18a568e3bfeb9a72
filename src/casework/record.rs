//! The record of one disclosure: what was planned and what became of it, who decided what and
//! why, ready for a post-mortem.
//!
//! It is made from the database alone, never from a clock: the same database gives the same
//! record. It names distributors, people and reasons, so it is for the team only.

mod decisions;
mod figures;
mod markdown;
mod steps;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

pub use decisions::{Decision, Told};
pub use figures::{Figures, Open};
pub use markdown::as_markdown;
pub use steps::{PlanRecord, StepRecord};

use super::audits::{about, told};
use super::ledger;
use super::plans::{self, Standing};
use super::{Case, CaseError, House};
use crate::domain::deed::{Actor, Subject};
use crate::domain::disclosure::Disclosure;
use crate::domain::ids::MemberId;
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::store::{AuditLine, Decided, StoreError};

/// The shape of the JSON; a number that is raised when it changes.
const FORMAT: &str = "daybreak-record 1";
/// Who led the house and what rang for it is told from so long before T0.
const DAY_BEGINS: Span = Span::hours(-1);

/// An instant as people and programs read it: RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub At);

impl Serialize for When {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

/// Everything there is to tell of a disclosure.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Name and number of this shape.
    pub format: &'static str,
    /// Which disclosure.
    pub disclosure: String,
    /// Public ids of its advisories.
    pub advisories: Vec<String>,
    /// Who knows.
    pub stage: String,
    /// The instant, in the words it was chosen in.
    pub t0: Option<String>,
    /// The newest line it is made from.
    pub as_of: Option<When>,
    /// The day in figures.
    pub figures: Figures,
    /// What is left to ask.
    pub open: Vec<Open>,
    /// Every plan, oldest first.
    pub plans: Vec<PlanRecord>,
    /// What people decided, oldest first.
    pub decisions: Vec<Decision>,
    /// Who had which notice.
    pub notices: Vec<Told>,
    /// What the world showed, in the order in which it was seen first.
    pub seen: Vec<Line>,
    /// Bells that called for people.
    pub bells: Vec<Line>,
    /// Everything, in order.
    pub timeline: Vec<Line>,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it happened.
    pub at: When,
    /// When it was planned for, if it was.
    pub planned: Option<When>,
    /// A member's name, `operator`, or `engine`.
    pub who: String,
    /// What.
    pub what: String,
    /// Evidence or particulars.
    pub detail: String,
}

/// Members by id: the audit knows ids only.
struct Names(BTreeMap<MemberId, String>);

impl Names {
    fn of(&self, actor: Actor) -> String {
        match actor {
            Actor::Member(id) => self.0.get(&id).cloned().unwrap_or_else(|| id.to_string()),
            Actor::Operator => "operator".to_owned(),
            Actor::Engine(_) => "engine".to_owned(),
        }
    }
}

/// What the database holds of it.
struct Sources {
    audit: Vec<AuditLine>,
    standings: Vec<(Standing, Option<Decided>)>,
    names: Names,
}

/// The record of a disclosure as it stands.
pub async fn of(house: &House, disclosure: &Disclosure) -> Case<Record> {
    let sources = gather(house, disclosure).await?;
    let audited = sources.audit.iter().map(|l| l.at);
    let logged = sources.standings.iter().flat_map(|(s, _)| s.events.iter().map(|e| e.at));
    let as_of = audited.chain(logged).max();
    // What is judged by the time of day is judged by the last thing that happened.
    let at = as_of.unwrap_or(disclosure.created_at);
    let told = ledger::status_at(house, disclosure, at).await?;
    let notices: Vec<Told> = told.rows.iter().map(Told::of).collect();
    let plans: Vec<PlanRecord> = sources
        .standings
        .iter()
        .map(|(s, go)| PlanRecord::of(s, go.as_ref(), &sources.names))
        .collect();
    let decisions = decisions::all(&sources);
    let bells = decisions::bells(&sources);
    let case = disclosure.case.open(Reason::Review);
    let ids = case.advisories.clone();
    let advisories = house.store.read(move |r| {
        ids.iter().map(|id| r.advisory(*id)).collect::<Result<Vec<_>, StoreError>>()
    });
    let public_id =
        |a: &crate::domain::advisory::Advisory| a.text.open(Reason::Review).public_id.clone();
    Ok(Record {
        format: FORMAT,
        disclosure: disclosure.id.to_string(),
        advisories: advisories.await?.iter().map(public_id).collect(),
        stage: disclosure.stage.to_string(),
        t0: disclosure.t0.map(|t0| t0.spoken()),
        as_of: as_of.map(When),
        figures: Figures::of(disclosure, &plans, &told, bells.len()),
        open: figures::open(&plans, &told, &sources.standings),
        decisions,
        notices,
        seen: decisions::seen(&sources),
        bells,
        timeline: timeline(&sources),
        plans,
    })
}

/// The record for programs.
pub fn as_json(record: &Record) -> Case<String> {
    serde_json::to_string_pretty(record).map_err(|e| CaseError::machine("writing the record", e))
}

async fn gather(house: &House, disclosure: &Disclosure) -> Case<Sources> {
    let plans = plans::of(house, disclosure.id).await?;
    let mut audit = about(house, disclosure, &plans).await?;
    let (house_lines, members) = house
        .store
        .read(|r| Ok::<_, StoreError>((r.audit_of(&Subject::house())?, r.members()?)))
        .await?;
    let newest = audit.iter().map(|l| l.at).max().unwrap_or(disclosure.created_at);
    let day = disclosure.t0.map(|t0| t0.at.plus(DAY_BEGINS));
    audit.extend(house_lines.into_iter().filter(|l| {
        let during = l.at >= disclosure.created_at && l.at <= newest;
        // Who led and what rang for the whole house is of other disclosures too; on the day it
        // is of this one.
        let of_the_day = ["engine-", "bell-"].iter().any(|word| l.verb.starts_with(word))
            && day.is_some_and(|day| l.at >= day);
        during && (l.verb.starts_with("house-") || of_the_day)
    }));
    audit.sort_by_key(|l| l.seq);
    let mut standings = Vec::new();
    for plan in &plans {
        let id = plan.id;
        let go = house.store.read(move |r| r.decided(id)).await?;
        standings.push((plans::standing(house, plan).await?, go));
    }
    let name = |m: crate::domain::party::Member| (m.id, m.record.open(Reason::Review).name.clone());
    let names = Names(members.into_iter().map(name).collect());
    Ok(Sources { audit, standings, names })
}

/// A terminal's signs of life are no events.
const SIGNS_OF_LIFE: &str = "pause-renew";

fn timeline(sources: &Sources) -> Vec<Line> {
    let about = |subject: &str| {
        let mut plans = sources.standings.iter().map(|(s, _)| &s.plan);
        match plans.find(|p| p.id.to_string() == subject) {
            Some(plan) => format!("plan {}", plan.number),
            None => subject.to_owned(),
        }
    };
    let audited = sources.audit.iter().filter(|l| l.verb != SIGNS_OF_LIFE).map(|l| Line {
        at: When(l.at),
        planned: None,
        who: sources.names.of(l.actor),
        what: format!("{}, {}", l.verb, about(&l.subject)),
        detail: l.detail.open(Reason::Review).clone(),
    });
    let mut lines: Vec<Line> = audited.collect();
    for (standing, _) in &sources.standings {
        for event in &standing.events {
            let Some(step) = standing.manifest.steps.iter().find(|s| s.id == event.step) else {
                continue;
            };
            let (what, detail) = told(&event.happened);
            lines.push(Line {
                at: When(event.at),
                planned: Some(When(steps::planned(standing, step))),
                who: steps::by(&event.happened).unwrap_or("engine").to_owned(),
                what: format!(
                    "{what}, plan {}: {}",
                    standing.plan.number,
                    super::audits::spoken(step)
                ),
                detail,
            });
        }
    }
    lines.sort_by_key(|l| l.at);
    lines
}

#[cfg(test)]
mod tests;
