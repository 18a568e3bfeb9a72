//! The site's two outlets, over a shelf in memory and a real folder.

use std::collections::BTreeMap;
use std::sync::Mutex;

use daybreak::config::StaticTree;
use daybreak::domain::blob::Sha256;
use daybreak::outlets::site::{Shelf, ShelfError, SiteOutlet};
use daybreak::outlets::static_site::{File, Pages, StaticSite};

use super::*;

type Shown = Vec<(String, Sha256)>;

#[derive(Default)]
struct Memory {
    shown: Mutex<BTreeMap<String, Shown>>,
    trouble: Mutex<Option<Trouble>>,
    puts: Mutex<usize>,
}

#[async_trait]
impl Shelf for Memory {
    async fn shown(&self, public_id: &str) -> Result<Option<Shown>, ShelfError> {
        if *self.trouble.lock().unwrap() == Some(Trouble::Unreachable) {
            return Err(ShelfError::Unavailable);
        }
        Ok(self.shown.lock().unwrap().get(public_id).cloned())
    }
    async fn put(&self, effect: &Effect) -> Result<(), ShelfError> {
        let trouble = *self.trouble.lock().unwrap();
        if trouble == Some(Trouble::Refuses) {
            return Err(ShelfError::Refused);
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
    let page = Blob::new("zanzibarite.html", b"<p>zanzibarite</p>".to_vec(), vec![]);
    let entry = Blob::new("zanzibarite.entry", b"<entry/>".to_vec(), vec![]);
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
    fn outlet(&self) -> Arc<dyn Outlet> {
        Arc::new(SiteOutlet::new(Arc::clone(&self.memory) as Arc<dyn Shelf>))
    }
    fn intended(&self) -> Intended {
        publication()
    }
    async fn copies(&self) -> Option<usize> {
        Some(*self.memory.puts.lock().unwrap())
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        *self.memory.trouble.lock().unwrap() = Some(trouble);
        if trouble == Trouble::HoldsAnother {
            let other = vec![("x".to_owned(), Sha256::of(b"other"))];
            self.memory.shown.lock().unwrap().insert("zanzibarite-2026-1".to_owned(), other);
        }
        true
    }
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
    fn outlet(&self) -> Arc<dyn Outlet> {
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
        if trouble != Trouble::Unreachable {
            return false;
        }
        // A file where the folder should be.
        std::fs::remove_dir_all(self.root.path()).unwrap();
        std::fs::write(self.root.path(), "").unwrap();
        true
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
