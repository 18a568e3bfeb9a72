//! What is public: written by one transaction behind a permit, read as a pure set. Nothing
//! here knows of drafts or embargoes.

use std::sync::Arc;

use async_trait::async_trait;

use super::House;
use crate::clock::Clock;
use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::deed::{Actor, Deed};
use crate::domain::effect::{Effect, Permit};
use crate::domain::finding::Finding;
use crate::domain::ids::AdvisoryId;
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::time::At;
use crate::formats::entry::Entry;
use crate::formats::links::{document_path, osv_path, page_path};
use crate::outlets::site::{Shelf, ShelfError};
use crate::store::{Reader, Store, StoreError, StoredDocument};

/// One public advisory with its complete documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Public id.
    pub public_id: String,
    /// Documents to be served.
    pub documents: Vec<PublicDocument>,
    /// The entry from which index, feed and list are assembled.
    pub entry: Vec<u8>,
}

/// One public document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicDocument {
    /// File name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// End of an entry's file name.
const ENTRY: &str = ".entry.json";

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("css") => "text/css; charset=utf-8",
        Some("xml") => "application/atom+xml",
        _ => "text/plain; charset=utf-8",
    }
}

/// Everything public that opens and is whole, oldest first. One damaged publication is left out
/// and keeps no other from being seen; only its own documents are read, nothing of the case.
pub async fn all(store: &Store) -> Result<Vec<Published>, StoreError> {
    let (whole, damaged) = sorted_out(store).await?;
    for advisory in damaged {
        tracing::error!(advisory = %advisory, "a damaged publication is not shown");
    }
    Ok(whole)
}

/// What of the public cannot be shown: a document is lost or does not open, or the entry says
/// nothing. Whoever looks ahead hears it before the next publication makes its page vanish.
pub async fn findings(store: &Store) -> Result<Vec<Finding>, StoreError> {
    let (_, damaged) = sorted_out(store).await?;
    let finding = |advisory: AdvisoryId| {
        let message = "what was published of it does not open: the site shows the others only";
        Finding::stop("publication-damaged", advisory.to_string(), message)
            .cure("restore the database from a backup made after it was published")
    };
    Ok(damaged.into_iter().map(finding).collect())
}

async fn sorted_out(store: &Store) -> Result<(Vec<Published>, Vec<AdvisoryId>), StoreError> {
    let read = |r: &mut Reader<'_>| {
        let mut all = Vec::new();
        for publication in r.publications()? {
            let documents = match r.documents(publication.advisory) {
                Err(e) if e.is_damage() => None,
                // A database that is away says nothing of what is public.
                other => Some(other?),
            };
            all.push((publication.advisory, documents));
        }
        Ok::<_, StoreError>(all)
    };
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for (advisory, documents) in store.read(read).await? {
        match documents.and_then(as_published) {
            Some(published) => whole.push(published),
            None => damaged.push(advisory),
        }
    }
    Ok((whole, damaged))
}

/// `None` unless the entry parses and leads to documents that are there.
fn as_published(documents: Vec<StoredDocument>) -> Option<Published> {
    let (mut entry, mut public) = (Vec::new(), Vec::new());
    for StoredDocument { name, media_type, bytes, .. } in documents {
        let bytes = bytes.into_open(Reason::Dispatch);
        if name.ends_with(ENTRY) {
            entry = bytes;
        } else {
            public.push(PublicDocument { name, media_type, bytes });
        }
    }
    let public_id = Entry::parse(&entry).ok()?.public_id;
    let places = public.iter().map(|d| document_path(&public_id, &d.name));
    let places = places.collect::<Result<Vec<_>, _>>().ok()?;
    let led_to = [page_path(&public_id), osv_path(&public_id)];
    led_to.iter().all(|path| places.contains(path)).then_some(Published {
        public_id,
        documents: public,
        entry,
    })
}

/// Changes only when the set of publications does. Asked many times a second while there are
/// readers: it must not cost more the more is public.
pub async fn edition(store: &Store) -> Result<String, StoreError> {
    let (count, newest) = store.read(|r| r.publication_count()).await?;
    let newest = newest.map(At::millis).unwrap_or_default();
    Ok(Sha256::of(format!("{count} {newest}").as_bytes()).to_string())
}

/// The site's shelf over the store.
pub struct StoreShelf {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl StoreShelf {
    /// Over the house's database.
    pub const fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }
}

impl From<StoreError> for ShelfError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Full | StoreError::Deposed => {
                Self::Unavailable
            }
            _ => Self::Refused,
        }
    }
}

#[async_trait]
impl Shelf for StoreShelf {
    async fn shown(&self, public_id: &str) -> Result<Option<Vec<(String, Sha256)>>, ShelfError> {
        let id = public_id.to_owned();
        let shown = self.store.read(move |r| {
            let advisory = match r.advisory_by_public_id(&id) {
                Err(StoreError::NotFound(_)) => return Ok(None),
                other => other?.id,
            };
            if !r.is_published(advisory)? {
                return Ok(None);
            }
            let documents = r.documents(advisory)?;
            let digest =
                |d: &StoredDocument| (d.name.clone(), Sha256::of(d.bytes.open(Reason::Judging)));
            Ok::<_, StoreError>(Some(documents.iter().map(digest).collect()))
        });
        Ok(shown.await?)
    }

    async fn put(&self, effect: &Effect) -> Result<(), ShelfError> {
        let Permit::Public(_) = effect.permit() else { return Err(ShelfError::Refused) };
        let Action::Publish { public_id, .. } = &effect.intended().action else {
            return Err(ShelfError::Refused);
        };
        let (id, plan, epoch) =
            (public_id.clone(), effect.permit().plan(), effect.permit().epoch());
        let documents: Vec<StoredDocument> = (0..)
            .zip(&effect.intended().blobs)
            .map(|(position, blob)| StoredDocument {
                name: blob.about.name.clone(),
                position,
                media_type: media_type(&blob.about.name).to_owned(),
                bytes: Embargoed::new(blob.bytes.clone()),
            })
            .collect();
        let lease = self.store.read(|r| r.lease()).await?;
        let actor = lease.holder.map_or(Actor::Operator, Actor::Engine);
        let deed = Deed::new(actor, "publish", plan, self.clock.wall());
        self.store
            .write(&deed, move |tx| {
                tx.still_leads(epoch)?;
                let advisory = tx.advisory_by_public_id(&id)?.id;
                tx.publish(advisory, plan)?;
                for document in &documents {
                    tx.add_document(advisory, document)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        Ok(())
    }
}

/// Whether the database answers.
pub async fn ready(house: &House) -> bool {
    house.store.revision().await.is_ok()
}
