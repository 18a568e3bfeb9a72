//! A day on which nothing goes wrong but one stroke on the database: chosen calls of the engine
//! fail, or every call of a while. It must end as if nothing had been.
//!
//! Whoever watches asks by another way: their calls neither fail nor count.

use std::sync::Arc;

use tokio::task::yield_now;

use super::{Day, PATIENCE, THINK, Weather};
use crate::clock::{Clock, Generator, Rng};
use crate::domain::run::GoRow;
use crate::domain::time::{At, Span};
use crate::store::{Fault, Store};
use crate::town::clock::HandClock;
use crate::town::simulate::case::{Case, Point};
use crate::town::simulate::crew::Crew;
use crate::town::simulate::fate::Fate;
use crate::town::simulate::judge::{Broken, Judge, record};
use crate::town::simulate::machine::Machine;
use crate::town::simulate::world::{Way, World};

/// How long before anything happens the engine is at work.
const AHEAD: Span = Span::secs(10);

/// How often others get a turn after every step.
const HANDS: u32 = 8;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Nothing.
    None,
    /// `many` calls, after the first `after` ones.
    Calls {
        /// How many go well before.
        after: u64,
        /// How many fail.
        many: u64,
        /// How.
        fault: Fault,
    },
    /// Every call of a while, counted from the day's last instant: T0 of a Release.
    While {
        /// From then.
        from: Span,
        /// Until then.
        to: Span,
        /// How.
        fault: Fault,
    },
}

/// How such a day went.
#[derive(Debug)]
pub struct Struck {
    /// What must never be and was.
    pub broken: Option<Broken>,
    /// What happened of each step, in the plan's order, where it stands, and the plan itself.
    pub end: Vec<String>,
    /// How many calls of the engine there were.
    pub calls: u64,
    /// How many of them were struck.
    pub struck: u64,
    /// When GO was written, counted from T0.
    pub gone: Option<Span>,
    /// How often bells had been rung by the day's last instant.
    pub bells: u64,
}

impl Struck {
    /// One that could not be lived.
    pub const fn never(why: Broken) -> Self {
        Self { broken: Some(why), end: Vec::new(), calls: 0, struck: 0, gone: None, bells: 0 }
    }
}

/// Lives it.
pub async fn struck(case: &Case, notices: bool, stroke: Stroke, name: &str) -> Struck {
    let point = if notices { &case.notices } else { &case.release };
    match Day::plain(case, point, name) {
        Err(why) => Struck::never(why),
        Ok(mut day) => {
            if let Stroke::Calls { after, many, fault } = stroke {
                day.store.faults().some(after, many, fault);
            }
            match day.through(stroke).await {
                Ok(bells) => day.told(None, bells).await,
                Err(why) => day.told(Some(why), 0).await,
            }
        }
    }
}

impl<'a> Day<'a> {
    /// One machine, a right clock, calm weather.
    fn plain(case: &'a Case, point: &'a Point, name: &str) -> Result<Self, Broken> {
        let store = point.database(name).map_err(|e| format!("no database: {e}"))?;
        let clock = || Arc::new(HandClock::new(point.now));
        let (truth, own) = (clock(), clock());
        let world = Arc::new(World::new(Arc::clone(&truth), Fate::new([0; 32]), 0));
        let house = |store: &Store, clock: &Arc<HandClock>, n: u8| {
            let rng: Arc<dyn Rng> = Arc::new(Generator::from_seed([n; 32]));
            let clock = Arc::clone(clock) as Arc<dyn Clock>;
            case.house(point, store, &world, &clock, &rng)
        };
        let spared = store.spared();
        let machine = Machine::new(Arc::new(house(&store, &own, 1)), own, point.now);
        Ok(Self {
            case,
            point,
            crew: Crew::new(house(&spared, &truth, 2), point, &world),
            judge: Judge::new(point, (&spared, &world), Span::ZERO, false),
            machines: vec![machine],
            weather: Weather { outlets: 0, machines: 0, database: 0, people: 0, clocks: 0 },
            fate: Fate::new([1; 32]),
            full_until: None,
            glanced: point.now,
            steps: 0,
            store,
            world,
        })
    }

    /// Through every instant of the day; how many bells had rung by the last one.
    async fn through(&mut self, stroke: Stroke) -> Result<u64, Broken> {
        let instants = self.point.instants.clone();
        let last = instants.last().copied().unwrap_or(self.point.now);
        let window = match stroke {
            Stroke::While { from, to, fault } => Some((last.plus(from), last.plus(to), fault)),
            Stroke::None | Stroke::Calls { .. } => None,
        };
        let mut bells = 0;
        for instant in instants {
            let window = window.filter(|_| instant == last);
            let first = window.map_or(instant, |(from, ..)| from.min(instant));
            let ends = window.map_or(instant, |(_, to, _)| to.max(instant));
            self.jump_to(first.plus(Span::millis(-AHEAD.as_millis()))).await?;
            let until = ends.plus(PATIENCE).plus(THINK);
            while !self.is_over_at(ends, instant == last).await {
                let now = self.world.now();
                if now >= until {
                    return Err(format!("it does not end: {}", self.crew.waits().await));
                }
                let fault = window.filter(|(from, to, _)| *from <= now && now < *to);
                self.store.faults().lasting(fault.map(|(.., fault)| fault));
                if now <= instant {
                    bells = self.world.bells();
                }
                self.glance().await;
                let edges = [first, instant, ends, until].into_iter().filter(|at| *at > now);
                self.step(edges.min().unwrap_or(until)).await?;
                // Bells ring beside the engine's own turns, a failing one's too.
                for _ in 0..HANDS {
                    yield_now().await;
                }
            }
        }
        Ok(bells)
    }

    /// Whether nothing is left to wait for: of the whole plan, or of what is due by then.
    async fn is_over_at(&mut self, instant: At, last: bool) -> bool {
        self.world.now() >= instant
            && (self.crew.is_over().await || (!last && self.nothing_due().await))
    }

    async fn told(mut self, mut broken: Option<Broken>, bells: u64) -> Struck {
        let faults = self.store.faults();
        faults.clear();
        let (calls, struck) = (faults.calls(), faults.struck());
        if let Err(why) = record(&self.store.spared(), self.point).await {
            broken = broken.or(Some(why));
        }
        let (mut end, mut gone) = (Vec::new(), None);
        if let Some(now) = self.crew.look().await {
            let log = self.world.log();
            for step in &now.manifest.steps {
                let mine = log.iter().filter(|h| h.step == step.id && h.way != Way::ByHand);
                let word = now.run.progress(step.id).map_or("", |p| p.status.word());
                end.push(format!("{} {} times, {word}", step.outlet, mine.count()));
            }
            end.push(now.plan.state.to_string());
            if let Some(GoRow::Go(at)) = now.facts.go {
                gone = Some(at.since(now.plan.t0));
            }
        }
        Struck { broken, end, calls, struck, gone, bells }
    }
}
