//! A configured program that looks for a mail: it gets the Message-ID and nothing else.

use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::finding::Finding;
use crate::domain::time::Span;
use crate::exec::Process;
use crate::outlets::command::{fill, installed};

/// A look that takes longer told nothing.
const ALLOWED: Span = Span::secs(10);
/// Most bytes it may print.
const LIMIT: u64 = 1024 * 1024;

/// What was said of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// It is there; the line that says so.
    Found(String),
    /// It waits to be passed on.
    Waits,
    /// It is not there.
    NotThere,
    /// Nothing that counts.
    Nothing,
}

/// The program.
pub(super) struct Program {
    argv: Vec<String>,
    clock: Arc<dyn Clock>,
}

impl Program {
    /// `None` when none is configured.
    pub(super) fn new(argv: &[String], clock: &Arc<dyn Clock>) -> Option<Self> {
        (!argv.is_empty()).then(|| Self { argv: argv.to_vec(), clock: Arc::clone(clock) })
    }

    /// Why it cannot be started.
    pub(super) fn check(&self, field: &str) -> Option<Finding> {
        let found = self.argv.first().is_some_and(|program| installed(program));
        (!found).then(|| {
            Finding::warn("look-missing", field, "its program is not installed")
                .cure("install it, or give its full path; without it no look can find a mail")
        })
    }

    /// Runs it, with no environment but `PATH`. Exit code and output must agree: who found it
    /// names it, and who did not find it does not.
    pub(super) async fn ask(&self, message_id: &str) -> Said {
        let Ok(words) = fill(&self.argv, &[message_id.to_owned()], &[]) else {
            return Said::Nothing;
        };
        let mut words = words.into_iter();
        let Some(program) = words.next() else { return Said::Nothing };
        let process = Process::new(program).args(words).allow(ALLOWED).limit(LIMIT);
        let Ok(out) = process.run(self.clock.as_ref()).await else { return Said::Nothing };
        let text = out.text();
        let named = text.lines().find(|l| !message_id.is_empty() && l.contains(message_id));
        match (out.code, named) {
            (Some(0), Some(line)) => Said::Found(line.trim().chars().take(200).collect()),
            (Some(2), Some(_)) => Said::Waits,
            (Some(1), None) => Said::NotThere,
            _ => Said::Nothing,
        }
    }
}
