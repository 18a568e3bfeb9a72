//! Waiting: what others must have made (a release that the project's CI builds from the
//! pushed tag). It changes nothing; acting is looking once more.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::Command;
use crate::domain::action::{Action, Expected};
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Seen};
use crate::domain::time::Span;

use super::Outlet;
use super::command::ArgvCommand;
use super::python_index::{IndexReader, Listing, already_listed};

enum Place {
    Index(IndexReader),
    Argv(ArgvCommand),
}

/// The outlet for [`Action::Await`] at one configured place.
pub struct WaitOutlet {
    name: String,
    place: Place,
}

impl WaitOutlet {
    /// `name` is the command's name in the configuration; `work` is where private folders
    /// are made.
    pub fn new(
        name: impl Into<String>,
        command: Command,
        work: impl Into<std::path::PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let place = match command {
            Command::PythonIndex(index) => Place::Index(IndexReader::new(index.index_url, clock)),
            argv @ Command::Argv { .. } => Place::Argv(ArgvCommand::new(argv, work, clock)),
        };
        Self { name: name.into(), place }
    }

    fn asked<'a>(&self, intended: &'a Intended) -> Option<(&'a [String], &'a [Expected])> {
        match &intended.action {
            Action::Await { look, args, expected } if *look == self.name => Some((args, expected)),
            _ => None,
        }
    }
}

#[async_trait]
impl Outlet for WaitOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let Some((args, expected)) = self.asked(intended) else {
            return vec![Finding::stop("not-await", "await", "this place is not configured")];
        };
        let hollow = |e: &Expected| e.count == 0 || e.pattern.is_empty();
        let mut findings = Vec::new();
        if matches!(self.place, Place::Index(_)) && expected.is_empty()
            || expected.iter().any(hollow)
        {
            findings.push(
                Finding::stop("nothing-expected", "await", "it would be there at once")
                    .cure("name a file pattern with a count of at least one"),
            );
        }
        match &self.place {
            Place::Index(index) => findings.extend(index.check(args).await),
            Place::Argv(command) => findings.extend(command.check()),
        }
        findings
    }

    async fn exposed(&self, intended: &Intended) -> Vec<Finding> {
        let (Some((args, expected)), Place::Index(index)) = (self.asked(intended), &self.place)
        else {
            return Vec::new();
        };
        let Some(project) = args.first() else { return Vec::new() };
        match index.read(project).await {
            Listing::Files(files) => match judge(expected, files.keys()) {
                Seen::Present(receipt) => vec![already_listed(&receipt.detail)],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    async fn look(&self, intended: &Intended) -> Seen {
        let Some((args, expected)) = self.asked(intended) else { return Seen::CannotTell };
        match &self.place {
            Place::Argv(command) => command.look(args, &[]).await,
            Place::Index(index) => {
                let Some(project) = args.first() else { return Seen::CannotTell };
                match index.read(project).await {
                    Listing::Files(files) => judge(expected, files.keys()),
                    Listing::NoProject => judge(expected, [].into_iter()),
                    Listing::Unreadable(_) => Seen::CannotTell,
                }
            }
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        if self.asked(effect.intended()).is_none() {
            return Err(OutletError::never("not-await", "this place is not configured"));
        }
        match self.look(effect.intended()).await {
            Seen::Present(receipt) => Ok(receipt),
            Seen::Conflict(why) => Err(OutletError::ask_human("conflict", why)),
            Seen::CannotTell => Err(OutletError::later("cannot-look", "the place does not answer")),
            Seen::Absent | Seen::Underway(_) => {
                Err(OutletError::later("not-there-yet", "others have not made it yet"))
            }
        }
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn settle(&self) -> Span {
        Span::ZERO
    }
}

/// Whether every pattern has as many files as expected. Nothing expected is never there.
fn judge<'a>(expected: &[Expected], files: impl Iterator<Item = &'a String>) -> Seen {
    let files: BTreeSet<_> = files.collect();
    let enough = |e: &Expected| {
        let found = files.iter().filter(|f| matches(&e.pattern, f)).count();
        u32::try_from(found).unwrap_or(u32::MAX) >= e.count.max(1)
    };
    if expected.is_empty() || !expected.iter().all(enough) {
        return Seen::Absent;
    }
    let names: Vec<_> = files
        .iter()
        .filter(|f| expected.iter().any(|e| matches(&e.pattern, f)))
        .map(|f| f.as_str())
        .collect();
    Seen::Present(Receipt::seen(names.join(" ")))
}

/// Whether `name` fits `pattern`, in which `*` stands for any run of characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or("");
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_runs() {
        for (pattern, name) in [
            ("a-1.0.tar.gz", "a-1.0.tar.gz"),
            ("a-1.0-*.whl", "a-1.0-cp311-linux.whl"),
            ("*", ""),
            ("a*b*c", "aXbbYc"),
            ("a**c", "abc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a-1.0-*.whl", "a-1.0.1-x.whl.asc"), ("a*b*c", "abX"), ("ab*ba", "aba"), ("", "a")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn counts_are_minima_and_nothing_expected_is_never_there() {
        let files = ["a-1-x.whl".to_owned(), "a-1-y.whl".to_owned()];
        let want = |count| [Expected { pattern: "a-1-*.whl".to_owned(), count }];
        assert!(matches!(judge(&want(2), files.iter()), Seen::Present(_)));
        assert_eq!(judge(&want(3), files.iter()), Seen::Absent);
        assert_eq!(judge(&[], files.iter()), Seen::Absent);
    }
}
