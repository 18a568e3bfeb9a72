//! A relay that takes every mail and keeps only the last one of each conversation: for
//! measuring senders, which must not wait for it.
//!
//! Threads and blocking reads of its own, so that it costs every sender alike. It is reached
//! from this machine only.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What its conversations share.
#[derive(Default)]
struct Shared {
    taken: AtomicUsize,
    last: Mutex<Vec<u8>>,
    closed: AtomicBool,
}

/// A running sink; it takes no more conversations when dropped.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Sink {
    /// Starts one on a free loopback port.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if theirs.closed.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&theirs);
                thread::spawn(move || {
                    let _gone = converse(&stream, &shared);
                });
            }
        });
        Ok(Self { address, shared })
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many mails it took.
    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// The last mail of the conversation that ended last, dots unstuffed.
    pub fn last(&self) -> Vec<u8> {
        self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        // Wakes whoever listens.
        let _woken = TcpStream::connect(self.address);
    }
}

/// Replies as a relay does, judging nothing.
fn converse(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    let mut writer = stream;
    writer.write_all(b"220 sink\r\n")?;
    let (mut line, mut mail) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_slice() {
            b"EHLO" => writer.write_all(b"250-sink\r\n250 8BITMIME\r\n")?,
            b"QUIT" => return writer.write_all(b"221 bye\r\n"),
            b"DATA" => {
                writer.write_all(b"354 go on\r\n")?;
                mail.clear();
                take(&mut reader, &mut mail)?;
                *shared.last.lock().unwrap_or_else(PoisonError::into_inner) = mail.clone();
                shared.taken.fetch_add(1, Ordering::Relaxed);
                writer.write_all(b"250 taken\r\n")?;
            }
            _ => writer.write_all(b"250 ok\r\n")?,
        }
    }
}

/// One message up to its final dot.
fn take(reader: &mut BufReader<&TcpStream>, mail: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let begins = mail.len();
        if reader.read_until(b'\n', mail)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match mail.get(begins..) {
            Some(b".\r\n") => {
                mail.truncate(begins);
                return Ok(());
            }
            Some([b'.', ..]) => {
                mail.remove(begins);
            }
            _ => {}
        }
    }
}
