//! What the site needs of the rooms below, as a trait: the publications and when they change.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::{Clock, Rng};
use crate::domain::time::Span;
use crate::formats::masthead::Masthead;
use crate::formats::templates::Templates;
use crate::formats::tree::{Papers, PublishedAdvisory};

/// It cannot be read now; try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is published cannot be read now")]
pub struct Unavailable;

/// What the site shows: a pure function of the publications and the team's papers.
#[async_trait]
pub trait Shown: Send + Sync {
    /// What every page says of the team: the same as long as we serve.
    fn masthead(&self) -> Masthead;
    /// How pages look.
    fn templates(&self) -> &Templates;
    /// A word that changes exactly when the set of publications does. Asked often: one small
    /// read. Never the database's revision, which also moves for what is not public.
    async fn edition(&self) -> Result<String, Unavailable>;
    /// Every public advisory with its finished documents, in any order.
    async fn publications(&self) -> Result<Vec<PublishedAdvisory>, Unavailable>;
    /// The certificate and security.txt as they are now. Asked often, like the edition.
    async fn papers(&self) -> Result<Papers, Unavailable>;
    /// Whether this house can do its work. Must not depend on what is under embargo.
    async fn ready(&self) -> bool;
    /// The engine's heartbeat as it was written last; nothing where the site does not show it.
    async fn heartbeat(&self) -> Option<Heartbeat> {
        None
    }
}

/// What the site knows of the engine.
pub enum Heartbeat {
    /// It lived within the last minute, and wrote this.
    Alive(String),
    /// Nothing newer is there.
    Silent,
}

/// What a site is made of.
#[derive(Clone)]
pub struct Web {
    /// What is published.
    pub shown: Arc<dyn Shown>,
    /// For bounding waits.
    pub clock: Arc<dyn Clock>,
    /// For reference numbers.
    pub rng: Arc<dyn Rng>,
    /// How old the answer to "is it still the same edition?" may be; zero asks every time.
    pub freshness: Span,
}
