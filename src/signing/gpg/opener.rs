//! Session keys from a secret key that lives with GnuPG.
//!
//! What must stay true: nobody is ever asked for anything (mail comes at night, and an engine
//! cannot answer a dialogue), so a key that is locked stays locked; gpg sees session keys and a
//! stub, never the mail, so that nothing a stranger wrote unfolds in it; what it gives back is a
//! key, with which our own code opens and judges the mail under its own bounds.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::domain::time::Span;
use crate::exec::{ExecError, Process};
use crate::pgp::MessageKey;

/// A card takes a second; an agent that hangs must not keep a mail server waiting.
const PATIENCE: Span = Span::secs(20);
/// Most bytes of status lines.
const LIMIT: u64 = 64 * 1024;
/// What gpg needs to find its agent. No terminal and no screen: there is nobody to be asked.
const ENVIRONMENT: [&str; 3] = ["HOME", "GNUPGHOME", "XDG_RUNTIME_DIR"];
const SESSION_KEY: &str = "[GNUPG:] SESSION_KEY ";

/// Why gpg gave no session key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GpgOpenerError {
    /// No gpg on this machine.
    #[error("gpg is not installed, and the team's key lives with it")]
    NotInstalled,
    /// It did not answer in time.
    #[error("gpg did not answer in time")]
    TooSlow,
    /// It has no secret key for this message, or one that is locked.
    #[error("gpg has no secret key for this message, or would ask for a passphrase or a card")]
    Closed,
    /// The machine failed it, or it said too much.
    #[error("gpg could not be run")]
    Failed,
}

/// Gets session keys with `gpg --decrypt`.
pub struct GpgOpener {
    homedir: Option<PathBuf>,
    clock: Arc<dyn Clock>,
}

impl GpgOpener {
    /// `homedir` is gpg's folder when it is not the user's own.
    pub fn new(homedir: Option<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { homedir, clock }
    }

    /// The session key in an excerpt of a message (`pgp::excerpt`).
    pub async fn session_key(&self, excerpt: Vec<u8>) -> Result<MessageKey, GpgOpenerError> {
        let mut process = Process::new("gpg").env("LC_ALL", "C");
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                process = process.env(name, value);
            }
        }
        if let Some(homedir) = &self.homedir {
            process = process.arg("--homedir").arg(homedir);
        }
        let process = process
            .args(["--no-options", "--batch", "--no-tty", "--quiet", "--status-fd", "2"])
            .args(["--pinentry-mode", "error", "--no-auto-key-retrieve", "--no-auto-key-locate"])
            .args(["--max-output", "4096", "--show-session-key", "--decrypt"])
            .stdin(excerpt)
            .allow(PATIENCE)
            .limit(LIMIT);
        let output = process.run(self.clock.as_ref()).await.map_err(|e| match e {
            ExecError::NotFound { .. } => GpgOpenerError::NotInstalled,
            ExecError::TooSlow { .. } => GpgOpenerError::TooSlow,
            ExecError::TooMuch { .. } | ExecError::Io { .. } => GpgOpenerError::Failed,
        })?;
        // The stub cannot be opened, so gpg always ends with a failure: its words count.
        let said = Zeroizing::new(output.stderr);
        let text = Zeroizing::new(String::from_utf8_lossy(&said).into_owned());
        let key = text.lines().find_map(|line| line.strip_prefix(SESSION_KEY));
        key.and_then(MessageKey::parse).ok_or(GpgOpenerError::Closed)
    }
}
