//! The wire between the house and its relay, in our own hands: passes everything on, and kills
//! the relay at one exact place in one message.
//!
//! No other message is under way at that moment, so that what becomes of one mail is not what
//! becomes of four.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use super::relay::Postfix;

/// Where the relay dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Half of the message has gone.
    InsideTheMessage,
    /// It took the message, and its answer has not reached us.
    BeforeTheAnswer,
}

struct Doom {
    recipient: String,
    place: Place,
    done: AtomicBool,
    /// Held to read by each message under way, to write by the one that is the last.
    messages: Arc<RwLock<()>>,
}

/// A running gate; it stops when dropped.
pub struct Gate {
    pub port: u16,
    listening: JoinHandle<()>,
}

impl Gate {
    /// Stands before `relay`, which dies with the message to `recipient`, once.
    pub async fn before(relay: Arc<Postfix>, recipient: String, place: Place) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let doom =
            Doom { recipient, place, done: AtomicBool::new(false), messages: Arc::default() };
        let doom = Arc::new(doom);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, Arc::clone(&relay), Arc::clone(&doom)));
            }
        });
        Self { port, listening }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

type Side = BufReader<TcpStream>;

/// One line on; `None` when the other side has gone.
async fn line(from: &mut Side, to: &mut Side) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let got = from.read_until(b'\n', &mut line).await.ok()?;
    to.write_all(&line).await.ok()?;
    (got > 0).then_some(line)
}

/// A whole answer on.
async fn answer(from: &mut Side, to: &mut Side) -> Option<Vec<u8>> {
    loop {
        let line = line(from, to).await?;
        if line.get(3) != Some(&b'-') {
            return Some(line);
        }
    }
}

/// The house waits for each answer before it goes on, and so may we.
async fn pass(house: TcpStream, relay: Arc<Postfix>, doom: Arc<Doom>) -> Option<()> {
    let postfix = TcpStream::connect(("127.0.0.1", relay.port)).await.ok()?;
    house.set_nodelay(true).ok()?;
    postfix.set_nodelay(true).ok()?;
    let (mut house, mut postfix) = (BufReader::new(house), BufReader::new(postfix));
    answer(&mut postfix, &mut house).await?;
    let mut doomed = false;
    loop {
        let mut command = Vec::new();
        if house.read_until(b'\n', &mut command).await.ok()? == 0 {
            return None;
        }
        if command.starts_with(b"RCPT") {
            let to = String::from_utf8_lossy(&command).contains(&doom.recipient);
            doomed = to && !doom.done.load(Ordering::Relaxed);
        }
        if command != b"DATA\r\n" {
            postfix.write_all(&command).await.ok()?;
            answer(&mut postfix, &mut house).await?;
            continue;
        }
        let messages = Arc::clone(&doom.messages);
        if doomed {
            let _alone = messages.write_owned().await;
            last_message(&mut house, &mut postfix, &relay, &doom).await?;
            return None;
        }
        let _with_others = messages.read_owned().await;
        postfix.write_all(&command).await.ok()?;
        if !answer(&mut postfix, &mut house).await?.starts_with(b"354") {
            continue;
        }
        while line(&mut house, &mut postfix).await? != b".\r\n" {}
        answer(&mut postfix, &mut house).await?;
    }
}

/// The message in which the relay dies. Dropping both sides afterwards is the broken wire.
async fn last_message(
    house: &mut Side,
    postfix: &mut Side,
    relay: &Postfix,
    doom: &Doom,
) -> Option<()> {
    postfix.write_all(b"DATA\r\n").await.ok()?;
    answer(postfix, house).await?;
    match doom.place {
        Place::InsideTheMessage => {
            let mut passed = 0;
            while passed < 20_000 {
                passed += line(house, postfix).await?.len();
            }
        }
        Place::BeforeTheAnswer => {
            while line(house, postfix).await? != b".\r\n" {}
            let mut kept_back = Vec::new();
            postfix.read_until(b'\n', &mut kept_back).await.ok()?;
            assert!(kept_back.starts_with(b"250 "), "it was not taken");
        }
    }
    doom.done.store(true, Ordering::Relaxed);
    relay.kill();
    Some(())
}
