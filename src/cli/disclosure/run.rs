//! `daybreak disclosure run --attended`: the release as it happens, and a question before each
//! phase.
//!
//! What must stay true: whoever sits here only delays, for as long as they answer; the same plan
//! is carried out by the same engine from the same journal, in `daybreak serve` or, when none
//! runs, in this process. The questions are pauses in the database: when this process dies, they
//! lapse within a minute and the day goes on. GO never comes before T0, whatever is answered.

mod answers;
mod lead;
mod telling;

use std::collections::BTreeSet;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::casework::pauses::{self, Asker, PHASES};
use crate::casework::plans::{self, Standing};
use crate::casework::{controls, find_disclosure};
use crate::cli::desk::Desk;
use crate::cli::exit::{Ended, Exit, refuse};
use crate::clock::sleep;
use crate::domain::ids::HolderId;
use crate::domain::plan::{Phase, Plan, PlanKind, PlanState};
use crate::domain::run::GoRow;
use crate::domain::time::{At, Mono, Span};
use answers::{Answer, Answers};
use lead::{Lead, Leader};
use telling::Telling;

/// How often the journal is looked at.
const EVERY: Span = Span::millis(250);
/// How often this process shows that it lives, near T0.
const ALIVE: Span = Span::secs(15);
/// From when on before T0 it must.
const NEAR: Span = Span::secs(-60);

/// Show the release as it happens and ask before each phase; when this ends, the day goes on
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  daybreak --as Ada disclosure run x_meadow-2026-0001 --attended\n\n\
    Answers are lines on stdin: go, hold REASON, resume, leave (ask no more), quit.\n\
    Without an answer a phase begins by itself ten minutes after it could. Where no engine runs,\n\
    this process is the engine until the release is finished."
)]
pub struct Attended {
    /// Id, or the public id of one of its advisories
    disclosure: String,
    /// Ask before each phase; running it unattended is what `daybreak serve` does
    #[arg(long, required = true)]
    attended: bool,
}

pub async fn attend(desk: &Desk, order: &Attended) -> Ended {
    let found = find_disclosure(&desk.house, &order.disclosure).await?;
    let all = plans::of(&desk.house, found.id).await?;
    let live = |p: &&Plan| p.kind == PlanKind::Release && p.state.is_live();
    let Some(plan) = all.into_iter().rev().find(|p| live(&p)) else {
        return Err(refuse(
            Exit::NeedsApproval,
            "no approved release plan waits or runs",
            "make one and have it approved: daybreak plan make --kind release",
        ));
    };
    let house = &desk.house;
    let id = house.fresh(HolderId::new);
    let who = Asker { actor: desk.actor, by: &desk.by };
    let signals = Signals::listen().context("cannot listen for signals")?;
    pauses::attend(house, who, &plan, id, &PHASES).await?;
    let standing = plans::standing(house, &plan).await?;
    let most = pauses::longest(&plan)?;
    // Last of all: what cannot begin ends no engine, and its pauses lapse.
    let leader = Leader::start(desk)?;
    let mut session = Session::new(desk, plan, id, leader);
    session.told.begin(&standing, most);
    let ended = session.run(standing, signals).await;
    // Whatever happened here, nothing waits for this process any more; if that cannot be written
    // down, it lapses.
    if !session.over {
        session.fall_silent().await;
    }
    let stopped = session.leader.stop().await;
    // Why the session ended says more than how its engine's thread did.
    let ended = ended?;
    stopped?;
    Ok(ended)
}

/// One person at one terminal.
struct Session<'a> {
    desk: &'a Desk,
    plan: Plan,
    id: HolderId,
    leader: Leader,
    told: Telling,
    /// Whether somebody is still asked.
    asks: bool,
    /// Phases that were let go, or that began.
    answered: BTreeSet<Phase>,
    /// The open question.
    open: Option<Phase>,
    /// When it last showed that it lives.
    renewed: Option<Mono>,
    /// What was read last is of this revision.
    seen: Option<i64>,
    /// Whether the plan has ended.
    over: bool,
    /// Whether it was said that ending this ends the day's only engine.
    warned: bool,
    /// What the database refuses just now, by the code under which the log has it already.
    troubles: BTreeSet<&'static str>,
}

/// What a person or the system wants next.
enum Next {
    Look,
    Say(Answer),
    /// Nobody answers any more.
    Silence,
    Quit,
    Terminate,
}

/// What the system says to a terminal's process.
struct Signals {
    interrupt: Signal,
    hangup: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }
}

impl<'a> Session<'a> {
    fn new(desk: &'a Desk, plan: Plan, id: HolderId, leader: Leader) -> Self {
        let told = Telling::new(desk.print);
        Self {
            desk,
            plan,
            id,
            leader,
            told,
            asks: true,
            answered: BTreeSet::new(),
            open: None,
            renewed: None,
            seen: None,
            over: false,
            warned: false,
            troubles: BTreeSet::new(),
        }
    }

    fn who(&self) -> Asker<'a> {
        Asker { actor: self.desk.actor, by: &self.desk.by }
    }

    /// No error of the database ends it: this process may be the day's only engine.
    async fn run(&mut self, mut standing: Standing, mut signals: Signals) -> Ended {
        let mut answers = Answers::read();
        loop {
            if let Some(now) = self.look().await {
                standing = now;
            }
            self.told.lead(self.leader.now());
            self.told.news(&standing);
            if !standing.plan.state.is_live() {
                self.over = true;
                return Ok(self.told.end(&standing));
            }
            if let Lead::Failed(why) = self.leader.now() {
                return Err(refuse(Exit::Failure, why, "read the log above; daybreak doctor"));
            }
            if self.asks {
                self.stay_alive(&standing).await;
                self.ask(&standing);
            }
            match self.next(&mut answers, &mut signals).await {
                Next::Look => {}
                Next::Say(answer) => {
                    if self.hear(answer, &standing).await {
                        return Ok(self.told.left(&standing));
                    }
                }
                Next::Silence => self.fall_silent().await,
                Next::Quit => {
                    self.fall_silent().await;
                    if self.may_end(&standing) {
                        return Ok(self.told.left(&standing));
                    }
                }
                Next::Terminate => return Ok(self.told.left(&standing)),
            }
        }
    }

    /// The plan as it stands, if anything was written since it was read. A database that is away
    /// for a while, or a row that cannot be read, ends nothing.
    async fn look(&mut self) -> Option<Standing> {
        let Ok(revision) = self.desk.house.store.revision().await else {
            self.note("plan-unread", false);
            return None;
        };
        if self.seen == Some(revision) {
            self.note("plan-unread", true);
            return None;
        }
        let standing = plans::standing(&self.desk.house, &self.plan).await.ok();
        self.note("plan-unread", standing.is_some());
        if standing.is_some() {
            self.seen = Some(revision);
        }
        standing
    }

    /// Logs what begins to fail, once: it is tried again four times a second.
    fn note(&mut self, code: &'static str, went: bool) {
        if went {
            self.troubles.remove(code);
        } else if self.troubles.insert(code) {
            tracing::error!(plan = %self.plan.id, code, "the database refuses it; the day goes on");
        }
    }

    /// Near T0 and from GO on, the pauses hold as long as this process says so.
    async fn stay_alive(&mut self, standing: &Standing) {
        let house = &self.desk.house;
        let gone = matches!(standing.facts.go, Some(GoRow::Go(_))) || standing.facts.lifted;
        let near = house.now() >= standing.plan.t0.plus(NEAR);
        let mono = house.clock.mono();
        if !(gone || near) || self.renewed.is_some_and(|at| mono.since(at) < ALIVE) {
            return;
        }
        // What nobody renews lapses: the day goes forward.
        let renewed = pauses::renew(house, self.who(), &self.plan, self.id).await.is_ok();
        self.note("pauses-not-renewed", renewed);
        if renewed {
            self.renewed = Some(mono);
        }
    }

    /// Opens the next question, or closes one that is over.
    fn ask(&mut self, standing: &Standing) {
        let now = self.desk.house.now();
        let gone = standing.facts.go.is_some();
        let waits = |phase: Phase| match phase {
            Phase::Gate => !gone,
            _ => standing.run.paused_until(phase, now).is_some(),
        };
        if let Some(phase) = self.open.filter(|p| !waits(*p)) {
            self.open = None;
            self.answered.insert(phase);
            self.told.passed(phase);
        }
        let fresh = |p: &Phase| !self.answered.contains(p) && waits(*p);
        if self.open.is_none()
            && let Some(phase) = PHASES.into_iter().find(fresh)
        {
            self.open = Some(phase);
            self.told.question(phase, standing, standing.run.paused_until(phase, now));
        }
    }

    async fn next(&self, answers: &mut Answers, signals: &mut Signals) -> Next {
        let listens = self.asks && (self.open.is_some() || answers.are_typed());
        tokio::select! {
            biased;
            _ = signals.terminate.recv() => Next::Terminate,
            _ = signals.hangup.recv() => Next::Quit,
            _ = signals.interrupt.recv() => Next::Quit,
            answer = answers.next(), if listens => answer.map_or(Next::Silence, Next::Say),
            () = sleep(self.desk.house.clock.as_ref(), EVERY) => Next::Look,
        }
    }

    /// Does what a person says; whether this process shall end.
    async fn hear(&mut self, answer: Answer, standing: &Standing) -> bool {
        let (house, who, plan) = (&self.desk.house, self.who(), &standing.plan);
        let done = match answer {
            Answer::Go => match self.open.take() {
                None => {
                    self.told.say("nothing", "nothing is asked now");
                    Ok(())
                }
                Some(phase) => {
                    self.answered.insert(phase);
                    let went =
                        pauses::go_on(house, who, plan, Some(phase), "answered at the terminal");
                    let went = went.await.map(|_| ());
                    self.told.word(phase, standing);
                    went
                }
            },
            Answer::Hold(reason) => controls::hold(house, who.actor, plan, &reason).await,
            Answer::Resume => {
                controls::resume(house, who.actor, plan, "answered at the terminal").await
            }
            Answer::Leave => {
                self.fall_silent().await;
                return false;
            }
            Answer::Quit => {
                self.fall_silent().await;
                return self.may_end(standing);
            }
            Answer::Other => {
                self.told.say("help", "write go, hold REASON, resume, leave or quit");
                Ok(())
            }
        };
        // What cannot be done is said; a question is no reason to end.
        if let Err(error) = done {
            self.told.say("refused", &error.to_string());
        }
        false
    }

    /// Asks no more: what waits for an answer goes on by itself.
    async fn fall_silent(&mut self) {
        if !self.asks {
            return;
        }
        (self.asks, self.open) = (false, None);
        let left = pauses::leave(&self.desk.house, self.who(), &self.plan, self.id).await;
        self.told.say("leaves", "nothing is asked any more; the day goes on by itself");
        // What cannot be taken back lapses.
        self.note("pauses-not-ended", left.is_ok());
    }

    /// Whether nothing stops half-way when this process ends now.
    fn may_end(&mut self, standing: &Standing) -> bool {
        let gone = matches!(standing.facts.go, Some(GoRow::Go(_)));
        let needed =
            gone && self.leader.now() == Lead::Here && standing.plan.state == PlanState::Running;
        if !needed || self.warned {
            return true;
        }
        self.warned = true;
        self.told.say(
            "only-engine",
            "GO is written and this process is the only engine: it goes on to the end. To end it \
             all the same, say so again, and start `daybreak serve` at once",
        );
        false
    }
}

/// `+12.345 s` from T0.
fn from_t0(at: At, t0: At) -> String {
    crate::domain::audience_time::offset(at.since(t0))
}
