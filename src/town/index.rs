//! A package index on a loopback port: takes twine's uploads, answers PEP 691, gives the
//! files back, and can misbehave on demand. Like the public one it never takes other bytes
//! under a file name it has.

mod multipart;
mod pages;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

use crate::clock::Clock;
use crate::domain::time::At;

/// The largest upload it takes.
const LIMIT: usize = 64 * 1024 * 1024;

/// A file on the index.
#[derive(Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The project, as PEP 503 writes it.
    pub project: String,
    /// Its name.
    pub filename: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// When it came.
    pub at: At,
}

impl std::fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[uploaded file of {} bytes]", self.bytes.len())
    }
}

/// How it shall misbehave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Script {
    /// Answers so many uploads with 503 and takes nothing.
    pub uploads_unavailable: u32,
    /// Takes so many uploads and breaks off before answering.
    pub answers_lost: u32,
    /// Answers so many readers with 503.
    pub pages_unavailable: u32,
    /// Answers so many readers from a cache that has seen no upload.
    pub pages_stale: u32,
}

struct Shelf {
    clock: Arc<dyn Clock>,
    account: Option<(String, String)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<(String, String), Uploaded>,
    script: Script,
    uploads: u32,
}

impl Shelf {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a counted fault strikes now.
fn strikes(left: &mut u32) -> bool {
    let strikes = *left > 0;
    *left = left.saturating_sub(1);
    strikes
}

/// A running index; it stops when dropped.
pub struct PackageIndex {
    address: SocketAddr,
    shelf: Arc<Shelf>,
    server: ServerHandle,
}

impl PackageIndex {
    /// Starts one on a free loopback port; uploads need `account` if given. Errors when it
    /// cannot listen.
    pub async fn start(
        account: Option<(String, String)>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let shelf = Arc::new(Shelf { clock, account, state: Mutex::default() });
        let data = web::Data::from(Arc::clone(&shelf));
        let app = move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(LIMIT))
                .configure(pages::register)
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .shutdown_timeout(0)
            .bind(("127.0.0.1", 0))?;
        let address = server
            .addrs()
            .first()
            .copied()
            .ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, shelf, server: handle })
    }

    /// Where twine uploads to.
    pub fn upload_url(&self) -> String {
        format!("http://{}/legacy/", self.address)
    }

    /// The simple index, before the project's name.
    pub fn index_url(&self) -> String {
        format!("http://{}/simple/", self.address)
    }

    /// Misbehaves as told from now on.
    pub fn script(&self, script: Script) {
        self.shelf.state().script = script;
    }

    /// Puts a file there as if somebody had uploaded it.
    pub fn put(&self, project: &str, filename: &str, bytes: Vec<u8>) {
        let at = self.shelf.clock.wall();
        let (project, filename) = (multipart::normal(project), filename.to_owned());
        let key = (project.clone(), filename.clone());
        self.shelf.state().files.insert(key, Uploaded { project, filename, bytes, at });
    }

    /// Every file.
    pub fn files(&self) -> Vec<Uploaded> {
        self.shelf.state().files.values().cloned().collect()
    }

    /// How many uploads were tried, taken or not.
    pub fn uploads(&self) -> u32 {
        self.shelf.state().uploads
    }

    /// Stops it, so that nobody answers any more.
    pub async fn stop(&self) {
        self.server.stop(false).await;
    }
}

impl Drop for PackageIndex {
    fn drop(&mut self) {
        // The stop is ordered by the call; the future only waits for it.
        drop(self.server.stop(false));
    }
}
