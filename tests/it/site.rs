//! The public site over real TCP: what it serves, what it refuses, and that it never says
//! more than what is published.

mod damaged;
mod real;
mod shelf;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use daybreak::clock::{Clock, Generator, SystemClock, sleep};
use daybreak::domain::blob::Sha256;
use daybreak::domain::time::{At, Mono, Span};
use daybreak::exec::Process;
use daybreak::formats::tree::Tree;
use daybreak::web::{Serving, Shown as _, Web, serve};
use reqwest::{Client, Method, Response, StatusCode};
use shelf::{HOSTILE, Shelf, advisory, hostile, papers, published};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const BASE: &str = "https://security.meadow.example";
const ID: &str = "x_meadow-2026-0001";
const AT: &str = "2026-12-01T15:00:03Z";

/// A served site and the shelf behind it.
struct Site {
    shelf: Arc<Shelf>,
    serving: Serving,
    client: Client,
    clock: Arc<Hurried>,
}

/// The machine's clock; in a hurry it waits for nothing.
struct Hurried(SystemClock, AtomicBool);

#[async_trait]
impl Clock for Hurried {
    fn wall(&self) -> At {
        self.0.wall()
    }
    fn mono(&self) -> Mono {
        self.0.mono()
    }
    async fn sleep_until(&self, until: Mono) {
        if !self.1.load(Ordering::SeqCst) {
            self.0.sleep_until(until).await;
        }
    }
}

impl Site {
    async fn of(shelf: Shelf) -> Self {
        Self::at("127.0.0.1:0", shelf).await
    }

    async fn at(listen: &str, shelf: Shelf) -> Self {
        let shelf = Arc::new(shelf);
        let clock = Arc::new(Hurried(SystemClock::new(), AtomicBool::new(false)));
        let web = Web {
            shown: shelf.clone(),
            clock: clock.clone(),
            rng: Arc::new(Generator::from_system().unwrap()),
            freshness: Span::ZERO,
        };
        let serving = serve(listen.parse().unwrap(), web).await.unwrap();
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        Self { shelf, serving, client: client.unwrap(), clock }
    }

    async fn ask(&self, method: Method, path: &str) -> Response {
        let url = format!("http://{}{path}", self.serving.address());
        self.client.request(method, url).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path).await
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn raw(&self, method: &str, path: &str) -> String {
        raw(self.serving.address(), method, path).await
    }
}

/// One request as it stands, and every byte that comes back. The Date is taken out.
pub async fn raw(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let dated = |line: &&str| line.to_ascii_lowercase().starts_with("date:");
    let mut head: Vec<_> = head.split("\r\n").filter(|l| !dated(l)).collect();
    head[1..].sort_unstable();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}

fn one() -> Shelf {
    Shelf::with(vec![published(&advisory(ID), BASE, AT)])
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

/// Every path of a site that shows `shelf`.
fn paths(shelf: &Shelf) -> BTreeMap<String, Vec<u8>> {
    let published = shelf.published.lock().unwrap();
    let tree = Tree::build(shelf.templates(), &shelf.masthead(), &papers(), &published).unwrap();
    tree.files().map(|(path, file)| (path.to_owned(), file.bytes.clone())).collect()
}

#[tokio::test]
async fn every_file_is_served_as_it_is() {
    let site = Site::of(one()).await;
    for (path, bytes) in paths(&site.shelf) {
        let answer = site.get(&path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let kind = header(&answer, "content-type").unwrap();
        let expected = match path.rsplit('.').next().unwrap() {
            "json" => "application/json",
            "atom" => "application/atom+xml; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "asc" => "application/pgp-keys",
            "txt" => "text/plain; charset=utf-8",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(kind, expected, "{path}");
        let etag = header(&answer, "etag").unwrap();
        assert_eq!(etag, format!("\"{}\"", Sha256::of(&bytes)), "{path}");
        let open = header(&answer, "access-control-allow-origin") == Some("*");
        assert_eq!(open, path.starts_with("/osv/"), "{path}");
        let modified = header(&answer, "last-modified");
        assert_eq!(
            modified,
            (path == "/osv/all.json").then_some("Tue, 01 Dec 2026 15:00:03 GMT"),
            "{path}"
        );
        assert_eq!(answer.bytes().await.unwrap(), bytes, "{path}");
    }
    assert!(site.text(&format!("/osv/{ID}.json")).await.contains(ID));
    assert!(site.text("/.well-known/security.txt").await.starts_with("Contact: mailto:"));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let site = Site::of(one()).await;
    let mut all: Vec<String> = paths(&site.shelf).into_keys().collect();
    all.extend(["/healthz", "/readyz", "/nothing"].map(str::to_owned));
    for path in all {
        let (get, head) = (site.raw("GET", &path).await, site.raw("HEAD", &path).await);
        let (get_head, body) = get.split_once("\r\n\r\n").unwrap();
        assert_eq!(head, format!("{get_head}\r\n\r\n"), "{path}");
        let length = format!("content-length: {}", body.len());
        assert!(get_head.to_ascii_lowercase().contains(&length), "{path}: {get_head}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_same_protection() {
    let site = Site::of(one()).await;
    let mut answers = Vec::new();
    for path in ["/", "/osv/all.json", "/site.css", "/nothing", "/healthz", "/readyz"] {
        answers.push(site.get(path).await);
        answers.push(site.ask(Method::POST, path).await);
    }
    let known = site.client.get(format!("http://{}/", site.serving.address()));
    answers.push(known.header("If-None-Match", "*").send().await.unwrap());
    site.shelf.unready.store(true, Ordering::SeqCst);
    answers.push(site.get("/readyz").await);
    let down = Site::of(Shelf { down: true.into(), ..one() }).await;
    answers.push(down.get("/").await);
    let twice = published(&advisory(ID), BASE, AT);
    let broken = Site::of(Shelf::with(vec![twice.clone(), twice])).await;
    answers.push(broken.get("/").await);
    let statuses: std::collections::BTreeSet<_> =
        answers.iter().map(|a| a.status().as_u16()).collect();
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [200, 304, 404, 405, 500, 503]);
    for answer in &answers {
        let csp = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; \
            base-uri 'none'; frame-ancestors 'none'";
        for (name, expected) in [
            ("content-security-policy", csp),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=63072000"),
        ] {
            assert_eq!(header(answer, name), Some(expected), "{answer:?}");
        }
        assert!(header(answer, "permissions-policy").unwrap().contains("camera=()"));
        let cache = header(answer, "cache-control").unwrap();
        let file =
            matches!(answer.status().as_u16(), 200 | 304) && !answer.url().path().ends_with('z');
        let expected = if file { "public, max-age=60, must-revalidate" } else { "no-store" };
        assert_eq!(cache, expected, "{answer:?}");
        assert_eq!(header(answer, "server"), None);
    }
}

#[tokio::test]
async fn a_site_without_tls_does_not_promise_it() {
    let site = Site::of(Shelf { base_url: "http://127.0.0.1:1", ..Shelf::default() }).await;
    assert_eq!(header(&site.get("/").await, "strict-transport-security"), None);
    assert_eq!(header(&site.get("/x").await, "strict-transport-security"), None);
}

#[tokio::test]
async fn what_is_not_public_is_the_same_as_what_never_was() {
    let site = Site::of(one()).await;
    let nothing = site.raw("GET", "/nothing").await;
    assert!(nothing.starts_with("HTTP/1.1 404"), "{nothing}");
    assert!(nothing.contains("There is nothing here"), "{nothing}");
    for path in [
        "/advisories/x_meadow-2026-0002.html",
        "/osv/x_meadow-2026-0002.json",
        "/osv/x_meadow-2026-0002.json?x=1",
        "/advisories/x_meadow-2026-0001.entry.json",
        "/advisories/",
        "/osv",
        "/index.html",
        "/404.html",
        "/./",
        "/osv/../osv/all.json",
        "/osv/%61ll.json",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//",
        "/%zz",
        "/healthz/",
    ] {
        assert_eq!(site.raw("GET", path).await, nothing, "{path}");
    }
    let head = site.raw("HEAD", "/nothing").await;
    assert_eq!(site.raw("HEAD", "/osv/x_meadow-2026-0002.json").await, head);
    let post = site.raw("POST", "/nothing").await;
    assert_eq!(site.raw("POST", "/osv/x_meadow-2026-0002.json").await, post);
    assert_eq!(site.raw("POST", "/").await, post, "not even that it exists");
}

#[tokio::test]
async fn other_methods_are_told_which_are_known() {
    let site = Site::of(one()).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = site.ask(method.clone(), "/").await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(header(&answer, "allow"), Some("GET, HEAD"), "{method}");
        assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], 405);
    }
    let url = format!("http://{}/", site.serving.address());
    let large = site.client.post(url).body(vec![b'x'; 4 * 1024 * 1024]).send().await;
    assert!(large.is_err() || large.is_ok_and(|a| a.status() == StatusCode::METHOD_NOT_ALLOWED));
    assert_eq!(site.get("/").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn who_has_the_bytes_gets_no_bytes() {
    let site = Site::of(one()).await;
    let etag = header(&site.get("/feed.atom").await, "etag").unwrap().to_owned();
    let url = format!("http://{}/feed.atom", site.serving.address());
    for (tags, known) in [
        (etag.clone(), true),
        (format!("W/{etag}"), true),
        (format!("\"other\", {etag}"), true),
        ("*".to_owned(), true),
        ("\"other\"".to_owned(), false),
        (etag.trim_matches('"').to_owned(), false),
    ] {
        let answer = site.client.get(&url).header("If-None-Match", &tags).send().await.unwrap();
        let expected = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        assert_eq!(answer.status(), expected, "{tags}");
        assert_eq!(header(&answer, "etag"), Some(etag.as_str()));
        assert_eq!(answer.bytes().await.unwrap().is_empty(), known, "{tags}");
    }
    site.shelf.put(published(&advisory("x_meadow-2026-0002"), BASE, AT));
    let answer = site.client.get(&url).header("If-None-Match", &etag).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "it has changed");
}

#[tokio::test]
async fn a_publication_is_everywhere_at_once_and_nowhere_before() {
    let site = Site::of(Shelf::default()).await;
    let listing = ["/", "/feed.atom", "/osv/all.json"];
    for path in listing {
        assert!(!site.text(path).await.contains(ID), "{path}");
    }
    assert_eq!(site.get(&format!("/osv/{ID}.json")).await.status(), StatusCode::NOT_FOUND);
    site.shelf.put(published(&advisory(ID), BASE, AT));
    for path in listing {
        assert!(site.text(path).await.contains(ID), "{path}");
    }
    assert_eq!(site.get(&format!("/advisories/{ID}.html")).await.status(), StatusCode::OK);
    assert_eq!(site.shelf.whole_reads.load(Ordering::SeqCst), 2, "once an edition");
}

#[tokio::test]
async fn nothing_typed_becomes_markup() {
    let site = Site::of(Shelf::with(vec![published(&hostile(ID), BASE, AT)])).await;
    for path in ["/".to_owned(), format!("/advisories/{ID}.html"), "/feed.atom".to_owned()] {
        let text = site.text(&path).await;
        for markup in ["<script", "<img", "onerror=alert(1)>", "{{ 7 }}\"'>", HOSTILE] {
            assert!(!text.contains(markup), "{path}: {markup}");
        }
        assert!(text.contains("alert("), "{path}: it is shown as text");
    }
    let answer = site.get(&format!("/osv/{ID}.json")).await;
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    let record: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(record["summary"], HOSTILE);
}

/// feedparser is what many readers use; without it the feed is read by our own library.
async fn entries_of(feed: &str) -> usize {
    let read = "import sys, feedparser\nf = feedparser.parse(sys.stdin.buffer.read())\n\
        assert not f.bozo, f.bozo_exception\nprint(len(f.entries))";
    let python = std::env::var("DAYBREAK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Process::new(&python).args(["-c", "import feedparser"]);
    if has.run(&SystemClock::new()).await.is_ok_and(|out| out.ok()) {
        let run = Process::new(&python).args(["-c", read]).stdin(feed.as_bytes());
        let out = run.run(&SystemClock::new()).await.unwrap();
        assert!(out.ok(), "{}", out.complaint());
        return out.text().trim().parse().unwrap();
    }
    atom_syndication::Feed::read_from(feed.as_bytes()).unwrap().entries().len()
}

#[tokio::test]
async fn readers_understand_the_feed() {
    let site = Site::of(Shelf::with(vec![published(&hostile(ID), BASE, AT)])).await;
    assert_eq!(entries_of(&site.text("/feed.atom").await).await, 1);
    site.shelf.put(published(&advisory("x_meadow-2026-0002"), BASE, AT));
    assert_eq!(entries_of(&site.text("/feed.atom").await).await, 2);
}

#[tokio::test]
async fn embargoes_do_not_show() {
    // Law 8: other moments, other houses, other things going on behind; the same surface.
    let quiet = Site::of(one()).await;
    let busy = Site::of(Shelf { history: "after 4711 writes", ..one() }).await;
    for path in ["/osv/x_meadow-2026-0002.json", "/readyz", "/"] {
        busy.get(path).await;
    }
    let mut all: Vec<String> = paths(&quiet.shelf).into_keys().collect();
    all.extend(["/healthz", "/readyz", "/nothing", "/robots.txt"].map(str::to_owned));
    for path in all {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            assert_eq!(quiet.raw(method, &path).await, busy.raw(method, &path).await, "{path}");
        }
    }
}

#[tokio::test]
async fn without_the_database_the_last_edition_is_served() {
    let site = Site::of(one()).await;
    let before = site.raw("GET", "/").await;
    assert_eq!(site.get("/readyz").await.status(), StatusCode::OK);
    site.shelf.down.store(true, Ordering::SeqCst);
    assert_eq!(site.raw("GET", "/").await, before);
    assert_eq!(site.get("/readyz").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/healthz").await.status(), StatusCode::OK);
    // A database that hangs holds nobody up, and is not asked again by every reader.
    site.shelf.down.store(false, Ordering::SeqCst);
    site.shelf.hanging.store(true, Ordering::SeqCst);
    site.clock.1.store(true, Ordering::SeqCst);
    let asked = site.shelf.asked.load(Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(site.raw("GET", "/").await, before);
    }
    assert_eq!(site.shelf.asked.load(Ordering::SeqCst), asked + 1);
}

#[tokio::test]
async fn without_database_and_edition_it_says_so_and_recovers() {
    let site = Site::of(Shelf { down: true.into(), ..one() }).await;
    for path in ["/", "/nothing"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
        assert_eq!(header(&answer, "retry-after"), Some("60"));
    }
    site.shelf.down.store(false, Ordering::SeqCst);
    assert_eq!(site.get("/").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_error_is_a_number_and_nothing_else() {
    let one = published(&advisory(ID), BASE, AT);
    let site = Site::of(Shelf::with(vec![one.clone(), one])).await;
    let answer = site.get("/").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let problem: serde_json::Value = answer.json().await.unwrap();
    let fields: Vec<_> = problem.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["reference", "status", "title", "type"]);
    assert!(!problem.to_string().contains(ID), "{problem}");
    let reference = problem["reference"].as_str().unwrap().to_owned();
    assert!(reference.len() == 16 && reference.chars().all(|c| c.is_ascii_hexdigit()));
    let again: serde_json::Value = site.get("/nothing").await.json().await.unwrap();
    assert_eq!(again["reference"], reference.as_str(), "one fault, one number");
    let other = published(&advisory("x_meadow-2026-0002"), BASE, AT);
    *site.shelf.published.lock().unwrap() = vec![other];
    assert_eq!(site.get("/").await.status(), StatusCode::OK, "mended");
}

#[tokio::test]
async fn a_crowd_asks_once() {
    let site = Site::of(one()).await;
    let crowd: Vec<_> = (0..60)
        .map(|_| {
            let url = format!("http://{}/", site.serving.address());
            tokio::spawn(site.client.get(url).send())
        })
        .collect();
    for reader in crowd {
        assert_eq!(reader.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(site.shelf.whole_reads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_site_below_a_path_answers_with_and_without_it() {
    let base = "https://meadow.example/security";
    let shelf = Shelf::with(vec![published(&advisory(ID), base, AT)]);
    let site = Site::of(Shelf { base_url: base, ..shelf }).await;
    for (path, bytes) in paths(&site.shelf) {
        for path in [format!("/security{path}"), path] {
            assert_eq!(site.get(&path).await.bytes().await.unwrap(), bytes, "{path}");
        }
    }
    let index = site.text("/").await.replace("&#x2f;", "/");
    assert!(index.contains(&format!("href=\"/security/advisories/{ID}.html\"")), "{index}");
}

#[tokio::test]
async fn it_stops_and_an_address_in_use_is_named() {
    // An address of its own: a port of 127.0.0.1 could be another test's as soon as it is free.
    let site = Site::at("127.83.1.4:0", one()).await;
    let address = site.serving.address();
    let web = Web {
        shown: site.shelf.clone(),
        clock: site.clock.clone(),
        rng: Arc::new(Generator::from_seed([1; 32])),
        freshness: Span::ZERO,
    };
    let refused = serve(address, web).await.err().unwrap().to_string();
    assert!(refused.contains(&address.to_string()) && refused.contains("site.listen"), "{refused}");
    assert_eq!(site.get("/healthz").await.status(), StatusCode::OK);
    site.serving.stop().await;
    // Another test's child process can hold a copy of the socket between its fork and its
    // exec: what counts is that nobody listens any more soon after.
    for _ in 0..100 {
        if TcpStream::connect(address).await.is_err() {
            return;
        }
        sleep(&SystemClock::new(), Span::millis(50)).await;
    }
    panic!("somebody still listens on {address}");
}
