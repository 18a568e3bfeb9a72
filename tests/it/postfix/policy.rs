//! A policy server as Postfix asks one (its SMTPD_POLICY_README): puts one recipient off as
//! often as wanted, then takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running policy server; it stops when dropped.
pub struct Policy {
    pub port: u16,
    listening: JoinHandle<()>,
}

impl Policy {
    /// Answers 451 for `recipient` the first `times` times.
    pub async fn put_off(recipient: String, times: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicU32::new(times));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, recipient.clone(), Arc::clone(&left)));
            }
        });
        Self { port, listening }
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn talk(stream: TcpStream, recipient: String, left: Arc<AtomicU32>) {
    let mut stream = BufReader::new(stream);
    let wanted = format!("recipient={recipient}");
    let mut meant = false;
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
        meant |= line.trim_end() == wanted;
        if line.trim_end().is_empty() {
            let less = |n: u32| n.checked_sub(1);
            let put_off =
                meant && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
            let answer = if put_off { "451 4.7.1 later" } else { "DUNNO" };
            let answer = format!("action={answer}\n\n");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            meant = false;
        }
        line.clear();
    }
}
