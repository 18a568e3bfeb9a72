//! The file by which another machine sees that the engine lives: written anew at every beat,
//! after the database took it. A disk that hangs keeps no turn waiting.

use std::path::Path;
use std::sync::Arc;

use tokio::task::AbortHandle;
use zeroize::Zeroizing;

use super::Engine;
use super::errands::Errand;
use crate::casework::House;
use crate::domain::time::At;
use crate::formats::heartbeat::write;

/// Whether one is still being written.
#[derive(Default)]
pub(super) struct Heart(Option<AbortHandle>);

impl Engine {
    /// Begins to write the next one, unless the last is still under way.
    pub(super) fn show_that_it_lives(&mut self, now: At) {
        let Some(file) = &self.house.config.heartbeat.file else { return };
        if self.heart.0.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let (house, file) = (Arc::clone(&self.house), self.house.dir.join(file));
        self.heart.0 = Some(self.errands.spawn(async move {
            if beat(&house, &file, now).await.is_err() {
                tracing::warn!("the heartbeat could not be written");
            }
            Errand::Minded
        }));
    }
}

async fn beat(house: &House, file: &Path, now: At) -> std::io::Result<()> {
    let key = match &house.config.heartbeat.secret_file {
        Some(file) => Some(Zeroizing::new(tokio::fs::read(house.dir.join(file)).await?)),
        None => None,
    };
    let text = write(now, key.as_ref().map(|k| k.as_slice()))
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData))?;
    // Whoever reads it reads a whole one.
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    tokio::fs::write(&fresh, text).await?;
    tokio::fs::rename(&fresh, file).await
}
