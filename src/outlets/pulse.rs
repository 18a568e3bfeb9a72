//! Listening for a heartbeat, in a file or on the web, as anybody can.

use std::path::Path;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;

use super::visitor::Visitor;
use crate::clock::Clock;
use crate::domain::time::At;
use crate::formats::heartbeat::read;

/// A heartbeat is shorter.
const LIMIT: u64 = 4096;

/// Somebody who listens; needs no house.
pub struct Pulse(Visitor);

impl Pulse {
    /// With a clock for its patience.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Visitor::new(clock))
    }

    /// When the engine lived last, by a file or an address of the web; the error says what is
    /// wrong with it. Only a heartbeat signed with `key`, if there is one, counts.
    pub async fn listen(&self, source: &str, key: Option<&[u8]>) -> Result<At, String> {
        let text = if source.starts_with("https://") || source.starts_with("http://") {
            let page = self.0.get(source, "text/plain").await.map_err(|e| format!("it {e}"))?;
            if page.status != 200 {
                return Err(format!("it answers {}", page.status));
            }
            page.bytes
        } else {
            from_file(Path::new(source)).await.map_err(|e| format!("cannot be read: {e}"))?
        };
        read(&String::from_utf8_lossy(&text), key).map_err(|e| e.to_string())
    }
}

async fn from_file(path: &Path) -> Result<Vec<u8>, std::io::ErrorKind> {
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await.map_err(|e| e.kind())?;
    file.take(LIMIT).read_to_end(&mut bytes).await.map_err(|e| e.kind())?;
    Ok(bytes)
}
