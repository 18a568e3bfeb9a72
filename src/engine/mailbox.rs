//! Mail that came, seen from the engine: bells that are still owed for it are rung, and the
//! team hears in time that the room for mail of nobody ends. Beside the day, never in its way.

use std::sync::Arc;

use tokio::task::AbortHandle;

use super::Engine;
use super::alarms::Cause;
use super::errands::Errand;
use crate::casework::inbound::{ring_owed, room};
use crate::domain::deed::{Actor, Subject};
use crate::domain::time::{Mono, Span};

/// How often it is looked.
const EVERY: Span = Span::mins(1);
/// How often the team is told that the room ends, as long as it does, in seconds.
const AGAIN: i64 = 24 * 60 * 60;

/// When it was looked, and whether somebody is still at it.
#[derive(Default)]
pub(super) struct Mailbox {
    looked: Option<Mono>,
    underway: Option<AbortHandle>,
}

impl Engine {
    pub(super) fn watch_mailbox(&mut self, now: Mono) {
        let busy = self.mailbox.underway.as_ref().is_some_and(|w| !w.is_finished());
        if busy || self.mailbox.looked.is_some_and(|at| now.since(at) < EVERY) {
            return;
        }
        self.mailbox.looked = Some(now);
        let (house, actor) = (Arc::clone(&self.house), Actor::Engine(self.lead.holder));
        self.mailbox.underway = Some(self.errands.spawn(async move {
            // What is still owed is said where it is rung, and tried again.
            let _owed = ring_owed(&house, actor).await;
            Errand::Mailbox(room(&house).await.is_ok_and(|room| room.is_scarce()))
        }));
    }

    /// Says once a day that a mail server will soon be told to wait.
    pub(super) fn room_is_scarce(&mut self) {
        let day = self.house.now().secs().div_euclid(AGAIN);
        let (subject, which) = (Subject::house(), day.to_string());
        self.alarm(Cause { subject, code: "inbound-full", step: None, which });
    }
}
