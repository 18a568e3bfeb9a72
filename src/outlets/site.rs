//! The site: one advisory made public by one row, and the complete documents behind it.
//!
//! The rows are the store's affair; here is only what an outlet needs of them, as `Shelf`.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

use super::Outlet;
use super::settle::{Ended, settle};
use super::shown::PublicSite;

/// Why the shelf did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    /// It cannot be reached now; try again.
    #[error("the site's shelf cannot be reached")]
    Unavailable,
    /// It refuses for good; a person decides.
    #[error("the site's shelf refuses it")]
    Refused,
}

/// Where published documents stand.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// Names and digests of what is public under `public_id`; `None` when nothing is.
    async fn shown(&self, public_id: &str) -> Result<Option<Vec<(String, Sha256)>>, ShelfError>;
    /// Makes the effect's blobs public, all of them in one transaction or none.
    async fn put(&self, effect: &Effect) -> Result<(), ShelfError>;
}

/// The outlet for [`Action::Publish`].
pub struct SiteOutlet {
    shelf: Arc<dyn Shelf>,
    public: Option<PublicSite>,
}

impl SiteOutlet {
    /// Over a shelf.
    pub fn new(shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf, public: None }
    }

    /// The same, present only when that site shows it to anybody.
    #[must_use]
    pub fn shown_by(self, public: PublicSite) -> Self {
        Self { public: Some(public), ..self }
    }

    /// Whether the row is there.
    async fn written(&self, intended: &Intended) -> Seen {
        let Action::Publish { public_id, .. } = &intended.action else { return Seen::CannotTell };
        match self.shelf.shown(public_id).await {
            Err(_) => Seen::CannotTell,
            Ok(None) => Seen::Absent,
            Ok(Some(mut shown)) => {
                shown.sort();
                if shown == wanted(intended) {
                    Seen::Present(Receipt::seen(format!("{} documents", shown.len())))
                } else {
                    Seen::Conflict("other documents are public under this id".to_owned())
                }
            }
        }
    }
}

/// An advisory that shall be published at T0 is published before.
pub(super) fn already_there(public_id: &str) -> Finding {
    Finding::stop("already-public", public_id, "the site shows it before its time")
        .cure("see who published it; take it down if nobody has it, else `disclosure publish-now`")
}

/// Every blob's name and the digest of its final bytes, sorted.
fn wanted(intended: &Intended) -> Vec<(String, Sha256)> {
    let of = |b: &crate::domain::blob::Blob| (b.about.name.clone(), Sha256::of(&b.bytes));
    let mut wanted: Vec<_> = intended.blobs.iter().map(of).collect();
    wanted.sort();
    wanted
}

#[async_trait]
impl Outlet for SiteOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        match self.written(intended).await {
            Seen::CannotTell => vec![
                Finding::stop("site-unreachable", "site", "the published documents cannot be read")
                    .cure("check the database: `daybreak doctor`"),
            ],
            Seen::Conflict(why) => vec![Finding::stop("site-conflict", "site", why).cure(
                "what is public under this id stays: draft the advisory under another public id",
            )],
            _ => Vec::new(),
        }
    }

    async fn exposed(&self, intended: &Intended) -> Vec<Finding> {
        let Action::Publish { public_id, .. } = &intended.action else { return Vec::new() };
        let written = matches!(self.written(intended).await, Seen::Present(_) | Seen::Conflict(_));
        let listed = match &self.public {
            Some(public) => public.lists(public_id).await,
            None => false,
        };
        let found = written || listed;
        found.then(|| already_there(public_id)).into_iter().collect()
    }

    async fn look(&self, intended: &Intended) -> Seen {
        match (self.written(intended).await, &self.public) {
            (Seen::Present(_), Some(public)) => public.shows(intended).await,
            (written, _) => written,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let intended = effect.intended();
        if !matches!(intended.action, Action::Publish { .. }) {
            return Err(OutletError::never("not-publish", "the site takes publications only"));
        }
        let taken = || Ended::Well("the shelf took it".to_owned());
        match self.written(intended).await {
            Seen::Present(_) => return settle(taken(), self.look(intended).await, Span::ZERO),
            Seen::Conflict(why) => return Err(OutletError::ask_human("conflict", why)),
            Seen::CannotTell => {
                return Err(OutletError::later(
                    "site-unreachable",
                    ShelfError::Unavailable.to_string(),
                ));
            }
            Seen::Absent | Seen::Underway(_) => {}
        }
        let ended = match self.shelf.put(effect).await {
            Ok(()) => taken(),
            Err(e @ ShelfError::Unavailable) => {
                Ended::Badly(OutletError::later("site-unreachable", e.to_string()))
            }
            Err(e @ ShelfError::Refused) => {
                Ended::Badly(OutletError::ask_human("site-refused", e.to_string()))
            }
        };
        settle(ended, self.look(intended).await, Span::ZERO)
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        // The row is our own database's.
        Span::ZERO
    }
}
