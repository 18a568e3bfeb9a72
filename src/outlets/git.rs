//! Pushes to public repositories: all refs of an action or none, never forced.
//!
//! What must stay true: before an act no byte of a Candidate leaves this machine (checks dry-run,
//! fetches never happen in an area that holds private objects, so their ids are never offered to
//! a server); what counts as published is what the public address shows; where a name leads now
//! is where it led when people approved, or nothing is looked at or pushed.

mod answer;
mod early;
mod push;
mod rejoin;
mod remote;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::Outlet;
use super::settle::{Ended, settle};
use crate::clock::Clock;
use crate::config::Repository;
use crate::domain::action::{Action, RefMove};
use crate::domain::blob::{Blob, Sha256};
use crate::domain::effect::{Effect, Intended};
use crate::domain::finding::Finding;
use crate::domain::receipt::{OutletError, Receipt, Repeat, Retry, Seen};
use crate::domain::remake::Remake;
use crate::domain::time::Span;
use crate::exec::git::{Area, Bundle, GitError, Mirror, View, is_oid, is_ref_name, listed};

use rejoin::BRANCH_MOVED;
use remote::{Remote, Shown, Standing, is_tag};

/// The code of a push whose repository's name leads elsewhere than was approved.
pub const REPOSITORY_MOVED: &str = "repository-moved";

/// The git outlet.
pub struct GitOutlet {
    repositories: BTreeMap<String, Repository>,
    /// Where each leads, as plans pin it.
    places: BTreeMap<String, Sha256>,
    data: PathBuf,
    clock: Arc<dyn Clock>,
}

/// A push whose every part was found usable.
struct Push<'a> {
    mirror: Mirror,
    refs: &'a [RefMove],
    bundle: Bundle<'a>,
    /// What is made when the one branch it moves has moved.
    remake: Option<&'a Remake>,
}

/// Why an action is no push of ours; nothing can cure it but another plan or configuration.
struct Unusable {
    code: &'static str,
    place: String,
    message: &'static str,
    cure: &'static str,
}

impl GitOutlet {
    /// For the configured repositories by name. Mirrors and work areas lie in the data
    /// directory, the same places the workshop uses.
    pub fn new(
        repositories: BTreeMap<String, Repository>,
        data: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let places = repositories.iter().map(|(name, r)| (name.clone(), r.place())).collect();
        Self { repositories, places, data, clock }
    }

    /// The same where its repositories are shadows of those that lead to `places`.
    #[must_use]
    pub fn standing_for(self, places: BTreeMap<String, Sha256>) -> Self {
        Self { places, ..self }
    }

    fn open<'a>(&self, intended: &'a Intended) -> Result<Push<'a>, Unusable> {
        let unusable = |code, place: &str, message, cure| {
            Err(Unusable { code, place: place.to_owned(), message, cure })
        };
        let Action::Push { repository: name, place, refs, pack, remake } = &intended.action else {
            return unusable("not-a-push", "action", "is not a push", "make a new plan");
        };
        let Some(repository) = self.repositories.get(name) else {
            let cure = "add it as [repository.NAME] to the configuration";
            return unusable("repository-unknown", name, "is not a configured repository", cure);
        };
        if place.is_some() && place.as_ref() != self.places.get(name) {
            let message = "leads to another address than people approved";
            let cure =
                "set its `url` and `public_url` back, or make the plan again and have it approved";
            return unusable(REPOSITORY_MOVED, name, message, cure);
        }
        if refs.is_empty() {
            return unusable("no-refs", name, "the push moves nothing", "make a new plan");
        }
        for r in refs {
            let old_ok = r.old.as_deref().is_none_or(is_oid);
            if short_name(&r.name).is_none() || !is_oid(&r.new) || !old_ok {
                let message = "is not a full branch or tag name with full object ids";
                return unusable("ref-unusable", &r.name, message, "make a new plan");
            }
        }
        let of_one_branch = matches!(refs.as_slice(), [r] if r.old.is_some() && !is_tag(r));
        if remake.is_some() && !of_one_branch {
            let message = "only one existing branch can be merged into or applied to again";
            return unusable("remake-unusable", name, message, "make a new plan");
        }
        let damaged = "the pack is missing or not what the plan pinned";
        let intact = |b: &&Blob| b.is_intact() && b.about.sha256 == pack.sha256;
        let bundle = intended.blob(&pack.name).filter(intact).map(|b| Bundle::read(&b.bytes));
        let Some(Ok(bundle)) = bundle else {
            return unusable("pack-damaged", &pack.name, damaged, "make a new plan");
        };
        let mirror = Mirror::new(&self.data, name, repository.clone(), self.clock.clone());
        Ok(Push { mirror, refs, bundle, remake: remake.as_ref() })
    }

    /// A private area with everything the push needs.
    async fn prepare(&self, push: &Push<'_>) -> Result<Area, GitError> {
        let mut fresh = push.mirror.exists();
        for needed in &push.bundle.prerequisites {
            // By a ref: a fetch that was killed may have left a commit without its files.
            fresh = fresh && push.mirror.contains(needed).await?;
        }
        if !fresh {
            push.mirror.refresh().await?;
        }
        let area = Area::new(&self.data.join("areas"), &push.mirror).await?;
        area.unbundle(&push.bundle, false).await?;
        Ok(area)
    }

    fn remote<'a>(&'a self, push: &'a Push<'_>, view: View) -> Remote<'a> {
        Remote { push, areas: self.data.join("areas"), view }
    }

    /// What the world shows of the push. The team's view is exact; the public one decides.
    async fn standing(&self, push: &Push<'_>) -> Seen {
        let team = self.remote(push, View::Team).standing().await;
        let detail = match team {
            Ok(Standing::Ours(now)) => described(push.refs, Some(&now)),
            Ok(Standing::NotYet) => return Seen::Absent,
            Ok(Standing::Other(place)) => return Seen::Conflict(place),
            Err(_) => return Seen::CannotTell,
        };
        if View::public(push.mirror.repository()) == View::Team {
            return Seen::Present(Receipt::handed_over(detail));
        }
        match self.remote(push, View::Anonymous).standing().await {
            Ok(Standing::Ours(_)) => Seen::Present(Receipt::seen(detail)),
            // It is in our repository; the public address is a copy that follows.
            Ok(Standing::NotYet) => Seen::Underway(self.clock.wall()),
            Ok(Standing::Other(place)) => Seen::Conflict(place),
            Err(_) => Seen::CannotTell,
        }
    }
}

#[async_trait]
impl Outlet for GitOutlet {
    async fn check(&self, intended: &Intended) -> Vec<Finding> {
        let push = match self.open(intended) {
            Ok(push) => push,
            Err(u) => return vec![Finding::stop(u.code, u.place, u.message).cure(u.cure)],
        };
        let repository = push.mirror.repository();
        let mut findings = remote::check_files(repository);
        match self.remote(&push, View::Team).refs().await {
            Ok(now) => findings.extend(remote::compare(push.refs, &now)),
            Err(_) => {
                findings.push(remote::unreachable());
                return findings;
            }
        }
        let refreshed = push.mirror.refresh().await;
        if refreshed.is_err() {
            findings.push(remote::public_unreachable());
        }
        self.foresee(&push, &mut findings).await;
        // A moved branch or an existing tag is refused in a dry run too: nothing new to learn.
        if findings.is_empty() {
            match self.prepare(&push).await {
                Ok(area) => findings.extend(push::rehearse(&area, repository, push.refs).await),
                Err(_) => findings.push(push::unusable_pack()),
            }
        }
        findings
    }

    async fn exposed(&self, intended: &Intended) -> Vec<Finding> {
        // What is wrong with the push itself, or with the way there, was said by `check`, which
        // has also made the mirror what anybody can fetch.
        let Ok(push) = self.open(intended) else { return Vec::new() };
        early::exposed(&push.mirror, push.refs, &push.bundle.prerequisites).await
    }

    async fn look(&self, intended: &Intended) -> Seen {
        match self.open(intended) {
            Ok(push) => self.standing(&push).await,
            Err(_) => Seen::CannotTell,
        }
    }

    async fn act(&self, effect: &Effect) -> Result<Receipt, OutletError> {
        let push = self.open(effect.intended()).map_err(|u| {
            let message = format!("{} {}", u.place, u.message);
            // What is set back can be tried again: a person knows which of the two is right.
            let moved = u.code == REPOSITORY_MOVED;
            let make = if moved { OutletError::ask_human } else { OutletError::never };
            make(u.code, message)
        })?;
        let area = self.prepare(&push).await.map_err(|e| match e {
            GitError::Unreachable(c) => OutletError::later("repository-unreachable", c.text()),
            GitError::Refused { complaint, .. } => {
                OutletError::never("pack-unusable", complaint.text())
            }
            other => OutletError::later("push-not-prepared", other.to_string()),
        })?;
        let pushed = push::push(&area, push.mirror.repository(), push.refs).await;
        let ended = match pushed {
            Ok(()) => Ended::Well(described(push.refs, None)),
            Err(error) if error.code == BRANCH_MOVED && push.remake.is_some() => {
                self.rejoin(&push).await?
            }
            // The answer may have been lost behind a push that arrived.
            Err(error) if error.retry == Retry::Unknown => Ended::Badly(error),
            Err(error) => return Err(error),
        };
        settle(ended, self.standing(&push).await, Span::ZERO)
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    async fn tips(&self, intended: &Intended) -> Option<BTreeMap<String, String>> {
        let Action::Push { repository: name, refs, .. } = &intended.action else { return None };
        let repository = self.repositories.get(name)?;
        let mirror = Mirror::new(&self.data, name, repository.clone(), self.clock.clone());
        let names: Vec<&str> = refs.iter().map(|r| r.name.as_str()).collect();
        listed(&mirror, View::public(repository), &names).await.ok()
    }

    fn settle(&self) -> Span {
        // The repository we push to shows at once what it took; a public copy is `Underway`.
        Span::ZERO
    }
}

/// The branch or tag name in a full ref name of a kind we push.
fn short_name(name: &str) -> Option<&str> {
    let short = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/"));
    short.filter(|n| is_ref_name(n))
}

/// `now` is what was seen, which may be more than ours.
fn described(refs: &[RefMove], now: Option<&Shown>) -> String {
    let one = |r: &RefMove| match now.and_then(|n| n.get(&r.name)) {
        Some(oid) if *oid != r.new => format!("{} at {oid}, which holds {}", r.name, r.new),
        _ => format!("{} at {}", r.name, r.new),
    };
    refs.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
