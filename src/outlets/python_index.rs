//! A Python package index: uploaded to with twine, looked at through its listing (JSON as
//! PEP 691 says, or HTML as PEP 503 says) by file name and SHA-256. Content-addressed, therefore safe to repeat: what is there with
//! our digest is left alone, what is there with another is for a person.

pub(super) mod html;
mod reader;
mod twine;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::PythonIndex;
use crate::domain::blob::{Blob, Sha256};
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

use super::Outlet;
use super::command::{installed, run_of};
use super::layout::Layout;
use super::settle::settle;

pub use reader::{IndexReader, Listing};

/// The outlet for [`crate::domain::action::Action::Run`] with the `python-index` recipe; the
/// first argument is the project's name.
pub struct PythonIndexOutlet {
    name: String,
    index: PythonIndex,
    reader: IndexReader,
    work: PathBuf,
    clock: Arc<dyn Clock>,
}

/// How our files stand in a listing.
enum Standing<'a> {
    AllThere,
    Missing(Vec<&'a Blob>),
    Other(String),
    CannotTell(String),
}

impl PythonIndexOutlet {
    /// `name` is the command's name in the configuration; `work` is where private folders
    /// are made.
    pub fn new(
        name: impl Into<String>,
        index: PythonIndex,
        work: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let reader = IndexReader::new(index.index_url.clone(), Arc::clone(&clock));
        Self { name: name.into(), index, reader, work: work.into(), clock }
    }

    async fn listing(&self, args: &[String]) -> Option<Listing> {
        Some(self.reader.read(args.first()?).await)
    }

    async fn standing<'a>(&self, args: &[String], blobs: &[&'a Blob]) -> Standing<'a> {
        let Some(project) = args.first() else {
            return Standing::CannotTell("the step names no project".to_owned());
        };
        let files = match self.reader.read(project).await {
            Listing::Files(files) => files,
            Listing::NoProject => std::collections::BTreeMap::new(),
            Listing::Unreadable(why) => return Standing::CannotTell(why),
        };
        let mut missing = Vec::new();
        for blob in blobs {
            match files.get(&blob.about.name) {
                None => missing.push(*blob),
                Some(None) => {
                    return Standing::CannotTell("the index states no SHA-256".to_owned());
                }
                Some(Some(digest)) if *digest == Sha256::of(&blob.bytes) => {}
                Some(Some(_)) => {
                    let name = &blob.about.name;
                    return Standing::Other(format!("{name} is on the index with other content"));
                }
            }
        }
        if missing.is_empty() { Standing::AllThere } else { Standing::Missing(missing) }
    }

    async fn seen(&self, args: &[String], blobs: &[&Blob]) -> Seen {
        match self.standing(args, blobs).await {
            Standing::AllThere => {
                let names: Vec<_> = blobs.iter().map(|b| b.about.name.as_str()).collect();
                Seen::Present(Receipt::seen(names.join(" ")))
            }
            Standing::Missing(_) => Seen::Absent,
            Standing::Other(why) => Seen::Conflict(why),
            Standing::CannotTell(_) => Seen::CannotTell,
        }
    }
}

/// A file that shall be there at T0 is there before.
pub(super) fn already_listed(file: &str) -> Finding {
    Finding::stop("already-public", file, "it is on the index before its time")
        .cure("see who uploaded it; take it down if nobody has it, else `disclosure publish-now`")
}

#[async_trait]
impl Outlet for PythonIndexOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let (args, blobs) = match run_of(&self.name, intended) {
            Ok(run) => run,
            Err(error) => return vec![Finding::stop(&error.code, "command", error.message)],
        };
        let mut findings = Vec::new();
        if blobs.is_empty() {
            findings.push(Finding::stop("nothing-to-upload", "command", "it has no files"));
        }
        if !installed(&self.index.twine) {
            findings.push(
                Finding::stop("command-missing", "command.twine", "twine is not installed")
                    .cure("install it, or give its full path as `twine`"),
            );
        }
        if twine::credentials(&self.index).await.is_err() {
            findings.push(
                Finding::stop("secret-unreadable", "command.password_file", "cannot be read")
                    .cure("make it readable for the account that runs daybreak"),
            );
        }
        findings.extend(self.reader.check(args).await);
        findings.extend(self.reader.reach(&self.index.upload_url).await);
        if let Standing::Other(why) = self.standing(args, &blobs).await {
            findings.push(
                Finding::stop("index-conflict", "command", why)
                    .cure("an index never takes a file name twice: make a new version"),
            );
        }
        findings
    }

    async fn exposed(&self, intended: &Intended) -> Vec<Finding> {
        let Ok((args, blobs)) = run_of(&self.name, intended) else { return Vec::new() };
        // The listing of the whole project, which everybody asks for every day: no file of a
        // version to come is named. Another file of our name is a conflict, which `check` says.
        let Some(Listing::Files(files)) = self.listing(args).await else { return Vec::new() };
        let ours = |b: &&&Blob| match files.get(&b.about.name) {
            Some(Some(digest)) => *digest == Sha256::of(&b.bytes),
            Some(None) => true,
            None => false,
        };
        blobs.iter().filter(ours).map(|b| already_listed(&b.about.name)).collect()
    }

    async fn look(&self, intended: &Intended) -> Seen {
        match run_of(&self.name, intended) {
            Ok((args, blobs)) => self.seen(args, &blobs).await,
            Err(_) => Seen::CannotTell,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let (args, blobs) = run_of(&self.name, effect.intended())?;
        if blobs.is_empty() {
            return Err(OutletError::never("nothing-to-upload", "the step has no files"));
        }
        let missing = match self.standing(args, &blobs).await {
            Standing::AllThere => Vec::new(),
            Standing::Missing(missing) => missing,
            Standing::Other(why) => return Err(OutletError::ask_human("conflict", why)),
            Standing::CannotTell(why) => return Err(OutletError::later("index-unreadable", why)),
        };
        if missing.is_empty() {
            let names: Vec<_> = blobs.iter().map(|b| b.about.name.as_str()).collect();
            return Ok(Receipt::seen(names.join(" ")));
        }
        // Some indices refuse a file they already have: only the missing ones go.
        let layout = Layout::of(&self.work, &missing).await?;
        let ended = twine::upload(&self.index, &layout, self.clock.as_ref()).await?;
        // What the index itself said of an upload is certain, however late its listing is.
        settle(ended, self.seen(args, &blobs).await, Span::ZERO)
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        Span::secs(i64::from(self.index.settle))
    }
}
