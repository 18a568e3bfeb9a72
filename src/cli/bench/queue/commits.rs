//! Commits of the journal beside appends that are flushed, and effects side by side.
//!
//! One effect is what the engine writes for it: a look, the intent with all its checks, the
//! receipt. Nothing outside is touched between them, so what it takes is the database's time.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinSet;

use super::super::{cpu, stand};
use crate::casework::House;
use crate::casework::plans::manifest_of;
use crate::domain::deed::{Actor, Subject};
use crate::domain::event::{Happened, StepEvent};
use crate::domain::ids::{EventId, HolderId, StepId};
use crate::domain::plan::{Phase, PlanKind};
use crate::domain::planner::whole_second;
use crate::domain::receipt::{Receipt, Repeat, Seen};
use crate::domain::run::Progress;
use crate::engine::journal::Journal;
use crate::store::{Claim, Lane, Store, StoreError};
use crate::town::Town;

/// Bytes of one append: what a small transaction of any journal leaves on a disk.
pub const APPEND: usize = 8192;
/// Effects side by side.
pub const SIDE_BY_SIDE: usize = 8;

/// Whoever writes: it leads, and has an approved plan whose GO is written.
pub struct Writer {
    house: Arc<House>,
    store: Store,
    holder: HolderId,
    claim: Claim,
    steps: Vec<StepId>,
}

impl Writer {
    pub async fn new(town: &Town) -> anyhow::Result<Arc<Self>> {
        let house = Arc::clone(&town.house);
        let store = house.store.lane(Lane::Engine);
        let now = whole_second(house.now());
        let steps: Vec<_> = (0..SIDE_BY_SIDE).map(|_| stand::ask(town, Phase::Gate, now)).collect();
        let disclosure = stand::disclosure(town, now);
        let ids = steps.iter().map(|s| s.id).collect();
        let plan = stand::approved(town, &disclosure, PlanKind::Release, steps, vec![]).await?;
        let manifest = manifest_of(&plan)?;
        let holder = house.fresh(HolderId::new);
        let seen = store.read(|r| r.lease()).await?;
        let deed = house.deed(Actor::Engine(holder), "engine-lead", Subject::house());
        let epoch = store.write(&deed, move |tx| tx.take_lease(holder, &seen)).await?;
        let claim = Claim {
            plan: plan.id,
            digest: plan.digest,
            threshold: manifest.threshold,
            early_lift: manifest.early_lift,
            announces: None,
            epoch,
        };
        let deed = house.deed(Actor::Engine(holder), "go", plan.id);
        store.write(&deed, move |tx| tx.write_go(&claim)).await?;
        Ok(Arc::new(Self { house, store, holder, claim, steps: ids }))
    }

    /// Commits that many events, one after another; how many a second.
    pub async fn commits(&self, many: u32) -> anyhow::Result<f64> {
        let journal = Journal::new(self.store.clone(), self.holder, self.claim.epoch);
        let start = cpu::steady();
        for step in self.steps.iter().cycle().take(many.try_into()?) {
            self.commit(&journal, *step, Happened::looked(Seen::Absent)).await?;
        }
        Ok(a_second(many, start))
    }

    async fn commit(
        &self,
        journal: &Journal,
        step: StepId,
        happened: Happened,
    ) -> Result<(), StoreError> {
        let event = StepEvent {
            id: self.house.fresh(EventId::new),
            step,
            at: self.house.now(),
            epoch: self.claim.epoch,
            happened,
        };
        let cache = Some((Progress::default(), Repeat::Safe));
        journal.commit(self.claim.plan, &event, cache).await
    }

    async fn effect(&self, step: StepId) -> Result<(), StoreError> {
        let journal = Journal::new(self.store.clone(), self.holder, self.claim.epoch);
        self.commit(&journal, step, Happened::looked(Seen::Absent)).await?;
        let deed = self.house.deed(Actor::Engine(self.holder), "step-intend", step);
        let (claim, id) = (self.claim, self.house.fresh(EventId::new));
        let written = self.store.write(&deed, move |tx| {
            tx.intend(&claim, step, id)?;
            tx.cache_step(step, &Progress::default(), Repeat::Safe)
        });
        written.await?;
        let receipt = Receipt::handed_over("250 2.0.0 Ok: queued as 4bK1Zc3x2pz9");
        self.commit(&journal, step, Happened::Acted { receipt }).await
    }

    /// `each` effects on every one of so many ways side by side: milliseconds an effect.
    pub async fn effects(self: &Arc<Self>, ways: usize, each: u32) -> anyhow::Result<f64> {
        let start = cpu::steady();
        let mut all = JoinSet::new();
        for step in self.steps.iter().copied().take(ways) {
            let own = Arc::clone(self);
            all.spawn(async move {
                for _ in 0..each {
                    own.effect(step).await?;
                }
                Ok::<_, StoreError>(())
            });
        }
        while let Some(done) = all.join_next().await {
            done.context("an effect broke off")??;
        }
        Ok((cpu::steady() - start) / f64::from(each) / ways as f64)
    }
}

/// Appends of [`APPEND`] bytes in that folder, each on the disk before the next; a second.
pub async fn appends(folder: &Path, many: u32) -> anyhow::Result<f64> {
    let path = folder.join("appended");
    let appended = tokio::task::spawn_blocking(move || {
        let mut file = File::create(&path)?;
        let bytes = vec![b'x'; APPEND];
        let start = cpu::steady();
        for _ in 0..many {
            file.write_all(&bytes)?;
            file.sync_data()?;
        }
        let done = a_second(many, start);
        std::fs::remove_file(path)?;
        Ok::<_, std::io::Error>(done)
    });
    appended.await.context("the appends broke off")?.context("cannot append to a file")
}

fn a_second(many: u32, start: f64) -> f64 {
    f64::from(many) / (cpu::steady() - start).max(0.001) * 1000.0
}
