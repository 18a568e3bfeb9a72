//! The event that receivers of webhooks are called with: which advisories are public, and where
//! they stand. Ids and public addresses only; who wants the content fetches it.

use serde::Serialize;

use super::links::{FEED, check_id, osv_path, page_path};
use super::osv::to_json;
use super::slots::pin;
use super::{Document, FormatError};
use crate::domain::view::PublicView;

/// The type of the event (Standard Webhooks 1.0, payload structure).
const PUBLISHED: &str = "disclosure.published";

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    team: &'a str,
    feed: String,
    advisories: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    url: String,
    osv_url: String,
}

/// `disclosure-published.json`, its time a slot.
pub fn published(public: &PublicView) -> Result<Document, FormatError> {
    let base = &public.base_url;
    for advisory in &public.advisories {
        check_id(&advisory.public_id)?;
    }
    pin("disclosure-published.json", "application/json", |times| {
        let advisories = public.advisories.iter().map(|a| Line {
            id: &a.public_id,
            url: format!("{base}{}", page_path(&a.public_id)),
            osv_url: format!("{base}{}", osv_path(&a.public_id)),
        });
        to_json(&Event {
            kind: PUBLISHED,
            timestamp: times.published,
            data: Data {
                team: &public.team,
                feed: format!("{base}{FEED}"),
                advisories: advisories.collect(),
            },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::blob::SlotName;
    use crate::formats::sample;

    #[test]
    fn it_says_where_to_look_and_nothing_else() {
        let public = sample::public(sample::hostile());
        let document = published(&public).unwrap();
        assert_eq!(document.slots.len(), 1);
        assert_eq!(document.slots[0].name, SlotName::Published);
        let text = String::from_utf8(document.bytes).unwrap();
        assert!(!text.contains("script"), "no text of an advisory");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["type"], "disclosure.published");
        let keys = |v: &serde_json::Value| {
            v.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(&json), "data timestamp type");
        assert_eq!(keys(&json["data"]), "advisories feed team");
        let first = &json["data"]["advisories"][0];
        assert_eq!(keys(first), "id osv_url url");
        let base = &public.base_url;
        assert_eq!(first["url"], format!("{base}/advisories/x_meadow-2026-0001.html"));
    }
}
