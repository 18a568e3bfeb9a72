//! Webhooks: one signed call to a receiver once everything is public, as Standard Webhooks 1.0
//! describes it.
//!
//! The step's id is the message's id, the same at every try: by the standard a receiver knows a
//! call by it and keeps one, so a call may be repeated at once. What is sent are the pinned
//! bytes. A receiver is never called ahead, not even to see whether it answers: that alone would
//! tell it that something is coming.

mod answer;
mod line;
mod signature;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::Webhook;
use crate::domain::action::Action;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

use super::Outlet;
pub(super) use line::Line;
use signature::Secrets;

/// The code of a call whose receiver or address is another one than was approved.
pub const WEBHOOK_MOVED: &str = "webhook-moved";

/// The outlet for [`Action::Post`] to one receiver.
pub struct WebhookOutlet {
    webhook: Webhook,
    line: Line,
}

impl WebhookOutlet {
    /// For one configured receiver.
    pub fn new(webhook: Webhook, clock: Arc<dyn Clock>) -> Self {
        let line = Line::new(webhook.url.clone(), webhook.secret_file.clone(), clock);
        Self { webhook, line }
    }

    fn event<'a>(&self, intended: &'a Intended) -> Result<&'a [u8], OutletError> {
        let Action::Post { webhook, url, event } = &intended.action else {
            return Err(OutletError::never("not-post", "the webhook outlet takes calls only"));
        };
        if *webhook != self.webhook.name || *url != self.webhook.url {
            let moved = "people approved another receiver or address than is configured now";
            return Err(OutletError::never(WEBHOOK_MOVED, moved));
        }
        intended
            .blob(&event.name)
            .map(|b| b.bytes.as_slice())
            .ok_or_else(|| OutletError::never("no-event", "a call needs exactly one event"))
    }
}

const UNREADABLE: &str = "its secret file cannot be read";

/// What would keep a receiver from being called, as far as that can be told without calling it.
pub fn check_secret(webhook: &Webhook) -> Option<Finding> {
    let wrong = match std::fs::read_to_string(&webhook.secret_file).map(zeroize::Zeroizing::new) {
        Err(_) => UNREADABLE,
        Ok(text) => Secrets::parse(&text).err()?,
    };
    let place = format!("webhook {}", webhook.name);
    Some(Finding::stop("webhook-secret", place, wrong).cure(
        "put the secret the receiver gave you, `whsec_` and base64 of 24 to 64 bytes, into the \
         file that `secret_file` names",
    ))
}

#[async_trait]
impl Outlet for WebhookOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Err(error) = self.event(intended) {
            let place = format!("webhook {}", self.webhook.name);
            findings.push(
                Finding::stop(&error.code, place, error.message)
                    .cure("configure what was approved, or make a new plan"),
            );
        }
        findings.extend(check_secret(&self.webhook));
        findings
    }

    async fn look(&self, _intended: &Intended) -> Seen {
        // The standard has no question for it.
        Seen::CannotTell
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let event = self.event(effect.intended())?;
        self.line.send(&effect.intended().step.to_string(), event).await
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        // Nothing can be looked at, so nothing appears late.
        Span::ZERO
    }
}
