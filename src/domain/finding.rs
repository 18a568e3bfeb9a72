//! A rule's answer. Rules collect every finding; nobody is shown only the first.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Usually a mistake; may be accepted.
    Warn,
    /// Nothing goes on until it is cured.
    Stop,
}

impl Severity {
    /// The word shown to people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Stop => "stop",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One thing a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable, kebab-case; documented in docs.
    pub code: String,
    /// How much it weighs.
    pub severity: Severity,
    /// The field or thing it is about (`affected[0].ranges`, `contact con_…`).
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What would be right, or the command that cures it.
    pub cure: String,
}

impl Finding {
    fn new(
        severity: Severity,
        code: &str,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            place: place.into(),
            message: message.into(),
            cure: String::new(),
        }
    }

    /// A finding that stops.
    pub fn stop(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Stop, code, place, message)
    }

    /// A finding that warns.
    pub fn warn(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warn, code, place, message)
    }

    /// A finding to know of.
    pub fn note(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, place, message)
    }

    /// The same finding with its cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }
}

/// Whether any finding stops.
pub fn any_stop(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Stop)
}
