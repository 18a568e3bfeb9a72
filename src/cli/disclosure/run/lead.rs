//! The engine of an attended run where no other one leads: the same as in `daybreak serve`, on a
//! thread of its own. Where another leads, this only stands by.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use tokio::sync::{oneshot, watch};

use crate::casework::House;
use crate::cli::desk::{Desk, open_house};
use crate::clock::sleep;
use crate::domain::time::Span;
use crate::engine::{Engine, EngineError};
use crate::store::Place;

/// How long after it was refused the lead is asked for again: longer than a `serve` that is
/// restarted takes, so that it finds its place free.
const AGAIN: Span = Span::secs(10);

/// Who carries the plan out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// Nobody knows yet.
    Asked,
    /// Another process.
    Elsewhere,
    /// This one.
    Here,
    /// This one tried and cannot.
    Failed(String),
}

/// The engine's thread.
pub struct Leader {
    stop: watch::Sender<bool>,
    now: watch::Receiver<Lead>,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

impl Leader {
    /// Asks for the lead, and goes on asking.
    pub fn start(desk: &Desk) -> anyhow::Result<Self> {
        // Connections of its own, as a process of its own would have.
        let house = Arc::new(open_house(&desk.house.dir)?);
        let (stop, stopped) = watch::channel(false);
        let (tell, now) = watch::channel(Lead::Asked);
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start")?;
        let work = move || {
            runtime.block_on(lead(house, stopped, &tell));
            let _nobody_waits = end.send(());
        };
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(work)
            .context("cannot start the engine's thread")?;
        Ok(Self { stop, now, ended, thread })
    }

    /// Who leads now.
    pub fn now(&self) -> Lead {
        // Asked first: what the thread said last is there once it has ended.
        let over = self.thread.is_finished();
        let said = self.now.borrow().clone();
        match said {
            Lead::Failed(_) => said,
            // Nobody told it to stop, so it broke down, and what it said last is true no more.
            _ if over => Lead::Failed("the engine's thread ended badly".to_owned()),
            _ => said,
        }
    }

    /// Ends in good order: what is under way is written down, and the lead is given back.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        (&mut self.ended).await.context("the engine's thread ended badly")
    }
}

async fn lead(house: Arc<House>, mut stopped: watch::Receiver<bool>, tell: &watch::Sender<Lead>) {
    while !*stopped.borrow() {
        if is_led(&house).await {
            tell.send_replace(Lead::Elsewhere);
        }
        let started = tokio::select! {
            started = Engine::start(Arc::clone(&house)) => started,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let ended = match started {
            Ok(engine) => {
                tell.send_replace(Lead::Here);
                engine.run(stopped.clone()).await
            }
            Err(e) => Err(e),
        };
        match ended {
            Ok(()) => return,
            Err(EngineError::Taken) => {
                tell.send_replace(Lead::Elsewhere);
            }
            Err(e @ (EngineError::Stranger(_) | EngineError::Halted)) => {
                tell.send_replace(Lead::Failed(e.to_string()));
                return;
            }
            // A database that is away comes back.
            Err(_) => tracing::error!("the lead cannot be asked for; trying again"),
        }
        tokio::select! {
            () = sleep(house.clock.as_ref(), AGAIN) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Whether another machine holds the lead, as far as anybody can tell. Beside a file the lock
/// tells better.
async fn is_led(house: &House) -> bool {
    matches!(house.store.place(), Place::Postgres(_))
        && house.store.read(|r| r.lease()).await.is_ok_and(|lease| lease.holder.is_some())
}
