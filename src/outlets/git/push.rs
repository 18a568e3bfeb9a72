//! The push itself, and its rehearsal.

use super::answer::{error_of, error_of_contact, fates};
use crate::config::Repository;
use crate::domain::action::RefMove;
use crate::domain::finding::Finding;
use crate::domain::receipt::OutletError;
use crate::domain::time::Span;
use crate::exec::git::{Area, View};
use crate::exec::{ExecError, Process};

/// What must be there for a push to happen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lease {
    /// Anything it continues.
    None,
    /// Exactly `old`.
    Old,
}

/// Exact object ids to exact names; no `+`. A lease makes a push rarer, never forced: what is
/// pushed continues what the lease names.
fn process(
    area: &Area,
    repository: &Repository,
    refs: &[RefMove],
    lease: Lease,
    dry: bool,
) -> Process {
    let (git, url) = View::Team.of(repository);
    let mut push = git
        .at(area.folder())
        .verb("push")
        .args(["--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--no-thin"])
        .args(["--recurse-submodules=no"])
        .allow(Span::mins(10));
    // One ref is atomic by itself, and some servers know no other way.
    if refs.len() > 1 {
        push = push.arg("--atomic");
    }
    if dry {
        push = push.arg("--dry-run");
    }
    if lease == Lease::Old {
        let old = |r: &RefMove| r.old.clone().unwrap_or_default();
        push = push.args(refs.iter().map(|r| format!("--force-with-lease={}:{}", r.name, old(r))));
    }
    push.args(["--", url]).args(refs.iter().map(|r| format!("{}:{}", r.new, r.name)))
}

/// Pushes. `Ok` when the server says that every ref is as we want it.
pub async fn push(
    area: &Area,
    repository: &Repository,
    refs: &[RefMove],
) -> Result<(), OutletError> {
    send(area, process(area, repository, refs, Lease::None, false), refs).await
}

/// The same, only if every ref still is what `old` says. Each `new` continues its `old`, so
/// nothing is ever taken away.
pub async fn onto(
    area: &Area,
    repository: &Repository,
    refs: &[RefMove],
) -> Result<(), OutletError> {
    send(area, process(area, repository, refs, Lease::Old, false), refs).await
}

async fn send(area: &Area, push: Process, refs: &[RefMove]) -> Result<(), OutletError> {
    let ran = push.run(area.clock().as_ref()).await;
    let out = ran.map_err(|e| match e {
        ExecError::NotFound { .. } => OutletError::later("git-missing", e.to_string()),
        other => OutletError::unknown("push-interrupted", other.to_string()),
    })?;
    let fates = fates(&out.text());
    if let Some(error) = error_of(&fates, &out.text()) {
        return Err(error);
    }
    if out.ok() && refs.iter().all(|r| fates.iter().any(|(name, _)| *name == r.name)) {
        return Ok(());
    }
    Err(error_of_contact(&out.complaint()))
}

/// Connects as the push would and lets the server's abilities and our right to write be seen.
/// A dry run sends neither objects nor the names and ids of what would be pushed.
pub async fn rehearse(area: &Area, repository: &Repository, refs: &[RefMove]) -> Vec<Finding> {
    let Ok(out) =
        process(area, repository, refs, Lease::None, true).run(area.clock().as_ref()).await
    else {
        return vec![super::remote::unreachable()];
    };
    if out.ok() {
        return Vec::new();
    }
    let error = error_of(&fates(&out.text()), &out.text())
        .unwrap_or_else(|| error_of_contact(&out.complaint()));
    let place = repository.url.clone();
    vec![match error.code.as_str() {
        "no-atomic" => {
            Finding::stop("no-atomic", place, "the server cannot move several refs at once")
                .cure("push one ref a step")
        }
        "access-refused" => {
            Finding::stop("access-refused", place, "the server refuses our credentials")
                .cure("check ssh_key_file, known_hosts or credential_file and the right to write")
        }
        code => Finding::warn(code, place, "a rehearsed push was refused")
            .cure("try `git push --dry-run` with the same credentials"),
    }]
}

/// The pack cannot be laid on the public history.
pub fn unusable_pack() -> Finding {
    Finding::stop("pack-unusable", "pack", "the candidate does not fit the public history")
        .cure("stage again and make a new plan")
}
