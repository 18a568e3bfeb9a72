//! Commands that reach places no outlet of ours knows, and the recipe for a Python index.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Expiry, check_name};

/// One command outlet.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// An argv without a shell. `{files}` becomes one argument a file, `{0}`, `{1}` the
    /// step's arguments.
    Argv {
        /// What does it.
        run: Vec<String>,
        /// What looks: exit 0 present, 1 absent, 2 conflict, anything else cannot tell.
        look: Vec<String>,
        /// Environment variable to file whose contents it gets.
        #[serde(default)]
        secret_files: BTreeMap<String, PathBuf>,
        /// The day from which on its secrets are not counted on.
        #[serde(default)]
        expires: Option<Expiry>,
        /// Whether running it twice is harmless.
        #[serde(default)]
        safe_to_repeat: bool,
        /// Seconds after it ran within which the look may still not find what it did.
        #[serde(default)]
        settle: u32,
        /// Seconds it may take.
        #[serde(default = "default_seconds")]
        seconds: u32,
    },
    /// Upload with twine, look at the index's JSON (PEP 691) by sha256.
    PythonIndex(PythonIndex),
}

const fn default_seconds() -> u32 {
    300
}

/// A Python package index.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PythonIndex {
    /// Upload address (twine's `--repository-url`).
    pub upload_url: String,
    /// Simple index address, ending before the project's name.
    pub index_url: String,
    /// Account; `__token__` for tokens.
    #[serde(default)]
    pub user: Option<String>,
    /// File that holds the password or token.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The day from which on that password or token is not counted on.
    #[serde(default)]
    pub expires: Option<Expiry>,
    /// Seconds after an upload within which the listing may still not show it: twice what the
    /// index's caches keep.
    #[serde(default = "default_settle")]
    pub settle: u32,
    /// The twine program.
    #[serde(default = "default_twine")]
    pub twine: String,
}

const fn default_settle() -> u32 {
    300
}

fn default_twine() -> String {
    "twine".to_owned()
}

impl Command {
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        check_name(&format!("command.{name}"), name)?;
        if let Self::Argv { run, look, .. } = self {
            for (field, argv) in [("run", run), ("look", look)] {
                if argv.first().is_none_or(String::is_empty) {
                    return Err(ConfigError::Wrong {
                        field: format!("command.{name}.{field}"),
                        wrong: "is empty".to_owned(),
                        right: "give the program and its arguments as a list".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}
