//! Disclosures that have long been public: each with its advisory, its page, its finished plan
//! and the log of it, written as they would have been, many in one transaction.

use anyhow::Context as _;

use super::super::stand;
use crate::domain::advisory::AdvisoryText;
use crate::domain::deed::{Actor, Subject};
use crate::domain::disclosure::{Case, Disclosure};
use crate::domain::event::Happened;
use crate::domain::ids::{AdvisoryId, EventId, StepId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Phase, Plan, PlanKind, PlanState};
use crate::domain::receipt::{Receipt, Seen};
use crate::domain::secret::Embargoed;
use crate::domain::stage::Stage;
use crate::domain::time::Span;
use crate::store::{Decision, StoreError, StoredDocument, Tx};
use crate::town::{Town, story};

/// Disclosures in one transaction.
const AT_ONCE: u32 = 250;
/// Steps of each.
const STEPS: usize = 3;
/// What a page, a record and an entry weigh, about.
const DOCUMENTS: [(&str, usize); 3] = [("html", 4000), ("json", 2000), ("entry.json", 600)];

struct Past {
    advisory: AdvisoryId,
    text: Embargoed<AdvisoryText>,
    disclosure: Disclosure,
    plan: Plan,
    manifest: Manifest,
    events: Vec<(EventId, StepId, Happened)>,
    documents: Vec<StoredDocument>,
}

/// Writes that many of them.
pub async fn fill(town: &Town, many: u32) -> anyhow::Result<()> {
    let mut written = 0;
    while written < many {
        let upto = many.min(written.saturating_add(AT_ONCE));
        let batch: Vec<Past> =
            (written..upto).map(|n| past(town, n)).collect::<anyhow::Result<_>>()?;
        let deed = town.house.deed(Actor::Operator, "bench", Subject::house());
        let stored =
            town.house.store.write(&deed, move |tx| batch.iter().try_for_each(|p| p.store(tx)));
        stored.await.context("cannot fill the database")?;
        written = upto;
    }
    Ok(())
}

fn past(town: &Town, n: u32) -> anyhow::Result<Past> {
    let house = &town.house;
    let t0 = house.now().plus(Span::days(-30));
    let advisory = house.fresh(AdvisoryId::new);
    let mut text = story::text(&town.people, house.now());
    text.public_id = format!("x_meadow-1999-{n:05}");
    text.reporters.clear();
    let documents = (0..).zip(DOCUMENTS).map(|(position, (end, length))| StoredDocument {
        name: format!("{}.{end}", text.public_id),
        position,
        media_type: "text/plain".to_owned(),
        bytes: Embargoed::new(vec![b'x'; length]),
    });
    let documents = documents.collect();
    let mut disclosure = stand::disclosure(town, t0);
    disclosure.stage = Stage::Public;
    disclosure.case = Embargoed::new(Case { advisories: vec![advisory], ..Case::default() });
    let steps: Vec<_> = (0..STEPS).map(|_| stand::ask(town, Phase::Gate, t0)).collect();
    let receipt = Receipt::seen("refs/heads/main at 1234567890123456789012345678901234567890");
    let happened =
        [Happened::looked(Seen::Absent), Happened::Intended, Happened::Acted { receipt }];
    let events = steps
        .iter()
        .flat_map(|s| happened.iter().map(|h| (house.fresh(EventId::new), s.id, h.clone())))
        .collect();
    let (plan, manifest) =
        stand::pinned(town, &disclosure, PlanKind::Release, steps, PlanState::Finished)?;
    let text = Embargoed::new(text);
    Ok(Past { advisory, text, disclosure, plan, manifest, events, documents })
}

impl Past {
    fn store(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let plan = self.plan.id;
        tx.add_advisory(self.advisory, &self.text)?;
        tx.add_disclosure(&self.disclosure)?;
        tx.add_plan(&self.plan, &self.manifest.steps)?;
        tx.decide(plan, Decision::Go, 1, &Embargoed::new("T0".to_owned()))?;
        for (id, step, happened) in &self.events {
            tx.add_step_event(*id, (plan, *step), 1, happened.word(), happened)?;
        }
        self.documents.iter().try_for_each(|d| tx.add_document(self.advisory, d))?;
        tx.publish(self.advisory, plan)
    }
}
