//! Floor 4: private git work on public history: reading patch series, staging Candidates from
//! them, checking Candidates brought as bundles, handing out trees.
//!
//! What must stay true: private objects exist only in work areas (0700, wiped) and in the bytes
//! returned; the mirror receives nothing but what the public repository shows; the same inputs
//! give the same object ids.

#[cfg(test)]
mod bench;
mod bring;
mod export;
mod fits;
mod index;
mod mail;
mod message;
mod paths;
mod remade;
mod series;
mod stage;
mod staged;
mod tag;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Repository;
use crate::exec::git::{Area, GitError};

pub use crate::exec::git::remake::{Approved, NotMade};
pub use crate::exec::git::{Mirror, View};
pub use bring::BringError;
pub use export::ExportError;
pub use fits::Fit;
pub use message::{MASKED_TEXT, Messages};
pub use remade::Foreseen;
pub use series::{Named, Origin, Series, SeriesError, Source};
pub use stage::{ExtraCommit, StageError, StageOrder};
pub use staged::{Staged, StagedCommit, StagedTag};
pub use tag::{Committer, NewTag, TagSigner, Unsigned};

/// Where the git work on one repository is done.
pub struct Workshop {
    mirror: Mirror,
    areas: PathBuf,
}

impl Workshop {
    /// For the repository the configuration calls `name`; its mirror and its work areas lie in
    /// the data directory.
    pub fn new(data: &Path, name: &str, repository: Repository, clock: Arc<dyn Clock>) -> Self {
        Self { mirror: Mirror::new(data, name, repository, clock), areas: areas(data) }
    }

    /// The public history as last refreshed.
    pub const fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    async fn area(&self) -> Result<Area, GitError> {
        Area::new(&self.areas, &self.mirror).await
    }
}

/// Where work areas lie in a data directory.
fn areas(data: &Path) -> PathBuf {
    data.join("areas")
}

/// Wipes what killed processes left of their work areas; says how many. For every start.
pub fn wipe(data: &Path) -> Result<usize, GitError> {
    crate::exec::git::wipe(&areas(data))
}
