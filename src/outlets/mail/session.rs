//! One conversation with the relay, driven by hand so that every failure falls on the right
//! side of the message's first byte.

use std::sync::Arc;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::{ClientId, Extension};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::report::Asked;
use super::starttls::{self, NoStartTls};
use super::tls::{self, NoTls};
use super::wire::Wire;
use super::{Letter, Patience, message};
use crate::clock::{Clock, within};
use crate::config::{Hop, Tls};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Retry};
use crate::domain::time::Span;

/// How long we wait for an answer to our good-bye, which nobody needs.
const GOODBYE: Span = Span::secs(2);

/// Everything needed to begin a conversation with one relay.
pub(super) struct Door {
    pub hop: Hop,
    /// The section of the configuration it comes from.
    pub section: &'static str,
    /// What we call ourselves.
    pub hello: String,
    pub patience: Patience,
    pub clock: Arc<dyn Clock>,
}

impl Door {
    /// What a receipt calls it.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.hop.host, self.hop.port)
    }
}

/// How a message was not handed over.
pub(super) struct Failed {
    pub error: OutletError,
    /// Whether the message had begun: then this is all there is to say.
    pub begun: bool,
    /// Whether the connection is of no more use.
    pub gone: bool,
}

impl Failed {
    /// Before there was a connection.
    pub(super) const fn before(error: OutletError) -> Self {
        Self { error, begun: false, gone: true }
    }

    /// Whether another relay may be asked: nothing was sent, and nobody refused.
    pub(super) fn may_go_elsewhere(&self) -> bool {
        !self.begun && self.error.retry == Retry::Later
    }
}

/// An open conversation, past TLS and AUTH, ready for a message.
pub(super) struct Session {
    smtp: AsyncSmtpConnection,
    door: Arc<Door>,
    /// Whether a transaction was left half-way, and must be reset before the next.
    dirty: bool,
    /// Whether it offers DSN (RFC 3461), once it was asked.
    reports: Option<bool>,
}

impl Session {
    /// Connects, encrypts, greets, logs in. Nothing has been sent when it fails.
    pub(super) async fn open(door: &Arc<Door>) -> Result<Self, OutletError> {
        let hello = door.hello.as_str();
        let host_like = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
        if hello.is_empty() || !hello.chars().all(host_like) {
            let message = format!("`{}.ehlo` must be a host name", door.section);
            return Err(OutletError::never("bad-ehlo", message));
        }
        let greet = async {
            let wire = connect(&door.hop, hello).await?;
            let id = ClientId::Domain(hello.to_owned());
            AsyncSmtpConnection::connect_with_transport(Box::new(wire), &id)
                .await
                .map_err(|e| refused("relay", &e))
        };
        let smtp = within(door.clock.as_ref(), door.patience.connect, greet)
            .await
            .unwrap_or_else(|| Err(OutletError::later("relay-unreachable", "no answer in time")))?;
        let mut session = Self { smtp, door: Arc::clone(door), dirty: false, reports: None };
        session.log_in().await?;
        Ok(session)
    }

    async fn log_in(&mut self) -> Result<(), OutletError> {
        let door = Arc::clone(&self.door);
        let (hop, section) = (&door.hop, door.section);
        let Some(user) = &hop.user else { return Ok(()) };
        let no = |message: String| OutletError::ask_human("relay-auth", message);
        let Some(file) = &hop.password_file else {
            return Err(no(format!("`{section}.user` needs `{section}.password_file`")));
        };
        let password = tokio::fs::read_to_string(file).await.map(Zeroizing::new).map_err(|_| {
            no(format!("the file named in `{section}.password_file` cannot be read"))
        })?;
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        let credentials = Credentials::new(user.clone(), password);
        let auth = self.smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
        match within(door.clock.as_ref(), door.patience.command, auth).await {
            Some(Ok(_)) => Ok(()),
            Some(Err(e)) if e.is_client() => {
                Err(no("the relay offers neither PLAIN nor LOGIN".to_owned()))
            }
            Some(Err(e)) if e.is_permanent() => Err(no(e.to_string())),
            Some(Err(e)) => Err(refused("relay", &e)),
            None => Err(OutletError::later("relay-lost", "no answer to AUTH in time")),
        }
    }

    /// One command whose failure is certain to have had no effect.
    async fn say(&mut self, line: String, what: &str) -> Result<Response, Failed> {
        let answer = self.smtp.command(line);
        let (clock, patience) = (self.door.clock.as_ref(), self.door.patience.command);
        match within(clock, patience, answer).await {
            Some(Ok(response)) => Ok(response),
            Some(Err(e)) => {
                Err(Failed { error: refused(what, &e), begun: false, gone: hung_up(&e) })
            }
            None => Err(Failed::before(OutletError::later("relay-lost", "no answer in time"))),
        }
    }

    /// What can be asked of this relay: nothing unless it offers DSN. lettre keeps no such word
    /// of the greeting, so the relay is asked again, once a connection.
    async fn may_ask<'a>(&mut self, asked: Asked<'a>) -> Result<Asked<'a>, Failed> {
        if asked == Asked::Nothing {
            return Ok(asked);
        }
        let offered = match self.reports {
            Some(known) => known,
            None => match self.say(format!("EHLO {}\r\n", self.door.hello), "relay").await {
                Ok(offers) => offers_dsn(&offers),
                // It is there and says no more: the mail goes without.
                Err(failed) if !failed.gone => false,
                Err(failed) => return Err(failed),
            },
        };
        self.reports = Some(offered);
        Ok(if offered { asked } else { Asked::Nothing })
    }

    /// Hands one message over and gives the relay's reply. Addresses and line ends have been
    /// checked. The session serves again unless the failure says that it is gone.
    pub(super) async fn hand_over(&mut self, letter: &Letter<'_>) -> Result<String, Failed> {
        let Letter { from, to, bytes, asked } = *letter;
        let body = if bytes.is_ascii() {
            ""
        } else if self.smtp.server_info().supports_feature(Extension::EightBitMime) {
            " BODY=8BITMIME"
        } else {
            return Err(Failed { error: needs_8bitmime(), begun: false, gone: false });
        };
        if self.dirty {
            self.say("RSET\r\n".to_owned(), "relay").await?;
        }
        let asked = self.may_ask(asked).await?;
        self.dirty = true;
        let (sender, recipient) = (asked.with_sender(), asked.with_recipient());
        self.say(format!("MAIL FROM:<{from}>{body}{sender}\r\n"), "sender").await?;
        self.say(format!("RCPT TO:<{to}>{recipient}\r\n"), "recipient").await?;
        let go_on = self.say("DATA\r\n".to_owned(), "message").await?;
        if !go_on.has_code(354) {
            return Err(Failed::before(OutletError::later("relay-confused", reply(&go_on))));
        }
        // From here on the message may be anywhere.
        let sending = self.smtp.message(message::body(bytes));
        let (clock, patience) = (self.door.clock.as_ref(), self.door.patience.message);
        let lost = |message: &str| OutletError::unknown("answer-lost", message);
        let (error, gone) = match within(clock, patience, sending).await {
            Some(Ok(r)) if r.code().severity == Severity::PositiveCompletion => {
                self.dirty = false;
                return Ok(reply(&r));
            }
            Some(Ok(r)) => (OutletError::unknown("answer-unclear", reply(&r)), true),
            Some(Err(e)) if e.status().is_some() => (refused("message", &e), hung_up(&e)),
            Some(Err(_)) => (lost("the connection broke"), true),
            None => (lost("no answer in time"), true),
        };
        Err(Failed { error, begun: true, gone })
    }

    /// What the relay says of its limits, and whether it is alive past AUTH.
    /// Our sender is named and the transaction given up: no recipient, and no byte of the mail.
    pub(super) async fn examine(mut self, letter: &Letter<'_>) -> Vec<Finding> {
        let bytes = letter.bytes;
        let mut findings = Vec::new();
        let section = self.door.section;
        match self.say(format!("EHLO {}\r\n", self.door.hello), "relay").await {
            Ok(offers) => {
                let limit = size_limit(&offers);
                if limit.is_some_and(|most| bytes.len() as u64 > most) {
                    let message = format!("the relay takes at most {} bytes", limit.unwrap_or(0));
                    findings.push(
                        Finding::stop("mail-too-large", section, message)
                            .cure("leave the patch to our page, or raise the relay's limit"),
                    );
                }
                let eight_bit = self.smtp.server_info().supports_feature(Extension::EightBitMime);
                if !bytes.is_ascii() && !eight_bit {
                    let error = needs_8bitmime();
                    findings.push(Finding::stop(&error.code, section, error.message));
                }
            }
            Err(failed) => findings.push(super::finding(&failed.error, section)),
        }
        let tried = match self.say(format!("MAIL FROM:<{}>\r\n", letter.from), "sender").await {
            Ok(_) => self.say("RSET\r\n".to_owned(), "relay").await,
            refused => refused,
        };
        if let Err(failed) = tried {
            findings.push(super::finding(&failed.error, section));
        }
        self.close().await;
        findings
    }

    async fn close(mut self) {
        let _unheard = within(self.door.clock.as_ref(), GOODBYE, self.smtp.quit()).await;
    }
}

fn needs_8bitmime() -> OutletError {
    OutletError::never("needs-8bitmime", "the message is not ASCII and the relay takes ASCII only")
}

async fn connect(relay: &Hop, hello: &str) -> Result<Wire, OutletError> {
    let unreachable =
        |e: std::io::Error| OutletError::later("relay-unreachable", e.kind().to_string());
    let no_tls = |e: NoTls| OutletError::later("relay-tls", e.to_string());
    let mut stream =
        TcpStream::connect((relay.host.as_str(), relay.port)).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    let peer = stream.peer_addr().map_err(unreachable)?;
    let ca_file = relay.ca_file.as_deref();
    match relay.tls {
        // A name such as `localhost` is what the resolver says: believe the address only.
        Tls::None if peer.ip().is_loopback() => Ok(Wire::clear(peer, stream)),
        Tls::None => {
            Err(OutletError::never("relay-tls", "a relay that is not on this machine needs TLS"))
        }
        Tls::Wrapped => {
            let sealed = tls::seal(stream, &relay.host, ca_file).await.map_err(no_tls)?;
            Ok(Wire::sealed(peer, sealed, Vec::new()))
        }
        Tls::Starttls => {
            let greeting = starttls::ask(&mut stream, hello).await.map_err(|e| match e {
                NoStartTls::Broken(e) => unreachable(e),
                NoStartTls::Refused(code, text) if code >= 500 => {
                    OutletError::never("relay-refused", text)
                }
                NoStartTls::Refused(_, text) => OutletError::later("relay-deferred", text),
                NoStartTls::NotOffered => OutletError::later("relay-tls", e.to_string()),
            })?;
            let sealed = tls::seal(stream, &relay.host, ca_file).await.map_err(no_tls)?;
            Ok(Wire::sealed(peer, sealed, greeting))
        }
    }
}

/// A failure before the message, or a definite answer after it: nothing was taken.
fn refused(what: &str, error: &SmtpError) -> OutletError {
    let said = error.to_string();
    let code = error.status().map(|c| c.to_string());
    match code.as_deref() {
        // RFC 4954 section 6: authentication required, or credentials invalid.
        Some("530" | "535") => OutletError::ask_human("relay-auth", said),
        Some(_) if error.is_permanent() => OutletError::never(&format!("{what}-refused"), said),
        Some(_) => OutletError::later(&format!("{what}-deferred"), said),
        None => OutletError::later("relay-lost", "the connection broke before the message"),
    }
}

/// Whether the relay ends the conversation (RFC 5321 section 3.8), or has gone.
fn hung_up(error: &SmtpError) -> bool {
    error.status().is_none_or(|code| code.to_string() == "421")
}

fn reply(response: &Response) -> String {
    let lines: Vec<_> = response.message().collect();
    format!("{} {}", response.code(), lines.join(" ")).trim_end().to_owned()
}

/// RFC 3461 section 3: the keyword has no parameters.
fn offers_dsn(offers: &Response) -> bool {
    offers.message().any(|line| line.trim().eq_ignore_ascii_case("DSN"))
}

/// RFC 1870: `SIZE` alone or `SIZE 0` means no stated limit.
fn size_limit(offers: &Response) -> Option<u64> {
    offers.message().find_map(|line| {
        let (keyword, value) = line.split_once(' ')?;
        let most = value.trim().parse().ok().filter(|n| *n > 0)?;
        keyword.eq_ignore_ascii_case("SIZE").then_some(most)
    })
}
