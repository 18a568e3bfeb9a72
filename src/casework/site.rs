//! The public site as a pure function of the publications and the team's own papers.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::publications::{all, edition};
use super::{Case, CaseError};
use crate::clock::Clock;
use crate::config::{Site, Team};
use crate::domain::time::{At, Span};
use crate::formats::masthead::Masthead;
use crate::formats::security_txt;
use crate::formats::templates::Templates;
use crate::formats::tree::{Papers, PublishedAdvisory, Tree};
use crate::outlets::site::ShelfError;
use crate::outlets::static_site::{File, Pages};
use crate::pgp::{Certificate, Signer};
use crate::store::Store;

/// How long a security.txt holds (RFC 9116 section 2.5.5: less than a year).
const HOLDS: Span = Span::days(300);
/// When it is made anew.
const RENEW: Span = Span::days(60);

/// What the site is made of.
pub struct PublicSite {
    store: Store,
    templates: Arc<Templates>,
    team: Team,
    site: Site,
    signer: Arc<dyn Signer>,
    certificate: Certificate,
    clock: Arc<dyn Clock>,
    papers: Mutex<Option<(At, Papers)>>,
}

impl PublicSite {
    /// `signer` signs security.txt; `certificate` is the one that notices come from.
    pub fn new(
        store: Store,
        templates: Arc<Templates>,
        (team, site): (Team, Site),
        signer: Arc<dyn Signer>,
        certificate: Certificate,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, templates, team, site, signer, certificate, clock, papers: Mutex::new(None) }
    }

    /// What every page says of the team.
    pub fn masthead(&self) -> Masthead {
        Masthead {
            team: self.team.name.clone(),
            contact: self.site.contact.clone().unwrap_or_else(|| self.team.address.clone()),
            base_url: self.site.base_url.clone(),
        }
    }

    /// How pages look.
    pub const fn templates(&self) -> &Arc<Templates> {
        &self.templates
    }

    /// Changes only when the set of publications does.
    pub async fn edition(&self) -> Case<String> {
        Ok(edition(&self.store).await?)
    }

    /// Everything public.
    pub async fn publications(&self) -> Case<Vec<PublishedAdvisory>> {
        all(&self.store).await
    }

    /// Whether the database answers.
    pub async fn is_ready(&self) -> bool {
        self.store.revision().await.is_ok()
    }

    /// The certificate and a signed security.txt, made anew well before it expires.
    pub async fn papers(&self) -> Case<Papers> {
        let mut kept = self.papers.lock().await;
        let now = self.clock.wall();
        if let Some((expires, papers)) = kept.as_ref()
            && expires.since(now) > RENEW
        {
            return Ok(papers.clone());
        }
        let expires = now.plus(HOLDS);
        let text = security_txt::render(&self.team, &self.site, expires).bytes;
        let signed = self.signer.clearsign(&text, now).await;
        let security_txt = signed.map_err(|e| CaseError::machine("signing security.txt", e))?;
        let papers = Papers { certificate: self.certificate.armored().into_bytes(), security_txt };
        *kept = Some((expires, papers.clone()));
        Ok(papers)
    }
}

#[async_trait]
impl Pages for PublicSite {
    async fn tree(&self) -> Result<Vec<File>, ShelfError> {
        let (published, papers) = (self.publications().await, self.papers().await);
        let (Ok(published), Ok(papers)) = (published, papers) else {
            return Err(ShelfError::Unavailable);
        };
        let tree = Tree::build(&self.templates, &self.masthead(), &papers, &published);
        Ok(tree.map_err(|_| ShelfError::Refused)?.on_disk())
    }
}
