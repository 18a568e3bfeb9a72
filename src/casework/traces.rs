//! Whose copy a text is: the code of an individual copy leads to the one delivery it was made
//! for. It says whose copy leaked, not who let it out.

use super::{Case, House, plans};
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::ids::{DisclosureId, PlanId, StepId};
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::secret::Reason;
use crate::store::StoreError;

/// Name of the blob that keeps a delivery's code, owned by its step.
pub const COPY: &str = "copy.code";

/// Most codes looked up for one text.
const CODES: usize = 1000;

/// One delivery that a code belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// The code.
    pub code: String,
    /// The distributor's name.
    pub distributor: String,
    /// Where the mail went.
    pub address: String,
    /// The disclosure.
    pub disclosure: DisclosureId,
    /// The notice plan.
    pub plan: PlanId,
    /// Its number.
    pub number: i64,
    /// The delivery.
    pub step: StepId,
}

/// What keeps a delivery's code beside its ciphertext.
pub fn kept(code: &str) -> Blob {
    Blob::new(COPY, code.as_bytes().to_vec(), vec![])
}

/// Whether a text is a code and nothing else.
pub fn is_code(text: &str) -> bool {
    super::challenges::codes_within(text, 1).first().is_some_and(|c| c.eq_ignore_ascii_case(text))
}

/// Every delivery whose code stands in a text, as it came or among other words. Codes that are
/// none of ours lead nowhere.
pub async fn trace(house: &House, text: &str) -> Case<Vec<Traced>> {
    let codes = super::challenges::codes_within(text, CODES);
    let mut found = Vec::new();
    if codes.is_empty() {
        return Ok(found);
    }
    let distributors = house.store.read(|r| r.distributors()).await?;
    for plan in plans::all(house).await? {
        if plan.kind != PlanKind::Notice {
            continue;
        }
        for (step, recipient, address) in individual(&plan)? {
            let Some(code) = code_of(house, step).await?.filter(|c| codes.contains(c)) else {
                continue;
            };
            let theirs = distributors
                .iter()
                .map(|d| d.record.open(Reason::Review))
                .find(|record| record.contacts.iter().any(|c| c.id.to_string() == recipient));
            found.push(Traced {
                code,
                distributor: theirs.map(|record| record.name.clone()).unwrap_or_default(),
                address,
                disclosure: plan.disclosure,
                plan: plan.id,
                number: plan.number,
                step,
            });
        }
    }
    Ok(found)
}

/// Deliveries of a plan that have a code of their own, with recipient and address.
fn individual(plan: &Plan) -> Case<Vec<(StepId, String, String)>> {
    let mut found = Vec::new();
    for step in plans::manifest_of(plan)?.steps {
        if let (Some(sealing), Action::Mail { to, message, .. }) = (step.sealing, step.action)
            && message.is_individual()
        {
            found.push((step.id, sealing.recipient, to));
        }
    }
    Ok(found)
}

/// `None` for what was never made ready to leave.
async fn code_of(house: &House, step: StepId) -> Case<Option<String>> {
    match house.store.read(move |r| r.blob_named(step, COPY)).await {
        Ok(blob) => Ok(String::from_utf8(blob.bytes).ok()),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
