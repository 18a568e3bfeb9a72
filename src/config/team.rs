//! Who the team is in the world's eyes.

use serde::{Deserialize, Serialize};

use super::{ConfigError, check_address};

/// The team.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The project's name as it stands in texts.
    pub name: String,
    /// The one address notices come from and replies go to.
    pub address: String,
    /// Right-hand side of Message-IDs; the address's host unless said. Never the machine's name.
    #[serde(default)]
    pub message_id_domain: Option<String>,
}

impl Team {
    /// The right-hand side of Message-IDs.
    pub fn domain(&self) -> &str {
        let host = || self.address.split_once('@').map_or("localhost", |(_, host)| host);
        self.message_id_domain.as_deref().unwrap_or_else(host)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_address("team.address", &self.address)?;
        if self.name.trim().is_empty() || self.name.contains(['\r', '\n']) {
            return Err(ConfigError::Wrong {
                field: "team.name".to_owned(),
                wrong: "is empty or has a line break".to_owned(),
                right: "write the project's name on one line".to_owned(),
            });
        }
        check_address("team.message_id_domain", &format!("id@{}", self.domain()))
    }
}
