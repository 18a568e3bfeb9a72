//! Webhooks: one signed call to a receiver once everything is public, as Standard Webhooks 1.0
//! describes it.
//!
//! The step's id is the message's id, the same at every try: by the standard a receiver knows a
//! call by it and keeps one, so a call may be repeated at once. What is sent are the pinned
//! bytes. A receiver is never called ahead, not even to see whether it answers: that alone would
//! tell it that something is coming.

mod answer;
mod signature;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Client, redirect};

use crate::clock::{Clock, within};
use crate::config::Webhook;
use crate::domain::action::Action;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

use super::Outlet;
use signature::Secrets;

/// For a whole call; the standard recommends 15 to 30 seconds.
const ALLOWED: Span = Span::secs(20);

/// The outlet for [`Action::Post`] to one receiver.
pub struct WebhookOutlet {
    webhook: Webhook,
    client: Option<Client>,
    clock: Arc<dyn Clock>,
}

impl WebhookOutlet {
    /// For one configured receiver.
    pub fn new(webhook: Webhook, clock: Arc<dyn Clock>) -> Self {
        // A redirect could lead the call anywhere; a proxy of the environment is nobody's
        // configuration.
        let client = Client::builder()
            .user_agent("daybreak")
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .ok();
        Self { webhook, client, clock }
    }

    fn event<'a>(&self, intended: &'a Intended) -> Result<&'a [u8], OutletError> {
        let Action::Post { webhook, url, event } = &intended.action else {
            return Err(OutletError::never("not-post", "the webhook outlet takes calls only"));
        };
        if *webhook != self.webhook.name || *url != self.webhook.url {
            let moved = "people approved another receiver or address than is configured now";
            return Err(OutletError::never("webhook-moved", moved));
        }
        intended
            .blob(&event.name)
            .map(|b| b.bytes.as_slice())
            .ok_or_else(|| OutletError::never("no-event", "a call needs exactly one event"))
    }

    async fn secrets(&self) -> Result<Secrets, OutletError> {
        let unusable = |why| OutletError::ask_human("webhook-secret", why);
        let text = tokio::fs::read_to_string(&self.webhook.secret_file).await;
        let text = text.map(zeroize::Zeroizing::new).map_err(|_| unusable(UNREADABLE))?;
        Secrets::parse(&text).map_err(unusable)
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
        let secrets = self.secrets().await?;
        let client =
            self.client.as_ref().ok_or_else(|| OutletError::later("no-tls", "no TLS here"))?;
        let (id, at) = (effect.intended().step.to_string(), self.clock.wall());
        let call = client
            .post(&self.webhook.url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", at.secs().to_string())
            .header("webhook-signature", secrets.sign(&id, at, event))
            .body(event.to_vec());
        match within(self.clock.as_ref(), ALLOWED, call.send()).await {
            Some(Ok(response)) => answer::judge(&response, self.clock.wall()),
            Some(Err(e)) if e.is_connect() => {
                Err(OutletError::later("webhook-unreachable", "it cannot be reached with TLS"))
            }
            Some(Err(e)) if e.is_builder() => {
                Err(OutletError::never("webhook-address", "its address cannot be used"))
            }
            Some(Err(_)) => Err(OutletError::unknown("webhook-broke-off", "it broke off")),
            None => Err(OutletError::unknown("webhook-no-answer", "it did not answer in time")),
        }
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        // Nothing can be looked at, so nothing appears late.
        Span::ZERO
    }
}
