//! The Python index recipe: real twine against the town's index.

use std::path::Path;

use daybreak::config::{Command, PythonIndex};
use daybreak::exec::Process;
use daybreak::outlets::command;
use daybreak::town::index::{PackageIndex, Script};

use std::sync::OnceLock;

use super::peer::{Manner, Peer};
use super::*;

pub(super) struct Index {
    server: PackageIndex,
    twine: String,
    work: tempfile::TempDir,
    blobs: Vec<Blob>,
    hung: OnceLock<Peer>,
}

const PASSWORD: &str = "zanzibarite-token";

/// `DAYBREAK_TWINE`, or `twine` on `PATH`; `None` after saying so when there is none.
pub(super) async fn twine() -> Option<String> {
    let program = std::env::var("DAYBREAK_TWINE").unwrap_or_else(|_| "twine".to_owned());
    let probe = Process::new(&program).arg("--version").run(clock().as_ref()).await;
    if probe.is_ok_and(|out| out.ok()) {
        return Some(program);
    }
    let required = std::env::var_os("DAYBREAK_TEST_REQUIRE").is_some_and(|v| v == "all");
    assert!(!required, "no twine");
    eprintln!("not run: no twine");
    None
}

/// The smallest source distribution that twine takes.
pub(super) async fn sdist(folder: &Path, name: &str, version: &str) -> Blob {
    let stem = format!("{name}-{version}");
    std::fs::create_dir(folder.join(&stem)).unwrap();
    let info = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    std::fs::write(folder.join(&stem).join("PKG-INFO"), info).unwrap();
    let file = format!("{stem}.tar.gz");
    let tar = Process::new("tar").args(["czf", &file, &stem]).folder(folder);
    assert!(tar.run(clock().as_ref()).await.unwrap().ok());
    Blob::new(&file, std::fs::read(folder.join(&file)).unwrap(), vec![])
}

impl Index {
    pub(super) async fn new() -> Option<Self> {
        let twine = twine().await?;
        let account = Some(("__token__".to_owned(), PASSWORD.to_owned()));
        let server = PackageIndex::start(account, clock()).await.unwrap();
        let work = tempfile::tempdir().unwrap();
        std::fs::write(work.path().join("password"), PASSWORD).unwrap();
        let blobs = vec![
            sdist(work.path(), "zanzibarite", "1.0").await,
            sdist(work.path(), "zanzibarite", "1.0.1").await,
        ];
        Some(Self { server, twine, work, blobs, hung: OnceLock::new() })
    }

    fn result_of(&self, script: Script) -> impl Future<Output = Result<Receipt, OutletError>> {
        self.server.script(script);
        act(self)
    }
}

/// These files are to be uploaded.
pub(super) fn uploaded(blobs: &[Blob]) -> Intended {
    let action = Action::Run {
        command: "index".to_owned(),
        args: vec!["Zanzibarite".to_owned()],
        files: blobs.iter().map(|b| b.about.clone()).collect(),
    };
    intended(action, blobs.to_vec())
}

#[async_trait]
impl World for Index {
    fn name(&self) -> &'static str {
        "python-index"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        let config = Command::PythonIndex(PythonIndex {
            upload_url: match self.hung.get() {
                Some(peer) => peer.url("/legacy/"),
                None => self.server.upload_url(),
            },
            index_url: self.server.index_url(),
            user: Some("__token__".to_owned()),
            password_file: Some(self.work.path().join("password")),
            expires: None,
            settle: 300,
            twine: self.twine.clone(),
        });
        command::outlet("index", config, self.work.path().join("work"), clock)
    }
    fn intended(&self) -> Intended {
        uploaded(&self.blobs)
    }
    async fn appear(&self) {
        self.server.script(Script::default());
    }
    async fn copies(&self) -> Option<usize> {
        let there = self.server.files();
        for file in &there {
            let ours = self.blobs.iter().find(|b| b.about.name == file.filename);
            assert!(ours.is_some_and(|b| b.bytes == file.bytes), "other bytes than approved");
        }
        Some(there.len() / self.blobs.len())
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Refuses => {
                std::fs::write(self.work.path().join("password"), "another").unwrap();
            }
            Trouble::Unreachable => self.server.stop().await,
            Trouble::Busy => {
                self.server.script(Script { uploads_unavailable: 99, ..Script::default() });
            }
            Trouble::Hangs => {
                let peer = Peer::new().await;
                peer.behave(Manner::Hangs);
                assert!(self.hung.set(peer).is_ok());
            }
            Trouble::LosesTheAnswer | Trouble::ShowsLate => {
                let stale = if trouble == Trouble::ShowsLate { 99 } else { 0 };
                let script = Script { answers_lost: 99, pages_stale: stale, ..Script::default() };
                self.server.script(script);
                // Twine gives up at the first lost answer: the other file is there already.
                let other = &self.blobs[1];
                self.server.put("zanzibarite", &other.about.name, other.bytes.clone());
            }
            Trouble::HoldsAnother => {
                self.server.put("zanzibarite", &self.blobs[0].about.name, b"other".to_vec());
            }
        }
        true
    }
}

#[tokio::test]
async fn only_missing_files_are_uploaded() {
    let Some(index) = Index::new().await else { return };
    let first = &index.blobs[0];
    index.server.put("zanzibarite", &first.about.name, first.bytes.clone());
    assert_eq!(look(&index).await, Seen::Absent);
    assert!(act(&index).await.is_ok());
    assert_eq!(index.server.uploads(), 1);
    assert_eq!(index.copies().await, Some(1));
}

#[tokio::test]
async fn an_index_in_trouble_is_tried_later() {
    let Some(index) = Index::new().await else { return };
    let down = Script { uploads_unavailable: 99, ..Script::default() };
    let error = index.result_of(down).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("command-failed", Retry::Later));
    let unreadable = Script { pages_unavailable: 99, ..Script::default() };
    let error = index.result_of(unreadable).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("index-unreadable", Retry::Later));
    assert_eq!(look(&index).await, Seen::CannotTell);
    assert!(index.result_of(Script::default()).await.is_ok());
}

#[tokio::test]
async fn half_an_upload_is_finished_by_the_next() {
    let Some(index) = Index::new().await else { return };
    let lost = Script { answers_lost: 1, ..Script::default() };
    let error = index.result_of(lost).await.unwrap_err();
    assert_eq!(error.retry, Retry::Unknown, "the listing may be late");
    assert_eq!(index.server.files().len(), 1);
    assert!(act(&index).await.is_ok());
    assert_eq!(index.copies().await, Some(1));
}
