//! The nightly round: certificates that will end are said to their owners and to the team, 60,
//! 30, 14 and 7 days ahead, each once.
//!
//! What must stay true: it goes by the calendar alone and knows no disclosure, so that its mails
//! give nothing away; it is an errand that no step waits for, and its failure is nobody's
//! failure; what was rung is in the audit, so that a restart rings nothing twice; a bell that
//! was not taken is rung the next night.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::task::AbortHandle;

use super::errands::Errand;
use super::{Engine, EngineError};
use crate::casework::{CaseError, House, distributors, inbound};
use crate::config::Housekeeping;
use crate::domain::deed::{Actor, Subject};
use crate::domain::ids::{CertificateId, DistributorId, HolderId};
use crate::domain::party::Distributor;
use crate::domain::secret::Reason;
use crate::domain::time::{At, Span};
use crate::formats::bell_text::{Bell, PublicUrl, Trouble};
use crate::pgp::{self, Certificate};
use crate::store::Threads;

/// Days ahead, nearest first, and what the team is told.
const AHEAD: [(i64, &str); 4] = [
    (7, "certificate-ends-in-7-days"),
    (14, "certificate-ends-in-14-days"),
    (30, "certificate-ends-in-30-days"),
    (60, "certificate-ends-in-60-days"),
];
/// The audit's word for a bell that was taken.
const RUNG: &str = "certificate-bell";
/// After this many bells in a row that nobody took, the relay is away: tomorrow again.
const PATIENCE: u32 = 5;

/// When the next round is due, and whether one is under way.
#[derive(Default)]
pub(super) struct Rounds {
    /// The next one, and when that was reckoned.
    next: Option<(At, At)>,
    underway: Option<AbortHandle>,
}

impl Rounds {
    /// Whether a round begins now.
    fn due(&mut self, now: At, schedule: &Housekeeping) -> bool {
        // Reckoned anew when the clock was set back: a night must not be a year away.
        let known = self.next.filter(|(_, reckoned)| *reckoned <= now);
        let due = known.is_some_and(|(next, _)| now >= next);
        if due || known.is_none() {
            self.next = schedule.next_after(now).map(|next| (next, now));
        }
        due && self.underway.as_ref().is_none_or(AbortHandle::is_finished)
    }
}

impl Engine {
    /// Begins the round when it is due. A start is no reason for one.
    pub(super) fn keep_house(&mut self, now: At) {
        if !self.rounds.due(now, &self.house.config.housekeeping) {
            return;
        }
        let round = Round {
            house: Arc::clone(&self.house),
            holder: self.lead.holder,
            epoch: self.lead.epoch,
        };
        let errand = async move { Errand::Kept(round.make().await) };
        self.rounds.underway = Some(self.errands.spawn(errand));
    }
}

/// To whom a bell went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Heard {
    Owner,
    Team,
}

/// One bell that was taken, as the audit keeps it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rung {
    heard: Heard,
    days: i64,
    ends: At,
}

/// A certificate that will end.
struct Ending {
    distributor: DistributorId,
    certificate: CertificateId,
    address: String,
    ends: At,
    days: i64,
    code: &'static str,
}

/// How a round goes.
#[derive(Default)]
struct Tally {
    rung: u32,
    refused: u32,
}

impl Tally {
    /// One address that takes nothing must not silence the others; a relay that takes nothing
    /// even for the team ends the round.
    fn take(&mut self, heard: Heard, done: Result<bool, EngineError>) -> Result<(), EngineError> {
        match done {
            Ok(true) => (self.rung, self.refused) = (self.rung.saturating_add(1), 0),
            Ok(false) => {}
            Err(e) => {
                let team = u32::from(heard == Heard::Team);
                self.refused = self.refused.saturating_add(team);
                if e.is_fatal() || self.refused >= PATIENCE {
                    return Err(e);
                }
            }
        }
        Ok(())
    }
}

struct Round {
    house: Arc<House>,
    holder: HolderId,
    epoch: i64,
}

impl Round {
    /// How many bells were taken.
    async fn make(self) -> Result<u32, EngineError> {
        // First: it needs no relay. What it cannot do tonight it does tomorrow.
        match inbound::tidy(&self.house, Actor::Engine(self.holder)).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(count = forgotten, "old mail of nobody was forgotten"),
            Err(_) => tracing::warn!("old mail of nobody could not be forgotten"),
        }
        let distributors = self.house.store.read(|r| r.distributors()).await?;
        let now = self.house.now();
        let mut tally = Tally::default();
        let untold = untold(&distributors, now);
        let endings = match self.house.store.threads() {
            Threads::Inline => endings(&distributors, now),
            Threads::Spawned => {
                let judged = tokio::task::spawn_blocking(move || endings(&distributors, now));
                judged.await.unwrap_or_default()
            }
        };
        for (distributor, certificate) in untold {
            tally.take(Heard::Owner, self.tell_change(distributor, certificate).await)?;
        }
        for ending in endings {
            for heard in [Heard::Owner, Heard::Team] {
                tally.take(heard, self.ring(&ending, heard).await)?;
            }
        }
        Ok(tally.rung)
    }

    /// A change whose owner could not be told when it was asked for.
    async fn tell_change(
        &self,
        distributor: DistributorId,
        certificate: CertificateId,
    ) -> Result<bool, EngineError> {
        let now = self.house.store.read(move |r| r.distributor(distributor)).await?;
        let actor = Actor::Engine(self.holder);
        distributors::tell_owner(&self.house, actor, &now, certificate).await?;
        Ok(true)
    }

    /// Rings once for this end and this threshold.
    async fn ring(&self, ending: &Ending, heard: Heard) -> Result<bool, EngineError> {
        let subject = Subject::from(ending.certificate);
        let lines = self.house.store.read(move |r| r.audit_of(&subject)).await?;
        let known = lines.iter().filter(|l| l.verb == RUNG).any(|line| {
            let rung = serde_json::from_str::<Rung>(line.detail.open(Reason::Judging));
            rung.is_ok_and(|r| r.heard == heard && r.ends == ending.ends && r.days <= ending.days)
        });
        if known {
            return Ok(false);
        }
        match heard {
            Heard::Owner => {
                let page = PublicUrl::parse(&self.house.config.site.base_url)
                    .map_err(|e| CaseError::machine("writing a bell", e))?;
                let trouble = Trouble::Expires(ending.ends);
                let code = self.house.bells.code();
                let bell = Bell::CertificateProblem { trouble, page, code };
                self.house.bells.ring_contact(&bell, &ending.address).await?;
            }
            Heard::Team => {
                let about = Subject::from(ending.distributor);
                self.house.bells.ring_team(ending.code, about, None).await?;
            }
        }
        let rung = Rung { heard, days: ending.days, ends: ending.ends };
        let detail = serde_json::to_string(&rung).unwrap_or_default();
        let actor = Actor::Engine(self.holder);
        let deed = self.house.deed(actor, RUNG, ending.certificate).detail(detail);
        let epoch = self.epoch;
        self.house.store.write(&deed, move |tx| tx.still_leads(epoch)).await?;
        Ok(true)
    }
}

/// Changes that were asked for and not told.
fn untold(all: &[Distributor], now: At) -> Vec<(DistributorId, CertificateId)> {
    let mut untold = Vec::new();
    for distributor in all {
        for contact in &distributor.record.open(Reason::Dispatch).contacts {
            let silent = contact
                .pending(now)
                .filter(|c| c.change.as_ref().is_some_and(|change| change.told_at.is_none()));
            untold.extend(silent.map(|c| (distributor.id, c.id)));
        }
    }
    untold
}

/// Judges every certificate in use; those that will end within the longest threshold. Takes a
/// while: there is one signature after another to be checked.
fn endings(all: &[Distributor], now: At) -> Vec<Ending> {
    let mut endings = Vec::new();
    let farthest = AHEAD.iter().map(|(days, _)| *days).max().unwrap_or(0);
    for distributor in all.iter().filter(|d| d.active) {
        for contact in &distributor.record.open(Reason::Judging).contacts {
            for held in contact.current(now) {
                let Ok(certificate) = Certificate::import(held.armored.as_bytes()) else {
                    continue;
                };
                let until = now.plus(Span::days(farthest));
                let Some(ends) = pgp::first_unusable(&certificate, now, until) else { continue };
                let left = ends.since(now);
                let reached = AHEAD.iter().find(|(days, _)| left <= Span::days(*days));
                let Some((days, code)) = reached else { continue };
                endings.push(Ending {
                    distributor: distributor.id,
                    certificate: held.id,
                    address: contact.address.clone(),
                    ends,
                    days: *days,
                    code,
                });
            }
        }
    }
    endings
}
