//! How a run ends: its exit code, and an error with its cure.
//!
//! 0 ok, 1 failure, 2 usage, 3 blocked by a finding, 4 needs approval, 5 partly done. Scripts
//! depend on these.

use std::process::ExitCode;

use super::editor::Kept;
use super::print::Print;
use crate::casework::CaseError;
use crate::config::ConfigError;
use crate::domain::finding::Finding;
use crate::domain::zone::BadT0;
use crate::store::StoreError;

/// What the shell learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Not done.
    Failure = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// A finding stops it.
    Blocked = 3,
    /// More people must say yes first.
    NeedsApproval = 4,
    /// Some of it is done, and some is not.
    Partly = 5,
    /// To a mail server's pipe: the mail cannot be used (`EX_DATAERR` of sysexits.h).
    BadMail = 65,
    /// To a mail server's pipe: there is no such address (`EX_NOUSER`).
    NoSuchAddress = 67,
    /// To a mail server's pipe: keep the mail and try again (`EX_TEMPFAIL`).
    TryLater = 75,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What a command answers; anyhow because every floor below may fail in it.
pub type Ended = anyhow::Result<Exit>;

/// An error that the command line itself finds.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    exit: Exit,
    what: String,
    help: String,
}

/// An error with its cure.
pub fn refuse(exit: Exit, what: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
    Refusal { exit, what: what.into(), help: help.into() }.into()
}

/// What is shown of an error.
struct Shown {
    exit: Exit,
    what: String,
    help: Option<String>,
    findings: Vec<Finding>,
}

impl Shown {
    fn new(exit: Exit, what: impl Into<String>, help: Option<String>) -> Self {
        Self { exit, what: what.into(), help, findings: Vec::new() }
    }

    /// From a text of the form `what is wrong; what would be right`.
    fn split(exit: Exit, text: &str) -> Self {
        match text.split_once("; ") {
            Some((what, help)) => Self::new(exit, what, Some(help.to_owned())),
            None => Self::new(exit, text, None),
        }
    }
}

/// Prints an error and says how the run ends.
pub fn report(print: Print, error: &anyhow::Error) -> Exit {
    let shown = shown(error);
    let Shown { exit, what, help, findings } = &shown;
    print.failure(what, help.as_deref(), findings, *exit as u8);
    shown.exit
}

fn shown(error: &anyhow::Error) -> Shown {
    let mut shown = of_error(error);
    if let Some(Kept(path)) = error.downcast_ref::<Kept>() {
        let help = shown.help.take().map(|h| format!("{h}; ")).unwrap_or_default();
        shown.help =
            Some(format!("{help}what you wrote is kept in {path}: correct it, then use --from"));
    }
    shown
}

fn of_error(error: &anyhow::Error) -> Shown {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return Shown::new(refusal.exit, &refusal.what, Some(refusal.help.clone()));
    }
    if let Some(case) = error.downcast_ref::<CaseError>() {
        return of_case(case);
    }
    if let Some(store) = error.downcast_ref::<StoreError>() {
        return of_store(store);
    }
    if let Some(bad) = error.downcast_ref::<BadT0>() {
        return Shown::split(Exit::Usage, &bad.to_string());
    }
    if let Some(bad) = error.downcast_ref::<ConfigError>() {
        return of_config(bad);
    }
    Shown::split(Exit::Failure, &format!("{error:#}"))
}

fn of_case(error: &CaseError) -> Shown {
    match error {
        CaseError::Unknown { what, name, cure } => {
            Shown::new(Exit::Failure, format!("there is no {what} `{name}`"), Some(cure.clone()))
        }
        CaseError::Invalid { field, wrong, right } => match right.split_once("; ") {
            // The cause came from further down and brought its own cure.
            Some((why, cure)) => Shown::new(
                Exit::Failure,
                format!("`{field}` {wrong}: {why}"),
                Some(cure.to_owned()),
            ),
            None => Shown::new(Exit::Failure, format!("`{field}` {wrong}"), Some(right.clone())),
        },
        CaseError::Blocked(findings) => {
            let help = "cure what is marked stop, then repeat".to_owned();
            let shown = Shown::new(Exit::Blocked, error.to_string(), Some(help));
            Shown { findings: findings.clone(), ..shown }
        }
        CaseError::NotNow { why, cure } => Shown::new(Exit::Failure, why, Some(cure.clone())),
        CaseError::NeedsApproval { needed, given, cure } => Shown::new(
            Exit::NeedsApproval,
            format!("it needs {needed} approval(s) and has {given}"),
            Some(cure.clone()),
        ),
        CaseError::Store(store) => of_store(store),
        CaseError::Machine { .. } => Shown::split(Exit::Failure, &error.to_string()),
    }
}

fn of_store(error: &StoreError) -> Shown {
    let help = match error {
        StoreError::AlreadyApproved => "another member must sign it; see `daybreak plan show PLAN`",
        StoreError::AlreadyLifted => "another member must ask too: --as MEMBER",
        StoreError::AlreadyDecided => "see `daybreak plan show PLAN`",
        StoreError::NotFound(_) => "see the `list` command of that object",
        StoreError::Conflict(_) => "look at it again, then repeat the command",
        _ => return Shown::split(Exit::Failure, &error.to_string()),
    };
    let text = error.to_string();
    let what = text.split_once(": ").map_or(text.as_str(), |(what, _)| what);
    Shown::new(Exit::Failure, what, Some(help.to_owned()))
}

fn of_config(error: &ConfigError) -> Shown {
    match error {
        ConfigError::Unreadable { path, kind } => Shown::new(
            Exit::Failure,
            format!("cannot read {}: {kind}", path.display()),
            Some("name a data directory with --dir DIR or DAYBREAK_DIR; `daybreak init DIR` makes one".to_owned()),
        ),
        ConfigError::Malformed(text) => Shown::new(
            Exit::Failure,
            format!("daybreak.toml: {}", text.trim_end()),
            Some("correct the line; `daybreak config check` looks again".to_owned()),
        ),
        ConfigError::Wrong { field, wrong, right } => Shown::new(
            Exit::Failure,
            format!("daybreak.toml: `{field}` {wrong}"),
            Some(right.clone()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_code_and_cure() {
        let cases: Vec<(anyhow::Error, Exit, &str)> = vec![
            (
                CaseError::invalid("tag", "is not usable", "use letters").into(),
                Exit::Failure,
                "use letters",
            ),
            (
                CaseError::invalid("patch", "cannot be used", "no patch; make some").into(),
                Exit::Failure,
                "make some",
            ),
            (CaseError::Blocked(vec![]).into(), Exit::Blocked, "cure what"),
            (StoreError::AlreadyApproved.into(), Exit::Failure, "another member"),
            (BadT0::Form.into(), Exit::Usage, "write it as"),
            (StoreError::PublicIdTaken.into(), Exit::Failure, "choose another"),
            (refuse(Exit::Partly, "half", "the rest"), Exit::Partly, "the rest"),
        ];
        for (error, exit, help) in cases {
            let shown = shown(&error);
            assert_eq!(shown.exit, exit, "{error}");
            assert!(shown.help.is_some_and(|h| h.contains(help)), "{error}");
            assert!(!shown.what.is_empty() && !shown.what.contains("; "), "{error}");
        }
    }
}
