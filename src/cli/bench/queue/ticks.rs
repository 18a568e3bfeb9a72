//! What a turn of the engine costs, in a house with nothing in it and in houses with much.
//!
//! The clock is moved by hand, a second a turn as the engine's naps do, so that whatever it does
//! every few seconds or every minute falls into the figure with its share.

use std::path::Path;

use anyhow::Context as _;

use super::super::{cpu, stand};
use super::past;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::deed::{Actor, Subject};
use crate::domain::plan::{Phase, PlanKind};
use crate::domain::time::Span;
use crate::engine::Engine;
use crate::store::StoreError;
use crate::town::{Database, Time, Town};

/// Turns of a minute.
const TURNS: u32 = 60;

/// What is in a house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// Nothing.
    Nothing,
    /// A plan of so many steps, approved and waiting.
    Steps(u32),
    /// So many disclosures that have long been public.
    Past(u32),
}

/// A house with an engine in it.
pub struct Running {
    // The engine goes before the ground it stands on.
    engine: Engine,
    town: Town,
}

/// CPU milliseconds of one turn.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// When nothing happened, everything that is done now and then included.
    pub idle: f64,
    /// When somebody wrote to the database since the last one.
    pub told: f64,
}

impl Running {
    pub async fn new(folder: &Path, inside: Inside) -> anyhow::Result<Self> {
        let name = match inside {
            Inside::Nothing => "nothing",
            Inside::Steps(_) => "steps",
            Inside::Past(_) => "past",
        };
        let time = Time::Hand(SystemClock::new().wall());
        let town = stand::town(folder.join(name), time, Database::Sqlite).await?;
        match inside {
            Inside::Nothing => {}
            Inside::Steps(many) => waiting(&town, many).await?,
            Inside::Past(many) => past::fill(&town, many).await?,
        }
        let mut engine = Engine::start(town.house.clone()).await?;
        engine.settle().await?;
        let mut running = Self { engine, town };
        // The first minute is not like the others: targets are tried, bells rung.
        running.minute().await?;
        Ok(running)
    }

    /// A minute of turns in which nothing happens, then one in which each turn finds a write.
    pub async fn round(&mut self) -> anyhow::Result<Cost> {
        let idle = self.minute().await?;
        let mut told = 0.0;
        for _ in 0..TURNS {
            self.tick()?;
            let deed = self.town.house.deed(Actor::Operator, "bench", Subject::house());
            self.town.house.store.write(&deed, |_| Ok::<_, StoreError>(())).await?;
            let before = cpu::own();
            self.turn().await?;
            told += cpu::own() - before;
        }
        self.engine.settle().await?;
        Ok(Cost { idle, told: told / f64::from(TURNS) })
    }

    async fn minute(&mut self) -> anyhow::Result<f64> {
        let before = cpu::own();
        for _ in 0..TURNS {
            self.tick()?;
            self.turn().await?;
        }
        self.engine.settle().await?;
        Ok((cpu::own() - before) / f64::from(TURNS))
    }

    fn tick(&self) -> anyhow::Result<()> {
        self.town.hand.as_ref().context("the clock is not moved by hand")?.advance(Span::secs(1));
        Ok(())
    }

    /// A turn and the question how long to sleep after it.
    async fn turn(&mut self) -> anyhow::Result<()> {
        self.engine.turn().await?;
        std::hint::black_box(self.engine.next_due());
        Ok(())
    }

    pub async fn end(self) -> anyhow::Result<()> {
        Ok(self.engine.end().await?)
    }
}

/// A release of so many steps in all its phases, approved, a month ahead.
async fn waiting(town: &Town, many: u32) -> anyhow::Result<()> {
    let t0 = town.house.now().plus(Span::days(30));
    let phases = [Phase::Gate, Phase::Announce, Phase::FollowUp];
    let phases = phases.into_iter().cycle().take(many.try_into()?);
    let steps = phases.map(|phase| stand::ask(town, phase, t0)).collect();
    let disclosure = stand::disclosure(town, t0);
    stand::approved(town, &disclosure, PlanKind::Release, steps, vec![]).await?;
    Ok(())
}
