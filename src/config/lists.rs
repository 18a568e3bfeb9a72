//! Public mailing lists that hear on the day.

use serde::{Deserialize, Serialize};

use super::webhook::check_web;
use super::{ConfigError, check_address, check_name};

/// How a post is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PostSigning {
    /// PGP/MIME `multipart/signed` (RFC 3156 section 5).
    #[default]
    Mime,
    /// Clearsigned text, for lists that strip parts.
    Clearsign,
    /// Not signed.
    None,
}

/// What of a post an archive's page shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveShows {
    /// Its Message-ID.
    #[default]
    MessageId,
    /// Its subject only: a page of that day or month, where no other mail has the same.
    Subject,
}

/// One list.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The list's address.
    pub address: String,
    /// From; the team's address unless said.
    #[serde(default)]
    pub from: Option<String>,
    /// MAIL FROM, if the list knows another subscriber address.
    #[serde(default)]
    pub envelope_from: Option<String>,
    /// Put before the subject, `[example-announce]`.
    #[serde(default)]
    pub subject_prefix: String,
    /// How it is signed.
    #[serde(default)]
    pub signing: PostSigning,
    /// Largest message the list takes, in bytes.
    #[serde(default = "default_max_bytes")]
    pub max_bytes: u64,
    /// Whether a moderator must release the mail: opens an Ask step.
    #[serde(default)]
    pub moderated: bool,
    /// What looks for a post in a mailbox that is subscribed to the list, an argv without a
    /// shell with `{0}` for the Message-ID. It prints the Message-ID and exits with 0 when the
    /// list sent it; it exits with 1 when it is not there.
    #[serde(default)]
    pub look: Vec<String>,
    /// Where the archive shows it. `{message_id}`, `{year}`, `{month}` and `{day}` are filled.
    #[serde(default)]
    pub archive_url: Option<String>,
    /// What that page shows of it.
    #[serde(default)]
    pub archive_shows: ArchiveShows,
    /// Whether a Headsup goes there: date, versions and count, ahead of the day.
    #[serde(default)]
    pub headsup: bool,
    /// Lists with a lower number go first.
    #[serde(default)]
    pub order: u32,
}

const fn default_max_bytes() -> u64 {
    100_000
}

/// Refuses a look that could not say which mail it is about.
pub(super) fn check_look(field: &str, look: &[String]) -> Result<(), ConfigError> {
    let program = look.first().is_some_and(|p| !p.is_empty());
    if look.is_empty() || (program && look.iter().skip(1).any(|a| a.contains("{0}"))) {
        return Ok(());
    }
    Err(ConfigError::Wrong {
        field: field.to_owned(),
        wrong: "names no program, or has no argument with `{0}`".to_owned(),
        right: "give the program and its arguments as a list, `{0}` where the Message-ID goes"
            .to_owned(),
    })
}

impl List {
    /// Whether anything can tell that the list sent a post.
    pub fn is_watched(&self) -> bool {
        !self.look.is_empty() || self.archive_url.is_some()
    }

    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        check_name(&format!("list.{name}"), name)?;
        check_address(&format!("list.{name}.address"), &self.address)?;
        for (field, address) in [("from", &self.from), ("envelope_from", &self.envelope_from)] {
            if let Some(address) = address {
                check_address(&format!("list.{name}.{field}"), address)?;
            }
        }
        check_look(&format!("list.{name}.look"), &self.look)?;
        if let Some(url) = &self.archive_url {
            let filled = url.replace(['{', '}'], "");
            check_web(&format!("list.{name}.archive_url"), &filled)?;
        }
        if self.subject_prefix.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(ConfigError::Wrong {
                field: format!("list.{name}.subject_prefix"),
                wrong: "has a line break or is not ASCII".to_owned(),
                right: "use one short ASCII line".to_owned(),
            });
        }
        Ok(())
    }
}
