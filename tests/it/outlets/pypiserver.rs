//! The Python index recipe against an index that is not ours: the real pypiserver, which
//! answers HTML only, with real twine.

use std::net::SocketAddr;
use std::sync::Mutex;

use daybreak::clock::{sleep, within};
use daybreak::config::{Command, PythonIndex};
use daybreak::domain::time::Span;
use daybreak::exec::Process;
use daybreak::outlets::command;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::index::{sdist, twine, uploaded};
use super::*;

pub(super) struct PypiServer {
    address: SocketAddr,
    server: Mutex<Option<JoinHandle<()>>>,
    twine: String,
    work: tempfile::TempDir,
    blobs: Vec<Blob>,
}

/// `DAYBREAK_PYPISERVER`, or `pypi-server` on `PATH`; `None` after saying so when there is none.
async fn program() -> Option<String> {
    let program = std::env::var("DAYBREAK_PYPISERVER").unwrap_or_else(|_| "pypi-server".to_owned());
    let probe = Process::new(&program).arg("--version").run(clock().as_ref()).await;
    if probe.is_ok_and(|out| out.ok()) {
        return Some(program);
    }
    let required = std::env::var_os("DAYBREAK_TEST_REQUIRE").is_some_and(|v| v == "all");
    assert!(!required, "no pypiserver");
    eprintln!("not run: no pypiserver");
    None
}

/// Whether somebody answers before long.
async fn answers(address: SocketAddr) -> bool {
    let knock = async {
        while TcpStream::connect(address).await.is_err() {
            sleep(clock().as_ref(), Span::millis(25)).await;
        }
    };
    within(clock().as_ref(), Span::secs(20), knock).await.is_some()
}

impl PypiServer {
    pub(super) async fn new() -> Option<Self> {
        Self::with("sha256").await
    }

    /// With the digests it states: the name of an algorithm, or `off`.
    async fn with(digests: &str) -> Option<Self> {
        let (program, twine) = (program().await?, twine().await?);
        let work = tempfile::tempdir().unwrap();
        let shelf = work.path().join("packages");
        std::fs::create_dir(&shelf).unwrap();
        let blobs = vec![
            sdist(work.path(), "zanzibarite", "1.0").await,
            sdist(work.path(), "zanzibarite", "1.0.1").await,
        ];
        // It cannot choose a port and tell us: take a free one and hand it over.
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let run = Process::new(&program)
            .args(["run", "--server", "wsgiref", "-i", "127.0.0.1", "-p"])
            .arg(address.port().to_string())
            .args(["-P", ".", "-a", ".", "--disable-fallback", "--hash-algo", digests])
            .arg(&shelf)
            .env("HOME", work.path())
            .allow(Span::mins(10));
        let server = tokio::spawn(async move {
            let ended = run.run(clock().as_ref()).await;
            eprintln!("pypiserver ended: {:?}", ended.map(|out| out.complaint()));
        });
        assert!(answers(address).await, "pypiserver did not start");
        Some(Self { address, server: Mutex::new(Some(server)), twine, work, blobs })
    }

    fn file(&self, blob: &Blob) -> std::path::PathBuf {
        self.work.path().join("packages").join(&blob.about.name)
    }

    async fn stop(&self) {
        let server = self.server.lock().unwrap().take();
        if let Some(server) = server {
            server.abort();
            let _ended = server.await;
        }
        // The kill has been sent; the port closes when the machine gets to it.
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for PypiServer {
    fn drop(&mut self) {
        if let Some(server) = self.server.get_mut().unwrap().take() {
            server.abort();
        }
    }
}

#[async_trait]
impl World for PypiServer {
    fn name(&self) -> &'static str {
        "pypiserver"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        let config = Command::PythonIndex(PythonIndex {
            upload_url: format!("http://{}/", self.address),
            index_url: format!("http://{}/simple/", self.address),
            user: None,
            password_file: None,
            expires: None,
            settle: 300,
            twine: self.twine.clone(),
        });
        command::outlet("index", config, self.work.path().join("work"), clock)
    }
    fn intended(&self) -> Intended {
        uploaded(&self.blobs)
    }
    async fn copies(&self) -> Option<usize> {
        let there: Vec<_> = self
            .blobs
            .iter()
            .filter_map(|b| Some((b, std::fs::read(self.file(b)).ok()?)))
            .collect();
        assert!(there.iter().all(|(b, bytes)| b.bytes == *bytes), "other bytes than approved");
        Some(there.len() / self.blobs.len())
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Unreachable => self.stop().await,
            Trouble::HoldsAnother => {
                std::fs::write(self.file(&self.blobs[0]), b"other").unwrap();
            }
            // It knows accounts only with a library more, and misbehaves on no demand.
            _ => return false,
        }
        true
    }
}

#[tokio::test]
async fn a_file_without_a_sha256_is_never_taken_for_ours() {
    for digests in ["off", "md5"] {
        let Some(world) = PypiServer::with(digests).await else { return };
        assert_eq!(look(&world).await, Seen::Absent, "{digests}");
        std::fs::write(world.file(&world.blobs[0]), &world.blobs[0].bytes).unwrap();
        assert_eq!(look(&world).await, Seen::CannotTell, "{digests}");
        let error = act(&world).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.retry), ("index-unreadable", Retry::Later));
    }
}

#[tokio::test]
async fn the_second_half_is_uploaded_to_what_has_the_first() {
    let Some(world) = PypiServer::new().await else { return };
    std::fs::write(world.file(&world.blobs[0]), &world.blobs[0].bytes).unwrap();
    assert_eq!(look(&world).await, Seen::Absent);
    assert_eq!(act(&world).await.unwrap().evidence, Evidence::Seen);
    assert_eq!(world.copies().await, Some(1));
}
