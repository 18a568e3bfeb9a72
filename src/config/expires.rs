//! When a credential ends, written beside the file that holds it: nobody can read that out of a
//! token, and on the day it is too late to learn it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Command, Config};
use crate::domain::time::At;

/// A day, written `2026-12-01`. The credential is not counted on from its first second in UTC
/// on: whoever made it meant some hour of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry(At);

impl Expiry {
    /// From a day as it is written.
    pub fn parse(text: &str) -> Option<Self> {
        let whole = text.len() == 10;
        let at = At::parse_rfc3339(&format!("{text}T00:00:00Z"));
        at.filter(|_| whole).map(Self)
    }

    /// From when on it is not counted on.
    pub const fn at(self) -> At {
        self.0
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wrong = || de::Error::custom("is not a day: write it as \"2026-12-01\"");
        Self::parse(&text).ok_or_else(wrong)
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.rfc3339().chars().take(10).collect::<String>())
    }
}

impl Config {
    /// The key that says when the credentials of a repository end, and when.
    pub fn repository_ends(&self, name: &str) -> Option<(String, Expiry)> {
        let ends = self.repository.get(name)?.expires?;
        Some((format!("repository.{name}.expires"), ends))
    }

    /// The same of a command.
    pub fn command_ends(&self, name: &str) -> Option<(String, Expiry)> {
        let ends = match self.command.get(name)? {
            Command::PythonIndex(index) => index.expires?,
            Command::Argv { expires, .. } => (*expires)?,
        };
        Some((format!("command.{name}.expires"), ends))
    }

    /// The same of a webhook.
    pub fn webhook_ends(&self, name: &str) -> Option<(String, Expiry)> {
        let ends = self.webhook.iter().find(|w| w.name == name)?.expires?;
        Some((format!("webhook {name}: expires"), ends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day() {
        let day = Expiry::parse("2026-12-01").unwrap();
        assert_eq!(day.at().rfc3339(), "2026-12-01T00:00:00Z");
        for bad in ["2026-12-1", "2026-13-01", "soon", "", "2026-12-01T00", "2026-02-30"] {
            assert_eq!(Expiry::parse(bad), None, "{bad}");
        }
    }
}
