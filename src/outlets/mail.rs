//! Mail: one message, one recipient, handed to the team's relay.
//!
//! A failure before the message's first byte is certain and may be tried again; a broken
//! connection after it is not (RFC 1047), and becomes `unknown`. The bytes go out as they
//! are: nothing is folded, re-encoded or dated here. A second relay is asked only for what
//! the first certainly does not have and did not refuse.

mod message;
mod pool;
mod report;
mod session;
mod starttls;
mod tls;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::{Hop, Relay};
use crate::domain::action::Action;
use crate::domain::address::is_plain;
use crate::domain::effect::{Effect, Intended, Permit};
use crate::domain::envelope::envelope_id;
use crate::domain::finding::{Finding, Severity, any_stop};
use crate::domain::receipt::{OutletError, Receipt, Repeat, Retry, Seen};
use crate::domain::time::Span;
use crate::letters::bell::BellMail;

use super::Outlet;
use pool::Pool;
use report::Asked;
use session::{Door, Session};

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

/// Whether a mail may wait for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    /// It has days, as bells have minutes.
    MayWait,
    /// What is public.
    AtOnce,
}

/// A mail that is under way for so long hangs, if it is small. A relay takes one in far less.
const SLOW: Span = Span::secs(15);
/// Up to so many bytes: the notice of any case without large patches.
const SMALL: usize = 1024 * 1024;
/// Bytes that a line carries in a second if it is slow and does not hang.
const A_SECOND: usize = 64 * 1024;

/// After how long the hand-over of so many bytes counts as hanging: whoever waits for its place
/// has it then.
pub fn grace(bytes: usize) -> Span {
    let line = bytes.saturating_sub(SMALL).checked_div(A_SECOND).unwrap_or(0);
    Span::secs(SLOW.as_millis() / 1000 + i64::try_from(line).unwrap_or(0))
}

/// The relay as an outlet for [`Action::Mail`], and the second relay behind it.
pub struct MailOutlet {
    relay: Relay,
    domain: String,
    clock: Arc<dyn Clock>,
    first: Pool,
    second: Option<Pool>,
}

impl MailOutlet {
    /// `domain` is what we call ourselves unless the configuration names something else.
    pub fn new(relay: Relay, domain: &str, clock: Arc<dyn Clock>) -> Self {
        Self::with(relay, domain, clock, Patience::default())
    }

    /// The same with other bounds.
    #[must_use]
    pub fn patience(self, patience: Patience) -> Self {
        Self::with(self.relay, &self.domain, self.clock, patience)
    }

    fn with(relay: Relay, domain: &str, clock: Arc<dyn Clock>, patience: Patience) -> Self {
        let pool = |hop: Hop, section| {
            let hello = hop.ehlo.clone().unwrap_or_else(|| domain.to_owned());
            let door = Door { hop, section, hello, patience, clock: Arc::clone(&clock) };
            Pool::new(door, relay.connections, Span::secs(i64::from(relay.idle)))
        };
        let first = pool(relay.hop(), "mail");
        let second = relay.fallback.clone().map(|hop| pool(hop, "mail.fallback"));
        Self { domain: domain.to_owned(), relay, clock, first, second }
    }

    /// Rings a bell: the one mail that needs no permit, because its type has no room for
    /// content.
    pub async fn ring(&self, bell: &BellMail) -> Result<Receipt, OutletError> {
        let (from, to, bytes) = (bell.from(), bell.to(), bell.bytes());
        let id = bell.message_id().and_then(|id| envelope_id(from, id));
        let letter = Letter { from, to, bytes, asked: Asked::Headers(id) };
        self.send(&letter, Urgency::MayWait).await
    }

    /// To the first relay; to the second what the first certainly does not have and did not
    /// refuse. The second can deliver, or lose an answer; it never turns a delay into a no.
    async fn send(&self, letter: &Letter<'_>, urgency: Urgency) -> Result<Receipt, OutletError> {
        let taken = |pool: &Pool, reply: String| {
            Receipt::handed_over(format!("{reply} (by {})", pool.door().name()))
        };
        let failed = match self.first.hand_over(letter, urgency).await {
            Ok(reply) => return Ok(taken(&self.first, reply)),
            Err(failed) => failed,
        };
        let Some(second) = self.second.as_ref().filter(|_| failed.may_go_elsewhere()) else {
            return Err(failed.error);
        };
        match second.hand_over(letter, urgency).await {
            Ok(reply) => Ok(taken(second, reply)),
            Err(other) if other.error.retry == Retry::Unknown => Err(other.error),
            Err(other) => {
                let OutletError { code, message, .. } = failed.error;
                let also = format!("{message}; {}: {}", second.door().name(), other.error.message);
                Err(OutletError::later(&code, also))
            }
        }
    }

    /// What would keep one relay from taking this.
    async fn examine(pool: &Pool, letter: &Letter<'_>) -> Vec<Finding> {
        match Session::open(pool.door()).await {
            Ok(session) => session.examine(letter).await,
            Err(error) => vec![finding(&error, pool.door().section)],
        }
    }
}

/// What an [`Action::Mail`] asks for, checked.
struct Letter<'a> {
    from: &'a str,
    to: &'a str,
    bytes: &'a [u8],
    asked: Asked<'a>,
}

impl<'a> Letter<'a> {
    fn of(intended: &'a Intended) -> Result<Self, OutletError> {
        let Action::Mail { envelope_from, to, message_id, .. } = &intended.action else {
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
        let asked = Asked::Headers(envelope_id(envelope_from, message_id));
        Ok(Self { from: envelope_from, to, bytes: &blob.bytes, asked })
    }

    /// A post: its text is public, and lists have their own ways with reports.
    const fn public(self) -> Self {
        Self { asked: Asked::Nothing, ..self }
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
        let mut first = Self::examine(&self.first, &letter).await;
        if let Some(second) = &self.second {
            let mut second = Self::examine(second, &letter).await;
            // One that works is enough for the mail to leave.
            if !any_stop(&second) {
                soften(&mut first, |f| AWAY.contains(&f.code.as_str()));
            }
            if !any_stop(&first) {
                soften(&mut second, |_| true);
            }
            first.extend(second);
        }
        findings.extend(first);
        findings
    }

    async fn look(&self, _intended: &Intended) -> Seen {
        // SMTP has no question for it.
        Seen::CannotTell
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let letter = Letter::of(effect.intended())?;
        let (letter, urgency) = match effect.permit() {
            Permit::Notice(_) => (letter, Urgency::MayWait),
            Permit::Public(_) | Permit::Headsup(_) => (letter.public(), Urgency::AtOnce),
        };
        self.send(&letter, urgency).await
    }

    fn repeat(&self) -> Repeat {
        // Under another Message-ID the repeat would be another mail to whoever gets it.
        if self.relay.rewrites_message_id {
            return Repeat::AskHuman;
        }
        Repeat::SameBytes {
            after: Span::secs(i64::from(self.relay.repeat_after)),
            max: self.relay.max_repeats,
        }
    }

    fn settle(&self) -> Span {
        Span::ZERO
    }
}

/// Codes of a relay that cannot be reached or defers: what the second one is for.
const AWAY: [&str; 5] =
    ["relay-unreachable", "relay-tls", "relay-lost", "relay-deferred", "sender-deferred"];

fn soften(findings: &mut [Finding], which: impl Fn(&Finding) -> bool) {
    for finding in findings.iter_mut().filter(|f| which(f)) {
        finding.severity = finding.severity.min(Severity::Warn);
    }
}

/// A relay that cannot be used, as a finding. The relay's own words stay out of it.
fn finding(error: &OutletError, section: &str) -> Finding {
    let (message, cure) = match error.code.as_str() {
        "relay-unreachable" => (
            "the relay does not answer",
            format!("check `{section}.host` and `{section}.port`, and that it runs"),
        ),
        "relay-tls" => (
            "no trusted TLS with the relay",
            format!(
                "check `{section}.tls`; name its authority in `{section}.ca_file` if it is not a public one"
            ),
        ),
        "relay-auth" => (
            "the relay does not accept our account",
            format!("check `{section}.user` and the file named in `{section}.password_file`"),
        ),
        "sender-refused" | "sender-deferred" => (
            "the relay does not take mail from this sender",
            format!(
                "let the relay take `envelope_from`, or configure one that it takes for `{section}`"
            ),
        ),
        _ => ("the relay does not talk to us", format!("read its log; check `{section}.ehlo`")),
    };
    Finding::stop(&error.code, section, message).cure(cure)
}
