//! One SMTP conversation from the relay's side (RFC 5321), as far as a sender needs it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::{Caught, Desk, Fault};
use crate::config::Tls;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Speaks until the other side goes or a fault breaks it off.
pub(super) async fn hold(stream: TcpStream, desk: Arc<Desk>) {
    let _gone = converse(stream, desk).await;
}

async fn converse(stream: TcpStream, desk: Arc<Desk>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (stream, sealed): (Box<dyn Stream>, bool) = match &desk.tls {
        Some((Tls::Wrapped, acceptor)) => (Box::new(acceptor.accept(stream).await?), true),
        _ => (Box::new(stream), false),
    };
    let mut talk = Talk {
        stream: BufReader::new(stream),
        desk,
        sealed,
        known: false,
        from: None,
        to: Vec::new(),
        asked: Vec::new(),
    };
    talk.say("220 catcher ready").await?;
    while let Some(line) = talk.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        let go_on = match verb.to_ascii_uppercase().as_str() {
            "STARTTLS" => {
                talk = talk.start_tls().await?;
                true
            }
            "QUIT" => {
                talk.say("221 bye").await?;
                false
            }
            verb => talk.obey(verb, rest).await?,
        };
        if !go_on {
            break;
        }
    }
    talk.stream.shutdown().await
}

struct Talk {
    stream: BufReader<Box<dyn Stream>>,
    desk: Arc<Desk>,
    sealed: bool,
    known: bool,
    from: Option<String>,
    to: Vec<String>,
    asked: Vec<String>,
}

impl Talk {
    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// The next line with its end; `None` when the other side has gone.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        Ok(line.ends_with(b"\n").then_some(line))
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
        self.asked.clear();
    }

    /// Whether the conversation goes on.
    async fn obey(&mut self, verb: &str, rest: &str) -> io::Result<bool> {
        let reply = match verb {
            "HELO" => "250 catcher".to_owned(),
            "EHLO" => self.offers(),
            "NOOP" => "250 ok".to_owned(),
            "RSET" => {
                self.forget();
                "250 ok".to_owned()
            }
            "AUTH" => self.auth(rest),
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest),
            "DATA" if self.to.is_empty() => "503 RCPT first".to_owned(),
            "DATA" => {
                self.say("354 go on").await?;
                return self.data().await;
            }
            _ => "500 what".to_owned(),
        };
        self.say(&reply).await?;
        Ok(true)
    }

    fn offers(&mut self) -> String {
        self.forget();
        let mut lines = vec!["catcher".to_owned(), "8BITMIME".to_owned()];
        lines.push(format!("SIZE {}", self.desk.size));
        if self.desk.dsn {
            lines.push("DSN".to_owned());
        }
        if self.desk.account.is_some() {
            lines.push("AUTH PLAIN".to_owned());
        }
        if matches!(self.desk.tls, Some((Tls::Starttls, _))) && !self.sealed {
            lines.push("STARTTLS".to_owned());
        }
        let last = lines.len() - 1;
        let mark = |(i, line)| format!("250{}{line}", if i == last { ' ' } else { '-' });
        lines.into_iter().enumerate().map(mark).collect::<Vec<_>>().join("\r\n")
    }

    async fn start_tls(mut self) -> io::Result<Self> {
        let acceptor = match &self.desk.tls {
            Some((Tls::Starttls, acceptor)) if !self.sealed => acceptor.clone(),
            _ => {
                self.say("502 no").await?;
                return Ok(self);
            }
        };
        self.say("220 go").await?;
        let stream: Box<dyn Stream> = Box::new(acceptor.accept(self.stream.into_inner()).await?);
        Ok(Self {
            stream: BufReader::new(stream),
            desk: self.desk,
            sealed: true,
            known: false,
            from: None,
            to: Vec::new(),
            asked: Vec::new(),
        })
    }

    /// RFC 4616 with an initial response: `PLAIN` and base64 of NUL, account, NUL, password.
    fn auth(&mut self, rest: &str) -> String {
        let given = rest.split_once(' ').and_then(|(_, data)| STANDARD.decode(data).ok());
        let wanted = self.desk.account.as_ref().map(|(user, password)| {
            let mut bytes = vec![0];
            bytes.extend_from_slice(user.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(password.as_bytes());
            bytes
        });
        self.known = wanted.is_some() && given == wanted;
        if self.known { "235 welcome" } else { "535 5.7.8 who are you" }.to_owned()
    }

    fn mail(&mut self, rest: &str) -> String {
        if self.desk.account.is_some() && !self.known {
            return "530 5.7.0 log in first".to_owned();
        }
        match path(rest, "FROM:") {
            Some((from, asked)) => {
                if self.asks_too_much(&asked) {
                    return TOO_MUCH.to_owned();
                }
                self.forget();
                let mine = |f: &Fault| matches!(f, Fault::RefuseSender { address, .. } if *address == from);
                if let Some(Fault::RefuseSender { code, .. }) = self.desk.strikes(mine) {
                    return format!("{code} {from} is not taken");
                }
                self.from = Some(from);
                self.asked.push(asked);
                "250 ok".to_owned()
            }
            None => "501 MAIL FROM:<address>".to_owned(),
        }
    }

    fn rcpt(&mut self, rest: &str) -> String {
        let Some((to, asked)) = path(rest, "TO:").filter(|_| self.from.is_some()) else {
            return "503 RCPT TO:<address> after MAIL".to_owned();
        };
        if self.asks_too_much(&asked) {
            return TOO_MUCH.to_owned();
        }
        let mine =
            |f: &Fault| matches!(f, Fault::RefuseRecipient { address, .. } if *address == to);
        if let Some(Fault::RefuseRecipient { code, .. }) = self.desk.strikes(mine) {
            return format!("{code} {to} is not taken");
        }
        self.to.push(to);
        self.asked.push(asked);
        "250 ok".to_owned()
    }

    /// Whether reports are asked for that were not offered.
    fn asks_too_much(&self, asked: &str) -> bool {
        let of_reports = |word: &str| {
            let name = word.split('=').next().unwrap_or_default();
            ["RET", "ENVID", "NOTIFY", "ORCPT"].iter().any(|n| n.eq_ignore_ascii_case(name))
        };
        !self.desk.dsn && asked.split_whitespace().any(of_reports)
    }

    /// Takes the message; whether the conversation goes on.
    async fn data(&mut self) -> io::Result<bool> {
        let fault = match self.desk.spares(&self.to) {
            true => None,
            false => self.desk.strikes(|f| {
                !matches!(f, Fault::RefuseRecipient { .. } | Fault::RefuseSender { .. })
            }),
        };
        let mut bytes = Vec::new();
        loop {
            let Some(line) = self.line().await? else { return Ok(false) };
            if fault == Some(Fault::DropInside) {
                return Ok(false);
            }
            if line == b".\r\n" {
                break;
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        match fault {
            Some(Fault::AnswerAfterDot(code)) => {
                self.forget();
                self.say(&format!("{code} not taken")).await?;
                return Ok(true);
            }
            Some(Fault::Hang) => {
                self.desk.hanging.fetch_add(1, Ordering::Relaxed);
                std::future::pending().await
            }
            _ => {}
        }
        if bytes.len() > self.desk.size {
            self.say("552 5.3.4 too large").await?;
            return Ok(true);
        }
        let caught = Caught {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            asked: std::mem::take(&mut self.asked),
            bytes,
            at: self.desk.clock.wall(),
            sealed: self.sealed,
        };
        let mut count = 0;
        self.desk.mails.send_modify(|mails| {
            mails.push(caught);
            count = mails.len();
        });
        if fault == Some(Fault::LoseAnswer) {
            return Ok(false);
        }
        self.say(&format!("250 2.0.0 taken as number {count}")).await?;
        Ok(fault != Some(Fault::LeaveAfter))
    }
}

/// Section 4 of RFC 3461 knows parameters that a relay without it does not (RFC 5321 section
/// 4.1.1.11).
const TOO_MUCH: &str = "555 5.5.4 parameters not known";

/// The address between angle brackets after `keyword`, and the parameters after it.
fn path(rest: &str, keyword: &str) -> Option<(String, String)> {
    let given = rest.get(..keyword.len()).filter(|k| k.eq_ignore_ascii_case(keyword))?;
    let (_, after) = rest.strip_prefix(given)?.trim_start().split_once('<')?;
    let (address, asked) = after.split_once('>')?;
    Some((address.to_owned(), asked.trim().to_owned()))
}
