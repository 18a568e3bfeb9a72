//! One signed call, whatever it says: to a receiver of publications, or to whoever calls people.

use std::path::PathBuf;
use std::sync::Arc;

use reqwest::{Client, redirect};

use super::signature::Secrets;
use super::{UNREADABLE, answer};
use crate::clock::{Clock, within};
use crate::domain::receipt::{OutletError, Receipt};
use crate::domain::time::Span;

/// For a whole call; the standard recommends 15 to 30 seconds.
const ALLOWED: Span = Span::secs(20);

/// The way to one receiver.
pub(in crate::outlets) struct Line {
    url: String,
    secret_file: PathBuf,
    client: Option<Client>,
    clock: Arc<dyn Clock>,
}

impl Line {
    pub(in crate::outlets) fn new(
        url: String,
        secret_file: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // A redirect could lead the call anywhere; a proxy of the environment is nobody's
        // configuration.
        let client = Client::builder()
            .user_agent("daybreak")
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .ok();
        Self { url, secret_file, client, clock }
    }

    async fn secrets(&self) -> Result<Secrets, OutletError> {
        let unusable = |why| OutletError::ask_human("webhook-secret", why);
        let text = tokio::fs::read_to_string(&self.secret_file).await;
        let text = text.map(zeroize::Zeroizing::new).map_err(|_| unusable(UNREADABLE))?;
        Secrets::parse(&text).map_err(unusable)
    }

    /// Calls once. `id` is the same at every try of the same message.
    pub(in crate::outlets) async fn send(
        &self,
        id: &str,
        event: &[u8],
    ) -> Result<Receipt, OutletError> {
        let secrets = self.secrets().await?;
        let client =
            self.client.as_ref().ok_or_else(|| OutletError::later("no-tls", "no TLS here"))?;
        let at = self.clock.wall();
        let call = client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.secs().to_string())
            .header("webhook-signature", secrets.sign(id, at, event))
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
}
