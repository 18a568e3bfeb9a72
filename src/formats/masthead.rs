//! What every public page says of the team, whatever is or is not published.

use serde::Serialize;

use super::links::{ALL_JSON, CERTIFICATE, FEED, HOME, ICON, SECURITY_TXT, STYLE, root};
use crate::domain::view::PublicView;

/// The team as the site shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masthead {
    /// The project's name.
    pub team: String,
    /// Where to write: a mail address or a web address.
    pub contact: String,
    /// The site's address without final slash.
    pub base_url: String,
}

impl Masthead {
    /// Of a view's own site.
    pub fn of(public: &PublicView) -> Self {
        Self {
            team: public.team.clone(),
            contact: public.contact.clone(),
            base_url: public.base_url.clone(),
        }
    }

    /// What the layout needs.
    pub(super) fn frame(&self) -> Frame {
        let root = root(&self.base_url);
        let at = |path: &str| format!("{root}{path}");
        let web = self.contact.contains("://");
        let contact_url =
            if web { self.contact.clone() } else { format!("mailto:{}", self.contact) };
        Frame {
            team: self.team.clone(),
            contact: self.contact.clone(),
            contact_url,
            home: at(HOME),
            style: at(STYLE),
            icon: at(ICON),
            feed: at(FEED),
            all_json: at(ALL_JSON),
            security_txt: at(SECURITY_TXT),
            certificate: at(CERTIFICATE),
        }
    }
}

/// Paths and names that the layout prints.
#[derive(Serialize)]
pub(super) struct Frame {
    team: String,
    contact: String,
    contact_url: String,
    home: String,
    style: String,
    icon: String,
    feed: String,
    all_json: String,
    security_txt: String,
    certificate: String,
}
