//! The ways in which the team is called, and how each of them does.
//!
//! What must stay true: a way that fails or hangs keeps no other from being rung; what one of
//! them did not take is tried again there, a bounded number of times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::Desk;
use crate::clock::{Clock, within};
use crate::config::{BellBegin, BellLevel, BellWay};
use crate::domain::receipt::OutletError;
use crate::domain::time::{Mono, Span};
use crate::formats::bell_text::{Attention, Bell};
use crate::outlets::pager::{CommandPager, Pager, WebhookPager};

/// How long the slower ones are waited for once one way took it.
const GRACE: Span = Span::secs(20);
/// How long all of them are waited for.
const ALL: Span = Span::mins(3);
/// How long after a way failed it is tried again.
const AGAIN: Span = Span::secs(60);
/// How often at most.
const TRIES: u32 = 10;
/// How many calls a way is owed at most; older ones are forgotten first.
const OWED: usize = 16;
/// After this long without taking anything the others are told.
const LONG: Span = Span::mins(5);

/// The team's mail.
pub(super) struct MailPager {
    pub desk: Arc<Desk>,
    pub to: String,
}

#[async_trait]
impl Pager for MailPager {
    async fn call(&self, attention: &Attention) -> Result<(), OutletError> {
        let bell = Bell::TeamAttention(attention.clone());
        self.desk.ring(&bell, &self.to, self.desk.clock.wall()).await
    }
}

/// One way.
struct Way {
    pager: Arc<dyn Pager>,
    level: BellLevel,
    from: BellBegin,
    health: Mutex<Health>,
}

/// How a way does.
#[derive(Default)]
struct Health {
    failing_since: Option<Mono>,
    owed: Vec<Owed>,
}

struct Owed {
    attention: Attention,
    again: Mono,
    tries: u32,
}

/// A call that one way did not take, for another try.
pub struct Belated {
    way: usize,
    attention: Attention,
    tries: u32,
}

impl Way {
    fn takes(&self, attention: &Attention) -> bool {
        match attention.tier {
            None => self.level == BellLevel::All && self.from == BellBegin::AtOnce,
            Some(tier) => self.from.tier() <= tier,
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        // No value in it is ever half written.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owe(&self, attention: Attention, now: Mono, tries: u32) {
        if tries > TRIES {
            return;
        }
        let mut health = self.health();
        health.owed.push(Owed { attention, again: now.plus(AGAIN), tries });
        let surplus = health.owed.len().saturating_sub(OWED);
        health.owed.drain(..surplus);
    }
}

/// All of them.
pub(super) struct Ways {
    ways: Vec<Way>,
    clock: Arc<dyn Clock>,
}

impl Ways {
    /// One that takes everything.
    pub fn only(pager: Arc<dyn Pager>, clock: Arc<dyn Clock>) -> Self {
        let (level, from) = (BellLevel::All, BellBegin::AtOnce);
        Self { ways: vec![Way { pager, level, from, health: Mutex::default() }], clock }
    }

    /// Those of the configuration.
    pub fn configured(ways: &[BellWay], desk: &Arc<Desk>, clock: Arc<dyn Clock>) -> Self {
        let one = |way: &BellWay| {
            let (level, from) = way.takes();
            Way { pager: pager(way, desk), level, from, health: Mutex::default() }
        };
        Self { ways: ways.iter().map(one).collect(), clock }
    }

    /// Rings every way that takes it, all at once.
    pub async fn call(self: &Arc<Self>, attention: Attention) -> Result<(), OutletError> {
        let takers: Vec<usize> = (0..self.ways.len())
            .filter(|n| self.ways.get(*n).is_some_and(|w| w.takes(&attention)))
            .collect();
        let mut failed = OutletError::later("no-way", "no way takes this bell");
        if let [only] = takers.as_slice() {
            return self.ring(*only, &attention).await;
        }
        let mut tasks = JoinSet::new();
        for way in &takers {
            let (ways, way, attention) = (Arc::clone(self), *way, attention.clone());
            tasks.spawn(async move { (way, ways.ring(way, &attention).await) });
        }
        let mut took: Vec<usize> = Vec::new();
        let first = async {
            while let Some(done) = tasks.join_next().await {
                match done {
                    Ok((way, Ok(()))) => return Some(way),
                    Ok((_, Err(e))) => failed = e,
                    Err(_) => {}
                }
            }
            None
        };
        let first = within(self.clock.as_ref(), ALL, first).await.flatten();
        let Some(first) = first else {
            return Err(failed);
        };
        took.push(first);
        let others = async {
            while let Some(done) = tasks.join_next().await {
                took.extend(done.ok().and_then(|(way, rung)| rung.is_ok().then_some(way)));
            }
        };
        let _too_slow = within(self.clock.as_ref(), GRACE, others).await;
        let now = self.clock.mono();
        for way in takers.iter().filter(|way| !took.contains(way)) {
            tracing::warn!(way, "a way did not take the team's bell");
            if let Some(way) = self.ways.get(*way) {
                way.health().failing_since.get_or_insert(now);
                way.owe(attention.clone(), now, 1);
            }
        }
        Ok(())
    }

    async fn ring(&self, way: usize, attention: &Attention) -> Result<(), OutletError> {
        let Some(way) = self.ways.get(way) else { return Ok(()) };
        let rung = way.pager.call(attention).await;
        let since = &mut way.health().failing_since;
        match &rung {
            Ok(()) => *since = None,
            Err(_) => {
                since.get_or_insert(self.clock.mono());
            }
        }
        rung
    }

    pub fn belated(&self, now: Mono) -> Vec<Belated> {
        let mut all = Vec::new();
        for (number, way) in self.ways.iter().enumerate() {
            let mut health = way.health();
            let (due, wait) = std::mem::take(&mut health.owed)
                .into_iter()
                .partition::<Vec<_>, _>(|owed| owed.again <= now);
            health.owed = wait;
            all.extend(due.into_iter().map(|Owed { attention, tries, .. }| Belated {
                way: number,
                attention,
                tries,
            }));
        }
        all
    }

    pub async fn call_again(&self, belated: Belated) {
        let Belated { way, attention, tries } = belated;
        let rung = within(self.clock.as_ref(), ALL, self.ring(way, &attention)).await;
        if let (false, Some(way)) = (matches!(rung, Some(Ok(()))), self.ways.get(way)) {
            way.owe(attention, self.clock.mono(), tries.saturating_add(1));
        }
    }

    pub fn is_failing(&self, now: Mono) -> bool {
        let long = |w: &Way| w.health().failing_since.is_some_and(|at| now.since(at) >= LONG);
        self.ways.len() > 1 && self.ways.iter().any(long)
    }
}

fn pager(way: &BellWay, desk: &Arc<Desk>) -> Arc<dyn Pager> {
    let clock = Arc::clone(&desk.clock);
    match way {
        BellWay::Mail { to, .. } => Arc::new(MailPager {
            desk: Arc::clone(desk),
            to: to.clone().unwrap_or_else(|| desk.team.address.clone()),
        }),
        BellWay::Command { run, secret_files, seconds, .. } => Arc::new(CommandPager {
            run: run.clone(),
            secret_files: secret_files.clone(),
            allowed: Span::secs(i64::from(*seconds)),
            clock,
        }),
        BellWay::Webhook { url, secret_file, .. } => {
            Arc::new(WebhookPager::new(url.clone(), secret_file.clone(), clock))
        }
    }
}
