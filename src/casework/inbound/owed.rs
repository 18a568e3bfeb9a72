//! Bells that mail rings: a debt that is written with the mail and struck out when a relay has
//! taken the bell. Whoever comes next pays: the next mail, or the engine.

use super::clear::ALARM;
use crate::casework::{Case, House};
use crate::domain::deed::{Actor, Subject};
use crate::domain::ids::{DisclosureId, MessageId};

/// What became of what was owed.
#[derive(Debug, Default)]
pub struct Paid {
    /// Messages that the team is told of now.
    pub rung: Vec<MessageId>,
    /// Messages that it still is to be told of.
    pub left: Vec<MessageId>,
}

/// Rings for every message that the team has not been told of, one bell for all of one
/// disclosure. A relay that takes one not is asked no more for now.
pub async fn ring_owed(house: &House, actor: Actor) -> Case<Paid> {
    let owed = house.store.read(|r| r.owed_bells()).await?;
    let mut paid = Paid::default();
    let mut called: Vec<DisclosureId> = Vec::new();
    for (message, disclosure) in owed {
        let heard = disclosure.is_some_and(|d| called.contains(&d));
        if !paid.left.is_empty() || !(heard || ring(house, message, disclosure).await) {
            paid.left.push(message);
            continue;
        }
        called.extend(disclosure);
        let deed = house.deed(actor, "mail-alarm", message);
        house.store.write(&deed, move |tx| tx.bell_rung(message)).await?;
        paid.rung.push(message);
    }
    Ok(paid)
}

async fn ring(house: &House, message: MessageId, disclosure: Option<DisclosureId>) -> bool {
    let subject = disclosure.map_or_else(|| Subject::from(message), Subject::from);
    tracing::error!(%message, code = ALARM, "a person is needed");
    let rung = house.bells.ring_team(ALARM, subject, None).await.is_ok();
    if !rung {
        tracing::error!(code = ALARM, "the team's bell could not be rung");
    }
    rung
}
