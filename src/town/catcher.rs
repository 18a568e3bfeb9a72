//! The mail catcher: a relay on a loopback port that keeps every message exactly as it came
//! and can misbehave on demand.
//!
//! Nothing it takes ever leaves the machine.

mod conversation;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::clock::Clock;
use crate::config::Tls;
use crate::domain::time::At;

/// A message with its envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct Caught {
    /// MAIL FROM.
    pub from: String,
    /// Every RCPT TO that was accepted.
    pub to: Vec<String>,
    /// What was asked with them: the parameters of MAIL FROM and of each RCPT TO.
    pub asked: Vec<String>,
    /// The message, dots unstuffed, otherwise as it came.
    pub bytes: Vec<u8>,
    /// When its final dot arrived.
    pub at: At,
    /// Whether it came through TLS.
    pub sealed: bool,
}

impl std::fmt::Debug for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[caught mail of {} bytes]", self.bytes.len())
    }
}

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers RCPT TO of this address with this code.
    RefuseRecipient {
        /// The address.
        address: String,
        /// 4xx or 5xx.
        code: u16,
    },
    /// Answers MAIL FROM of this address with this code.
    RefuseSender {
        /// The address.
        address: String,
        /// 4xx or 5xx.
        code: u16,
    },
    /// Breaks off in the middle of the message, which is lost.
    DropInside,
    /// Answers the final dot with this code and keeps nothing.
    AnswerAfterDot(u16),
    /// Keeps the message and breaks off before answering.
    LoseAnswer,
    /// Keeps the message, answers, and then ends the conversation without a word, as relays
    /// do with those that are silent for long.
    LeaveAfter,
    /// Takes the message, keeps nothing and never answers.
    Hang,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// This often, then no more.
    Only(u32),
    /// Every time.
    Always,
}

/// How a catcher is set up.
#[derive(Default)]
pub struct Setup {
    /// Where it listens; a free loopback port unless said.
    pub listen: Option<SocketAddr>,
    /// Account and password without which it takes nothing.
    pub account: Option<(String, String)>,
    /// TLS, by STARTTLS or from the first byte, with this certificate.
    pub tls: Option<(Tls, Arc<ServerConfig>)>,
    /// Largest message in bytes; 25 MiB unless said.
    pub size: Option<usize>,
    /// Whether it offers reports (RFC 3461); if not, it refuses whoever asks for one.
    pub dsn: bool,
}

impl Setup {
    /// As most relays are: it offers reports.
    pub fn as_usual() -> Self {
        Self { dsn: true, ..Self::default() }
    }
}

/// What all conversations share.
struct Desk {
    clock: Arc<dyn Clock>,
    account: Option<(String, String)>,
    tls: Option<(Tls, TlsAcceptor)>,
    size: usize,
    dsn: bool,
    script: Mutex<Vec<(Fault, Times)>>,
    spared: Mutex<Option<String>>,
    mails: watch::Sender<Vec<Caught>>,
    conversations: AtomicUsize,
    hanging: AtomicUsize,
}

impl Desk {
    fn script(&self) -> MutexGuard<'_, Vec<(Fault, Times)>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is to go wrong with mail to these.
    fn spares(&self, to: &[String]) -> bool {
        let spared = self.spared.lock().unwrap_or_else(PoisonError::into_inner);
        spared.as_ref().is_some_and(|s| to.contains(s))
    }

    /// The first fault that `fits`, counted down.
    fn strikes(&self, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut script = self.script();
        let (fault, times) =
            script.iter_mut().find(|(fault, times)| *times != Times::Only(0) && fits(fault))?;
        if let Times::Only(n) = times {
            *n = n.saturating_sub(1);
        }
        Some(fault.clone())
    }
}

/// A running catcher; it stops when dropped.
pub struct Catcher {
    address: SocketAddr,
    desk: Arc<Desk>,
    listening: JoinHandle<()>,
}

impl Catcher {
    /// Starts one. Errors when it cannot listen.
    pub async fn start(setup: Setup, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let listen = setup.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk {
            clock,
            account: setup.account,
            tls: setup.tls.map(|(how, config)| (how, TlsAcceptor::from(config))),
            size: setup.size.unwrap_or(25 * 1024 * 1024),
            dsn: setup.dsn,
            spared: Mutex::new(None),
            script: Mutex::default(),
            mails: watch::Sender::new(Vec::new()),
            conversations: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&desk);
        let listening = tokio::spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.conversations.fetch_add(1, Ordering::Relaxed);
                talks.spawn(conversation::hold(stream, Arc::clone(&shared)));
                while talks.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, desk, listening })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Misbehaves from now on; earlier faults strike first.
    pub fn script(&self, fault: Fault, times: Times) {
        self.desk.script().push((fault, times));
    }

    /// Mail to this address always goes well: a bell to the team, say, that comes in between
    /// and must not take a fault meant for another mail.
    pub fn spare(&self, address: &str) {
        let mut spared = self.desk.spared.lock().unwrap_or_else(PoisonError::into_inner);
        *spared = Some(address.to_owned());
    }

    /// Behaves again.
    pub fn behave(&self) {
        self.desk.script().clear();
    }

    /// How many conversations were begun so far.
    pub fn conversations(&self) -> usize {
        self.desk.conversations.load(Ordering::Relaxed)
    }

    /// How many messages were taken so far that will never be answered.
    pub fn hanging(&self) -> usize {
        self.desk.hanging.load(Ordering::Relaxed)
    }

    /// Every message so far, in order of arrival.
    pub fn mails(&self) -> Vec<Caught> {
        self.desk.mails.borrow().clone()
    }

    /// Waits until at least `n` messages have come, and gives them all.
    pub async fn wait_for(&self, n: usize) -> Vec<Caught> {
        let mut mails = self.desk.mails.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        match mails.wait_for(|caught| caught.len() >= n).await {
            Ok(caught) => caught.clone(),
            Err(_) => self.mails(),
        }
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
