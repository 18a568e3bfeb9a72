//! The only place that starts a process.
//!
//! No shell, an argument vector, an empty environment unless the caller names what to give,
//! bounded time and bounded output. Secrets reach a child by environment or file, never by
//! argument: arguments are visible to every user of the machine.

pub mod git;
pub mod terminal;

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::clock::{Clock, within};
use crate::domain::time::Span;

/// Most bytes kept of a child's output unless the caller asks for more.
const OUTPUT_LIMIT: u64 = 8 * 1024 * 1024;

/// Why a process gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The program is not installed or not executable.
    #[error("the program `{program}` is not installed or cannot be started")]
    NotFound {
        /// The program's name.
        program: String,
    },
    /// It ran longer than allowed and was killed.
    #[error("`{program}` took longer than {} s and was ended", allowed.as_secs())]
    TooSlow {
        /// The program's name.
        program: String,
        /// The bound it broke.
        allowed: Span,
    },
    /// It printed more than allowed and was ended.
    #[error("`{program}` printed more than {limit} bytes")]
    TooMuch {
        /// The program's name.
        program: String,
        /// The bound it broke, in bytes.
        limit: u64,
    },
    /// The machine failed it.
    #[error("`{program}` could not be run: {kind}")]
    Io {
        /// The program's name.
        program: String,
        /// The kind of failure, without paths.
        kind: std::io::ErrorKind,
    },
}

/// What a child left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained. May carry embargoed text: never log it.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether it exited with 0.
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Its output as text, invalid bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its complaints as text, invalid bytes replaced.
    pub fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A process to be run.
pub struct Process {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    stdin: Vec<u8>,
    allowed: Span,
    limit: u64,
}

impl Process {
    /// A program by name or path, with an environment of only `PATH`.
    pub fn new(program: impl Into<OsString>) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        Self {
            program: program.into(),
            args: Vec::new(),
            env: vec![("PATH".into(), path)],
            folder: None,
            stdin: Vec::new(),
            allowed: Span::mins(2),
            limit: OUTPUT_LIMIT,
        }
    }

    /// One argument more.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Several arguments more.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// One environment variable more.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The folder it runs in.
    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// What it reads from standard input (nothing unless given).
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How long it may run; two minutes unless said.
    #[must_use]
    pub fn allow(mut self, span: Span) -> Self {
        self.allowed = span;
        self
    }

    /// How many bytes it may print on either stream; 8 MiB unless said.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Where the program is, in its own `PATH`. A child with an environment of its own and a bare
    /// name is started by `fork`, which copies the page tables of all our memory; a path lets the
    /// system share them until the program begins. What is not found here is left to the system.
    fn program(&self) -> OsString {
        let bare = !self.program.as_encoded_bytes().contains(&b'/');
        let path = self.env.iter().rev().find(|(name, _)| name == "PATH").filter(|_| bare);
        let Some((_, path)) = path else { return self.program.clone() };
        // A relative folder would be one below the child's.
        let folders = std::env::split_paths(path).take_while(|folder| folder.is_absolute());
        let mut files = folders.map(|folder| folder.join(&self.program));
        files.find(|file| is_program(file)).map_or_else(|| self.program.clone(), Into::into)
    }

    fn name(&self) -> String {
        Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }

    /// Runs it to its end. A non-zero exit is not an error here: look at [`Output::ok`].
    pub async fn run(self, clock: &dyn Clock) -> Result<Output, ExecError> {
        let (allowed, program) = (self.allowed, self.name());
        // Dropping the future on time-out kills the child: `kill_on_drop`.
        match within(clock, allowed, self.finish()).await {
            Some(done) => done,
            None => Err(ExecError::TooSlow { program, allowed }),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one home of processes")]
    async fn finish(self) -> Result<Output, ExecError> {
        let (program, limit) = (self.name(), self.limit);
        let io = |e: std::io::Error| ExecError::Io { program: program.clone(), kind: e.kind() };
        let mut command = tokio::process::Command::new(self.program());
        command
            .args(&self.args)
            .env_clear()
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                ExecError::NotFound { program: program.clone() }
            }
            _ => io(e),
        })?;
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut pipe) = stdin {
                // A child that does not read its input is no failure of ours.
                let _closed_early = pipe.write_all(&self.stdin).await;
                let _closed_early = pipe.shutdown().await;
            }
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let ((), stdout, stderr) = tokio::join!(feed, drain(out, limit), drain(err, limit));
        let (stdout, stderr) = (stdout.map_err(io)?, stderr.map_err(io)?);
        if stdout.len() as u64 > limit || stderr.len() as u64 > limit {
            return Err(ExecError::TooMuch { program, limit });
        }
        let status = child.wait().await.map_err(io)?;
        Ok(Output { code: status.code(), stdout, stderr })
    }
}

fn is_program(file: &Path) -> bool {
    let executable = |m: std::fs::Metadata| m.is_file() && m.permissions().mode() & 0o111 != 0;
    std::fs::metadata(file).is_ok_and(executable)
}

/// Reads at most one byte more than `limit`, so that the caller can tell too much from enough.
async fn drain(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(limit.saturating_add(1)).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    async fn run(process: Process) -> Result<Output, ExecError> {
        process.run(&SystemClock::new()).await
    }

    #[tokio::test]
    async fn input_goes_in_and_output_comes_out() {
        let out = run(Process::new("cat").stdin("hello")).await.unwrap();
        assert_eq!((out.code, out.text().as_str()), (Some(0), "hello"));
    }

    #[tokio::test]
    async fn the_environment_is_only_what_was_named() {
        let out = run(Process::new("env").env("ONLY", "this")).await.unwrap().text();
        let mut names: Vec<_> = out.lines().filter_map(|l| l.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["ONLY", "PATH"]);
    }

    #[tokio::test]
    async fn slow_loud_and_missing_programs_are_told_apart() {
        let slow = run(Process::new("sleep").arg("60").allow(Span::millis(50))).await;
        assert!(matches!(slow, Err(ExecError::TooSlow { .. })));
        let loud = run(Process::new("head").args(["-c", "100", "/dev/zero"]).limit(10)).await;
        assert!(matches!(loud, Err(ExecError::TooMuch { .. })));
        let missing = run(Process::new("no-such-program-here")).await;
        assert!(matches!(missing, Err(ExecError::NotFound { .. })));
    }

    #[tokio::test]
    async fn a_program_is_the_first_of_its_name_that_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let write = |place: &str, mode| {
            let file = folder.path().join(place).join("speak");
            std::fs::create_dir(file.parent().unwrap()).unwrap();
            std::fs::write(&file, format!("#!/bin/sh\necho {place}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("a", 0o600);
        write("b", 0o700);
        write("c", 0o700);
        let path = ["a", "b", "c"].map(|p| folder.path().join(p));
        let path = std::env::join_paths(path.iter().chain([&PathBuf::from("/bin")])).unwrap();
        let out = run(Process::new("speak").env("PATH", &path)).await.unwrap();
        assert_eq!(out.text(), "b\n");
        // By a folder below its own: found by the system, from there.
        let there = Process::new("speak").env("PATH", "c:/bin").folder(folder.path());
        assert_eq!(run(there).await.unwrap().text(), "c\n");
    }
}
