//! Places that stand in for the world: what is handed to them is kept in a folder, and nothing
//! else happens.
//!
//! What must stay true: nothing here opens a connection, starts a process or reads a secret.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::casework::opening::write_private;
use crate::clock::Clock;
use crate::config::Command;
use crate::domain::action::Action;
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::ids::StepId;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::{At, Span};
use crate::letters::bell::BellMail;
use crate::outlets::command::argv_of;
use crate::outlets::{Carrier, Outlet};

/// When each step acted, by the clock of the rehearsal.
#[derive(Clone, Default)]
pub(super) struct Acts(Arc<Mutex<Vec<(StepId, At)>>>);

impl Acts {
    /// So far, in order.
    pub fn all(&self) -> Vec<(StepId, At)> {
        held(&self.0).clone()
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Any outlet, with a note of when it acted.
pub(super) struct Noted {
    pub inner: Arc<dyn Outlet>,
    pub acts: Acts,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Outlet for Noted {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        self.inner.check(intended).await
    }

    async fn look(&self, intended: &Intended) -> Seen {
        self.inner.look(intended).await
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        held(&self.acts.0).push((effect.intended().step, self.clock.wall()));
        self.inner.act(effect).await
    }

    fn repeat(&self) -> Repeat {
        self.inner.repeat()
    }

    fn settle(&self) -> Span {
        self.inner.settle()
    }
}

/// What was handed to one kind of place: file name and bytes, for each step.
pub(super) type Kept = Arc<Mutex<BTreeMap<StepId, Vec<(String, Vec<u8>)>>>>;

/// What stands in for a command, a receiver, a person, and what others make.
pub(super) struct Shadow {
    /// Where files are kept.
    pub folder: PathBuf,
    /// What the configuration says of the command, if it is one.
    pub command: Option<Command>,
    pub kept: Kept,
}

impl Shadow {
    fn has(&self, step: StepId) -> bool {
        held(&self.kept).contains_key(&step)
    }

    /// Keeps every blob, and a word about it.
    fn keep(&self, intended: &Intended, about: &str) -> Result<(), OutletError> {
        let failed = |e: &dyn std::fmt::Display| OutletError::later("not-kept", e.to_string());
        let id = intended.step.to_string();
        let folder = self.folder.join(&id);
        private_folder(&folder).map_err(|e| failed(&e))?;
        for blob in &intended.blobs {
            write_private(&folder.join(&blob.about.name), &blob.bytes).map_err(|e| failed(&e))?;
        }
        write_private(&self.folder.join(format!("{id}.txt")), about.as_bytes())
            .map_err(|e| failed(&e))?;
        let mut files = Vec::new();
        // As they lie there, for the comparison.
        for blob in &intended.blobs {
            let bytes = std::fs::read(folder.join(&blob.about.name)).map_err(|e| failed(&e))?;
            files.push((blob.about.name.clone(), bytes));
        }
        held(&self.kept).insert(intended.step, files);
        Ok(())
    }

    fn about(&self, intended: &Intended) -> Result<String, OutletError> {
        Ok(match &intended.action {
            Action::Run { command, args, .. } => {
                let names: Vec<PathBuf> =
                    intended.blobs.iter().map(|b| PathBuf::from(&b.about.name)).collect();
                let Some(settings) = &self.command else {
                    return Err(OutletError::never("command-unknown", "it is not configured"));
                };
                let argv = argv_of(settings, args, &names)?;
                format!(
                    "command {command}, not run; its arguments, one a line:\n{}\n",
                    argv.join("\n")
                )
            }
            Action::Post { webhook, url, .. } => format!("call to {webhook} at {url}, not made\n"),
            Action::Ask { owner, instruction, paste, .. } => {
                format!("{owner} is asked: {instruction}\n\n{paste}\n")
            }
            _ => return Err(OutletError::never("not-rehearsed", "no shadow takes this")),
        })
    }
}

/// A folder of one's own.
pub(super) fn private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[async_trait]
impl Outlet for Shadow {
    async fn check(&self, _intended: &Intended) -> Vec<Finding> {
        Vec::new()
    }

    async fn look(&self, intended: &Intended) -> Seen {
        match intended.action {
            // Others make it: that they do cannot be rehearsed.
            Action::Await { .. } => Seen::Present(Receipt::seen("made by others, not rehearsed")),
            _ if self.has(intended.step) => Seen::Present(Receipt::seen("kept")),
            _ => Seen::Absent,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let intended = effect.intended();
        self.keep(intended, &self.about(intended)?)?;
        Ok(Receipt::handed_over("kept"))
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        Span::ZERO
    }
}

/// Takes the bells of a rehearsal: nobody is called.
pub(super) struct Mute;

#[async_trait]
impl Carrier for Mute {
    async fn ring(&self, _bell: &BellMail) -> Result<Receipt, OutletError> {
        Ok(Receipt::handed_over("not rung"))
    }
}
