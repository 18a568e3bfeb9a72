//! The relay that takes all mail, and a second one for when the first cannot be reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::lists::check_look;
use super::sender::SenderMode;
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

/// How one relay is reached.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
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
}

/// The relay, and how it is used.
///
/// The first keys are a [`Hop`]'s, written out: serde's `flatten` would take unknown keys in
/// silence or, caught in a map, without the line that they stand on; and a key that is misspelt
/// here may be the one that asks for encryption.
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
    /// Whether the relay gives messages another Message-ID, by which a repeated mail would no
    /// longer be known as the same one: then a person decides instead.
    #[serde(default)]
    pub rewrites_message_id: bool,
    /// What looks for a mail in this relay's queue and log, an argv without a shell with `{0}`
    /// for the Message-ID. It prints the Message-ID and exits with 0 when the relay passed it
    /// on or 2 while it waits in the queue; it exits with 1 when the relay never had it.
    #[serde(default)]
    pub look: Vec<String>,
    /// Connections at most, 1 to 64. One that hangs for a while counts no longer, and posts at the
    /// hour of disclosure wait for none.
    #[serde(default = "default_connections")]
    pub connections: u32,
    /// Notices a minute at most, evenly spaced; as fast as they go unless said.
    #[serde(default)]
    pub per_minute: Option<u32>,
    /// Seconds at most that chance adds between two notices. None unless said: their order is
    /// random already, and a few seconds hide neither that something is sent nor to how many;
    /// who wants to blur that needs minutes, and must know that notices leave later.
    #[serde(default)]
    pub jitter: u32,
    /// Seconds after which an unused connection is not used again.
    #[serde(default = "default_idle")]
    pub idle: u32,
    /// The relay to use while this one cannot be reached or defers.
    #[serde(default)]
    pub fallback: Option<Hop>,
}

impl Relay {
    /// One on this machine's loopback, with neither encryption nor account, as fast as it goes:
    /// for rehearsals.
    pub fn on_loopback(port: u16) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            tls: Tls::None,
            ca_file: None,
            ehlo: None,
            user: None,
            password_file: None,
            envelope_from: None,
            sender_mode: SenderMode::default(),
            bounce_domain: None,
            repeat_after: default_repeat_after(),
            max_repeats: default_max_repeats(),
            rewrites_message_id: false,
            look: Vec::new(),
            connections: default_connections(),
            per_minute: None,
            jitter: 0,
            idle: default_idle(),
            fallback: None,
        }
    }
}

const fn default_repeat_after() -> u32 {
    120
}

const fn default_max_repeats() -> u32 {
    1
}

const fn default_connections() -> u32 {
    4
}

const fn default_idle() -> u32 {
    30
}

impl Hop {
    /// Whether the relay is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn check(&self, section: &str) -> Result<(), ConfigError> {
        if self.tls == Tls::None && !self.is_loopback() {
            return Err(ConfigError::Wrong {
                field: format!("{section}.tls"),
                wrong: "is `none` for a relay that is not on this machine".to_owned(),
                right: "use `starttls` or `wrapped`".to_owned(),
            });
        }
        Ok(())
    }
}

impl Relay {
    /// How the relay itself is reached.
    pub fn hop(&self) -> Hop {
        Hop {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            ca_file: self.ca_file.clone(),
            ehlo: self.ehlo.clone(),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.hop().check("mail")?;
        self.check_sender()?;
        if let Some(fallback) = &self.fallback {
            fallback.check("mail.fallback")?;
        }
        if !(1..=64).contains(&self.connections) {
            return Err(ConfigError::Wrong {
                field: "mail.connections".to_owned(),
                wrong: format!("is {}", self.connections),
                right: "use 1 to 64; 4 is enough for most relays".to_owned(),
            });
        }
        if self.per_minute == Some(0) {
            return Err(ConfigError::Wrong {
                field: "mail.per_minute".to_owned(),
                wrong: "is 0: no notice would ever leave".to_owned(),
                right: "leave it out for no limit, or use 1 or more".to_owned(),
            });
        }
        check_look("mail.look", &self.look)?;
        if self.jitter > 3600 {
            return Err(ConfigError::Wrong {
                field: "mail.jitter".to_owned(),
                wrong: format!("is {} seconds between two notices", self.jitter),
                right: "use at most 3600, an hour".to_owned(),
            });
        }
        if let Some(address) = &self.envelope_from {
            check_address("mail.envelope_from", address)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written out twice stays the same.
    #[test]
    fn a_relay_takes_every_key_of_a_hop() {
        let hop = Hop {
            host: "relay.example".to_owned(),
            port: 465,
            tls: Tls::Wrapped,
            ca_file: Some("ca.pem".into()),
            ehlo: Some("team.example".to_owned()),
            user: Some("team".to_owned()),
            password_file: Some("password".into()),
        };
        let keys = toml::to_string(&hop).unwrap();
        let relay: Relay = toml::from_str(&keys).unwrap();
        assert_eq!(toml::to_string(&relay.hop()).unwrap(), keys);
    }
}
