//! Bells: content-free calls that need no plan, because nothing embargoed fits into one.

mod ways;

use std::sync::Arc;

use super::{Case, CaseError};
use crate::clock::{Clock, Rng, random};
use crate::config::{BellWay, Team};
use crate::domain::deed::Subject;
use crate::domain::ids::StepId;
use crate::domain::receipt::{OutletError, Receipt};
use crate::domain::time::{At, Mono};
use crate::formats::bell_text::{Attention, Bell, Code};
use crate::letters::bell::probe::{Random, Size};
use crate::letters::bell::{BellMail, compose, probe};
use crate::outlets::Carrier;
use ways::{MailPager, Ways};

pub use ways::Belated;

/// Rings bells over the team's relay, and calls the team in whatever ways it wished for.
pub struct Bells {
    desk: Arc<Desk>,
    ways: Arc<Ways>,
}

/// What writes bells that are mails.
struct Desk {
    mail: Arc<dyn Carrier>,
    team: Team,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Bells {
    /// Over a carrier of its own; the team is called by mail.
    pub fn new(
        mail: Arc<dyn Carrier>,
        team: Team,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        let desk = Arc::new(Desk { mail, team, clock: Arc::clone(&clock), rng });
        let mail = MailPager { desk: Arc::clone(&desk), to: desk.team.address.clone() };
        Self { ways: Arc::new(Ways::only(Arc::new(mail), clock)), desk }
    }

    /// The same with the ways that the team configured, if it did.
    #[must_use]
    pub fn with_ways(mut self, ways: &[BellWay]) -> Self {
        if !ways.is_empty() {
            let clock = Arc::clone(&self.desk.clock);
            self.ways = Arc::new(Ways::configured(ways, &self.desk, clock));
        }
        self
    }

    /// Calls the team to a plan or a disclosure, once.
    pub async fn ring_team(
        &self,
        code: &'static str,
        subject: Subject,
        step: Option<StepId>,
    ) -> Case<()> {
        self.call_team(Attention { code, subject, step, call: self.code(), tier: None }).await
    }

    /// Calls the team in every way that takes it. It is heard when one of them took it; those
    /// that did not are tried again by [`Bells::belated`].
    pub async fn call_team(&self, attention: Attention) -> Case<()> {
        self.ways.call(attention).await.map_err(|e| CaseError::machine("ringing a bell", e))
    }

    /// What a way did not take and is to be tried again now.
    pub fn belated(&self, now: Mono) -> Vec<Belated> {
        self.ways.belated(now)
    }

    /// Tries one of those again.
    pub async fn call_again(&self, belated: Belated) {
        self.ways.call_again(belated).await;
    }

    /// Whether one of several ways has taken nothing for long: the others must say so.
    pub fn is_failing(&self, now: Mono) -> bool {
        self.ways.is_failing(now)
    }

    /// Calls one member, by their own address.
    pub async fn ring_member(
        &self,
        code: &'static str,
        subject: Subject,
        address: &str,
    ) -> Case<()> {
        let call = self.code();
        let bell = Bell::TeamAttention(Attention { code, subject, step: None, call, tier: None });
        self.ring_contact(&bell, address).await
    }

    /// Tells the team that a plan was looked at and nothing stands in its way.
    pub async fn ring_summary(&self, subject: Subject, tried: u32) -> Case<()> {
        self.ring_contact(&Bell::AllClear { subject, tried }, &self.desk.team.address).await
    }

    /// Sends a challenge or a cover mail: a bell that happens to be sealed.
    pub async fn sealed(&self, mail: &BellMail) -> Result<Receipt, OutletError> {
        self.desk.mail.ring(mail).await
    }

    /// Calls somebody on the list; the bell's own words are all that is said.
    pub async fn ring_contact(&self, bell: &Bell, address: &str) -> Case<()> {
        let now = self.desk.clock.wall();
        self.desk
            .ring(bell, address, now)
            .await
            .map_err(|e| CaseError::machine("ringing a bell", e))
    }

    /// A code by which an answer to a bell is matched.
    pub fn code(&self) -> Code {
        Code::new(random(self.desk.rng.as_ref()))
    }

    /// Sends a mail of a notice's shape to our own mailbox, to see what the way does to it.
    pub async fn probe(&self) -> Case<(BellMail, Receipt)> {
        let Desk { mail, team, clock, rng } = self.desk.as_ref();
        let message_id = self.desk.message_id();
        let boundary: [u8; 16] = random(rng.as_ref());
        let words = Random { message_id: &message_id, boundary: &hex::encode(boundary) };
        let (team, now) = (&team.address, clock.wall());
        let probe = probe::compose(team, team, &words, now, Size::Notice)
            .await
            .map_err(|e| CaseError::machine("writing a probe", e))?;
        let receipt = mail.ring(&probe).await.map_err(|e| {
            CaseError::not_now(
                format!("the relay did not take the probe: {e}: {}", e.message),
                "daybreak doctor --live looks at the relay",
            )
        })?;
        Ok((probe, receipt))
    }
}

impl Desk {
    fn message_id(&self) -> String {
        let token: [u8; 16] = random(self.rng.as_ref());
        format!("{}@{}", hex::encode(token), self.team.domain())
    }

    async fn ring(&self, bell: &Bell, to: &str, now: At) -> Result<(), OutletError> {
        let mail = compose(bell, &self.team.address, to, &self.message_id(), now)
            .map_err(|_| OutletError::never("bell-not-written", "the address cannot be used"))?;
        self.mail.ring(&mail).await.map(|_| ())
    }
}
