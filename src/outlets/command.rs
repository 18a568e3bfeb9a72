//! Commands: places that no outlet of ours knows, reached by an argument vector without a
//! shell, and looked at by another one that gets no secrets.

mod argv;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::Command;
use crate::domain::action::Action;
use crate::domain::blob::Blob;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;
use crate::exec::{ExecError, Output, Process};

use super::Outlet;
use super::layout::Layout;
use super::python_index::PythonIndexOutlet;
use super::settle::{Ended, settle};

pub(super) use argv::{fill, installed};

/// The outlet for one configured command. `name` is its name in the configuration; `work`
/// is where private folders are made (the house's own, wiped at start).
pub fn outlet(
    name: impl Into<String>,
    command: Command,
    work: impl Into<PathBuf>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Outlet> {
    match command {
        Command::PythonIndex(index) => Arc::new(PythonIndexOutlet::new(name, index, work, clock)),
        argv @ Command::Argv { .. } => {
            Arc::new(ArgvOutlet { name: name.into(), command: ArgvCommand::new(argv, work, clock) })
        }
    }
}

/// The arguments and files of an [`Action::Run`] for the command called `name`.
pub(super) fn run_of<'a>(
    name: &str,
    intended: &'a Intended,
) -> Result<(&'a [String], Vec<&'a Blob>), OutletError> {
    match &intended.action {
        Action::Run { command, args, .. } if command == name => {
            Ok((args, intended.blobs.iter().collect()))
        }
        _ => Err(OutletError::never("not-this-command", "the step is for another outlet")),
    }
}

/// A configured argument vector.
pub struct ArgvCommand {
    run: Vec<String>,
    look: Vec<String>,
    secret_files: BTreeMap<String, PathBuf>,
    safe_to_repeat: bool,
    allowed: Span,
    settle: Span,
    work: PathBuf,
    clock: Arc<dyn Clock>,
}

impl ArgvCommand {
    /// From its configuration; a recipe that is no argument vector gives one that refuses
    /// to run.
    pub fn new(command: Command, work: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        let work = work.into();
        let Command::Argv { run, look, secret_files, safe_to_repeat, settle, seconds, .. } =
            command
        else {
            return Self {
                run: Vec::new(),
                look: Vec::new(),
                secret_files: BTreeMap::new(),
                safe_to_repeat: false,
                allowed: Span::ZERO,
                settle: Span::ZERO,
                work,
                clock,
            };
        };
        let allowed = Span::secs(i64::from(seconds));
        let settle = Span::secs(i64::from(settle));
        Self { run, look, secret_files, safe_to_repeat, allowed, settle, work, clock }
    }

    /// What keeps it from being started.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (field, argv) in [("run", &self.run), ("look", &self.look)] {
            if !argv.first().is_some_and(|program| installed(program)) {
                let message = format!("the program of `{field}` is not installed");
                findings.push(
                    Finding::stop("command-missing", "command", message)
                        .cure("install it, or give its full path"),
                );
            }
        }
        for (variable, file) in &self.secret_files {
            if std::fs::File::open(file).is_err() {
                let message = format!("the file for `{variable}` cannot be read");
                findings.push(
                    Finding::stop("secret-unreadable", "command.secret_files", message)
                        .cure("make it readable for the account that runs daybreak"),
                );
            }
        }
        findings
    }

    /// Looks, with no environment but `PATH`: exit 0 present, 1 absent, 2 conflict.
    pub async fn look(&self, args: &[String], blobs: &[&Blob]) -> Seen {
        match self.start(&self.look, args, blobs, Vec::new()).await {
            Ok(Ok(out)) => match out.code {
                Some(0) => Seen::Present(Receipt::seen(first_line(&out))),
                Some(1) => Seen::Absent,
                Some(2) => Seen::Conflict(first_line(&out)),
                _ => Seen::CannotTell,
            },
            _ => Seen::CannotTell,
        }
    }

    /// Runs it once. The outer error means that nothing was started.
    async fn act(&self, args: &[String], blobs: &[&Blob]) -> Result<Ended, OutletError> {
        let mut secrets = Vec::new();
        for (variable, file) in &self.secret_files {
            let text = tokio::fs::read_to_string(file).await.map_err(|_| {
                OutletError::ask_human("secret-unreadable", "a secret's file cannot be read")
            })?;
            secrets.push((variable.clone(), text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        Ok(match self.start(&self.run, args, blobs, secrets).await? {
            Ok(out) if out.ok() => Ended::Well(first_line(&out)),
            Ok(Output { code: None, .. }) => {
                Ended::BrokeOff("command-killed", "a signal ended the command".to_owned())
            }
            Ok(out) => Ended::Badly(OutletError::later("command-failed", out.complaint())),
            Err(ExecError::NotFound { .. }) => {
                return Err(OutletError::ask_human("command-missing", "not installed"));
            }
            Err(ExecError::TooSlow { .. }) => {
                Ended::BrokeOff("command-timed-out", "the command took too long".to_owned())
            }
            Err(e) => Ended::BrokeOff("command-broke-off", e.to_string()),
        })
    }

    async fn start(
        &self,
        argv: &[String],
        args: &[String],
        blobs: &[&Blob],
        secrets: Vec<(String, String)>,
    ) -> Result<Result<Output, ExecError>, OutletError> {
        let layout = Layout::of(&self.work, blobs).await?;
        let mut words = argv::fill(argv, args, layout.files())?.into_iter();
        let Some(program) = words.next() else {
            return Err(OutletError::never("command-empty", "there is no program to run"));
        };
        let mut process =
            Process::new(program).args(words).folder(layout.folder()).allow(self.allowed);
        for (variable, value) in secrets {
            process = process.env(variable, value);
        }
        Ok(process.run(self.clock.as_ref()).await)
    }
}

/// What would be run for a step, without running it: the words of the configured argument vector,
/// or of the upload that the recipe stands for.
pub fn argv_of(
    command: &Command,
    args: &[String],
    files: &[PathBuf],
) -> Result<Vec<String>, OutletError> {
    let words = match command {
        Command::Argv { run, .. } => fill(run, args, files)?,
        Command::PythonIndex(index) => {
            let upload = ["upload", "--repository-url", &index.upload_url].map(Into::into);
            let files = files.iter().map(|f| f.as_os_str().to_owned());
            [index.twine.as_str().into()].into_iter().chain(upload).chain(files).collect()
        }
    };
    Ok(words.into_iter().map(|w| w.to_string_lossy().into_owned()).collect())
}

/// What a program says first, for a receipt: at most 200 characters.
fn first_line(out: &Output) -> String {
    out.text().lines().next().unwrap_or("").chars().take(200).collect()
}

struct ArgvOutlet {
    name: String,
    command: ArgvCommand,
}

#[async_trait]
impl Outlet for ArgvOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let mut findings = self.command.check();
        let filled = run_of(&self.name, intended).and_then(|(args, _)| {
            argv::fill(&self.command.run, args, &[])?;
            argv::fill(&self.command.look, args, &[])
        });
        if let Err(error) = filled {
            findings.push(Finding::stop(&error.code, "command", error.message));
        }
        findings
    }

    async fn look(&self, intended: &Intended) -> Seen {
        match run_of(&self.name, intended) {
            Ok((args, blobs)) => self.command.look(args, &blobs).await,
            Err(_) => Seen::CannotTell,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let (args, blobs) = run_of(&self.name, effect.intended())?;
        // Once more, however short ago the caller looked: not every command is as careful.
        match self.command.look(args, &blobs).await {
            Seen::Present(receipt) => return Ok(receipt),
            Seen::Conflict(why) => return Err(OutletError::ask_human("conflict", why)),
            Seen::Absent | Seen::Underway(_) | Seen::CannotTell => {}
        }
        let ended = self.command.act(args, &blobs).await?;
        settle(ended, self.command.look(args, &blobs).await, self.command.settle)
    }

    fn repeat(&self) -> Repeat {
        if self.command.safe_to_repeat { Repeat::Safe } else { Repeat::AskHuman }
    }

    fn settle(&self) -> Span {
        self.command.settle
    }
}
