//! The relay of a rehearsal: on this machine's loopback, it takes every mail and keeps it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Longest message that is taken.
const LARGEST: usize = 64 * 1024 * 1024;

/// One mail that would have gone out.
#[derive(Clone)]
pub(super) struct Caught {
    /// MAIL FROM.
    pub from: String,
    /// Every RCPT TO.
    pub to: Vec<String>,
    /// The message as it came over the wire, unstuffed.
    pub bytes: Vec<u8>,
}

type Shelf = Arc<Mutex<Vec<Caught>>>;

/// The relay; gone when dropped.
pub(super) struct Sink {
    port: u16,
    shelf: Shelf,
    _at_work: JoinSet<()>,
}

impl Sink {
    /// Listens on a free port.
    pub async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shelf = Shelf::default();
        let kept = Arc::clone(&shelf);
        let mut at_work = JoinSet::new();
        at_work.spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shelf = Arc::clone(&kept);
                talks.spawn(async move {
                    let _gone = converse(stream, &shelf).await;
                });
            }
        });
        Ok(Self { port, shelf, _at_work: at_work })
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Everything it took, in order.
    pub fn mails(&self) -> Vec<Caught> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn converse(stream: TcpStream, shelf: &Shelf) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 rehearsal\r\n").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await?;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb: String = line.chars().take(4).collect::<String>().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-rehearsal\r\n250 8BITMIME",
            "HELO" | "NOOP" => "250 ok",
            "RSET" => {
                to.clear();
                "250 ok"
            }
            "MAIL" => {
                to.clear();
                from = address(&line);
                "250 ok"
            }
            "RCPT" => {
                to.push(address(&line));
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let bytes = message(&mut stream).await?;
                let caught = Caught { from: from.clone(), to: std::mem::take(&mut to), bytes };
                shelf.lock().unwrap_or_else(PoisonError::into_inner).push(caught);
                "250 kept"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return stream.shutdown().await;
            }
            "" => return Ok(()),
            _ => "500 what",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        stream.flush().await?;
    }
}

/// Up to the line with nothing but a dot, which is not part of it.
async fn message(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 || bytes.len() > LARGEST {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
