//! What became of a mail after the relay took it: '250' is not delivery.
//!
//! It is asked in order: our own relay's queue or log, a mailbox subscribed to the list, the
//! list's archive. Only the relay can say that a mail never was; only mailbox and archive show
//! that a list sent it. Whoever claims to have found it must name it, by its Message-ID: a
//! program that fails, hangs or contradicts itself told nothing.

mod archive;
mod arrival;
mod program;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::{Config, List};
use crate::domain::action::Action;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

use super::Outlet;
use archive::Archive;
use program::{Program, Said};

pub use arrival::{ArrivalOutlet, arrival_of};

/// One list, as far as its posts can be found.
struct Watched {
    address: String,
    mailbox: Option<Program>,
    archive: Option<Archive>,
}

/// Where mails are looked for.
pub struct Posts {
    relay: Option<Program>,
    /// Whether mail may have gone past the relay that can be asked.
    detour: bool,
    lists: Vec<(String, Watched)>,
    clock: Arc<dyn Clock>,
}

impl Posts {
    /// As configured. A relay that gives mail another Message-ID leaves nothing to look for.
    pub fn new(config: &Config, clock: &Arc<dyn Clock>) -> Self {
        let told_apart = !config.mail.rewrites_message_id;
        let watched = |list: &List| Watched {
            address: list.address.clone(),
            mailbox: Program::new(&list.look, clock),
            archive: Archive::new(list, clock),
        };
        let lists = config.list.iter().filter(|_| told_apart);
        Self {
            relay: Program::new(&config.mail.look, clock).filter(|_| told_apart),
            detour: config.mail.fallback.is_some(),
            lists: lists.map(|(name, list)| (name.clone(), watched(list))).collect(),
            clock: Arc::clone(clock),
        }
    }

    /// What is known of one mail.
    async fn look(&self, intended: &Intended) -> Seen {
        let Action::Mail { to, message_id, .. } = &intended.action else {
            return Seen::CannotTell;
        };
        let relay = match &self.relay {
            Some(relay) => relay.ask(message_id).await,
            None => Said::Nothing,
        };
        // All our mail goes through it: what it never had is nowhere.
        if relay == Said::NotThere && !self.detour {
            return Seen::Absent;
        }
        // A notice is looked for without its bytes, and at our own relay only: whatever its
        // address, no archive on the web hears its Message-ID from us.
        let message = intended.blobs.first().filter(|b| !b.bytes.is_empty());
        let list = self.lists.iter().find(|(_, list)| list.address == *to);
        if let (Some((_, list)), Some(message)) = (list, message) {
            let subject = archive::subject(&message.bytes);
            if let Seen::Present(receipt) = list.sent(message_id, subject.as_deref()).await {
                return Seen::Present(receipt);
            }
        }
        match relay {
            Said::Found(line) => Seen::Present(Receipt::handed_over(format!("relay: {line}"))),
            Said::Waits => Seen::Underway(self.clock.wall()),
            Said::NotThere | Said::Nothing => Seen::CannotTell,
        }
    }
}

impl Watched {
    /// Whether the list sent it. That one place does not show it proves nothing while another
    /// could not be asked.
    async fn sent(&self, message_id: &str, subject: Option<&str>) -> Seen {
        let mailbox = async {
            match &self.mailbox {
                None => None,
                Some(mailbox) => Some(mailbox.ask(message_id).await),
            }
        };
        let archive = async {
            match &self.archive {
                None => None,
                Some(archive) => Some(archive.ask(message_id, subject).await),
            }
        };
        let (mailbox, archive) = tokio::join!(mailbox, archive);
        let mut seen = Seen::Absent;
        for (place, said) in [("mailbox", mailbox), ("archive", archive)] {
            match said {
                Some(Said::Found(line)) => {
                    return Seen::Present(Receipt::seen(format!("{place}: {line}")));
                }
                Some(Said::Nothing | Said::Waits) => seen = Seen::CannotTell,
                Some(Said::NotThere) | None => {}
            }
        }
        seen
    }
}

/// A mail outlet whose mails are looked for.
pub struct LookedAfter {
    mail: Arc<dyn Outlet>,
    posts: Arc<Posts>,
    settle: Span,
}

impl LookedAfter {
    /// Over the outlet that sends. A relay's log may lag as long as a repeat waits anyway.
    pub fn new(mail: Arc<dyn Outlet>, posts: Arc<Posts>) -> Self {
        let settle = match (mail.repeat(), &posts.relay) {
            (Repeat::SameBytes { after, .. }, Some(_)) => after,
            _ => Span::ZERO,
        };
        Self { mail, posts, settle }
    }
}

#[async_trait]
impl Outlet for LookedAfter {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let mut findings = self.mail.check(intended).await;
        findings.extend(self.posts.relay.as_ref().and_then(|p| p.check("mail.look")));
        findings
    }

    async fn look(&self, intended: &Intended) -> Seen {
        self.posts.look(intended).await
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        self.mail.act(effect).await
    }

    fn repeat(&self) -> Repeat {
        self.mail.repeat()
    }

    fn settle(&self) -> Span {
        self.settle
    }
}
