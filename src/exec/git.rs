//! `git` with a cleaned environment, and the few repository nouns that both the workshop and
//! the git outlet stand on.
//!
//! What must stay true: no configuration, hook, alias, prompt, agent or credential of the
//! account that runs the house reaches git; only what our own configuration names does, and an
//! anonymous git has not even that. Names and object ids are checked before they become
//! arguments.

mod area;
mod bundle;
pub mod commits;
mod listing;
mod mirror;
mod names;
mod objects;
mod patches;
pub mod remake;
#[cfg(test)]
pub(crate) mod testbed;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use super::{ExecError, Output, Process};
use crate::config::Repository;
use crate::domain::time::Span;

pub use area::{Area, wipe};
pub use bundle::{BadBundle, Bundle};
pub use listing::{everything, listed};
pub use mirror::{Mirror, View};
pub use names::{is_oid, is_ref_name};
pub use objects::Objects;

/// What git complained. May carry embargoed paths and messages: for the team's eyes, never
/// for a log; therefore not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Complaint(String);

impl Complaint {
    /// From what a process printed on its error stream.
    pub fn of(output: &Output) -> Self {
        Self(output.complaint())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[complaint]")
    }
}

/// Why git gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program did not run to its end.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// It ran and refused.
    #[error("git could not {doing}")]
    Refused {
        /// What was asked of it, in words.
        doing: &'static str,
        /// Its own words.
        complaint: Complaint,
    },
    /// The public repository cannot be reached or read.
    #[error("the repository cannot be reached or read; check its `url` and credentials")]
    Unreachable(Complaint),
    /// The disk failed us.
    #[error("could not {doing}: {kind}")]
    Disk {
        /// What was tried, in words.
        doing: &'static str,
        /// The kind of failure, without paths.
        kind: std::io::ErrorKind,
    },
    /// A bundle that cannot be read.
    #[error(transparent)]
    Bundle(#[from] BadBundle),
    /// Another process keeps the mirror locked.
    #[error("another daybreak process has been refreshing the mirror for too long")]
    Busy,
}

/// Maps an I/O failure, dropping its path.
pub(crate) fn disk(doing: &'static str) -> impl Fn(std::io::Error) -> GitError {
    move |e| GitError::Disk { doing, kind: e.kind() }
}

/// Options every git gets. Terminal advice is not for machines; housekeeping is never wanted
/// in the middle of a disclosure; `push.negotiate` would tell the server private object ids.
const ALWAYS: [&str; 13] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.negotiate=false",
    "fetch.writeCommitGraph=false",
    "advice.pushUpdateRejected=false",
    "advice.detachedHead=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
];

/// A way to call git: its options and environment, complete.
#[derive(Clone)]
pub struct Git {
    options: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Git {
    /// Without any credentials: for local work and for looking as anybody would.
    pub fn anonymous() -> Self {
        let mut git = Self { options: Vec::new(), env: Vec::new() };
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_ALLOW_PROTOCOL", "file:https:ssh"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("HOME", "/nonexistent"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
        ] {
            git.env.push((name.into(), value.into()));
        }
        for option in ALWAYS {
            git = git.set(option);
        }
        git.set("credential.helper=").env("GIT_SSH_COMMAND", ssh(None))
    }

    /// With the credentials the configuration names for `repository`, and no others.
    pub fn team(repository: &Repository) -> Self {
        let mut git = Self::anonymous().env("GIT_SSH_COMMAND", ssh(Some(repository)));
        if let Some(file) = &repository.credential_file {
            // Only `get`: git would otherwise erase the file's entry after one refusal.
            git = git.set(format!(
                "credential.helper=!f() {{ test \"$1\" = get || exit 0; \
                 git credential-store --file={} get; }}; f",
                shell_quoted(&full(file))
            ));
        }
        git
    }

    /// One setting more, `name=value`.
    #[must_use]
    pub fn set(mut self, setting: impl Into<OsString>) -> Self {
        self.options.extend(["-c".into(), setting.into()]);
        self
    }

    /// One environment variable more, or another value for it.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.retain(|(n, _)| n != name);
        self.env.push((name.into(), value.into()));
        self
    }

    /// Working on the repository in `folder`.
    #[must_use]
    pub fn at(self, folder: &Path) -> Self {
        self.env("GIT_DIR", folder.as_os_str())
    }

    /// The process for a git verb; arguments may follow.
    pub fn verb(&self, verb: &str) -> Process {
        let process = Process::new("git").args(&self.options).arg(verb).allow(Span::mins(5));
        self.env.iter().fold(process, |p, (name, value)| p.env(name, value))
    }
}

/// Turns a non-zero exit into an error.
pub(crate) fn done(doing: &'static str, output: Output) -> Result<Output, GitError> {
    if output.ok() {
        Ok(output)
    } else {
        Err(GitError::Refused { doing, complaint: Complaint::of(&output) })
    }
}

/// The ssh that git starts. `-F /dev/null`: ssh finds the account's own settings by the
/// password file, not by `HOME`. Without `known_hosts` every host is refused.
fn ssh(repository: Option<&Repository>) -> String {
    let mut line = "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes \
        -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o IdentityAgent=none \
        -o UpdateHostKeys=no -o ClearAllForwardings=yes -o ConnectTimeout=20 \
        -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
        .to_owned();
    let option = |name: &str, path: Option<&Path>, otherwise: &str| {
        let value = path.map_or_else(
            || otherwise.to_owned(),
            |p| format!("\"{}\"", full(p).replace('%', "%%").replace('"', "\\\"")),
        );
        format!(" -o {}", shell_quoted(&format!("{name}={value}")))
    };
    let known = repository.and_then(|r| r.known_hosts.as_deref());
    let key = repository.and_then(|r| r.ssh_key_file.as_deref());
    line.push_str(&option("UserKnownHostsFile", known, "/dev/null"));
    line.push_str(&option("IdentityFile", key, "none"));
    line
}

/// An absolute path as text: children may run in other folders.
fn full(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.to_string_lossy().into_owned()
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::exec::git::testbed::{Testbed, repository};

    #[tokio::test]
    async fn the_accounts_own_configuration_does_not_reach_git() {
        let Some(bed) = Testbed::new().await else { return };
        // A configuration that would be found if HOME or the folder's upward search counted.
        let home = bed.folder().join("home");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join(".gitconfig"), "[alias]\n\thello = !echo from the alias\n")
            .unwrap();
        let process = Git::anonymous().verb("config").args(["--list", "--show-origin"]);
        let out = process.folder(&home).run(&SystemClock::new()).await.unwrap();
        for line in out.text().lines() {
            assert!(line.starts_with("command line:"), "{line}");
        }
        let env = Git::anonymous().set("alias.surroundings=!env").verb("surroundings");
        let env = env.run(&SystemClock::new()).await.unwrap().text();
        assert!(env.lines().any(|l| l == "HOME=/nonexistent"), "{env}");
        assert!(!env.lines().any(|l| l.starts_with("SSH_AUTH_SOCK") || l.starts_with("XDG_")));
        let alias = Git::anonymous().verb("hello").folder(&home);
        assert!(!alias.run(&SystemClock::new()).await.unwrap().ok());
    }

    #[tokio::test]
    async fn a_credential_file_answers_and_is_never_changed() {
        let Some(bed) = Testbed::new().await else { return };
        let file = bed.folder().join("it's a file");
        let before = "https://bot:pass%20word@forge.example\n";
        std::fs::write(&file, before).unwrap();
        let mut config = repository("https://forge.example/x");
        config.credential_file = Some(file.clone());
        let ask = "protocol=https\nhost=forge.example\n\n";
        let git = Git::team(&config);
        let clock = SystemClock::new();
        let out = git.verb("credential").arg("fill").stdin(ask).run(&clock).await.unwrap();
        assert!(out.text().contains("password=pass word"));
        let known = out.stdout.clone();
        git.verb("credential").arg("reject").stdin(known).run(&clock).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
        let anonymous = Git::anonymous().verb("credential").arg("fill").stdin(ask);
        assert!(!anonymous.run(&clock).await.unwrap().ok());
    }

    #[test]
    fn ssh_is_pinned_and_quoted() {
        let mut config = repository("ssh://git@forge.example/x");
        config.known_hosts = Some("/etc/my hosts".into());
        config.ssh_key_file = Some("/k%/it's".into());
        let line = ssh(Some(&config));
        assert!(line.contains("StrictHostKeyChecking=yes"));
        assert!(line.contains(r#"'UserKnownHostsFile="/etc/my hosts"'"#), "{line}");
        assert!(line.contains(r#"'IdentityFile="/k%%/it'\''s"'"#), "{line}");
        assert!(ssh(None).contains("'UserKnownHostsFile=/dev/null' -o 'IdentityFile=none'"));
    }
}
