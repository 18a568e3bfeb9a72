//! The site as files, for the static tree: the same tree that is served.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::papers;
use super::publications::{self, Published};
use crate::formats::masthead::Masthead;
use crate::formats::templates::Templates;
use crate::formats::tree::{PublishedAdvisory, PublishedFile, Tree};
use crate::outlets::site::ShelfError;
use crate::outlets::static_site::{File, Pages};
use crate::store::{Store, StoreError};

impl From<Published> for PublishedAdvisory {
    fn from(published: Published) -> Self {
        let documents = published.documents.into_iter().map(|d| PublishedFile {
            name: d.name,
            media_type: d.media_type,
            bytes: d.bytes,
        });
        Self { entry: published.entry, documents: documents.collect() }
    }
}

/// Every public advisory as the tree wants it.
pub async fn published(store: &Store) -> Result<Vec<PublishedAdvisory>, StoreError> {
    Ok(publications::all(store).await?.into_iter().map(Into::into).collect())
}

/// The pages over the house's database.
pub struct StorePages {
    store: Store,
    templates: Arc<Templates>,
    masthead: Masthead,
    dir: PathBuf,
}

impl StorePages {
    /// Over a database and the data directory that holds the papers.
    pub fn new(
        store: Store,
        templates: Arc<Templates>,
        masthead: Masthead,
        dir: impl Into<PathBuf>,
    ) -> Self {
        Self { store, templates, masthead, dir: dir.into() }
    }
}

#[async_trait]
impl Pages for StorePages {
    async fn tree(&self) -> Result<Vec<File>, ShelfError> {
        let published = published(&self.store).await?;
        let papers = papers::read(&self.dir).await.map_err(|_| ShelfError::Unavailable)?;
        let tree = Tree::build(&self.templates, &self.masthead, &papers, &published)
            .map_err(|_| ShelfError::Refused)?;
        Ok(tree.on_disk())
    }
}
