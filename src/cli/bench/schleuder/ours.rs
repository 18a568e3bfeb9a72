//! Our side: a town with the same subscribers and an approved notice that is due at once, and
//! an engine in a process of its own that brings it to them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::super::super::desk::open_house;
use super::super::cpu::{self, Spent};
use super::super::resident;
use super::super::ring::Ring;
use super::Run;
use crate::casework::advisories;
use crate::casework::distributors::{self, NewContact, NewDistributor};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::deed::Actor;
use crate::domain::party::{ContactKind, Profile};
use crate::domain::plan::PlanKind;
use crate::domain::time::Span;
use crate::engine::Engine;
use crate::exec::Process;
use crate::pgp::Certificate;
use crate::town::{Database, Options, Town, config, story};

/// What the engine's process tells of itself.
#[derive(Serialize, Deserialize)]
pub struct Used {
    cpu_ms: f64,
    peak_bytes: u64,
}

/// In the child: whatever is due leaves.
pub async fn deliver(dir: &Path) -> anyhow::Result<Used> {
    let mut engine = Engine::start(Arc::new(open_house(dir)?)).await?;
    engine.settle().await?;
    engine.end().await?;
    Ok(Used { cpu_ms: cpu::own(), peak_bytes: resident::peak()? })
}

/// A house where everything is ready; each round works on a copy.
pub struct Case {
    town: Town,
    rounds: AtomicU64,
}

impl Case {
    pub async fn furnish(ring: &Ring, text: &str) -> anyhow::Result<Self> {
        let options = Options { approvals: 1, distributors: 0, ..Options::live(1) };
        let town = Town::build(options).await?;
        story::add_members(&town).await?;
        for (address, key) in ring.people() {
            let file = ("reader.asc".to_owned(), key.certificate.armored().into_bytes());
            let contact = NewContact {
                address: address.clone(),
                kind: ContactKind::Person,
                profile: Profile::default(),
                certificates: vec![file],
            };
            let new = NewDistributor {
                name: address,
                lead_days: None,
                longest_embargo_days: None,
                groups: vec![],
                contact,
                accept_unusable: false,
            };
            distributors::add(&town.house, Actor::Operator, new).await?;
        }
        let mut advisory = story::text(&town.people, town.house.now());
        advisory.reporters.clear();
        advisory.description = text.to_owned();
        let (drafted, _) = advisories::create(&town.house, Actor::Operator, advisory).await?;
        // Less than the lead: everybody hears now.
        let t0 = story::t0_in(&town, Span::days(6));
        let (disclosure, _) = story::open(&town, &drafted, t0).await?;
        let disclosure = story::patch(&town, disclosure, drafted.id).await?;
        story::approved_plan(&town, &disclosure, PlanKind::Notice).await?;
        Ok(Self { town, rounds: AtomicU64::new(2) })
    }

    /// Whose signature the subscribers trust.
    pub fn team(&self) -> &Certificate {
        self.town.team_certificate()
    }

    /// The engine starts, brings the notice to everybody, and ends.
    pub async fn round(&self) -> anyhow::Result<Run> {
        let seed = self.rounds.fetch_add(1, Ordering::Relaxed);
        let town = self.town.fork(Database::Sqlite, seed).await?;
        let ourselves = std::env::current_exe().context("cannot find this program")?;
        let child = Process::new(ourselves)
            .args(["--json", "bench", "schleuder", "--deliver"])
            .arg(town.dir())
            .allow(Span::mins(30));
        let clock = SystemClock::new();
        let start = clock.mono();
        let out = child.run(&clock).await?;
        let wall_ms = clock.mono().since(start).as_millis() as f64;
        ensure!(out.ok(), "the measured engine failed: {}", out.complaint());
        let used: Used = serde_json::from_slice(&out.stdout).context("it says something else")?;
        let mut mails = town.catcher.mails();
        // Bells to the team belong to the work, and to no subscriber.
        mails.retain(|mail| mail.to != [config::ADDRESS]);
        let spent = Spent { cpu_ms: used.cpu_ms, wall_ms };
        Ok(Run { spent, peak_bytes: used.peak_bytes, mails })
    }
}
