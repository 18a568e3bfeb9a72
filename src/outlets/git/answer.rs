//! Reading what `git push --porcelain` says (git-push(1), OUTPUT): one line a ref, then the
//! failures that stop it before any ref was spoken of.

use crate::domain::receipt::OutletError;

/// What became of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Moved, made, or already there.
    Ok,
    /// Refused because the other side has something else.
    Moved,
    /// Refused because such a tag exists.
    Exists,
    /// Refused because another ref of an atomic push was.
    WithOthers,
    /// Lost a race inside the server; nothing happened.
    Raced,
    /// Refused by the server's rules.
    Refused,
}

/// The fates of the refs, by the name on the other side.
pub fn fates(stdout: &str) -> Vec<(String, Fate)> {
    stdout.lines().filter_map(fate).collect()
}

/// `flag TAB from:to TAB summary (reason)`
fn fate(line: &str) -> Option<(String, Fate)> {
    let mut fields = line.splitn(3, '\t');
    let (flag, names, summary) = (fields.next()?, fields.next()?, fields.next()?);
    let name = names.rsplit(':').next()?.to_owned();
    let fate = match flag {
        " " | "*" | "=" => Fate::Ok,
        "!" if summary.contains("(atomic push failed)") => Fate::WithOthers,
        "!" if summary.contains("(already exists)") => Fate::Exists,
        "!" if summary.starts_with("[rejected]") => Fate::Moved,
        "!" if ["failed to update ref", "incorrect old value", "cannot lock ref"]
            .iter()
            .any(|w| summary.contains(w)) =>
        {
            Fate::Raced
        }
        "!" => Fate::Refused,
        _ => return None,
    };
    Some((name, fate))
}

/// The error of a push whose refs had these fates; `None` when all went well.
pub fn error_of(fates: &[(String, Fate)], stdout: &str) -> Option<OutletError> {
    let has = |fate: &Fate| fates.iter().any(|(_, f)| f == fate);
    if has(&Fate::Exists) {
        Some(OutletError::ask_human("tag-exists", stdout))
    } else if has(&Fate::Moved) {
        Some(OutletError::ask_human("branch-moved", stdout))
    } else if has(&Fate::Refused) {
        Some(OutletError::ask_human("push-refused", stdout))
    } else if has(&Fate::Raced) || has(&Fate::WithOthers) {
        Some(OutletError::later("push-raced", stdout))
    } else {
        None
    }
}

/// Words of git, ssh and curl (in the C locale) for: never got through the door.
const NO_CONTACT: [&str; 11] = [
    "Could not resolve host",
    "Failed to connect to",
    "Couldn't connect to server",
    "unable to connect to",
    "ssh: connect to host",
    "ssh: Could not resolve hostname",
    "does not appear to be a git repository",
    "Connection refused",
    "No route to host",
    "Network is unreachable",
    "repository not found",
];

/// Words for: the door stayed shut.
const NO_ENTRY: [&str; 8] = [
    "Authentication failed",
    "Permission denied (",
    "Host key verification failed",
    "could not read Username",
    "could not read Password",
    "returned error: 401",
    "returned error: 403",
    "returned error: 404",
];

/// The error of a push that ended without a word on any ref.
pub fn error_of_contact(stderr: &str) -> OutletError {
    let says = |words: &[&str]| {
        let lower = stderr.to_lowercase();
        words.iter().any(|w| lower.contains(&w.to_lowercase()))
    };
    if says(&["does not support --atomic"]) {
        OutletError::ask_human("no-atomic", stderr)
    } else if says(&NO_ENTRY) {
        OutletError::later("access-refused", stderr)
    } else if says(&NO_CONTACT) {
        OutletError::later("repository-unreachable", stderr)
    } else {
        OutletError::unknown("connection-lost", stderr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::Retry;

    #[test]
    fn porcelain_lines_are_understood() {
        let text = "To ../public.git\n \tabc:refs/heads/main\t1..2\n=\tabc:refs/heads/x\t[up to date]\n\
            *\tabc:refs/tags/1\t[new tag]\n!\tabc:refs/heads/a\t[rejected] (fetch first)\n\
            !\tabc:refs/heads/b\t[rejected] (non-fast-forward)\n\
            !\tabc:refs/tags/2\t[rejected] (already exists)\n\
            !\tabc:refs/heads/c\t[remote rejected] (pre-receive hook declined)\n\
            !\tabc:refs/heads/d\t[rejected] (atomic push failed)\n\
            !\tabc:refs/heads/e\t[remote rejected] (incorrect old value provided)\nDone\n";
        let found: Vec<_> = fates(text).into_iter().map(|(_, f)| f).collect();
        use Fate::*;
        assert_eq!(found, [Ok, Ok, Ok, Moved, Moved, Exists, Refused, WithOthers, Raced]);
        assert_eq!(fates(text)[0].0, "refs/heads/main");
    }

    #[test]
    fn only_what_surely_did_not_happen_may_be_tried_again() {
        for (said, code, retry) in [
            (
                "fatal: unable to access 'https://x/': Could not resolve host: x",
                "repository-unreachable",
                Retry::Later,
            ),
            (
                "ssh: connect to host x port 22: Connection timed out",
                "repository-unreachable",
                Retry::Later,
            ),
            ("git@x: Permission denied (publickey).", "access-refused", Retry::Later),
            (
                "fatal: the receiving end does not support --atomic push",
                "no-atomic",
                Retry::AskHuman,
            ),
            ("fatal: the remote end hung up unexpectedly", "connection-lost", Retry::Unknown),
            ("", "connection-lost", Retry::Unknown),
        ] {
            let error = error_of_contact(said);
            assert_eq!((error.code.as_str(), error.retry), (code, retry), "{said}");
        }
    }
}
