//! How another machine, which holds nothing of ours, sees that the engine lives.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// A file that is written anew as long as the engine leads and its database answers.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The file; none unless said.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// File with 32 bytes or more that the watcher has too: what it signs is ours.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Whether the site shows the file under `/heartbeat`.
    #[serde(default)]
    pub on_site: bool,
}

impl Heartbeat {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let needs_a_file = self.on_site || self.secret_file.is_some();
        if self.file.is_some() || !needs_a_file {
            return Ok(());
        }
        Err(ConfigError::Wrong {
            field: "heartbeat.file".to_owned(),
            wrong: "is missing".to_owned(),
            right: "name a file that the engine may write, on a disk in memory such as \
                    /run/daybreak/heartbeat"
                .to_owned(),
        })
    }
}
