//! The index's three addresses.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::multipart::{Form, normal};
use super::{Shelf, Uploaded, strikes};
use crate::domain::blob::Sha256;

/// A body that breaks off: the answer is lost on its way.
struct Lost;

impl MessageBody for Lost {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(64)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into())))
    }
}

/// Says what is where.
pub(super) fn register(config: &mut ServiceConfig) {
    config
        .route("/legacy/", web::post().to(upload))
        .route("/legacy/", web::get().to(upload_address))
        .route("/simple/{project}/", web::get().to(project))
        .route("/files/{project}/{filename}", web::get().to(file));
}

async fn upload_address() -> HttpResponse {
    HttpResponse::MethodNotAllowed().finish()
}

async fn upload(shelf: Data<Shelf>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    let mut state = shelf.state();
    state.uploads += 1;
    if strikes(&mut state.script.uploads_unavailable) {
        return HttpResponse::ServiceUnavailable().finish();
    }
    if let Some((user, password)) = &shelf.account {
        let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        if header("authorization") != wanted {
            return HttpResponse::Forbidden().body("invalid credentials");
        }
    }
    let Some(form) = Form::read(header("content-type"), &body) else {
        return HttpResponse::BadRequest().body("not a form");
    };
    let (Some(name), Some((filename, bytes))) = (form.fields.get("name"), form.file) else {
        return HttpResponse::BadRequest().body("a name and a file are needed");
    };
    let stated = form.fields.get("sha256_digest").cloned().unwrap_or_default();
    if stated != Sha256::of(&bytes).to_string() {
        return HttpResponse::BadRequest().body("the digest is another one");
    }
    let key = (normal(name), filename.clone());
    match state.files.get(&key) {
        Some(there) if there.bytes == bytes => {}
        Some(_) => return HttpResponse::BadRequest().body("file already exists"),
        None => {
            let (project, at) = (key.0.clone(), shelf.clock.wall());
            state.files.insert(key, Uploaded { project, filename, bytes, at });
        }
    }
    if strikes(&mut state.script.answers_lost) {
        return HttpResponse::Ok().body(Lost);
    }
    HttpResponse::Ok().finish()
}

async fn project(shelf: Data<Shelf>, project: Path<String>) -> HttpResponse {
    let mut state = shelf.state();
    if strikes(&mut state.script.pages_unavailable) {
        return HttpResponse::ServiceUnavailable().finish();
    }
    if strikes(&mut state.script.pages_stale) {
        return HttpResponse::NotFound().finish();
    }
    let listed = |f: &Uploaded| {
        json!({
            "filename": f.filename,
            "url": format!("/files/{}/{}", f.project, f.filename),
            "hashes": { "sha256": Sha256::of(&f.bytes).to_string() },
        })
    };
    let of_project = state.files.values().filter(|f| f.project == *project);
    let files: Vec<_> = of_project.map(listed).collect();
    if files.is_empty() {
        return HttpResponse::NotFound().finish();
    }
    let page =
        json!({ "meta": { "api-version": "1.0" }, "name": project.as_str(), "files": files });
    HttpResponse::Ok().content_type("application/vnd.pypi.simple.v1+json").body(page.to_string())
}

async fn file(shelf: Data<Shelf>, path: Path<(String, String)>) -> HttpResponse {
    match shelf.state().files.get(&path.into_inner()) {
        Some(file) => HttpResponse::Ok().body(file.bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}
