//! Bells: content-free mails that need no plan, because nothing embargoed fits into one.

use std::sync::Arc;

use super::{Case, CaseError};
use crate::clock::{Clock, Rng, random};
use crate::config::Team;
use crate::domain::deed::Subject;
use crate::domain::ids::StepId;
use crate::domain::receipt::{OutletError, Receipt};
use crate::formats::bell_text::{Attention, Bell, Code};
use crate::letters::bell::probe::{Random, Size};
use crate::letters::bell::{BellMail, compose, probe};
use crate::outlets::Carrier;

/// Rings bells over the team's relay.
pub struct Bells {
    mail: Arc<dyn Carrier>,
    team: Team,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Bells {
    /// Over a carrier of its own.
    pub const fn new(
        mail: Arc<dyn Carrier>,
        team: Team,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self { mail, team, clock, rng }
    }

    /// Calls the team to a plan or a disclosure.
    pub async fn ring_team(
        &self,
        code: &'static str,
        subject: Subject,
        step: Option<StepId>,
    ) -> Case<()> {
        let bell = Bell::TeamAttention(Attention { code, subject, step });
        self.ring(&bell, &self.team.address).await
    }

    /// Calls one member, by their own address.
    pub async fn ring_member(
        &self,
        code: &'static str,
        subject: Subject,
        address: &str,
    ) -> Case<()> {
        let bell = Bell::TeamAttention(Attention { code, subject, step: None });
        self.ring(&bell, address).await
    }

    /// Tells the team that a plan was looked at and nothing stands in its way.
    pub async fn ring_summary(&self, subject: Subject, tried: u32) -> Case<()> {
        self.ring(&Bell::AllClear { subject, tried }, &self.team.address).await
    }

    /// Sends a challenge or a cover mail: a bell that happens to be sealed.
    pub async fn sealed(&self, mail: &BellMail) -> Result<Receipt, OutletError> {
        self.mail.ring(mail).await
    }

    /// Calls somebody on the list; the bell's own words are all that is said.
    pub async fn ring_contact(&self, bell: &Bell, address: &str) -> Case<()> {
        self.ring(bell, address).await
    }

    /// A code by which an answer to a bell is matched.
    pub fn code(&self) -> Code {
        Code::new(random(self.rng.as_ref()))
    }

    /// Sends a mail of a notice's shape to our own mailbox, to see what the way does to it.
    pub async fn probe(&self) -> Case<(BellMail, Receipt)> {
        let message_id = self.message_id();
        let boundary: [u8; 16] = random(self.rng.as_ref());
        let words = Random { message_id: &message_id, boundary: &hex::encode(boundary) };
        let (team, now) = (&self.team.address, self.clock.wall());
        let mail = probe::compose(team, team, &words, now, Size::Notice)
            .await
            .map_err(|e| CaseError::machine("writing a probe", e))?;
        let receipt = self.mail.ring(&mail).await.map_err(|e| {
            CaseError::not_now(
                format!("the relay did not take the probe: {e}: {}", e.message),
                "daybreak doctor --live looks at the relay",
            )
        })?;
        Ok((mail, receipt))
    }

    fn message_id(&self) -> String {
        let token: [u8; 16] = random(self.rng.as_ref());
        format!("{}@{}", hex::encode(token), self.team.domain())
    }

    async fn ring(&self, bell: &Bell, to: &str) -> Case<()> {
        let message_id = self.message_id();
        let mail = compose(bell, &self.team.address, to, &message_id, self.clock.wall())
            .map_err(|e| CaseError::machine("writing a bell", e))?;
        self.mail.ring(&mail).await.map_err(|e| CaseError::machine("ringing a bell", e))?;
        Ok(())
    }
}
