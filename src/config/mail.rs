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

/// How MAIL FROM tells one delivery from another, so that a bounce finds its delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SenderMode {
    /// The same address for all; bounces are told apart by the Message-ID they return.
    #[default]
    Fixed,
    /// `n-TOKEN@bounce_domain`.
    Verp,
    /// `local+n-TOKEN@domain` of `envelope_from`.
    Plus,
}

/// What stands before a token in an address of ours.
const MARK: &str = "n-";

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
    /// How MAIL FROM tells deliveries apart.
    #[serde(default)]
    pub sender_mode: SenderMode,
    /// Domain whose every address reaches us; for `sender_mode = "verp"`.
    #[serde(default)]
    pub bounce_domain: Option<String>,
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

    /// MAIL FROM of one delivery. `token` is 128 random bits in hexadecimal, never used before.
    pub fn sender(&self, team: &str, token: &str) -> String {
        let fixed = self.envelope_from.as_deref().unwrap_or(team);
        let plus = || fixed.split_once('@').map(|(l, host)| format!("{l}+{MARK}{token}@{host}"));
        let verp = || self.bounce_domain.as_deref().map(|host| format!("{MARK}{token}@{host}"));
        let made = match self.sender_mode {
            SenderMode::Fixed => None,
            SenderMode::Verp => verp(),
            SenderMode::Plus => plus(),
        };
        made.unwrap_or_else(|| fixed.to_owned())
    }

    fn check_sender(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, wrong: &str, right: &str| {
            let text = str::to_owned;
            Err(ConfigError::Wrong { field: text(field), wrong: text(wrong), right: text(right) })
        };
        let field = "mail.bounce_domain";
        match (self.sender_mode, self.bounce_domain.as_deref()) {
            (SenderMode::Verp, None) => {
                wrong(field, "is missing", "`sender_mode = \"verp\"` needs a domain of its own")
            }
            (SenderMode::Verp, Some(host)) => check_address(field, &format!("{MARK}x@{host}")),
            (_, Some(_)) => wrong(
                field,
                "is used with `sender_mode = \"verp\"` only",
                "leave it out, or choose that mode",
            ),
            (SenderMode::Plus, None) => {
                let longest = |address: &str| {
                    address.split_once('@').is_none_or(|(local, _)| local.len() <= 28)
                };
                match self.envelope_from.as_deref() {
                    Some(address) if longest(address) => Ok(()),
                    _ => wrong(
                        "mail.envelope_from",
                        "is missing, or its local part is longer than 28 characters",
                        "`sender_mode = \"plus\"` needs a short address that takes `+detail`",
                    ),
                }
            }
            (SenderMode::Fixed, None) => Ok(()),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_sender()?;
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
