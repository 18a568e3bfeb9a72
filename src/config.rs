//! Floor 1: the one TOML file, parsed once into plain values that are handed down.
//!
//! Unknown keys are refused; secrets are file paths, read at each use, never values here.

mod address;
mod bells;
mod clock;
mod commands;
mod expires;
mod heartbeat;
mod housekeeping;
mod inbound;
mod lists;
mod mail;
mod named;
mod plans;
mod repository;
mod sender;
mod signing;
mod site;
mod team;
mod webhook;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use bells::{Begin as BellBegin, BellWay, Level as BellLevel};
pub use clock::Clock;
pub use commands::{Command, PythonIndex};
pub use expires::Expiry;
pub use heartbeat::Heartbeat;
pub use housekeeping::Housekeeping;
pub use inbound::Inbound;
pub use lists::{ArchiveShows, List, PostSigning};
pub use mail::{Hop, Relay, Tls};
pub use named::NamedFile;
pub use plans::Plans;
pub use repository::{Branch, CommitMessage, Repository};
pub use sender::SenderMode;
pub use signing::{SignerChoice, Signing};
pub use site::{Site, StaticTree};
pub use team::Team;
pub use webhook::Webhook;

use std::collections::BTreeMap;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read {path}: {kind}. `daybreak init DIR` makes a commented one")]
    Unreadable {
        /// Where it was looked for.
        path: PathBuf,
        /// The kind of failure.
        kind: std::io::ErrorKind,
    },
    /// Not TOML, an unknown key, or a value of the wrong type; the text names line and key.
    #[error("{0}")]
    Malformed(String),
    /// A value that cannot work.
    #[error("`{field}` {wrong}; {right}")]
    Wrong {
        /// The key.
        field: String,
        /// What is wrong.
        wrong: String,
        /// What would be right.
        right: String,
    },
}

/// Everything a house is told.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `sqlite:FILE` (relative to the data directory) or `postgres://…`; the file next to
    /// the configuration unless said.
    #[serde(default = "default_database")]
    pub database: String,
    /// Who the team is.
    pub team: Team,
    /// Whose key signs what.
    #[serde(default)]
    pub signing: Signing,
    /// Where mail goes.
    pub mail: Relay,
    /// Approval and time rules.
    #[serde(default)]
    pub plans: Plans,
    /// What a clock must have to be trusted with a GO.
    #[serde(default)]
    pub clock: Clock,
    /// The nightly round.
    #[serde(default)]
    pub housekeeping: Housekeeping,
    /// Room for mail of nobody.
    #[serde(default)]
    pub inbound: Inbound,
    /// The public site.
    pub site: Site,
    /// Repositories by name.
    #[serde(default)]
    pub repository: BTreeMap<String, Repository>,
    /// Mailing lists by name.
    #[serde(default)]
    pub list: BTreeMap<String, List>,
    /// Commands by name.
    #[serde(default)]
    pub command: BTreeMap<String, Command>,
    /// Who is called when a disclosure is public.
    #[serde(default)]
    pub webhook: Vec<Webhook>,
    /// How the team is called; by mail to its address unless said.
    #[serde(default)]
    pub bells: Vec<BellWay>,
    /// How another machine sees that the engine lives.
    #[serde(default)]
    pub heartbeat: Heartbeat,
}

fn default_database() -> String {
    "sqlite:daybreak.sqlite".to_owned()
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| ConfigError::Unreadable { path: path.to_owned(), kind: e.kind() })?;
        Self::parse(&text)
    }

    /// Parses and checks text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|e| ConfigError::Malformed(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.team.check()?;
        self.mail.check()?;
        self.plans.check()?;
        self.housekeeping.check()?;
        self.inbound.check()?;
        self.site.check()?;
        for (name, list) in &self.list {
            list.check(name)?;
        }
        for (name, repository) in &self.repository {
            repository.check(name)?;
        }
        for (name, command) in &self.command {
            command.check(name)?;
        }
        webhook::check_all(&self.webhook)?;
        bells::check_all(&self.bells)?;
        self.heartbeat.check()?;
        Ok(())
    }
}

/// Refuses an address that could break a header or an SMTP command.
pub(crate) fn check_address(field: &str, address: &str) -> Result<(), ConfigError> {
    if crate::domain::address::is_plain(address) {
        return Ok(());
    }
    Err(ConfigError::Wrong {
        field: field.to_owned(),
        wrong: "is not a plain mail address".to_owned(),
        right: "write it as name@host, without display name, spaces, line breaks or brackets"
            .to_owned(),
    })
}

/// Refuses a name that could become a path, an option or a header.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(ConfigError::Wrong {
        field: field.to_owned(),
        wrong: "is not a usable name".to_owned(),
        right: "use letters, digits, `-`, `_` and `.`, starting with a letter or digit".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        [team]
        name = "Meadow"
        address = "security@meadow.example"
        [mail]
        host = "127.0.0.1"
        port = 2525
        tls = "none"
        [site]
        base_url = "https://security.meadow.example"
        [repository.meadow]
        url = "/srv/meadow.git"
        branches = [{ name = "main" }]
        [command.index]
        kind = "python-index"
        upload_url = "https://upload.example/legacy/"
        index_url = "https://index.example/simple/"
    "#;

    #[test]
    fn a_small_file_is_enough() {
        let config = Config::parse(SMALL).unwrap();
        assert_eq!(config.plans.release, 2);
        assert_eq!(config.team.domain(), "meadow.example");
    }

    #[test]
    fn unknown_keys_are_named() {
        for extra in [
            "colour = 1",
            "[team.x]\ny = 1",
            "[command.c]\nkind=\"python-index\"\nupload_url=\"a\"\nindex_url=\"b\"\ncolour=1",
        ] {
            let text = if extra.starts_with("colour") {
                format!("{extra}\n{SMALL}")
            } else {
                format!("{SMALL}\n{extra}")
            };
            let error = Config::parse(&text).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn values_that_cannot_work_are_named() {
        for (from, to, field) in [
            ("security@meadow.example", "a@b\\nBcc: c@d", "team.address"),
            ("127.0.0.1\"", "relay.example\"", "mail.tls"),
            ("\"main\"", "\"--upload-pack\"", "repository.meadow.branches"),
            ("2525", "2525\nconnections = 0", "mail.connections"),
            ("2525", "2525\nper_minute = 0", "mail.per_minute"),
            ("2525", "2525\njitter = 3601", "mail.jitter"),
            (
                "[site]",
                "[mail.fallback]\nhost = \"relay.example\"\nport = 25\ntls = \"none\"\n[site]",
                "mail.fallback.tls",
            ),
        ] {
            let error = Config::parse(&SMALL.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }
}
