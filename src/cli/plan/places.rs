//! Where a plan's pushes lead, for people: a MANIFEST pins digests of addresses, which nobody
//! reads. What the configuration calls the place is said only while it is the place.

use serde_json::{Value, json};

use crate::config::Config;
use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::manifest::Manifest;

/// One repository of a plan.
pub(super) struct Place {
    name: String,
    pinned: Option<Sha256>,
    /// Where the name leads now without credentials, unless that is elsewhere than was pinned.
    url: Option<String>,
}

/// Every repository that a plan pushes to, once.
pub(super) fn of(manifest: &Manifest, config: &Config) -> Vec<Place> {
    let mut all: Vec<Place> = Vec::new();
    for step in &manifest.steps {
        let Action::Push { repository: name, place, .. } = &step.action else { continue };
        if all.iter().any(|p| p.name == *name && p.pinned == *place) {
            continue;
        }
        let now = config.repository.get(name);
        let same = now.filter(|r| place.is_none_or(|pinned| pinned == r.place()));
        all.push(Place { name: name.clone(), pinned: *place, url: same.map(|r| r.spoken()) });
    }
    all
}

impl Place {
    pub fn as_json(&self) -> Value {
        let place = self.pinned.map(|p| p.to_string());
        json!({ "repository": self.name, "place": place, "url": self.url })
    }

    pub fn row(&self) -> (&'static str, String) {
        let said = match (&self.url, self.pinned) {
            (Some(url), Some(_)) => url.clone(),
            (Some(url), None) => format!("{url}, as configured now: this plan pins no address"),
            (None, _) => "ANOTHER ADDRESS than is configured now".to_owned(),
        };
        ("pushes to", format!("{}: {said}", self.name))
    }
}
