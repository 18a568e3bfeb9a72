//! The public site: served by ourselves, or written as a static tree.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::webhook::check_web;

/// A static tree on disk, followed by a command that carries it out.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StaticTree {
    /// Where the files are written.
    pub folder: PathBuf,
    /// What carries them out (rsync, git push): an argv without a shell.
    #[serde(default)]
    pub then: Vec<String>,
}

/// The site.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// What the world sees, without a final slash: `https://security.example.org`.
    pub base_url: String,
    /// Where everybody reads the pages, mostly the same as `base_url`: when given, a publication
    /// counts as seen only when an anonymous reader gets it there, byte for byte.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Address and port `serve` listens on.
    #[serde(default = "default_listen")]
    pub listen: String,
    /// Where security reports go, for security.txt; the team's address unless said.
    #[serde(default)]
    pub contact: Option<String>,
    /// The written policy, for security.txt.
    #[serde(default)]
    pub policy_url: Option<String>,
    /// Also, or instead, a tree of files.
    #[serde(default)]
    pub static_tree: Option<StaticTree>,
}

fn default_listen() -> String {
    "127.0.0.1:8480".to_owned()
}

impl Site {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, wrong: &str, right: &str| {
            Err(ConfigError::Wrong {
                field: format!("site.{field}"),
                wrong: wrong.to_owned(),
                right: right.to_owned(),
            })
        };
        let web = self.base_url.starts_with("https://") || self.base_url.starts_with("http://");
        let plain = self.base_url.chars().all(|c| c.is_ascii_graphic() && !"<>\"'".contains(c));
        if !web || !plain || self.base_url.ends_with('/') {
            return wrong("base_url", "is not a web address", "use https://host without final /");
        }
        if let Some(url) = &self.public_url {
            check_web("site.public_url", url)?;
            if url.ends_with('/') {
                return wrong("public_url", "ends with /", "leave the final / out");
            }
        }
        if self.listen.parse::<std::net::SocketAddr>().is_err() {
            return wrong("listen", "is not an address and port", "use for example 127.0.0.1:8480");
        }
        Ok(())
    }
}
