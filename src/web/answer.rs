//! From a request to an answer. There is one handler, so that nothing has rules of its own.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::http::{Method, StatusCode, header as name};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::headers::{Keep, on_every};
use super::problem::Problem;
use super::served::{Edition, Page, Served};
use super::shown::Heartbeat;

/// Alive: this thread answers.
const HEALTH: &str = "/healthz";
/// Ready: the house can work.
const READY: &str = "/readyz";
/// Whether the engine lives, where the team wishes it to be seen.
const HEARTBEAT: &str = "/heartbeat";

/// Answers everything.
pub(super) async fn answer(served: Data<Served>, request: HttpRequest) -> HttpResponse {
    let clock = Arc::clone(&served.web().clock);
    let begun = clock.mono();
    let served = served.into_inner();
    let path = served.below_root(request.uri().path());
    let https = served.is_https();
    let answer = match path {
        _ if ![Method::GET, Method::HEAD].contains(request.method()) => {
            Problem::Method.answer(https)
        }
        HEALTH => word(StatusCode::OK, "ok\n", https),
        READY if served.is_ready().await => word(StatusCode::OK, "ready\n", https),
        READY => word(StatusCode::SERVICE_UNAVAILABLE, "not ready\n", https),
        HEARTBEAT => match served.web().shown.heartbeat().await {
            Some(Heartbeat::Alive(text)) => word(StatusCode::OK, text, https),
            Some(Heartbeat::Silent) => word(StatusCode::SERVICE_UNAVAILABLE, "silent\n", https),
            None => of_tree(&served, path, &request, https).await,
        },
        _ => of_tree(&served, path, &request, https).await,
    };
    let (status, ms) = (answer.status().as_u16(), clock.mono().since(begun).as_millis());
    // Never the path itself: a mistyped or guessed address is somebody's business.
    tracing::info!(route = route(path, answer.status()), status, ms, "answered");
    answer
}

async fn of_tree(
    served: &Arc<Served>,
    path: &str,
    request: &HttpRequest,
    https: bool,
) -> HttpResponse {
    match served.edition().await {
        Ok(edition) => of_edition(&edition, path, request, https),
        Err(problem) => problem.answer(https),
    }
}

fn of_edition(edition: &Edition, path: &str, request: &HttpRequest, https: bool) -> HttpResponse {
    match edition.page(path) {
        Some(page) if is_known(request, &page.etag) => {
            let mut answer = HttpResponse::NotModified();
            on_every(&mut answer, https, Keep::Minute);
            about(&mut answer, page);
            answer.finish()
        }
        Some(page) => {
            let mut answer = HttpResponse::Ok();
            on_every(&mut answer, https, Keep::Minute);
            about(&mut answer, page);
            answer.insert_header((name::CONTENT_TYPE, page.media_type.as_str()));
            answer.body(page.bytes.clone())
        }
        None => {
            let mut answer = HttpResponse::NotFound();
            on_every(&mut answer, https, Keep::No);
            answer.insert_header((name::CONTENT_TYPE, edition.not_found.media_type.as_str()));
            answer.body(edition.not_found.bytes.clone())
        }
    }
}

/// What a 304 carries as well as a 200 (RFC 9110 section 15.4.5).
fn about(answer: &mut actix_web::HttpResponseBuilder, page: &Page) {
    answer.insert_header((name::ETAG, page.etag.as_str()));
    if let Some(modified) = &page.modified {
        answer.insert_header((name::LAST_MODIFIED, modified.as_str()));
    }
    if page.open {
        answer.insert_header((name::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    }
}

/// Whether the reader has these bytes (RFC 9110 section 13.1.2, weak comparison). Dates are
/// not asked: two publications may fall into one second.
fn is_known(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get_all(name::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn word(status: StatusCode, text: impl MessageBody + 'static, https: bool) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    on_every(&mut answer, https, Keep::No);
    answer.insert_header((name::CONTENT_TYPE, "text/plain; charset=utf-8"));
    answer.body(text)
}

/// What a log may say of a path.
fn route(path: &str, status: StatusCode) -> &'static str {
    use crate::formats::links;
    const PLAIN: [&str; 10] = [
        links::HOME,
        links::ALL_JSON,
        links::FEED,
        links::STYLE,
        links::ICON,
        links::SECURITY_TXT,
        links::CERTIFICATE,
        HEALTH,
        READY,
        HEARTBEAT,
    ];
    if status == StatusCode::NOT_FOUND {
        return "(nothing)";
    }
    match PLAIN.iter().find(|known| **known == path) {
        Some(known) => known,
        None if path.starts_with("/osv/") => "/osv/{id}.json",
        None if path.starts_with("/advisories/") => "/advisories/{name}",
        None => "(other)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_never_has_what_somebody_asked_for() {
        for (path, status, logged) in [
            ("/", StatusCode::OK, "/"),
            ("/osv/all.json", StatusCode::NOT_MODIFIED, "/osv/all.json"),
            ("/osv/x_m-1.json", StatusCode::OK, "/osv/{id}.json"),
            ("/advisories/x_m-1.html", StatusCode::OK, "/advisories/{name}"),
            ("/osv/x_m-2.json", StatusCode::NOT_FOUND, "(nothing)"),
            ("/secret", StatusCode::METHOD_NOT_ALLOWED, "(other)"),
            ("/secret", StatusCode::NOT_FOUND, "(nothing)"),
        ] {
            assert_eq!(route(path, status), logged, "{path}");
        }
    }
}
