//! `daybreak serve`: the public site and the engine, each on a thread of its own.

use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use super::Global;
use super::desk::open_house;
use super::exit::{Ended, Exit, refuse};
use super::print::Print;
use crate::casework::{House, papers};
use crate::clock::sleep;
use crate::domain::time::Span;
use crate::engine::{Engine, EngineError};
use crate::web::{Serving, Web, serve};
use crate::workshop;

/// Run the public site and the engine that sends and publishes
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  daybreak serve\n  daybreak serve --only engine")]
pub struct Serve {
    /// Only one of them, when they run as two processes
    #[arg(long, value_name = "PART")]
    pub only: Option<Part>,
}

/// One half of a serving house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The public site.
    Web,
    /// What sends and publishes.
    Engine,
}

pub fn run(args: &Serve, global: &Global, print: Print) -> Ended {
    let house = Arc::new(open_house(&global.dir)?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("cannot start")?.block_on(both(house, args.only, print))
}

async fn both(house: Arc<House>, only: Option<Part>, print: Print) -> Ended {
    let (stop, stopped) = watch::channel(false);
    // First, and whatever becomes of the site: a taken port or a full disk must not keep the
    // day from happening.
    let engine = match only {
        Some(Part::Web) => None,
        _ => Some(engine(&house, stopped)?),
    };
    let site = match only {
        Some(Part::Engine) => None,
        _ => match open_site(&house).await {
            Ok(site) => {
                print.talk(format!("the site listens on http://{}/", site.address()));
                Some(site)
            }
            Err(e) if engine.is_some() => {
                print.talk(format!("the site is not served, the engine goes on: {e:#}"));
                tracing::error!("the site is not served");
                None
            }
            Err(e) => return Err(e),
        },
    };
    if engine.is_some() {
        print.talk("the engine is running; end both with Ctrl-C");
    }
    let ended = wait(&house, engine).await;
    stop.send_replace(true);
    if let Some(site) = site {
        site.stop().await;
    }
    if let Some(still) = ended? {
        still.await.context("the engine's thread ended badly")?.map_err(|e| told(&e))?;
    }
    Ok(Exit::Ok)
}

async fn open_site(house: &Arc<House>) -> anyhow::Result<Serving> {
    papers::renew(house).await?;
    let listen = house.config.site.listen.parse().context("`site.listen` is no address")?;
    Ok(serve(listen, Web::of_house(Arc::clone(house))).await?)
}

type Ending = oneshot::Receiver<Result<(), EngineError>>;

/// The engine on its own thread and runtime: a flood of readers cannot keep it waiting.
fn engine(house: &Arc<House>, stopped: watch::Receiver<bool>) -> anyhow::Result<Ending> {
    // What is left lying about keeps no day from happening.
    if let Err(e) = workshop::wipe(&house.dir) {
        tracing::warn!("old work areas could not be wiped: {e}");
    }
    let (tell, ending) = oneshot::channel();
    let house = Arc::clone(house);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let work = move || {
        let ended = runtime.block_on(Engine::serve(house, stopped));
        let _nobody_waits = tell.send(ended);
    };
    std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(work)
        .context("cannot start the engine's thread")?;
    Ok(ending)
}

/// Waits for a signal, or for an engine that ends by itself. Papers are renewed daily.
async fn wait(house: &House, mut engine: Option<Ending>) -> anyhow::Result<Option<Ending>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(engine),
            _ = terminate.recv() => return Ok(engine),
            ended = alive(&mut engine) => {
                ended.map_err(|e| told(&e))?;
                return Ok(None);
            }
            () = sleep(house.clock.as_ref(), Span::days(1)) => {
                if papers::renew(house).await.is_err() {
                    tracing::error!("security.txt could not be renewed");
                }
            }
        }
    }
}

async fn alive(engine: &mut Option<Ending>) -> Result<(), EngineError> {
    match engine {
        None => std::future::pending().await,
        Some(ending) => ending.await.unwrap_or(Err(EngineError::Halted)),
    }
}

fn told(error: &EngineError) -> anyhow::Error {
    refuse(Exit::Failure, error.to_string(), "read the log above; `daybreak doctor` looks closer")
}
