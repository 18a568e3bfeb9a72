//! The room for mail of nobody: how much is taken, and how it becomes free: by age, or by a
//! person who has looked.

use crate::casework::{Case, CaseError, House};
use crate::domain::deed::{Actor, Subject};
use crate::domain::message::Message;
use crate::domain::time::Span;

/// Messages forgotten in one write.
const BATCH: i64 = 50;
/// Bytes without a message are left of a program that died, not of one at work.
const AT_WORK: Span = Span::hours(24);

/// How the room is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes taken.
    pub used: u64,
    /// Bytes there are.
    pub all: u64,
}

impl Room {
    /// Whether a person should look before a mail server is told to wait.
    pub const fn is_scarce(self) -> bool {
        self.used >= self.all / 10 * 9
    }
}

/// How much is taken.
pub async fn room(house: &House) -> Case<Room> {
    let used = house.store.read(|r| r.mail_of_nobody()).await?;
    Ok(Room { used, all: house.config.inbound.room() })
}

/// Forgets old mail of nobody, and parts of large mail whose message never came to be. Says how
/// many messages are gone.
pub async fn tidy(house: &House, actor: Actor) -> Case<usize> {
    let kept = house.config.inbound.forget_after();
    let before = house.now().plus(Span::millis(kept.as_millis().saturating_neg()));
    let mut gone = 0_usize;
    loop {
        let old = house.store.read(move |r| r.old_mail_of_nobody(before, BATCH)).await?;
        if old.is_empty() {
            break;
        }
        gone = gone.saturating_add(old.len());
        let names: Vec<_> = old.iter().map(ToString::to_string).collect();
        let deed = house.deed(actor, "mail-forget", Subject::house()).detail(names.join(" "));
        house
            .store
            .write(&deed, move |tx| old.into_iter().try_for_each(|id| tx.forget_message(id)))
            .await?;
    }
    let before = house.now().plus(Span::millis(AT_WORK.as_millis().saturating_neg()));
    for lost in house.store.read(move |r| r.lost_mail(before)).await? {
        let deed = house.deed(actor, "mail-part-drop", lost);
        house.store.write(&deed, move |tx| tx.delete_blobs(lost)).await?;
    }
    Ok(gone)
}

/// Forgets one mail of nobody, because a person has looked at it.
pub async fn forget(house: &House, actor: Actor, message: &Message) -> Case<()> {
    if message.counts == 0 {
        return Err(CaseError::not_now(
            "this mail belongs to a delivery, a disclosure or somebody we know",
            "such mail is kept; only mail of nobody can be forgotten",
        ));
    }
    let id = message.id;
    let deed = house.deed(actor, "mail-forget", id);
    Ok(house.store.write(&deed, move |tx| tx.forget_message(id)).await?)
}
