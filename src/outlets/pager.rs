//! Ways to call the team that are no mail: a command, and a webhook. They get what a bell says
//! and nothing else, because only an [`Attention`] goes in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::command::installed;
use super::webhook::{Line, check_secret};
use crate::clock::Clock;
use crate::config::{BellWay, Webhook};
use crate::domain::finding::Finding;
use crate::domain::receipt::OutletError;
use crate::domain::time::Span;
use crate::exec::{ExecError, Process};
use crate::formats::bell_text::{Attention, Bell};

/// Takes calls of the team.
#[async_trait]
pub trait Pager: Send + Sync {
    /// Hands one over.
    async fn call(&self, attention: &Attention) -> Result<(), OutletError>;
}

/// An argv without a shell. The bell's text is its standard input; its environment is empty but
/// for `PATH` and the secrets it was given.
pub struct CommandPager {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Environment variable to file whose contents it gets.
    pub secret_files: BTreeMap<String, PathBuf>,
    /// How long it may take.
    pub allowed: Span,
    /// For that.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Pager for CommandPager {
    async fn call(&self, attention: &Attention) -> Result<(), OutletError> {
        let Some((program, args)) = self.run.split_first() else {
            return Err(OutletError::never("command-empty", "there is no program to run"));
        };
        let text = Bell::TeamAttention(attention.clone()).text();
        let mut process = Process::new(program).args(args).stdin(text).allow(self.allowed);
        for (variable, file) in &self.secret_files {
            let secret = tokio::fs::read_to_string(file).await.map_err(|_| {
                OutletError::ask_human("secret-unreadable", "a secret's file cannot be read")
            })?;
            process = process.env(variable, secret.trim_end_matches(['\r', '\n']));
        }
        match process.run(self.clock.as_ref()).await {
            Ok(out) if out.ok() => Ok(()),
            Ok(_) => Err(OutletError::later("command-failed", "it did not exit with 0")),
            Err(ExecError::NotFound { .. }) => {
                Err(OutletError::ask_human("command-missing", "not installed"))
            }
            Err(_) => Err(OutletError::later("command-broke-off", "it did not come to an end")),
        }
    }
}

/// What would keep a way from being rung, as far as that can be told without ringing it.
pub fn check(ways: &[BellWay]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, way) in ways.iter().enumerate() {
        let place = format!("bells {number}");
        match way {
            BellWay::Mail { .. } => {}
            BellWay::Webhook { url, secret_file, .. } => {
                let (name, url, secret_file) = (place, url.clone(), secret_file.clone());
                findings.extend(check_secret(&Webhook { name, url, secret_file, expires: None }));
            }
            BellWay::Command { run, secret_files, .. } => {
                if !run.first().is_some_and(|program| installed(program)) {
                    let what = "its program is not installed";
                    let finding = Finding::stop("command-missing", &place, what);
                    findings.push(finding.cure("install it, or give its full path"));
                }
                let unreadable = secret_files.values().any(|f| std::fs::File::open(f).is_err());
                if unreadable {
                    let what = "the file of a secret cannot be read";
                    let finding = Finding::stop("secret-unreadable", &place, what);
                    let cure = "make it readable for the account that runs daybreak";
                    findings.push(finding.cure(cure));
                }
            }
        }
    }
    findings
}

/// A signed call with code, id and time.
pub struct WebhookPager {
    line: Line,
    clock: Arc<dyn Clock>,
}

impl WebhookPager {
    /// For one receiver.
    pub fn new(url: String, secret_file: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { line: Line::new(url, secret_file, Arc::clone(&clock)), clock }
    }
}

#[async_trait]
impl Pager for WebhookPager {
    async fn call(&self, attention: &Attention) -> Result<(), OutletError> {
        let event = attention.event(self.clock.wall());
        self.line.send(&attention.name(), &event).await.map(|_| ())
    }
}
