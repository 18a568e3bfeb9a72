//! The files a configuration names: secrets that are read at each use, and what is trusted.

use std::path::{Path, PathBuf};

use super::{Command, Config};

/// A file by the key that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// The key.
    pub field: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether only its owner may read it.
    pub secret: bool,
}

impl Config {
    /// Every file the configuration names.
    pub fn named_files(&self) -> Vec<NamedFile> {
        let mut all = Vec::new();
        let mut add = |field: String, path: Option<&Path>, secret| {
            all.extend(path.map(|p| NamedFile { field, path: p.to_owned(), secret }));
        };
        add("mail.password_file".to_owned(), self.mail.password_file.as_deref(), true);
        add("mail.ca_file".to_owned(), self.mail.ca_file.as_deref(), false);
        if let Some(second) = &self.mail.fallback {
            let field = |key: &str| format!("mail.fallback.{key}");
            add(field("password_file"), second.password_file.as_deref(), true);
            add(field("ca_file"), second.ca_file.as_deref(), false);
        }
        for (name, repository) in &self.repository {
            let field = |key: &str| format!("repository.{name}.{key}");
            add(field("ssh_key_file"), repository.ssh_key_file.as_deref(), true);
            add(field("credential_file"), repository.credential_file.as_deref(), true);
            add(field("known_hosts"), repository.known_hosts.as_deref(), false);
        }
        for (name, command) in &self.command {
            let field = |key: &str| format!("command.{name}.{key}");
            match command {
                Command::PythonIndex(index) => {
                    add(field("password_file"), index.password_file.as_deref(), true);
                }
                Command::Argv { secret_files, .. } => {
                    for (variable, path) in secret_files {
                        add(field(&format!("secret_files.{variable}")), Some(path), true);
                    }
                }
            }
        }
        for webhook in &self.webhook {
            let field = format!("webhook {}: secret_file", webhook.name);
            add(field, Some(&webhook.secret_file), true);
        }
        all
    }
}
