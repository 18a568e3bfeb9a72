//! Watching a notice leave: the engine sends, this only looks, and ending it ends nothing else.

use std::collections::BTreeMap;

use super::summary;
use crate::casework::ledger;
use crate::cli::bar::{as_length, bar};
use crate::cli::desk::Desk;
use crate::clock::sleep;
use crate::domain::disclosure::Disclosure;
use crate::domain::ledger::{Delivery, DeliveryState, Tally};
use crate::domain::run::NOBODY_CAN_TELL;
use crate::domain::time::Span;

/// How often it looks.
const EVERY: Span = Span::secs(1);

/// Shows the counts until nothing is left to be sent: a bar on a terminal, elsewhere a line
/// whenever they change. What relays further on or recipients say comes later.
pub(super) async fn until_settled(desk: &Desk, disclosure: &Disclosure) -> anyhow::Result<()> {
    let clock = desk.house.clock.as_ref();
    let bar = bar(0, "have theirs", desk.print);
    let (mut seen, mut said) = (None, String::new());
    loop {
        let revision = desk.house.store.revision().await?;
        if seen != Some(revision) {
            seen = Some(revision);
            let status = ledger::status(&desk.house, disclosure).await?;
            let Some(tally) = status.tally else { break };
            bar.set_length(as_length(tally.of));
            bar.set_position(as_length(tally.have));
            bar.set_message(others(&tally));
            let counts = summary(&tally);
            let settled = is_settled(&status.rows);
            // The last word is the caller's.
            if bar.is_hidden() && !settled && counts != said {
                desk.print.talk(&counts);
                said = counts;
            }
            if settled {
                break;
            }
        }
        sleep(clock, EVERY).await;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Whether no mail is still in our own hands: the newest of each recipient, oldest rows first.
/// One of which nobody can tell, however long we look, is in a person's.
fn is_settled(rows: &[(String, Delivery)]) -> bool {
    let newest: BTreeMap<&str, &Delivery> =
        rows.iter().map(|(_, d)| (d.recipient.as_str(), d)).collect();
    !newest.values().any(|d| match d.state {
        DeliveryState::Queued => true,
        DeliveryState::Unknown => d.code != NOBODY_CAN_TELL,
        _ => false,
    })
}

/// `; 3 queued, 1 bounced`
fn others(tally: &Tally) -> String {
    let counted = DeliveryState::ALL.iter().filter(|s| !s.has_it());
    let counted: Vec<String> =
        counted.filter_map(|s| Some(format!("{} {s}", tally.states.get(s)?))).collect();
    if counted.is_empty() { String::new() } else { format!("; {}", counted.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{PlanId, StepId};
    use crate::domain::time::At;

    fn row(recipient: &str, state: DeliveryState, code: &str) -> (String, Delivery) {
        let at = At::from_secs(1);
        let delivery = Delivery {
            plan: PlanId::new(at, [0; 10]),
            number: 1,
            revision: 1,
            step: StepId::new(at, [0; 10]),
            recipient: recipient.to_owned(),
            address: String::new(),
            state,
            since: at,
            code: code.to_owned(),
            detail: String::new(),
            fingerprints: Vec::new(),
        };
        (String::new(), delivery)
    }

    #[test]
    fn it_ends_when_only_people_can_do_more() {
        use DeliveryState::{Bounced, HandedOver, Queued, Unknown};
        let done = row("a", HandedOver, "");
        let lost = row("b", Unknown, NOBODY_CAN_TELL);
        let ended = [row("a", Queued, ""), row("a", Bounced, "5.1.1"), lost.clone(), done.clone()];
        assert!(is_settled(&ended));
        for open in [row("c", Queued, ""), row("c", Unknown, "answer-lost")] {
            assert!(!is_settled(&[done.clone(), lost.clone(), open]));
        }
    }
}
