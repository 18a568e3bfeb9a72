//! Mail that comes back: reports, answers and attacks, as real programs write them.

mod bounces;
mod cancelled;
mod debts;
mod gpg_key;
mod hostile;
mod proofs;
mod replies;
mod room;

use daybreak::casework::inbound::{Arrived, NotTaken, Taken, receive};
use daybreak::casework::plans::{self, Standing, manifest_of};
use daybreak::domain::action::Action;
use daybreak::domain::deed::Actor;
use daybreak::domain::event::Happened;
use daybreak::domain::ids::StepId;
use daybreak::domain::message::{Message, MessageRecord};
use daybreak::domain::plan::{Plan, PlanKind};
use daybreak::domain::secret::Reason;
use daybreak::town::Town;
use daybreak::town::catcher::Caught;

use crate::whole_day::{Told, field, halves};

/// Hands a mail over as a server would.
async fn arrives(town: &Town, mail: &[u8], recipient: Option<&str>) -> Result<Taken, NotTaken> {
    let recipient = recipient.map(str::to_owned);
    receive(&town.house, Actor::Operator, Arrived { bytes: mail.to_vec(), recipient }).await
}

/// The same for one that must be taken.
async fn taken(town: &Town, mail: &[u8]) -> Taken {
    let taken = arrives(town, mail, None).await.unwrap();
    assert!(!taken.known, "it was taken before");
    taken
}

fn record(message: &Message) -> &MessageRecord {
    message.record.open(Reason::Review)
}

/// The one notice that an address got.
fn notice_to<'a>(told: &'a Told, address: &str) -> &'a Caught {
    told.mails.iter().find(|m| m.to == [address]).unwrap()
}

/// Its Message-ID without brackets.
fn id_of(mail: &Caught) -> String {
    field(&halves(&mail.bytes).0, "Message-ID").trim_matches(['<', '>']).to_owned()
}

/// The notice plan as it stands.
async fn notice(told: &Told) -> Standing {
    let plans = plans::of(&told.town.house, told.disclosure.id).await.unwrap();
    let plan: &Plan = plans.iter().find(|p| p.kind == PlanKind::Notice).unwrap();
    plans::standing(&told.town.house, plan).await.unwrap()
}

/// Later words on the delivery to an address, oldest first.
async fn words(told: &Told, address: &str) -> Vec<Happened> {
    let standing = notice(told).await;
    let step = step_to(&standing.plan, address);
    let later = |h: &Happened| {
        matches!(
            h,
            Happened::Delayed { .. } | Happened::Bounced { .. } | Happened::Acknowledged { .. }
        )
    };
    let theirs = standing.events.into_iter().filter(|e| e.step == step).map(|e| e.happened);
    theirs.filter(later).collect()
}

fn step_to(plan: &Plan, address: &str) -> StepId {
    let to = |a: &Action| matches!(a, Action::Mail { to, .. } if to == address);
    manifest_of(plan).unwrap().steps.iter().find(|s| to(&s.action)).unwrap().id
}

/// LF to CRLF.
fn crlf(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}
