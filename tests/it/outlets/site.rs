//! The site's two outlets, over a shelf in memory and a real folder.

use std::collections::BTreeMap;
use std::sync::Mutex;

use daybreak::config::StaticTree;
use daybreak::domain::blob::Sha256;
use daybreak::outlets::shown::PublicSite;
use daybreak::outlets::site::{Shelf, ShelfError, SiteOutlet};
use daybreak::outlets::static_site::{File, Pages, StaticSite};

use super::peer::{Manner, Peer};
use super::*;

type Digests = Vec<(String, Sha256)>;

#[derive(Default)]
struct Memory {
    shown: Mutex<BTreeMap<String, Digests>>,
    trouble: Mutex<Option<Trouble>>,
    puts: Mutex<usize>,
}

#[async_trait]
impl Shelf for Memory {
    async fn shown(&self, public_id: &str) -> Result<Option<Digests>, ShelfError> {
        if *self.trouble.lock().unwrap() == Some(Trouble::Unreachable) {
            return Err(ShelfError::Unavailable);
        }
        Ok(self.shown.lock().unwrap().get(public_id).cloned())
    }
    async fn put(&self, effect: &Effect) -> Result<(), ShelfError> {
        let trouble = *self.trouble.lock().unwrap();
        match trouble {
            Some(Trouble::Refuses) => return Err(ShelfError::Refused),
            Some(Trouble::Busy) => return Err(ShelfError::Unavailable),
            _ => {}
        }
        let Action::Publish { public_id, .. } = &effect.intended().action else { panic!() };
        let blobs = &effect.intended().blobs;
        let shown = blobs.iter().map(|b| (b.about.name.clone(), Sha256::of(&b.bytes))).collect();
        self.shown.lock().unwrap().insert(public_id.clone(), shown);
        *self.puts.lock().unwrap() += 1;
        match trouble {
            Some(Trouble::LosesTheAnswer) => Err(ShelfError::Unavailable),
            _ => Ok(()),
        }
    }
}

fn publication() -> Intended {
    let page = Blob::new("zanzibarite-2026-1.html", b"<p>zanzibarite</p>".to_vec(), vec![]);
    let entry = Blob::new("zanzibarite-2026-1.entry.json", b"<entry/>".to_vec(), vec![]);
    let action = Action::Publish {
        public_id: "zanzibarite-2026-1".to_owned(),
        documents: vec![page.about.clone()],
        entries: vec![entry.about.clone()],
    };
    intended(action, vec![page, entry])
}

pub(super) struct Shelves {
    memory: Arc<Memory>,
}

impl Shelves {
    pub(super) fn new() -> Self {
        Self { memory: Arc::default() }
    }
}

#[async_trait]
impl World for Shelves {
    fn name(&self) -> &'static str {
        "site"
    }
    fn outlet_on(&self, _clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        Arc::new(SiteOutlet::new(Arc::clone(&self.memory) as Arc<dyn Shelf>))
    }
    fn intended(&self) -> Intended {
        publication()
    }
    async fn copies(&self) -> Option<usize> {
        Some(*self.memory.puts.lock().unwrap())
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        // Our own database bounds its waits by itself, and shows at once what it took.
        if matches!(trouble, Trouble::Hangs | Trouble::ShowsLate) {
            return false;
        }
        *self.memory.trouble.lock().unwrap() = Some(trouble);
        if trouble == Trouble::HoldsAnother {
            let other = vec![("x".to_owned(), Sha256::of(b"other"))];
            self.memory.shown.lock().unwrap().insert("zanzibarite-2026-1".to_owned(), other);
        }
        true
    }
}

/// The same shelf behind a public address that anybody reads.
pub(super) struct Shown {
    shelves: Shelves,
    peer: Peer,
}

const PAGE: &str = "/advisories/zanzibarite-2026-1.html";

impl Shown {
    pub(super) async fn new() -> Self {
        Self { shelves: Shelves::new(), peer: Peer::new().await }
    }

    fn show(&self) {
        self.peer.show(PAGE, &publication().blobs[0].bytes);
    }
}

#[async_trait]
impl World for Shown {
    fn name(&self) -> &'static str {
        "site as anybody sees it"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        let site = SiteOutlet::new(Arc::clone(&self.shelves.memory) as Arc<dyn Shelf>);
        Arc::new(site.shown_by(PublicSite::new(self.peer.url(""), clock)))
    }
    fn intended(&self) -> Intended {
        publication()
    }
    async fn prepare(&self) {
        self.show();
    }
    async fn appear(&self) {
        self.show();
    }
    async fn copies(&self) -> Option<usize> {
        self.shelves.copies().await
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::ShowsLate => self.peer.show(PAGE, b"as it was before"),
            Trouble::Hangs => self.peer.behave(Manner::Hangs),
            other => return self.shelves.trouble(other).await,
        }
        true
    }
}

#[tokio::test]
async fn what_nobody_can_see_is_handed_over_at_best() {
    let shown = Shown::new().await;
    let receipt = act(&shown).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::HandedOver);
    assert!(matches!(look(&shown).await, Seen::Underway(_)), "no page yet");
    shown.peer.show(PAGE, b"<p>an older one</p>");
    assert!(matches!(look(&shown).await, Seen::Underway(_)), "other bytes");
    shown.show();
    assert_eq!(evidence(&look(&shown).await), Some(Evidence::Seen));
    shown.peer.stop().await;
    assert_eq!(look(&shown).await, Seen::CannotTell);
    assert_eq!(shown.copies().await, Some(1));
}

/// The pages once the publication's row is there.
#[derive(Default)]
struct Publications {
    there: Mutex<bool>,
}

#[async_trait]
impl Pages for Publications {
    async fn tree(&self) -> Result<Vec<File>, ShelfError> {
        let mut tree = vec![("index.html".to_owned(), b"all".to_vec())];
        if *self.there.lock().unwrap() {
            let page = publication().blobs[0].bytes.clone();
            tree.push(("zanzibarite/index.html".to_owned(), page));
        }
        Ok(tree)
    }
}

pub(super) struct Tree {
    root: tempfile::TempDir,
    pages: Arc<Publications>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), pages: Arc::default() }
    }

    fn carried_by(&self, then: &[&str]) -> StaticSite {
        let then = then.iter().map(|w| (*w).to_owned()).collect();
        let tree = StaticTree { folder: self.root.path().to_owned(), then };
        StaticSite::new(tree, Arc::clone(&self.pages) as Arc<dyn Pages>, clock())
    }
}

#[async_trait]
impl World for Tree {
    fn name(&self) -> &'static str {
        "static site"
    }
    fn outlet_on(&self, _clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        Arc::new(self.carried_by(&[]))
    }
    fn intended(&self) -> Intended {
        publication()
    }
    async fn prepare(&self) {
        *self.pages.there.lock().unwrap() = true;
    }
    async fn copies(&self) -> Option<usize> {
        Some(usize::from(self.root.path().join("zanzibarite/index.html").exists()))
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            // Its pages follow the publication, which is not there.
            Trouble::Busy => *self.pages.there.lock().unwrap() = false,
            Trouble::Unreachable => self.bury(),
            // It is a folder: what is written is there, and what else is there is left alone.
            _ => return false,
        }
        true
    }
}

impl Tree {
    fn bury(&self) {
        // A file where the folder should be.
        std::fs::remove_dir_all(self.root.path()).unwrap();
        std::fs::write(self.root.path(), "").unwrap();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _maybe_a_folder = std::fs::remove_file(self.root.path());
    }
}

#[tokio::test]
async fn the_tree_waits_for_the_publication_and_is_then_whole() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::new();
    let error = act(&tree).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("not-published-yet", Retry::Later));
    assert_eq!(std::fs::read_dir(tree.root.path()).unwrap().count(), 0);
    tree.prepare().await;
    assert!(act(&tree).await.is_ok());
    let index = tree.root.path().join("index.html");
    assert_eq!(std::fs::read(&index).unwrap(), b"all");
    assert_eq!(std::fs::metadata(&index).unwrap().permissions().mode() & 0o777, 0o644);
}

#[tokio::test]
async fn the_tree_is_carried_out_by_its_command() {
    let tree = Tree::new();
    tree.prepare().await;
    let carried = tree.carried_by(&["cp", "index.html", "carried"]);
    let receipt = carried.act(&effect(publication())).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::HandedOver);
    assert_eq!(std::fs::read(tree.root.path().join("carried")).unwrap(), b"all");
    assert_eq!(carried.look(&publication()).await, Seen::CannotTell);
    let error = tree.carried_by(&["false"]).act(&effect(publication())).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("carrying-failed", Retry::Later));
}

#[tokio::test]
async fn a_carried_tree_is_seen_where_anybody_reads_it() {
    let (tree, peer) = (Tree::new(), Peer::new().await);
    tree.prepare().await;
    let site = || tree.carried_by(&["true"]).shown_by(PublicSite::new(peer.url(""), clock()));
    let receipt = site().act(&effect(publication())).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::HandedOver, "the command says so, nobody sees it");
    assert_eq!(site().look(&publication()).await, Seen::CannotTell);
    peer.show(PAGE, &publication().blobs[0].bytes);
    assert_eq!(evidence(&site().look(&publication()).await), Some(Evidence::Seen));
    let receipt = site().act(&effect(publication())).await.unwrap();
    assert_eq!(receipt.evidence, Evidence::Seen);
}

/// A look ahead asks for what every reader asks for: the address of a page to come would tell
/// whoever reads the logs of the host that it is coming.
#[tokio::test]
async fn a_page_to_come_is_not_asked_for() {
    let shown = Shown::new().await;
    let outlet = shown.outlet();
    assert!(outlet.exposed(&publication()).await.is_empty());
    shown.peer.show("/osv/all.json", b"[{\"id\": \"zanzibarite-2026-1\"}]");
    let found = outlet.exposed(&publication()).await;
    assert_eq!(found.first().map(|f| f.code.as_str()), Some("already-public"));
    let asked: Vec<_> = shown.peer.asked().into_iter().map(|a| a.path).collect();
    assert_eq!(asked, ["/osv/all.json", "/osv/all.json"]);
}
