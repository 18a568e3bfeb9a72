//! A branch that moved, where people approved that something may be made of it.
//!
//! What must stay true: what is made is made in a private area after a fresh fetch, and pushed
//! on exactly the tip that was seen, never forced; what does not fit by itself waits for a
//! person. A branch that holds what was approved is left alone.

use super::super::settle::Ended;
use super::remote::{FETCHED, Remote};
use super::{GitOutlet, Push, described, push};
use crate::domain::action::RefMove;
use crate::domain::finding::{Finding, Severity};
use crate::domain::receipt::{OutletError, Retry};
use crate::domain::remake::{Remake, Way};
use crate::domain::time::At;
use crate::exec::git::remake::{Approved, NotMade, holds, make};
use crate::exec::git::{Area, GitError, View};

/// Said when a branch is not what the plan pinned.
pub const BRANCH_MOVED: &str = "branch-moved";
/// How often the branch may move under one attempt.
const TRIES: usize = 3;

/// What became of the branch in a private area.
enum Rejoined {
    /// Nothing is to be done.
    Holds,
    /// The branch's new tip, on the tip that was fetched.
    Made { area: Area, onto: String, tip: String },
}

impl GitOutlet {
    /// Makes what was approved on the branch's tip as it is now, and pushes it there.
    pub(super) async fn rejoin(&self, push: &Push<'_>) -> Result<Ended, OutletError> {
        let (Some(remake), [r]) = (push.remake, push.refs) else {
            return Err(OutletError::never("remake-unusable", "nothing may be made of it"));
        };
        let Some(at) = remake.at else {
            return Err(OutletError::never("remake-unusable", "it was not dispatched"));
        };
        let remote = self.remote(push, View::Team);
        for _ in 0..TRIES {
            let (area, onto, tip) = match rejoined(&remote, r, remake, at).await.map_err(not_now)? {
                Rejoined::Holds => return Ok(Ended::Well(described(push.refs, None))),
                Rejoined::Made { area, onto, tip } => (area, onto, tip),
            };
            let moves = [RefMove { name: r.name.clone(), old: Some(onto), new: tip.clone() }];
            let pushed = push::onto(&area, push.mirror.repository(), &moves).await;
            let detail = format!("{} at {tip}, which holds {}", r.name, r.new);
            match pushed {
                Ok(()) => return Ok(Ended::Well(detail)),
                // It moved again, or somebody else is pushing: with the newer tip.
                Err(e) if e.code == BRANCH_MOVED || e.code == "push-raced" => {}
                Err(e) if e.retry == Retry::Unknown => return Ok(Ended::Badly(e)),
                Err(e) => return Err(e),
            }
        }
        Err(OutletError::later("branch-keeps-moving", "it moved again before each push"))
    }

    /// Says of a branch that has moved already what would be made of it now: nothing leaves.
    pub(super) async fn foresee(&self, push: &Push<'_>, findings: &mut [Finding]) {
        let (Some(remake), [r]) = (push.remake, push.refs) else { return };
        let Some(moved) = findings.iter_mut().find(|f| f.code == BRANCH_MOVED) else { return };
        let at = remake.at.unwrap_or_else(|| self.clock.wall());
        let remote = self.remote(push, View::Team);
        let (severity, code, said) = match rejoined(&remote, r, remake, at).await {
            Ok(Rejoined::Holds) => {
                (Severity::Note, BRANCH_MOVED, "the branch moved, and holds what was approved")
            }
            Ok(Rejoined::Made { .. }) => (Severity::Note, BRANCH_MOVED, fits(remake.way)),
            Err(NotMade::Git(_)) => return,
            Err(not) => (Severity::Warn, not.code().unwrap_or(BRANCH_MOVED), stuck(&not)),
        };
        *moved = Finding { severity, ..Finding::warn(code, &r.name, said) }.cure(
            "`daybreak plan branches PLAN` shows what would be made; stage again on the new tip \
             where it does not fit",
        );
    }
}

const fn fits(way: Way) -> &'static str {
    match way {
        Way::Merge => "the branch moved since this was staged; the merge, tried here, fits",
        Way::Reapply => "the branch moved since this was staged; the commits, tried here, fit",
    }
}

const fn stuck(why: &NotMade) -> &'static str {
    match why {
        NotMade::Rewritten => "the branch was rewritten and no longer holds the commit we stand on",
        NotMade::Conflicts(_) => "the branch moved, and what was approved conflicts with it",
        NotMade::Differs(_) | NotMade::HoldsMerge | NotMade::Git(_) => {
            "the branch moved, and the commits would not be the approved patches there"
        }
    }
}

/// What is made of the branch as it is now.
async fn rejoined(
    remote: &Remote<'_>,
    r: &RefMove,
    remake: &Remake,
    at: At,
) -> Result<Rejoined, NotMade> {
    let Some(base) = &r.old else { return Err(NotMade::Rewritten) };
    let area = remote.fetched(r).await?;
    let onto = area.commit(FETCHED).await?.ok_or(NotMade::Rewritten)?;
    if !area.is_ancestor(base, &onto).await? {
        return Err(NotMade::Rewritten);
    }
    area.unbundle(&remote.push.bundle, false).await?;
    let approved = Approved { base, tip: &r.new };
    if holds(&area, approved, &onto, Some(remake.way)).await? {
        return Ok(Rejoined::Holds);
    }
    let tip = make(&area, approved, &onto, remake, at).await?;
    Ok(Rejoined::Made { area, onto, tip })
}

/// A person decides what git cannot; what is git's own trouble passes.
fn not_now(why: NotMade) -> OutletError {
    let said = why.to_string();
    match (why.code(), why) {
        (Some(code), _) => OutletError::ask_human(code, said),
        (None, NotMade::Git(GitError::Unreachable(c))) => {
            OutletError::later("repository-unreachable", c.text())
        }
        (None, _) => OutletError::later("push-not-prepared", said),
    }
}
