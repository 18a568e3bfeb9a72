//! Watching a notice leave: the engine sends, this only looks, and ending it ends nothing else.

use super::summary;
use crate::casework::ledger;
use crate::cli::bar::{as_length, bar};
use crate::cli::desk::Desk;
use crate::clock::sleep;
use crate::domain::disclosure::Disclosure;
use crate::domain::ledger::{DeliveryState, Tally};
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
            let settled = is_settled(&tally);
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

/// Whether no mail is still in our own hands.
fn is_settled(tally: &Tally) -> bool {
    let ours = [DeliveryState::Queued, DeliveryState::Unknown];
    !ours.iter().any(|state| tally.states.contains_key(state))
}

/// `; 3 queued, 1 bounced`
fn others(tally: &Tally) -> String {
    let counted = DeliveryState::ALL.iter().filter(|s| !s.has_it());
    let counted: Vec<String> =
        counted.filter_map(|s| Some(format!("{} {s}", tally.states.get(s)?))).collect();
    if counted.is_empty() { String::new() } else { format!("; {}", counted.join(", ")) }
}
