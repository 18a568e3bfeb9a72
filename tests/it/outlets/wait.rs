//! Waiting for what others build from a tag.

use daybreak::config::{Command, PythonIndex};
use daybreak::domain::action::Expected;
use daybreak::outlets::wait::WaitOutlet;
use daybreak::town::index::{PackageIndex, Script};

use std::sync::OnceLock;

use super::peer::{Manner, Peer};
use super::*;

pub(super) struct Builders {
    server: PackageIndex,
    hung: OnceLock<Peer>,
    work: tempfile::TempDir,
}

impl Builders {
    pub(super) async fn new() -> Self {
        let server = PackageIndex::start(None, clock()).await.unwrap();
        Self { server, hung: OnceLock::new(), work: tempfile::tempdir().unwrap() }
    }

    fn build(&self, filename: &str) {
        self.server.put("Zanzibarite", filename, b"built by others".to_vec());
    }
}

#[async_trait]
impl World for Builders {
    fn name(&self) -> &'static str {
        "wait"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        let config = Command::PythonIndex(PythonIndex {
            upload_url: self.server.upload_url(),
            index_url: match self.hung.get() {
                Some(peer) => peer.url("/simple/"),
                None => self.server.index_url(),
            },
            user: None,
            password_file: None,
            expires: None,
            settle: 300,
            twine: "twine".to_owned(),
        });
        Arc::new(WaitOutlet::new("index", config, self.work.path(), clock))
    }
    fn intended(&self) -> Intended {
        let expected = |pattern: &str, count| Expected { pattern: pattern.to_owned(), count };
        let action = Action::Await {
            look: "index".to_owned(),
            args: vec!["zanzibarite".to_owned()],
            expected: vec![
                expected("zanzibarite-1.0.tar.gz", 1),
                expected("zanzibarite-1.0-*.whl", 2),
            ],
        };
        intended(action, vec![])
    }
    async fn prepare(&self) {
        self.build("zanzibarite-1.0.tar.gz");
        self.build("zanzibarite-1.0-cp311-linux.whl");
        self.build("zanzibarite-1.0-cp312-linux.whl");
    }
    async fn copies(&self) -> Option<usize> {
        None
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Unreachable => self.server.stop().await,
            Trouble::Busy => {
                self.server.script(Script { pages_unavailable: 99, ..Script::default() });
            }
            Trouble::Hangs => {
                let peer = Peer::new().await;
                peer.behave(Manner::Hangs);
                assert!(self.hung.set(peer).is_ok());
            }
            // It does nothing that could be refused, lost or late.
            _ => return false,
        }
        true
    }
}

#[tokio::test]
async fn it_waits_until_every_pattern_has_its_count() {
    let builders = Builders::new().await;
    builders.build("zanzibarite-1.0.tar.gz");
    builders.build("zanzibarite-1.0-cp311-linux.whl");
    builders.build("zanzibarite-1.0.1-cp311-linux.whl");
    assert_eq!(look(&builders).await, Seen::Absent);
    let error = act(&builders).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("not-there-yet", Retry::Later));
    builders.build("zanzibarite-1.0-cp312-linux.whl");
    assert!(act(&builders).await.is_ok());
}

#[tokio::test]
async fn a_command_can_be_waited_for_too() {
    let work = tempfile::tempdir().unwrap();
    let flag = work.path().join("built");
    let config: Command =
        toml::from_str("kind = \"argv\"\nrun = [\"true\"]\nlook = [\"test\", \"-e\", \"{0}\"]")
            .unwrap();
    let outlet = WaitOutlet::new("ci", config, work.path(), clock());
    let args = vec![flag.to_str().unwrap().to_owned()];
    let wait = || {
        let (look, args) = ("ci".to_owned(), args.clone());
        intended(Action::Await { look, args, expected: vec![] }, vec![])
    };
    assert_eq!(outlet.look(&wait()).await, Seen::Absent);
    std::fs::write(&flag, "").unwrap();
    assert!(outlet.act(&effect(wait())).await.is_ok());
}
