//! What anybody sees from outside, and since when.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clock::{Clock, sleep, within};
use crate::domain::time::{At, Span};

/// How often a page is asked for.
const EVERY: Span = Span::millis(5);
/// For how long.
const PATIENCE: Span = Span::secs(60);

/// Asks for a page from a moment before `t0` until it is there: when it was.
pub async fn page_at(
    site: SocketAddr,
    path: String,
    t0: At,
    clock: &dyn Clock,
) -> anyhow::Result<At> {
    sleep(clock, t0.since(clock.wall()).minus(Span::millis(20))).await;
    while clock.wall() < t0.plus(PATIENCE) {
        if status(site, &path, clock).await == Some(200) {
            return Ok(clock.wall());
        }
        sleep(clock, EVERY).await;
    }
    anyhow::bail!("a page did not appear within {} s", PATIENCE.as_secs())
}

async fn status(site: SocketAddr, path: &str, clock: &dyn Clock) -> Option<u16> {
    let ask = async {
        let mut stream = TcpStream::connect(site).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.ok()?;
        std::str::from_utf8(&head).ok()?.split(' ').nth(1)?.parse().ok()
    };
    within(clock, Span::secs(5), ask).await.flatten()
}

/// When a file was last written, as the disk says: git writes a ref when it takes it, and
/// nothing else touches it.
pub fn written_at(file: &Path) -> anyhow::Result<At> {
    let about = std::fs::metadata(file).context("something did not arrive")?;
    let millis = about.mtime().saturating_mul(1000).saturating_add(about.mtime_nsec() / 1_000_000);
    Ok(At::from_millis(millis))
}
