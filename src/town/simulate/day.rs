//! One simulated day: time passes, machines work, things go wrong, people press buttons, and a
//! judge looks at everything after every step.

mod struck;

use std::sync::Arc;

use super::case::{Case, Point};
use super::crew::Crew;
use super::fate::Fate;
use super::judge::{Broken, Judge, record};
use super::machine::Machine;
use super::world::World;
use crate::clock::{Clock, Generator, Rng};
use crate::domain::blob::Sha256;
use crate::domain::plan::PlanKind;
use crate::domain::run::GoRow;
use crate::domain::time::{At, Span};
use crate::store::{Fault, Store};
use crate::town::clock::HandClock;

/// Longest step while something may happen: an engine looks around once a second, and shows that
/// it lives every five.
const STEP: Span = Span::secs(5);
/// How long everything may take once nothing goes wrong any more.
const PATIENCE: Span = Span::mins(10);
/// What a GO that is very late leaves people to think.
const THINK: Span = Span::mins(11);
/// How often people look at what waits for them.
const GLANCE: Span = Span::secs(20);
/// Far above what any day needs: a day that makes no progress must end too.
const STEPS: u32 = 20_000;

/// How rough a day is, in a thousand.
#[derive(Debug, Clone, Copy)]
struct Weather {
    /// What outlets do wrong.
    outlets: u64,
    /// How often a machine is struck, at each step.
    machines: u64,
    /// How often the database is, at each step.
    database: u64,
    /// How often people press a button, at each step.
    people: u64,
    /// How often a clock jumps, at each step.
    clocks: u64,
}

impl Weather {
    fn of(fate: &mut Fate) -> Self {
        let mut some = |most: u64| if fate.chance(400) { 0 } else { fate.below(most) };
        Self {
            outlets: some(400),
            machines: some(60),
            database: some(40),
            people: some(25),
            clocks: some(25),
        }
    }

    const fn is_calm(self) -> bool {
        self.outlets == 0
            && self.machines == 0
            && self.database == 0
            && self.people == 0
            && self.clocks == 0
    }
}

pub use struck::{Stroke, Struck, struck};

/// How a day went.
pub struct Outcome {
    /// What must never be and was.
    pub broken: Option<Broken>,
    /// Digest of everything that happened in it, by the true clock and in the log.
    pub trace: Sha256,
    /// How many things really happened.
    pub happened: usize,
}

/// Lives through the day of one seed.
pub async fn live(case: &Case, seed: u64, name: &str) -> Outcome {
    let mut fate = Fate::new(*Sha256::of(&seed.to_le_bytes()).raw());
    let point = if fate.chance(250) { &case.notices } else { &case.release };
    match Day::dawn(case, point, seed, name, fate) {
        Err(broken) => Outcome { broken: Some(broken), trace: Sha256::of(b""), happened: 0 },
        Ok(mut day) => {
            let broken = day.pass().await.err();
            day.end(broken).await
        }
    }
}

struct Day<'a> {
    case: &'a Case,
    point: &'a Point,
    store: Store,
    world: Arc<World>,
    machines: Vec<Machine>,
    crew: Crew,
    judge: Judge,
    weather: Weather,
    fate: Fate,
    full_until: Option<At>,
    glanced: At,
    steps: u32,
}

impl<'a> Day<'a> {
    fn dawn(
        case: &'a Case,
        point: &'a Point,
        seed: u64,
        name: &str,
        mut fate: Fate,
    ) -> Result<Self, Broken> {
        let store = point.database(name).map_err(|e| format!("no database: {e}"))?;
        let truth = Arc::new(HandClock::new(point.now));
        let weather = Weather::of(&mut fate);
        let own = |what: u8| *Sha256::of(&[&seed.to_le_bytes()[..], &[what]].concat()).raw();
        let world = Arc::new(World::new(Arc::clone(&truth), Fate::new(own(0)), weather.outlets));
        let house = |clock: &Arc<HandClock>, n: u8| {
            let rng: Arc<dyn Rng> = Arc::new(Generator::from_seed(own(n)));
            let clock = Arc::clone(clock) as Arc<dyn Clock>;
            case.house(point, &store, &world, &clock, &rng)
        };
        // Clocks that are a little off cannot be told from true ones.
        let off = if fate.chance(200) { Span::millis(1500) } else { Span::ZERO };
        let mut machines = Vec::new();
        for n in 0..fate.below(3).saturating_add(1) {
            let clock = Arc::new(HandClock::new(point.now));
            let error =
                fate.between(Span::millis(-off.as_millis()), Span::millis(off.as_millis() + 1));
            clock.set_wall(point.now.plus(error));
            let house = Arc::new(house(&clock, u8::try_from(n).unwrap_or(0) + 1));
            machines.push(Machine::new(house, clock, point.now));
        }
        let crew = Crew::new(house(&truth, 99), point, &world);
        let judge =
            Judge::new(point, (&store, &world), off, weather.is_calm() && off == Span::ZERO);
        let (full_until, glanced, steps) = (None, point.now, 0);
        Ok(Self {
            case,
            point,
            store,
            world,
            machines,
            crew,
            judge,
            weather,
            fate,
            full_until,
            glanced,
            steps,
        })
    }

    async fn pass(&mut self) -> Result<(), Broken> {
        let instants = self.point.instants.clone();
        for (n, instant) in instants.iter().enumerate() {
            let last = n + 1 == instants.len();
            let ahead = self.fate.between(Span::secs(2), Span::mins(3));
            self.jump_to(instant.plus(Span::millis(-ahead.as_millis()))).await?;
            let long = self.fate.between(ahead.plus(Span::secs(2)), ahead.plus(Span::mins(8)));
            self.rough(self.world.now().plus(long)).await?;
            if last && self.fate.chance(30) {
                // Everything is dark for hours.
                let until = self.world.now().plus(self.fate.between(Span::mins(1), Span::hours(9)));
                self.judge.not_calm();
                self.machines.iter_mut().for_each(|m| m.crash(until));
                self.jump_to(until).await?;
            }
            self.calm(last).await?;
        }
        Ok(())
    }

    /// Nothing is under way: time passes at once.
    async fn jump_to(&mut self, at: At) -> Result<(), Broken> {
        let span = at.since(self.world.now());
        if span > Span::ZERO {
            self.advance(span);
        }
        self.work().await
    }

    /// Until then anything may go wrong.
    async fn rough(&mut self, until: At) -> Result<(), Broken> {
        while self.world.now() < until {
            self.mischief().await;
            self.step(until).await?;
            if self.weather.is_calm() {
                self.glance().await;
            }
        }
        Ok(())
    }

    /// Nothing goes wrong any more: everything must come to its end, in time.
    async fn calm(&mut self, last: bool) -> Result<(), Broken> {
        let now = self.world.now();
        self.world.calm_down();
        self.store.faults().clear();
        self.full_until = None;
        self.machines.iter_mut().for_each(|m| m.mend(now));
        let late = last && self.is_to_go_late().await;
        let patience = if late { PATIENCE.plus(THINK) } else { PATIENCE };
        // Clocks were just put right: they are believed again after a minute.
        let until = now.plus(patience).plus(Span::mins(1));
        loop {
            self.glance().await;
            if self.crew.is_over().await || (!last && self.nothing_due().await) {
                return Ok(());
            }
            if self.world.now() >= until {
                return Err(format!("it does not end: {}", self.crew.waits().await));
            }
            self.step(until).await?;
        }
    }

    async fn is_to_go_late(&mut self) -> bool {
        let standing = self.crew.look().await;
        let gone = standing.is_none_or(|s| matches!(s.facts.go, Some(GoRow::Go(_))));
        self.point.plan.kind == PlanKind::Release && !gone
    }

    /// Every step whose time has come is settled.
    async fn nothing_due(&mut self) -> bool {
        let Some(now) = self.crew.look().await else { return false };
        let at = self.world.now();
        let settled = |id| now.run.progress(id).is_some_and(|p| p.status.is_settled());
        now.manifest.steps.iter().all(|s| s.not_before > at || settled(s.id))
    }

    async fn glance(&mut self) {
        let now = self.world.now();
        if now.since(self.glanced) >= GLANCE {
            self.glanced = now;
            self.crew.answer(self.case).await;
        }
    }

    /// One step of time, at most until then.
    async fn step(&mut self, until: At) -> Result<(), Broken> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > STEPS {
            return Err("it never comes to rest".to_owned());
        }
        let now = self.world.now();
        let sleepers = self.world.clock.next_wake().map(|wake| {
            let left = wake.since(self.world.clock.mono());
            now.plus(left)
        });
        let own = self.machines.iter().map(|m| m.next(now));
        let next = own.chain([sleepers, self.world.next_arrival(), Some(until)]).flatten();
        let next = next.filter(|at| *at > now).min().unwrap_or(until);
        let exact = next.since(now).min(STEP).max(Span::millis(1));
        let span = if self.weather.is_calm() || self.fate.chance(600) {
            exact
        } else {
            // A machine that was busy elsewhere looks up late.
            self.fate.between(exact, STEP.max(exact.plus(Span::millis(1))))
        };
        self.advance(span);
        self.work().await
    }

    fn advance(&mut self, span: Span) {
        self.world.clock.advance(span);
        let now = self.world.now();
        self.machines.iter_mut().for_each(|m| m.pass(span, now));
        if self.full_until.is_some_and(|until| until <= now) {
            self.full_until = None;
            self.store.faults().lasting(None);
        }
        self.world.arrive();
    }

    /// Everybody works; whoever leads shows that it lives before others look.
    async fn work(&mut self) -> Result<(), Broken> {
        let now = self.world.now();
        let mut order: Vec<usize> = (0..self.machines.len()).collect();
        order.sort_by_key(|n| !self.machines.get(*n).is_some_and(Machine::leads));
        for n in order {
            if let Some(machine) = self.machines.get_mut(n) {
                machine.work(now, &mut self.fate).await;
            }
        }
        self.world.arrive();
        match (self.full_until, self.crew.look().await) {
            // While the database is away nobody can judge.
            (None, Some(standing)) => self.judge.look(&standing).await,
            _ => {
                self.judge.blink();
                self.world.complaint().map_or(Ok(()), Err)
            }
        }
    }

    /// What goes wrong now.
    async fn mischief(&mut self) {
        let now = self.world.now();
        let Weather { machines, database, people, clocks, .. } = self.weather;
        for n in 0..self.machines.len() {
            let (struck, jumps) = (self.fate.chance(machines), self.fate.chance(clocks));
            let (what, soon) =
                (self.fate.below(5), now.plus(self.fate.between(Span::secs(1), Span::secs(90))));
            let writes = u32::try_from(self.fate.below(12)).unwrap_or(0);
            // Over T0 by a little is what would let a day begin early.
            let by = match self.fate.chance(600) {
                true => self.fate.between(Span::mins(-20), Span::mins(20)),
                false => self.fate.between(Span::days(-2), Span::days(3)),
            };
            let little = now.plus(self.fate.between(Span::secs(1), Span::mins(9)));
            let Some(machine) = self.machines.get_mut(n) else { continue };
            match what {
                _ if !struck => {}
                0 => machine.crash(soon),
                1 | 2 => machine.die_after(writes),
                3 => machine.freeze(soon, false),
                _ => machine.freeze(soon, true),
            }
            if jumps && !machine.is_wrong() {
                machine.set_wrong(by, (now, little));
            }
        }
        if self.fate.chance(database) && self.full_until.is_none() {
            let (calls, what) = (self.fate.below(30), self.fate.below(4));
            let until = now.plus(self.fate.between(Span::secs(1), Span::secs(40)));
            let faults = self.store.faults();
            match what {
                0 => faults.after(calls, Fault::AnswerLost),
                1 => faults.after(calls, Fault::Away),
                2 => {
                    faults.lasting(Some(Fault::Full));
                    self.full_until = Some(until);
                }
                _ => {
                    faults.lasting(Some(Fault::Away));
                    self.full_until = Some(until);
                }
            }
        }
        if self.fate.chance(people) {
            self.crew.meddle(self.case, &mut self.fate).await;
        }
    }

    async fn end(self, mut broken: Option<Broken>) -> Outcome {
        let log = self.world.log();
        let nth = |step| self.point.pinned.manifest.steps.iter().position(|s| s.id == step);
        let mut lines: Vec<String> = log
            .iter()
            .map(|h| format!("{} {:?} {:?}", h.at.millis(), nth(h.step), h.way))
            .collect();
        self.store.faults().clear();
        match record(&self.store, self.point).await {
            Ok(more) => lines.extend(more),
            Err(why) => broken = broken.or(Some(why)),
        }
        lines.push(format!("{broken:?}"));
        let trace = Sha256::of(lines.join("\n").as_bytes());
        Outcome { broken, trace, happened: log.len() }
    }
}
