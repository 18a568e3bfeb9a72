//! Somebody who speaks HTTP on a loopback port: shows pages, takes calls, and misbehaves.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

/// One request as it came.
#[derive(Clone)]
pub(super) struct Asked {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What it does with who calls.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Manner {
    /// Shows its pages; answers calls with this status and these headers.
    Answers(u16, &'static str),
    /// Takes everything and breaks off.
    BreaksOff,
    /// Takes everything and says nothing.
    Hangs,
}

struct State {
    pages: BTreeMap<String, Vec<u8>>,
    asked: Vec<Asked>,
    manner: Manner,
}

pub(super) struct Peer {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl Peer {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (pages, asked, manner) = (BTreeMap::new(), Vec::new(), Manner::Answers(204, ""));
        let state = Arc::new(Mutex::new(State { pages, asked, manner }));
        let shared = Arc::clone(&state);
        let listening = tokio::spawn(async move {
            let mut talks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                talks.spawn(talk(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state, listening: Mutex::new(Some(listening)) }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn behave(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    pub(super) fn manner(&self) -> Manner {
        self.state.lock().unwrap().manner.clone()
    }

    pub(super) fn show(&self, path: &str, bytes: &[u8]) {
        self.state.lock().unwrap().pages.insert(path.to_owned(), bytes.to_vec());
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    pub(super) async fn stop(&self) {
        let listening = self.listening.lock().unwrap().take();
        if let Some(listening) = listening {
            listening.abort();
            let _ended = listening.await;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.get_mut().unwrap().take() {
            listening.abort();
        }
    }
}

/// One request a connection.
async fn talk(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(asked) = read(&mut stream).await else { return };
    let (manner, page) = {
        let mut state = state.lock().unwrap();
        state.asked.push(asked.clone());
        (state.manner.clone(), state.pages.get(&asked.path).cloned())
    };
    let (status, headers, body) = match (manner, asked.method.as_str()) {
        (Manner::BreaksOff, _) => return,
        (Manner::Hangs, _) => return std::future::pending().await,
        (Manner::Answers(status, headers), "POST") => (status, headers, Vec::new()),
        (Manner::Answers(..), _) => match page {
            Some(page) => (200, "", page),
            None => (404, "", b"nothing here".to_vec()),
        },
    };
    let head = format!(
        "HTTP/1.1 {status} Said\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _gone = stream.write_all(&[head.into_bytes(), body].concat()).await;
    let _gone = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        if let Some(end) = end {
            break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
        }
    };
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|l| l.split_once(": "))
        .map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |l| l.parse().unwrap());
    while bytes.len() < length {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
    }
    Some(Asked { method, path, headers, body: bytes })
}
