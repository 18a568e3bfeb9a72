//! Who was told what: read from the plans and their logs, never from a list that is kept
//! beside them. Whoever may have had a mail counts as told.

use std::collections::{BTreeMap, BTreeSet};

use crate::casework::plans::{events, manifest_of};
use crate::casework::{Case, CaseError, House};
use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::disclosure::BranchRef;
use crate::domain::had::Had;
use crate::domain::ids::{BlobId, DisclosureId, PlanId, StepId};
use crate::domain::news::NoticeKind;
use crate::domain::party::DistributorRecord;
use crate::domain::plan::{Plan, PlanKind, PlanState, Step};
use crate::domain::receipt::Habit;
use crate::domain::run::{PlanFacts, Run, Status};
use crate::domain::told::Told;
use crate::domain::view::{NoticePatch, NoticeView};
use crate::domain::zone::T0;
use crate::store::{Reader, StoreError};

/// The name of a plan's [`Told`], owned by the plan. It is no part of what is sent.
pub(super) const TOLD: &str = "told.json";

/// Every notice plan that told anybody anything or still will.
pub(in crate::casework) struct Past {
    plans: Vec<Sent>,
    /// Series that were attached once and are not now.
    series: BTreeMap<BlobId, Vec<u8>>,
}

struct Sent {
    number: i64,
    t0: T0,
    told: Option<Told>,
    steps: Vec<Step>,
    /// Steps whose recipient may have the mail; questions that a person answered.
    had: BTreeSet<StepId>,
    /// Steps that will be tried without anybody doing anything.
    coming: BTreeSet<StepId>,
}

impl Sent {
    fn of(r: &mut Reader<'_>, plan: &Plan, repeats: &BTreeMap<String, Habit>) -> Case<Self> {
        // Approvals are nobody's business here: one that no longer reads must not hide what
        // was sent.
        let manifest = manifest_of(plan)?;
        let told = match r.blob_named(plan.id, TOLD) {
            Ok(blob) => Some(
                serde_json::from_slice(&blob.bytes)
                    .map_err(|e| CaseError::machine("reading what an earlier notice said", e))?,
            ),
            Err(StoreError::NotFound(_)) => None,
            Err(other) => return Err(other.into()),
        };
        let log = events(r, plan.id)?;
        let facts = PlanFacts { state: plan.state, held: plan.held, go: None, lifted: false };
        let mut run = Run::new(&manifest, facts, repeats.clone());
        log.iter().for_each(|e| run.apply(e));
        let status = |step: &Step| run.progress(step.id).map(|p| &p.status);
        let had = |step: &&Step| match step.action {
            // A question that was asked tells nobody anything until it is answered.
            Action::Ask { .. } => status(step) == Some(&Status::Done),
            _ => Had::of(log.iter().filter(|e| e.step == step.id)).since().is_some(),
        };
        let coming = |step: &&Step| {
            let waits = matches!(
                status(step),
                Some(Status::Waiting | Status::Clear { .. } | Status::Retry { .. })
            );
            plan.state == PlanState::Running && waits
        };
        Ok(Self {
            number: plan.number,
            t0: manifest.t0,
            told,
            had: manifest.steps.iter().filter(had).map(|s| s.id).collect(),
            coming: manifest.steps.iter().filter(coming).map(|s| s.id).collect(),
            steps: manifest.steps,
        })
    }
}

/// What one recipient has had.
pub(super) struct Heard<'a> {
    /// The instant they were told last.
    pub t0: T0,
    /// The content they have: the number of its plan, and what it said.
    pub content: Option<(i64, &'a Told)>,
    /// Message-IDs of their mails, oldest first.
    pub ids: Vec<String>,
    /// Whether they know that it is off.
    pub cancelled: bool,
}

impl Past {
    pub(in crate::casework) async fn read(house: &House, disclosure: DisclosureId) -> Case<Self> {
        let repeats = house.outlets.repeats();
        house.store.read(move |r| Self::of(r, disclosure, &repeats)).await
    }

    /// The same by whoever reads or writes already.
    pub(in crate::casework) fn of(
        r: &mut Reader<'_>,
        disclosure: DisclosureId,
        repeats: &BTreeMap<String, Habit>,
    ) -> Case<Self> {
        let mut plans = Vec::new();
        for plan in r.plans(disclosure)?.iter().filter(|p| p.kind == PlanKind::Notice) {
            let sent = Sent::of(r, plan, repeats)?;
            if !sent.had.is_empty() || !sent.coming.is_empty() {
                plans.push(sent);
            }
        }
        Ok(Self { plans, series: BTreeMap::new() })
    }

    /// A digest of what a plan with these steps counts on: who has been told what. One that
    /// leaves some to the plan that runs counts on that as well; a resend on its reader alone.
    pub(in crate::casework) fn basis(&self, steps: &[Step], resends: Option<PlanId>) -> Sha256 {
        let sealings = || steps.iter().filter_map(|s| s.sealing.as_ref());
        let news = resends.is_none() && sealings().any(|s| s.notice > NoticeKind::First);
        let reader = resends.and_then(|_| sealings().next()).map(|s| s.recipient.as_str());
        let theirs = |step: &Step| {
            let whose = step.sealing.as_ref().map(|s| s.recipient.as_str());
            reader.is_none() || whose == reader
        };
        let mut lines = Vec::new();
        for plan in &self.plans {
            for step in plan.steps.iter().filter(|s| theirs(s)) {
                let coming = plan.coming.contains(&step.id) && step.sealing.is_some();
                if plan.had.contains(&step.id) || (coming && !news) {
                    lines.push(format!("{}\n", step.id));
                }
            }
        }
        Sha256::of(lines.concat().as_bytes())
    }

    /// The content and instant that were told last, to anybody.
    pub(super) fn newest(&self) -> Option<&Told> {
        self.plans.iter().rev().filter(|p| !p.had.is_empty()).find_map(|p| p.told.as_ref())
    }

    /// The series of a branch that were told last, lowest first: name, base and bytes' id.
    pub(in crate::casework) fn series_of(
        &self,
        branch: &BranchRef,
    ) -> Vec<(String, String, BlobId)> {
        let stem = format!("{}-", branch.file_stem());
        let of = |name: &str| {
            let nth = name.strip_prefix(&stem).and_then(|n| n.strip_suffix(".patch"));
            nth.is_some_and(|n| n.parse::<u32>().is_ok())
        };
        let told = self.newest().map(|t| t.patches.as_slice()).unwrap_or_default();
        let own =
            |p: &crate::domain::told::ToldPatch| (p.file_name.clone(), p.base.clone(), p.series);
        told.iter().filter(|p| of(&p.file_name)).map(own).collect()
    }

    /// How many notice plans told anybody anything.
    pub(super) fn count(&self) -> i64 {
        let told = self.plans.iter().filter(|p| !p.had.is_empty()).count();
        i64::try_from(told).unwrap_or(i64::MAX)
    }

    /// What a recipient has had; `None` when they know nothing yet.
    pub(super) fn heard(&self, recipient: &str, address: &str) -> Option<Heard<'_>> {
        let mut heard: Option<Heard<'_>> = None;
        let mut newest: Option<(i64, &Told)> = None;
        for plan in &self.plans {
            newest = plan.told.as_ref().map(|told| (plan.number, told)).or(newest);
            for step in plan.steps.iter().filter(|s| plan.had.contains(&s.id)) {
                let Some((kind, id)) = mail_for(step, recipient, address) else { continue };
                let before = heard.take();
                let mut ids = before.as_ref().map(|h| h.ids.clone()).unwrap_or_default();
                ids.push(id);
                let content = before.as_ref().and_then(|h| h.content);
                heard = Some(Heard {
                    t0: plan.t0,
                    content: if kind.tells_all() { newest } else { content },
                    ids,
                    cancelled: kind == NoticeKind::Cancellation,
                });
            }
        }
        heard
    }

    /// Whether a mail to a recipient is on its way without anybody doing anything.
    pub(super) fn is_coming(&self, recipient: &str, address: &str) -> bool {
        self.plans.iter().any(|plan| {
            let coming = |s: &&Step| plan.coming.contains(&s.id);
            let mut steps = plan.steps.iter().filter(coming);
            steps.any(|s| mail_for(s, recipient, address).is_some())
        })
    }

    /// Whether any mail is.
    pub(super) fn is_telling(&self) -> bool {
        let sealed = |s: &&Step| s.sealing.is_some();
        self.plans.iter().any(|p| p.steps.iter().filter(sealed).any(|s| p.coming.contains(&s.id)))
    }

    /// The instant that a person told somebody by hand, because a plan asked them to.
    pub(super) fn told_by_hand(&self, address: &str) -> Option<T0> {
        let about = format!("<{address}>");
        let done = |plan: &&Sent| {
            plan.steps.iter().filter(|s| plan.had.contains(&s.id)).any(|s| {
                matches!(&s.action, Action::Ask { instruction, .. } if instruction.contains(&about))
            })
        };
        self.plans.iter().rev().find(done).map(|plan| plan.t0)
    }

    /// Whether a distributor was told anything at any of its addresses.
    pub(super) fn knows(&self, record: &DistributorRecord) -> bool {
        let told = self.recipients();
        record.contacts.iter().any(|c| told.contains(c.id.to_string().as_str()))
    }

    /// Everybody who has had a mail: recipients' ids.
    pub(super) fn recipients(&self) -> BTreeSet<&str> {
        self.plans
            .iter()
            .flat_map(|plan| plan.steps.iter().filter(|s| plan.had.contains(&s.id)))
            .filter_map(|s| s.sealing.as_ref().map(|x| x.recipient.as_str()))
            .collect()
    }

    /// Fetches the series of earlier notices, so that [`Self::view`] can show them.
    pub(super) async fn fetch(&mut self, house: &House) -> Case<()> {
        let told = self.plans.iter().filter_map(|p| p.told.as_ref());
        let wanted: BTreeSet<BlobId> = told.flat_map(|t| &t.patches).map(|p| p.series).collect();
        for id in wanted {
            let blob = house.store.read(move |r| r.blob(id)).await?;
            self.series.insert(id, blob.bytes);
        }
        Ok(())
    }

    /// What an earlier notice said, as a view; `now` lends what no notice changes.
    pub(super) fn view(&self, told: &Told, now: &NoticeView) -> NoticeView {
        let patch = |p: &crate::domain::told::ToldPatch| NoticePatch {
            branch: p.branch.clone(),
            file_name: p.file_name.clone(),
            base: p.base.clone(),
            sha256: p.sha256.to_string(),
            apply_command: String::new(),
            fits: Vec::new(),
            bytes: self.series.get(&p.series).cloned().unwrap_or_default(),
        };
        NoticeView {
            revision: told.revision,
            t0: told.t0,
            advisories: told.advisories.clone(),
            branches: told.branches.clone(),
            releases: told.releases.clone(),
            patches: told.patches.iter().map(patch).collect(),
            ..now.clone()
        }
    }
}

/// What a step's mail reports and its Message-ID, if it goes to that recipient.
fn mail_for(step: &Step, recipient: &str, address: &str) -> Option<(NoticeKind, String)> {
    let sealing = step.sealing.as_ref()?;
    let Action::Mail { to, message_id, .. } = &step.action else { return None };
    let theirs = match recipient {
        "" => sealing.recipient.is_empty() && to == address,
        id => sealing.recipient == id,
    };
    theirs.then(|| (sealing.notice, message_id.clone()))
}
