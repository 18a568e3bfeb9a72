//! The real house behind the site.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Shown, Unavailable, Web};
use crate::casework::House;
use crate::casework::site::PublicSite;
use crate::domain::time::Span;
use crate::formats::tree::{Papers, PublishedAdvisory};

/// How old the answer to "is it still the same edition?" may be.
const FRESH: Span = Span::millis(200);

impl Web {
    /// The site of a house.
    pub fn of(house: &House) -> Self {
        let shown: Arc<PublicSite> = Arc::clone(&house.site);
        Self {
            masthead: shown.masthead(),
            templates: Arc::clone(shown.templates()),
            shown,
            clock: Arc::clone(&house.clock),
            rng: Arc::clone(&house.rng),
            freshness: FRESH,
        }
    }
}

#[async_trait]
impl Shown for PublicSite {
    async fn edition(&self) -> Result<String, Unavailable> {
        Self::edition(self).await.map_err(|_| Unavailable)
    }

    async fn publications(&self) -> Result<Vec<PublishedAdvisory>, Unavailable> {
        Self::publications(self).await.map_err(|_| Unavailable)
    }

    async fn papers(&self) -> Result<Papers, Unavailable> {
        Self::papers(self).await.map_err(|_| Unavailable)
    }

    async fn ready(&self) -> bool {
        self.is_ready().await
    }
}
