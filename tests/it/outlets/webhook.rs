//! A receiver of webhooks that checks every call by itself, as Standard Webhooks 1.0 says: its
//! own HMAC, made of SHA-256 alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daybreak::config::Webhook;
use daybreak::domain::blob::Sha256;
use daybreak::outlets::webhook::{WebhookOutlet, check_secret};

use super::peer::{Asked, Manner, Peer};
use super::*;

const SECRET: [u8; 32] = *b"zanzibarite-zanzibarite-zanzibar";

pub(super) struct Receiver {
    peer: Peer,
    folder: tempfile::TempDir,
}

fn written(secret: &[u8]) -> String {
    format!("whsec_{}\n", STANDARD.encode(secret))
}

/// RFC 2104, by hand.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
        block.to_vec()
    };
    let inner = Sha256::of(&[padded(0x36), message.to_vec()].concat());
    *Sha256::of(&[padded(0x5c), inner.raw().to_vec()].concat()).raw()
}

/// Whether one of the call's signatures is by `secret`.
fn is_signed(call: &Asked, secret: &[u8]) -> bool {
    let [id, timestamp, signatures] =
        ["id", "timestamp", "signature"].map(|h| call.headers[&format!("webhook-{h}")].clone());
    let sent = At::from_secs(timestamp.parse().unwrap());
    let age = clock().wall().since(sent);
    assert!(Span::secs(-5) < age && age < Span::mins(5), "a timestamp of now");
    let message = [format!("{id}.{timestamp}.").into_bytes(), call.body.clone()].concat();
    let ours = format!("v1,{}", STANDARD.encode(hmac(secret, &message)));
    signatures.split(' ').any(|s| s == ours)
}

impl Receiver {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), written(&SECRET)).unwrap();
        Self { peer: Peer::new().await, folder }
    }

    fn config(&self) -> Webhook {
        Webhook {
            name: "chat".to_owned(),
            url: self.peer.url("/zanzibarite"),
            secret_file: self.folder.path().join("secret"),
            expires: None,
        }
    }

    /// The calls that were taken.
    fn calls(&self) -> Vec<Asked> {
        self.peer.asked()
    }
}

#[async_trait]
impl World for Receiver {
    fn name(&self) -> &'static str {
        "webhook"
    }
    fn outlet_on(&self, clock: Arc<dyn Clock>) -> Arc<dyn Outlet> {
        Arc::new(WebhookOutlet::new(self.config(), clock))
    }
    fn intended(&self) -> Intended {
        let event = Blob::new("event.json", b"{\"id\":\"zanzibarite\"}".to_vec(), vec![]);
        let (webhook, url) = ("chat".to_owned(), self.peer.url("/zanzibarite"));
        let action = Action::Post { webhook, url, event: event.about.clone() };
        intended(action, vec![event])
    }
    fn ends(&self) -> Ends {
        Ends::HandedOver
    }
    fn asks_ahead(&self) -> bool {
        false
    }
    async fn copies(&self) -> Option<usize> {
        let refused = matches!(self.peer.manner(), Manner::Answers(300.., _));
        let calls = self.calls();
        for call in &calls {
            assert_eq!(call.method, "POST");
            assert_eq!(call.body, self.intended().blobs[0].bytes, "the approved bytes");
            assert_eq!(call.headers["content-type"], "application/json");
            assert!(is_signed(call, &SECRET), "a receiver would not believe it");
        }
        // As the standard says, a receiver knows a call by its id.
        let ids: std::collections::BTreeSet<_> =
            calls.iter().map(|c| c.headers["webhook-id"].clone()).collect();
        Some(if refused { 0 } else { ids.len() })
    }
    async fn trouble(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Refuses => self.peer.behave(Manner::Answers(410, "")),
            Trouble::Busy => self.peer.behave(Manner::Answers(503, "Retry-After: 7\r\n")),
            Trouble::Unreachable => self.peer.stop().await,
            Trouble::Hangs => self.peer.behave(Manner::Hangs),
            Trouble::LosesTheAnswer => self.peer.behave(Manner::BreaksOff),
            // There is nothing to look at.
            Trouble::ShowsLate | Trouble::HoldsAnother => return false,
        }
        true
    }
}

/// What an act gives when the receiver answers so.
async fn answered(status: u16, headers: &'static str) -> (Result<Receipt, OutletError>, usize) {
    let receiver = Receiver::new().await;
    receiver.peer.behave(Manner::Answers(status, headers));
    let result = act(&receiver).await;
    (result, receiver.calls().len())
}

#[tokio::test]
async fn answers_are_judged_as_the_standard_says() {
    for (status, code, retry) in [
        (302, "webhook-redirects", Retry::Never),
        (404, "webhook-refused", Retry::Never),
        (410, "webhook-gone", Retry::Never),
        (429, "webhook-busy", Retry::Later),
        (500, "webhook-busy", Retry::Later),
    ] {
        let (result, calls) = answered(status, "Location: /elsewhere\r\n").await;
        let error = result.unwrap_err();
        assert_eq!((error.code.as_str(), error.retry, calls), (code, retry, 1), "{status}");
    }
    let (result, _) = answered(429, "Retry-After: 90\r\n").await;
    assert_eq!(result.unwrap_err().wait, Some(Span::secs(90)));
}

#[tokio::test]
async fn the_id_stays_and_the_secret_is_read_each_time() {
    let receiver = Receiver::new().await;
    act(&receiver).await.unwrap();
    let new = [9; 24];
    let both = format!("{}{}", written(&new), written(&SECRET));
    std::fs::write(receiver.folder.path().join("secret"), both).unwrap();
    act(&receiver).await.unwrap();
    let calls = receiver.calls();
    assert_eq!(calls[0].headers["webhook-id"], receiver.intended().step.to_string());
    assert_eq!(calls[0].headers["webhook-id"], calls[1].headers["webhook-id"]);
    assert!(!is_signed(&calls[0], &new) && is_signed(&calls[1], &new));
    assert!(is_signed(&calls[1], &SECRET), "a receiver that has only the old one believes it too");
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_agreed_or_nobody_could_believe_it() {
    let receiver = Receiver::new().await;
    let mut elsewhere = receiver.intended();
    if let Action::Post { url, .. } = &mut elsewhere.action {
        url.push_str("/other");
    }
    assert!(any_stop(&receiver.outlet().check(&elsewhere).await));
    let error = receiver.outlet().act(&effect(elsewhere)).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("webhook-moved", Retry::Never));

    std::fs::write(receiver.folder.path().join("secret"), "zanzibarite").unwrap();
    let finding = check_secret(&receiver.config()).unwrap();
    assert!(!format!("{finding:?}").contains(PLANTED));
    let error = act(&receiver).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("webhook-secret", Retry::AskHuman));
    assert!(receiver.calls().is_empty());
}

/// TLS with somebody nobody vouches for: not a byte of the call is sent.
#[tokio::test]
async fn a_receiver_that_cannot_prove_who_it_is_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_, server)) = tls::certificate(folder.path(), "localhost").await else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let acceptor = tokio_rustls::TlsAcceptor::from(server);
    let greeted = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.is_ok()
    });
    let receiver = Receiver::new().await;
    let config = Webhook { url: url.clone(), ..receiver.config() };
    let mut call = receiver.intended();
    if let Action::Post { url: wanted, .. } = &mut call.action {
        *wanted = url;
    }
    let error = WebhookOutlet::new(config, clock()).act(&effect(call)).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry), ("webhook-unreachable", Retry::Later));
    assert!(!greeted.await.unwrap(), "the greeting was not even finished");
}
