//! Public mailing lists that hear on the day.

use serde::{Deserialize, Serialize};

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
    /// Where the archive shows it.
    #[serde(default)]
    pub archive_url: Option<String>,
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

impl List {
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        check_name(&format!("list.{name}"), name)?;
        check_address(&format!("list.{name}.address"), &self.address)?;
        for (field, address) in [("from", &self.from), ("envelope_from", &self.envelope_from)] {
            if let Some(address) = address {
                check_address(&format!("list.{name}.{field}"), address)?;
            }
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
