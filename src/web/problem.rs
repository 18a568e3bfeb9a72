//! The only place where an error becomes an answer: RFC 9457.
//!
//! What went wrong inside is never told. An unknown error is a bare 500 with a random number,
//! which the log has too.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header as name;
use serde::Serialize;

use super::headers::{Keep, on_every};
use crate::clock::{Rng, random};

/// Why there is no file in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// Only GET and HEAD are known here, on any path.
    Method,
    /// What is published cannot be read, and nothing older is at hand.
    Unavailable,
    /// Anything else.
    Unknown(Reference),
}

/// A number that a reader may quote and the log can be searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference(String);

impl Reference {
    /// A new one.
    pub fn new(rng: &dyn Rng) -> Self {
        Self(hex::encode(random::<8>(rng)))
    }

    /// Its text, for the log.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
}

impl Problem {
    /// What is written of it.
    pub fn answer(&self, https: bool) -> HttpResponse {
        let (status, title, detail) = match self {
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", Some("Use GET or HEAD."))
            }
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available now",
                Some("Try again in a minute."),
            ),
            Self::Unknown(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Internal error", None),
        };
        let reference = match self {
            Self::Unknown(reference) => Some(reference.text()),
            _ => None,
        };
        let mut answer = HttpResponse::build(status);
        on_every(&mut answer, https, Keep::No);
        answer.insert_header((name::CONTENT_TYPE, "application/problem+json"));
        match self {
            Self::Method => answer.insert_header((name::ALLOW, "GET, HEAD")),
            Self::Unavailable => answer.insert_header((name::RETRY_AFTER, "60")),
            Self::Unknown(_) => &mut answer,
        };
        let body =
            Body { r#type: "about:blank", title, status: status.as_u16(), detail, reference };
        // A body of plain texts can always be written; without one the status stands alone.
        answer.body(serde_json::to_string(&body).unwrap_or_default())
    }
}
