//! Where the branches of a plan stand now, what would be made of one that moved, and whether
//! what distributors hold still fits it.
//!
//! What must stay true: nothing is pushed and nothing is decided here; the public repository is
//! only read; whatever is made is made in a private work area.

use serde::{Deserialize, Serialize};

use super::plans::notice::Past;
use super::plans::preview::blobs;
use super::plans::remakes::remade;
use super::plans::{self};
use super::{Case, CaseError, House};
use crate::domain::action::{Action, RefMove};
use crate::domain::blob::BlobRef;
use crate::domain::disclosure::{BranchRef, Disclosure};
use crate::domain::effect::Intended;
use crate::domain::ids::{BlobId, StepId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{OnMove, Plan};
use crate::domain::remake::{Remake, Way};
use crate::domain::secret::Reason;
use crate::formats::interdiff;
use crate::workshop::{Approved, Fit, Foreseen, Named, NotMade, Origin, Series, Source, Workshop};

/// Where a branch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// At this commit.
    At(String),
    /// There is no such branch any more.
    Gone,
    /// The repository cannot be read now.
    Unreadable,
}

/// One branch that a plan pushes to.
#[derive(Debug, Clone)]
pub struct Tip {
    /// The step that pushes it.
    pub step: StepId,
    /// Which.
    pub branch: BranchRef,
    /// The commit that ours stand on.
    pub base: String,
    /// Our newest commit.
    pub approved: String,
    /// What was approved for when it moves.
    pub on_move: OnMove,
    /// Where it stands now.
    pub now: Shown,
    remake: Option<Remake>,
    pack: BlobRef,
}

impl Tip {
    /// Whether it is elsewhere than the plan knows. What cannot be read is not said to move.
    pub fn moved(&self) -> bool {
        match &self.now {
            Shown::At(oid) => *oid != self.base && *oid != self.approved,
            Shown::Gone => true,
            Shown::Unreadable => false,
        }
    }
}

/// What was said of a branch, as the audit keeps it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    step: StepId,
    tip: Option<String>,
}

impl Noted {
    /// What is to be said of it now.
    pub fn of(tip: &Tip) -> Self {
        let oid = match &tip.now {
            Shown::At(oid) => Some(oid.clone()),
            Shown::Gone | Shown::Unreadable => None,
        };
        Self { step: tip.step, tip: oid }
    }
}

/// Every branch that a plan pushes to, as anybody sees it now. Fetches nothing.
pub async fn tips(house: &House, manifest: &Manifest) -> Vec<Tip> {
    let mut all = Vec::new();
    for step in &manifest.steps {
        let (Some(on_move), Action::Push { repository, refs, pack, remake, .. }) =
            (step.on_move, &step.action)
        else {
            continue;
        };
        let intended = Intended { step: step.id, action: step.action.clone(), blobs: Vec::new() };
        let shown = match house.outlets.get(&step.outlet) {
            Some(outlet) => outlet.tips(&intended).await,
            None => None,
        };
        for RefMove { name, old, new } in refs {
            let (Some(branch), Some(base)) = (name.strip_prefix("refs/heads/"), old) else {
                continue;
            };
            let now = shown.as_ref().map(|refs| refs.get(name).cloned());
            all.push(Tip {
                step: step.id,
                branch: BranchRef { repository: repository.clone(), branch: branch.to_owned() },
                base: base.clone(),
                approved: new.clone(),
                on_move,
                now: match now {
                    Some(Some(oid)) => Shown::At(oid),
                    Some(None) => Shown::Gone,
                    None => Shown::Unreadable,
                },
                remake: remake.clone(),
                pack: pack.clone(),
            });
        }
    }
    all
}

/// What would become of one branch.
pub struct Outlook {
    /// Where it stands.
    pub tip: Tip,
    /// What would be made now, where it moved. Where nothing would be made by itself, the merge
    /// that a person would make.
    pub foreseen: Option<Foreseen>,
    /// Whether the patches that were sent still fit.
    pub patches: Patches,
}

/// The patches that distributors hold, or would.
pub enum Patches {
    /// They apply where the branch stands now, or it has none.
    Fit,
    /// They do not, but git can move them: these would be sent instead.
    Moved {
        /// The series, each a file.
        series: Vec<Named>,
        /// From what was sent to these.
        interdiff: Vec<u8>,
        /// Whether somebody holds the old ones.
        sent: bool,
    },
    /// They do not, and a person must make them again.
    Stuck(NotMade),
}

/// What would become of every branch of a plan if T0 were now.
pub async fn outlook(house: &House, plan: &Plan) -> Case<Vec<Outlook>> {
    let manifest = plans::manifest_of(plan)?;
    let id = plan.disclosure;
    let disclosure = house.store.read(move |r| r.disclosure(id)).await?;
    let past = Past::read(house, id).await?;
    let mut all = Vec::new();
    for mut tip in tips(house, &manifest).await {
        let (mut foreseen, mut patches) = (None, Patches::Fit);
        if tip.moved() && matches!(tip.now, Shown::At(_)) {
            let workshop = super::patches::fresh(house, &tip.branch).await?;
            let git = |e| CaseError::machine("trying what would be made", e);
            // What was fetched is what is judged.
            if let Some(onto) = workshop.mirror().tip(&tip.branch.branch).await.map_err(git)? {
                foreseen = foresee(house, (plan, &disclosure), &workshop, &tip, &onto).await?;
                let series = sent(house, &past, &disclosure, &tip.branch).await?;
                patches = judge(&workshop, &tip.branch, series, &onto).await?;
                tip.now = Shown::At(onto);
            }
        }
        all.push(Outlook { tip, foreseen, patches });
    }
    Ok(all)
}

async fn foresee(
    house: &House,
    (plan, disclosure): (&Plan, &Disclosure),
    workshop: &Workshop,
    tip: &Tip,
    onto: &str,
) -> Case<Option<Foreseen>> {
    let content = disclosure.case.open(Reason::Judging);
    let candidate = content.candidate(&tip.branch);
    let remake = match (&tip.remake, candidate) {
        (Some(remake), _) => remake.clone(),
        (None, Some(candidate)) => remade(house, candidate, Way::Merge)?,
        (None, None) => return Ok(None),
    };
    let pinned = blobs(house, plan.id, vec![tip.pack.clone()]).await?;
    let Some(pack) = pinned.first() else { return Ok(None) };
    let approved = Approved { base: &tip.base, tip: &tip.approved };
    let foreseen = workshop.foresee(&pack.bytes, approved, onto, (&remake, plan.t0)).await;
    foreseen.map(Some).map_err(|e| CaseError::machine("trying what would be made", e))
}

/// The series of a branch as distributors hold them; ours where nobody was told yet.
struct Held {
    files: Vec<(String, String, Vec<u8>)>,
    sent: bool,
}

async fn sent(
    house: &House,
    past: &Past,
    disclosure: &Disclosure,
    branch: &BranchRef,
) -> Case<Held> {
    let mut named = past.series_of(branch);
    let sent = !named.is_empty();
    if !sent {
        let content = disclosure.case.open(Reason::Judging);
        let ours = content.patches.iter().filter(|p| p.branch == *branch);
        named = ours.map(|p| (p.file_name.clone(), p.base.clone(), p.series)).collect();
    }
    let mut files = Vec::new();
    for (name, base, id) in named {
        let id: BlobId = id;
        files.push((name, base, house.store.read(move |r| r.blob(id)).await?.bytes));
    }
    Ok(Held { files, sent })
}

async fn judge(workshop: &Workshop, branch: &BranchRef, held: Held, onto: &str) -> Case<Patches> {
    let mut stack: Vec<(String, Series)> = Vec::new();
    for (name, base, bytes) in &held.files {
        let file = Named { name: name.clone(), bytes: bytes.clone() };
        let below: Vec<&Series> = stack.iter().map(|(_, s)| s).collect();
        let base = below.is_empty().then_some(base.as_str());
        let origin = Origin { branch: &branch.branch, base, below: &below };
        match workshop.read_series(&Source::Files(vec![file]), &origin).await {
            Ok(series) => stack.push((name.clone(), series)),
            // Its base is no longer part of the branch.
            Err(_) => return Ok(Patches::Stuck(NotMade::Rewritten)),
        }
    }
    let machine = |e| CaseError::machine("trying the patches", e);
    let series: Vec<&Series> = stack.iter().map(|(_, s)| s).collect();
    if series.is_empty() || workshop.fits(&series, onto).await.map_err(machine)? == Fit::Applies {
        return Ok(Patches::Fit);
    }
    let moved = match workshop.moved_series(&stack, onto).await {
        Ok(moved) => moved,
        Err(NotMade::Git(error)) => return Err(machine(error)),
        Err(why) => return Ok(Patches::Stuck(why)),
    };
    let old: Vec<_> =
        held.files.iter().map(|(name, _, bytes)| interdiff::Series { name, bytes }).collect();
    let new: Vec<_> =
        moved.iter().map(|f| interdiff::Series { name: &f.name, bytes: &f.bytes }).collect();
    let interdiff = interdiff::interdiff(&old, &new);
    Ok(Patches::Moved { series: moved, interdiff, sent: held.sent })
}
