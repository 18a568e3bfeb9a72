//! Mail: one message, one recipient, handed to the team's relay.
//!
//! A failure before the message's first byte is certain and may be tried again; a broken
//! connection after it is not (RFC 1047), and becomes `unknown`. The bytes go out as they
//! are: nothing is folded, re-encoded or dated here.

mod message;
mod session;
mod starttls;
mod tls;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::Relay;
use crate::domain::action::Action;
use crate::domain::address::is_plain;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;
use crate::letters::bell::BellMail;

use super::Outlet;
use session::Session;

/// How long each part of a conversation with the relay may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Reaching it, with TLS.
    pub connect: Span,
    /// One command and its answer.
    pub command: Span,
    /// The message and its answer. Generous, because giving up here makes the message's
    /// fate unknown (RFC 5321 section 4.5.3.2.6).
    pub message: Span,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Span::secs(30), command: Span::mins(1), message: Span::mins(5) }
    }
}

/// The relay as an outlet for [`Action::Mail`].
pub struct MailOutlet {
    relay: Relay,
    hello: String,
    patience: Patience,
    clock: Arc<dyn Clock>,
}

impl MailOutlet {
    /// `domain` is what we call ourselves unless the configuration names something else.
    pub fn new(relay: Relay, domain: &str, clock: Arc<dyn Clock>) -> Self {
        let hello = relay.ehlo.clone().unwrap_or_else(|| domain.to_owned());
        Self { relay, hello, patience: Patience::default(), clock }
    }

    /// The same with other bounds.
    #[must_use]
    pub const fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Rings a bell: the one mail that needs no permit, because its type has no room for
    /// content.
    pub async fn ring(&self, bell: &BellMail) -> Result<Receipt, OutletError> {
        self.open().await?.hand_over(bell.from(), bell.to(), bell.bytes()).await
    }

    async fn open(&self) -> Result<Session, OutletError> {
        Session::open(&self.relay, &self.hello, self.patience, Arc::clone(&self.clock)).await
    }
}

/// What an [`Action::Mail`] asks for, checked.
struct Letter<'a> {
    from: &'a str,
    to: &'a str,
    bytes: &'a [u8],
}

impl<'a> Letter<'a> {
    fn of(intended: &'a Intended) -> Result<Self, OutletError> {
        let Action::Mail { envelope_from, to, .. } = &intended.action else {
            return Err(OutletError::never("not-mail", "the mail outlet takes mail only"));
        };
        if !is_plain(envelope_from) || !is_plain(to) {
            return Err(OutletError::never(
                "bad-address",
                "sender and recipient must each be one plain address, name@host",
            ));
        }
        let [blob] = intended.blobs.as_slice() else {
            return Err(OutletError::never("no-message", "a mail needs exactly one message"));
        };
        message::check(&blob.bytes)?;
        Ok(Self { from: envelope_from, to, bytes: &blob.bytes })
    }
}

#[async_trait]
impl Outlet for MailOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let letter = match Letter::of(intended) {
            Ok(letter) => letter,
            Err(error) => return vec![Finding::stop(&error.code, "mail", error.message)],
        };
        let mut findings = message::findings(letter.bytes);
        match self.open().await {
            Ok(session) => findings.extend(session.examine(letter.bytes).await),
            Err(error) => findings.push(finding(&error)),
        }
        findings
    }

    async fn look(&self, _intended: &Intended) -> Seen {
        // SMTP has no question for it.
        Seen::CannotTell
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let letter = Letter::of(effect.intended())?;
        self.open().await?.hand_over(letter.from, letter.to, letter.bytes).await
    }

    fn repeat(&self) -> Repeat {
        Repeat::SameBytes {
            after: Span::secs(i64::from(self.relay.repeat_after)),
            max: self.relay.max_repeats,
        }
    }
}

/// A relay that cannot be used, as a finding. The relay's own words stay out of it.
fn finding(error: &OutletError) -> Finding {
    let (message, cure) = match error.code.as_str() {
        "relay-unreachable" => {
            ("the relay does not answer", "check `mail.host` and `mail.port`, and that it runs")
        }
        "relay-tls" => (
            "no trusted TLS with the relay",
            "check `mail.tls`; name its authority in `mail.ca_file` if it is not a public one",
        ),
        "relay-auth" => (
            "the relay does not accept our account",
            "check `mail.user` and the file named in `mail.password_file`",
        ),
        _ => ("the relay does not talk to us", "read its log; check `mail.ehlo`"),
    };
    Finding::stop(&error.code, "mail", message).cure(cure)
}
