//! The tree in memory, swapped when the edition or the papers change.
//!
//! At most one question to the rooms below is under way at a time, whoever and how many ask;
//! when they cannot answer, the last tree goes on being served.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Bytes;
use tokio::sync::watch;

use super::problem::{Problem, Reference};
use super::shown::{Unavailable, Web};
use crate::clock::within;
use crate::domain::time::{Mono, Span};
use crate::formats::FormatError;
use crate::formats::links::root;
use crate::formats::tree::{File, Papers, Tree};

/// How long a reader waits for news before getting what is at hand.
const PATIENCE: Span = Span::secs(2);

/// A file as it is sent.
pub(super) struct Page {
    /// Content-Type.
    pub media_type: String,
    /// The body.
    pub bytes: Bytes,
    /// With its quotes.
    pub etag: String,
    /// IMF-fixdate (RFC 9110 section 5.6.7).
    pub modified: Option<String>,
    /// Whether other sites' pages may read it.
    pub open: bool,
}

/// What an edition is made of: equal sources, equal bytes.
#[derive(PartialEq, Eq)]
struct Source {
    word: String,
    papers: Papers,
}

/// One edition of the site.
pub(super) struct Edition {
    of: Source,
    pages: BTreeMap<String, Page>,
    /// What answers for everything else.
    pub not_found: Page,
}

impl Edition {
    /// The page at a path as the request line has it.
    pub fn page(&self, path: &str) -> Option<&Page> {
        self.pages.get(path)
    }
}

#[derive(Default)]
struct Known {
    edition: Option<Arc<Edition>>,
    /// The last that could not be built, so that it is tried and told once.
    broken: Option<Broken>,
    ready: bool,
    asked: Option<Mono>,
    /// Closed when the question under way is answered.
    asking: Option<watch::Receiver<()>>,
}

struct Broken {
    of: Source,
    reference: Reference,
}

/// What is served now.
pub(super) struct Served {
    web: Web,
    base_url: String,
    known: Mutex<Known>,
}

enum Failure {
    Below(Unavailable),
    Build(Box<(Source, FormatError)>),
    /// It has failed before, and nothing has changed since.
    Still,
}

impl Served {
    /// Nothing yet: the first reader asks.
    pub fn new(web: Web) -> Self {
        let base_url = web.shown.masthead().base_url;
        Self { web, base_url, known: Mutex::default() }
    }

    /// Whether the world sees us over TLS.
    pub fn is_https(&self) -> bool {
        self.base_url.to_ascii_lowercase().starts_with("https://")
    }

    /// What it is made of.
    pub fn web(&self) -> &Web {
        &self.web
    }

    /// The path below the site's own root: a proxy in front may or may not take that off.
    pub fn below_root<'a>(&self, path: &'a str) -> &'a str {
        let root = root(&self.base_url);
        path.strip_prefix(root).filter(|rest| rest.starts_with('/')).unwrap_or(path)
    }

    /// The newest edition there is.
    pub async fn edition(self: &Arc<Self>) -> Result<Arc<Edition>, Problem> {
        self.refresh().await;
        let known = self.lock();
        match (&known.edition, &known.broken) {
            (Some(edition), _) => Ok(Arc::clone(edition)),
            (None, Some(broken)) => Err(Problem::Unknown(broken.reference.clone())),
            (None, None) => Err(Problem::Unavailable),
        }
    }

    /// Whether the house can work and its publications can be read.
    pub async fn is_ready(self: &Arc<Self>) -> bool {
        self.refresh().await;
        self.lock().ready
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        // No value in it is ever half written.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn refresh(self: &Arc<Self>) {
        let Some(mut answered) = self.question() else { return };
        // It ends with an error when the sender is gone, which is the answer.
        let _late = within(self.web.clock.as_ref(), PATIENCE, answered.changed()).await;
    }

    /// The question under way, or a new one; `None` when the last answer is fresh enough.
    fn question(self: &Arc<Self>) -> Option<watch::Receiver<()>> {
        let mut known = self.lock();
        // A closed channel is a question that has been answered, or whose asker broke down.
        if let Some(asking) = known.asking.as_ref().filter(|a| a.has_changed().is_ok()) {
            return Some(asking.clone());
        }
        let now = self.web.clock.mono();
        if known.asked.is_some_and(|asked| now.since(asked) < self.web.freshness) {
            return None;
        }
        let (answer, asking) = watch::channel(());
        known.asked = Some(now);
        known.asking = Some(asking.clone());
        let served = Arc::clone(self);
        // Apart from the reader's own request: one who hangs up must not stop the question.
        tokio::spawn(async move {
            served.ask().await;
            drop(answer);
        });
        Some(asking)
    }

    async fn ask(&self) {
        let found = self.find().await;
        let ready = found.is_ok() && self.web.shown.ready().await;
        let mut known = self.lock();
        let was_ready = std::mem::replace(&mut known.ready, ready);
        match found {
            Ok(edition) => {
                known.broken = None;
                known.edition = Some(edition);
            }
            Err(Failure::Build(failed)) => {
                let (of, error) = *failed;
                let reference = Reference::new(self.web.rng.as_ref());
                // It names files, lines and public ids, never a value.
                tracing::error!(reference = reference.text(), %error, "the site cannot be built");
                known.broken = Some(Broken { of, reference });
            }
            Err(Failure::Below(Unavailable)) if was_ready => {
                tracing::warn!("the publications cannot be read; the last edition is served");
            }
            Err(Failure::Below(Unavailable) | Failure::Still) => {}
        }
    }

    /// The edition in memory if it is still the one, else a new one.
    async fn find(&self) -> Result<Arc<Edition>, Failure> {
        // The word first: what is published between the two reads is then found next time.
        let word = self.web.shown.edition().await.map_err(Failure::Below)?;
        let of = Source { word, papers: self.web.shown.papers().await.map_err(Failure::Below)? };
        {
            let known = self.lock();
            if known.broken.as_ref().is_some_and(|b| b.of == of) {
                return Err(Failure::Still);
            }
            if let Some(last) = known.edition.as_ref().filter(|e| e.of == of) {
                return Ok(Arc::clone(last));
            }
        }
        let published = self.web.shown.publications().await.map_err(Failure::Below)?;
        let shown = Arc::clone(&self.web.shown);
        let build =
            move || match Tree::build(shown.templates(), &shown.masthead(), &of.papers, &published)
            {
                Ok(tree) => Ok(Arc::new(Edition {
                    of,
                    pages: tree.files().map(|(path, file)| (path.to_owned(), page(file))).collect(),
                    not_found: page(tree.not_found()),
                })),
                Err(error) => Err(Failure::Build(Box::new((of, error)))),
            };
        tokio::task::spawn_blocking(build).await.map_err(|_| Failure::Below(Unavailable))?
    }
}

fn page(file: &File) -> Page {
    Page {
        media_type: file.media_type.clone(),
        bytes: Bytes::copy_from_slice(&file.bytes),
        etag: format!("\"{}\"", file.sha256),
        modified: file.modified.map(|at| at.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        open: file.open,
    }
}
