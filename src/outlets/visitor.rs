//! The public web as anybody sees it: GETs without credentials, cookies or proxies, bounded in
//! time and size, redirected within one origin only.

use std::sync::Arc;

use reqwest::{Client, Response, Url, redirect};

use crate::clock::{Clock, within};
use crate::domain::time::Span;

/// For one whole answer.
const ALLOWED: Span = Span::secs(10);
/// The largest listings of public indices are a few MiB.
const LIMIT: usize = 32 * 1024 * 1024;

/// Somebody who only reads.
pub(super) struct Visitor {
    client: Option<Client>,
    clock: Arc<dyn Clock>,
}

/// What an address answered.
pub(super) struct Page {
    /// HTTP's status.
    pub status: u16,
    /// Media type without parameters, in lower case.
    pub media_type: Option<String>,
    /// The whole body.
    pub bytes: Vec<u8>,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPage {
    /// Nobody answered as HTTP says, or the answer broke off.
    #[error("cannot be reached")]
    Unreachable,
    /// The answer took too long.
    #[error("gives no answer in time")]
    Slow,
    /// The answer is too long.
    #[error("answers too much")]
    TooLong,
    /// It leads to another host.
    #[error("sends its readers to another host")]
    Elsewhere,
}

impl Visitor {
    /// One that follows redirects within the first address's scheme and host only.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let same_host = redirect::Policy::custom(|attempt| {
            let first = attempt.previous().first();
            let origin = |u: &Url| (u.host_str().map(str::to_owned), u.scheme().to_owned());
            if attempt.previous().len() < 4 && first.map(origin) == Some(origin(attempt.url())) {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        // Proxies come from the environment, which is nobody's configuration: none.
        let client =
            Client::builder().user_agent("daybreak").redirect(same_host).no_proxy().build().ok();
        Self { client, clock }
    }

    /// What stands at `url` now, past caches where they allow it.
    pub(super) async fn get(&self, url: &str, accept: &str) -> Result<Page, NoPage> {
        within(self.clock.as_ref(), ALLOWED, self.fetch(url, accept))
            .await
            .unwrap_or(Err(NoPage::Slow))
    }

    async fn fetch(&self, url: &str, accept: &str) -> Result<Page, NoPage> {
        let client = self.client.as_ref().ok_or(NoPage::Unreachable)?;
        let ask = client.get(url).header("Accept", accept).header("Cache-Control", "no-cache");
        // The library's error texts carry the address.
        let mut response = ask.send().await.map_err(|_| NoPage::Unreachable)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(NoPage::Elsewhere);
        }
        let media_type = media_type(&response);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| NoPage::Unreachable)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LIMIT {
                return Err(NoPage::TooLong);
            }
        }
        Ok(Page { status: status.as_u16(), media_type, bytes })
    }
}

fn media_type(response: &Response) -> Option<String> {
    let value = response.headers().get("content-type")?.to_str().ok()?;
    value.split(';').next().map(|kind| kind.trim().to_ascii_lowercase())
}
