//! The relay that takes all mail.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, check_address};

/// How the connection to the relay is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// STARTTLS, required.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Wrapped,
    /// None: loopback only.
    None,
}

/// The relay.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection; required unless the relay is on this machine.
    #[serde(default)]
    pub tls: Tls,
    /// PEM file of an authority to trust besides the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// What we say in EHLO; the team's domain unless said.
    #[serde(default)]
    pub ehlo: Option<String>,
    /// Account, if the relay asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// File that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// MAIL FROM of notices; the team's address unless said.
    #[serde(default)]
    pub envelope_from: Option<String>,
    /// Seconds before mail of unknown fate is sent again with the same bytes.
    #[serde(default = "default_repeat_after")]
    pub repeat_after: u32,
    /// How often at most.
    #[serde(default = "default_max_repeats")]
    pub max_repeats: u32,
}

const fn default_repeat_after() -> u32 {
    120
}

const fn default_max_repeats() -> u32 {
    1
}

impl Relay {
    /// Whether the relay is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.tls == Tls::None && !self.is_loopback() {
            return Err(ConfigError::Wrong {
                field: "mail.tls".to_owned(),
                wrong: "is `none` for a relay that is not on this machine".to_owned(),
                right: "use `starttls` or `wrapped`".to_owned(),
            });
        }
        if let Some(address) = &self.envelope_from {
            check_address("mail.envelope_from", address)?;
        }
        Ok(())
    }
}
