//! Somebody outside who keeps looking: at the page, the repository, the index and the lists,
//! from the moment the case is ready to the end of the day.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Town, TownError, list_addresses};
use crate::clock::{Clock, sleep, within};
use crate::domain::time::{At, Span};
use crate::exec::Process;
use crate::town::story;

/// How often it looks.
const EVERY: Span = Span::millis(100);

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Looks before T0.
    pub looks_before: u32,
    /// What was there before T0 that should not have been.
    pub early: Vec<String>,
    /// When the page was first there.
    pub page_at: Option<At>,
    /// When the repository first showed something new.
    pub refs_at: Option<At>,
}

/// A watcher at work.
pub(super) struct Watching {
    stop: watch::Sender<bool>,
    task: JoinHandle<Watched>,
}

impl Watching {
    pub async fn end(self) -> Watched {
        self.stop.send_replace(true);
        self.task.await.unwrap_or_default()
    }
}

/// The outside as it was before anything was planned.
struct Outside {
    site: SocketAddr,
    repository: std::path::PathBuf,
    refs: String,
    index: String,
    clock: Arc<dyn Clock>,
}

pub(super) async fn start(town: &Town, t0: At) -> Result<Watching, TownError> {
    let clock = Arc::clone(&town.clock);
    let outside = Outside {
        site: town.site(),
        repository: town.project.public().to_owned(),
        refs: refs(town.project.public(), clock.as_ref()).await,
        index: get(town.site(), "/", clock.as_ref()).await.1,
        clock,
    };
    if !list_addresses(town).iter().all(|l| l.contains('@')) {
        return Err(super::machine("finding the town's lists"));
    }
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(async move {
        let mut seen = Watched::default();
        while !*stopped.borrow() {
            outside.look(&mut seen, t0).await;
            sleep(outside.clock.as_ref(), EVERY).await;
        }
        seen
    });
    Ok(Watching { stop, task })
}

impl Outside {
    async fn look(&self, seen: &mut Watched, t0: At) {
        let page = format!("/advisories/{}.html", story::PUBLIC_ID);
        let (status, _) = get(self.site, &page, self.clock.as_ref()).await;
        let index = get(self.site, "/", self.clock.as_ref()).await.1;
        let refs = refs(&self.repository, self.clock.as_ref()).await;
        // Judged by the time after the look: what was seen is at least that old.
        let now = self.clock.wall();
        let before = now < t0;
        if before {
            seen.looks_before = seen.looks_before.saturating_add(1);
        }
        if status == 200 {
            seen.page_at.get_or_insert(now);
        }
        if refs != self.refs {
            seen.refs_at.get_or_insert(now);
        }
        if before {
            for (what, early) in [
                ("the page", status == 200),
                ("the index", index != self.index),
                ("the repository", refs != self.refs),
            ] {
                if early && !seen.early.iter().any(|e| e == what) {
                    seen.early.push(what.to_owned());
                }
            }
        }
    }
}

async fn refs(repository: &std::path::Path, clock: &dyn Clock) -> String {
    let asked = Process::new("git").arg("ls-remote").arg(repository).run(clock).await;
    asked.map(|out| out.text()).unwrap_or_default()
}

/// Status and body of a page, as a plain visitor gets them.
pub(super) async fn get(site: SocketAddr, path: &str, clock: &dyn Clock) -> (u16, String) {
    let ask = async {
        let mut stream = TcpStream::connect(site).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split_whitespace().nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    };
    within(clock, Span::secs(5), ask).await.flatten().unwrap_or((0, String::new()))
}
