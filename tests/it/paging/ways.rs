//! The ways in which the team is called, each a real one: a relay, a process, an HTTP receiver.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daybreak::domain::time::Span;
use daybreak::engine::Engine;
use daybreak::town::catcher::{Fault as MailFault, Times};
use daybreak::town::story::{PLANTED, PUBLIC_ID};
use hmac::{Hmac, KeyInit as _, Mac as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::ground::Db;
use crate::story::{Point, Story, TEAM};

const SECRET: [u8; 32] = [7; 32];

/// A receiver of webhooks that takes everything and remembers it.
struct Receiver {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut got = Vec::new();
                let mut piece = [0; 4096];
                while !whole(&got) {
                    let n = stream.read(&mut piece).await.unwrap();
                    assert!(n > 0, "it hung up");
                    got.extend_from_slice(&piece[..n]);
                }
                theirs.lock().unwrap().push(String::from_utf8(got).unwrap());
                let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
                stream.write_all(answer).await.unwrap();
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Whether a request is there with all of its body.
fn whole(got: &[u8]) -> bool {
    let text = String::from_utf8_lossy(got);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    body.len() >= header(head, "content-length").parse::<usize>().unwrap()
}

fn header(head: &str, name: &str) -> String {
    let mut lines = head.lines().filter_map(|l| l.split_once(": "));
    let (_, value) = lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).unwrap();
    value.to_owned()
}

/// A story whose team is called in these ways.
async fn called_by(sections: &str) -> (Story, Engine) {
    let mut story = Story::at(Db::Sqlite, Point::Told).await.unwrap();
    let file = story.town.dir().join("daybreak.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{sections}")).unwrap();
    story.town.reopen().unwrap();
    let mut engine = story.engine().await;
    engine.settle().await.unwrap();
    (story, engine)
}

/// A command that writes what it is told into a file, and the section for it.
fn command(story: &tempfile::TempDir) -> (PathBuf, String) {
    let (notes, token) = (story.path().join("notes"), story.path().join("token"));
    std::fs::write(&token, "tok-123\n").unwrap();
    let section = format!(
        "[[bells]]\nkind = \"command\"\n\
         run = [\"/bin/sh\", \"-c\", 'cat >> \"$0\"; env >> \"$0\"', {notes:?}]\n\
         secret_files = {{ PAGER = {token:?} }}\n"
    );
    (notes, section)
}

/// A mail relay that takes nothing keeps no command from being rung; what it did not take it gets
/// later, and meanwhile the others say that it fails.
#[tokio::test]
async fn a_relay_that_fails_silences_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (notes, section) = command(&folder);
    let (story, mut engine) = called_by(&format!("[[bells]]\nkind = \"mail\"\n{section}")).await;
    let down = MailFault::RefuseRecipient { address: TEAM.to_owned(), code: 451 };
    story.town.catcher.script(down, Times::Always);
    story.hold(story.release()).await;
    story.at_t0(&mut engine).await;
    let noted = || std::fs::read_to_string(&notes).unwrap_or_default();
    let said = |code: &str| noted().matches(&format!("reason: {code}\n")).count();
    assert_eq!((said("held-at-t0"), story.rings("held-at-t0")), (1, 0), "{}", noted());
    assert!(noted().contains("PAGER=tok-123") && !noted().contains("HOME="), "{}", noted());
    for word in PLANTED.iter().copied().chain([PUBLIC_ID]) {
        assert!(!noted().contains(word), "the command was told {word}");
    }
    story.pass(&mut engine, &[Span::secs(70); 4]).await;
    assert_eq!((said("held-at-t0"), said("bell-way-fails")), (1, 0), "it was heard");
    story.pass(&mut engine, &[Span::secs(30), Span::secs(10)]).await;
    assert_eq!((said("held-at-t0"), said("bell-way-fails")), (2, 1));
    story.town.catcher.behave();
    story.pass(&mut engine, &[Span::secs(70)]).await;
    assert_eq!(story.rings("held-at-t0"), 2, "{:?}", story.bells());
    assert_eq!((said("held-at-t0"), said("bell-way-fails")), (2, 1));
}

/// A receiver for the last resort hears the third and the fourth saying, signed, and learns
/// code, id and time.
#[tokio::test]
async fn a_receiver_is_called_from_its_tier_on() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("whsec_{}\n", STANDARD.encode(SECRET))).unwrap();
    let (story, mut engine) = called_by(&format!(
        "[[bells]]\nkind = \"mail\"\n[[bells]]\nkind = \"webhook\"\nfrom = \"10m\"\n\
         url = \"http://127.0.0.1:{}/page\"\nsecret_file = {secret:?}\n",
        receiver.port
    ))
    .await;
    story.hold(story.release()).await;
    story.at_t0(&mut engine).await;
    let mut after = Vec::new();
    for _ in 0..25 {
        story.pass(&mut engine, &[Span::mins(1)]).await;
        after.push(receiver.heard().len());
    }
    assert_eq!((after[8], after[9], after[18], after[19], after[24]), (0, 1, 1, 2, 2));
    assert_eq!(story.rings("held-at-t0"), 4);

    let call = story.calls().await[0].said.call.clone();
    let mut ids = Vec::new();
    for request in receiver.heard() {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let event: serde_json::Value = serde_json::from_str(body).unwrap();
        let keys: Vec<_> = event.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["code", "id", "time"]);
        assert_eq!(
            (event["code"].as_str(), event["id"].as_str()),
            (Some("held-at-t0"), Some(&*call))
        );
        let (id, time) = (header(head, "webhook-id"), header(head, "webhook-timestamp"));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&SECRET).unwrap();
        mac.update(format!("{id}.{time}.{body}").as_bytes());
        let signed = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(header(head, "webhook-signature"), signed);
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1], "two sayings are two messages");
    for word in PLANTED.iter().copied().chain([PUBLIC_ID]) {
        assert!(!receiver.heard().concat().contains(word), "the receiver was told {word}");
    }
}

/// What is only worth a mail wakes nobody.
#[tokio::test]
async fn an_urgent_way_is_spared_what_can_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (notes, section) = command(&folder);
    let section = format!("[[bells]]\nkind = \"mail\"\n{section}level = \"urgent\"\n");
    let (story, mut engine) = called_by(&section).await;
    story.pass(&mut engine, &[Span::mins(61)]).await;
    story.hold(story.release()).await;
    story.pass(&mut engine, &[Span::mins(1)]).await;
    assert_eq!(story.rings("not-armed-an-hour-ahead"), 1, "{:?}", story.bells());
    assert!(!notes.exists(), "it was woken");
    story.at_t0(&mut engine).await;
    assert!(std::fs::read_to_string(&notes).unwrap().contains("reason: held-at-t0\n"));
}
