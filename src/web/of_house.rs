//! The site of a real house: which functions below answer which question.

use std::sync::Arc;

use async_trait::async_trait;

use super::shown::{Heartbeat, Shown, Unavailable, Web};
use crate::casework::{House, pages, papers, publications};
use crate::domain::time::Span;
use crate::formats::heartbeat::read;
use crate::formats::masthead::Masthead;
use crate::formats::templates::Templates;
use crate::formats::tree::{Papers, PublishedAdvisory};

/// At T0 the page is there within this; a flood of readers makes no more questions than that.
/// A page must not be the last thing of a day to be seen.
const FRESHNESS: Span = Span::millis(50);

/// An engine beats every five seconds, and says its time in steps of ten.
const SILENT: Span = Span::secs(60);

struct OfHouse(Arc<House>);

impl Web {
    /// The site of a house.
    pub fn of_house(house: Arc<House>) -> Self {
        Self {
            clock: Arc::clone(&house.clock),
            rng: Arc::clone(&house.rng),
            freshness: FRESHNESS,
            shown: Arc::new(OfHouse(house)),
        }
    }
}

#[async_trait]
impl Shown for OfHouse {
    fn masthead(&self) -> Masthead {
        self.0.masthead()
    }

    fn templates(&self) -> &Templates {
        &self.0.templates
    }

    async fn edition(&self) -> Result<String, Unavailable> {
        publications::edition(&self.0.store).await.map_err(|_| Unavailable)
    }

    async fn publications(&self) -> Result<Vec<PublishedAdvisory>, Unavailable> {
        pages::published(&self.0.store).await.map_err(|_| Unavailable)
    }

    async fn papers(&self) -> Result<Papers, Unavailable> {
        papers::read(&self.0.dir).await.map_err(|_| Unavailable)
    }

    async fn ready(&self) -> bool {
        publications::ready(&self.0).await
    }

    async fn heartbeat(&self) -> Option<Heartbeat> {
        let of = &self.0.config.heartbeat;
        let file = of.file.as_ref().filter(|_| of.on_site)?;
        let text = tokio::fs::read_to_string(self.0.dir.join(file)).await.unwrap_or_default();
        let fresh = read(&text, None).is_ok_and(|at| {
            let age = self.0.clock.wall().since(at);
            // One from the future says nothing of now.
            age < SILENT && age > Span::ZERO.minus(SILENT)
        });
        Some(if fresh { Heartbeat::Alive(text) } else { Heartbeat::Silent })
    }
}
