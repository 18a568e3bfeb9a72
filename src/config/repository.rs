//! A public git repository, its supported branches and how we push to it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Expiry, check_name};
use crate::domain::plan::OnMove;

/// What public commits say before the disclosure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommitMessage {
    /// That it is a security fix and that details follow shortly.
    #[default]
    Masked,
    /// What the patch says.
    AsWritten,
}

/// One supported branch.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Its name, `main`.
    pub name: String,
    /// The last release made from it, `1.4.2`; patches are tried on its tag too.
    #[serde(default)]
    pub last_release_tag: Option<String>,
    /// What to do when it moved after approval.
    #[serde(default)]
    pub on_move: OnMove,
}

/// A repository.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Where to push: a path, `file://`, `ssh://`, `user@host:path` or `https://`. A relative path
    /// begins at the data directory.
    pub url: String,
    /// Where anybody reads it; `url` unless said.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Supported branches: main and the newest release lines.
    pub branches: Vec<Branch>,
    /// What public commits say before the disclosure.
    #[serde(default)]
    pub commit_message: CommitMessage,
    /// Committer and tagger name; the team's unless said.
    #[serde(default)]
    pub committer_name: Option<String>,
    /// Committer and tagger address; the team's unless said.
    #[serde(default)]
    pub committer_address: Option<String>,
    /// SSH private key.
    #[serde(default)]
    pub ssh_key_file: Option<PathBuf>,
    /// SSH known hosts: required for SSH, hosts are pinned.
    #[serde(default)]
    pub known_hosts: Option<PathBuf>,
    /// `git credential-store` file for HTTPS.
    #[serde(default)]
    pub credential_file: Option<PathBuf>,
    /// The day from which on the SSH key or that credential is not counted on.
    #[serde(default)]
    pub expires: Option<Expiry>,
}

impl Repository {
    /// Where anybody reads it.
    pub fn public(&self) -> &str {
        self.public_url.as_deref().unwrap_or(&self.url)
    }

    /// The same at a path of this machine, without any credential: for rehearsals.
    #[must_use]
    pub fn without_keys(&self, path: String) -> Self {
        Self {
            url: path,
            public_url: None,
            ssh_key_file: None,
            known_hosts: None,
            credential_file: None,
            ..self.clone()
        }
    }

    /// The supported branch of that name.
    pub fn branch(&self, name: &str) -> Option<&Branch> {
        self.branches.iter().find(|b| b.name == name)
    }

    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        check_name(&format!("repository.{name}"), name)?;
        let wrong = |field: &str, wrong: &str, right: &str| {
            Err(ConfigError::Wrong {
                field: format!("repository.{name}.{field}"),
                wrong: wrong.to_owned(),
                right: right.to_owned(),
            })
        };
        if self.url.is_empty() || self.url.starts_with('-') || self.url.contains("::") {
            return wrong("url", "is not a usable address", "give a path, ssh:// or https:// URL");
        }
        if self.branches.is_empty() {
            return wrong("branches", "is empty", "name at least `main`");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '+');
        for branch in &self.branches {
            let ok = branch.name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && branch.name.chars().all(plain)
                && !branch.name.contains("..");
            if !ok {
                return wrong("branches", "has an unusable branch name", "use a plain branch name");
            }
        }
        Ok(())
    }
}
