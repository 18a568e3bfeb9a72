//! The transactions that give leave to act. Every check stands beside the row it guards, in
//! one transaction, so that no race and no restart can act on yesterday's answer.

use super::{Decision, Reader, StoreError, Tx};
use crate::domain::action::Action;
use crate::domain::blob::Sha256;
use crate::domain::effect::{ApprovedPlan, Go, Permit};
use crate::domain::event::Happened;
use crate::domain::ids::{EventId, PlanId, StepId};
use crate::domain::manifest::Manifest;
use crate::domain::news::NoticeKind;
use crate::domain::plan::{Plan, PlanKind, PlanState, Step};
use crate::domain::secret::{Embargoed, Reason};
use crate::domain::stage::{Move, Stage};
use crate::domain::time::{At, Span};

/// What an approved plan must still be when leave is given.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Which plan.
    pub plan: PlanId,
    /// Digest of the MANIFEST the engine works from.
    pub digest: Sha256,
    /// How many distinct people must have approved it.
    pub threshold: u32,
    /// How many may start it before T0.
    pub early_lift: u32,
    /// The instant that a Headsup announces; no other kind has one.
    pub announces: Option<At>,
    /// The leader's epoch.
    pub epoch: i64,
}

impl Reader<'_> {
    /// The plan, if everything the claim says still holds.
    fn claimed(&mut self, claim: &Claim) -> Result<Plan, StoreError> {
        let plan = self.plan(claim.plan)?;
        let refuse = |why| Err(StoreError::NotPermitted(why));
        if plan.digest != claim.digest {
            return refuse("it is not the plan that was read");
        }
        if !plan.state.is_live() {
            return refuse("it is not approved");
        }
        if plan.held {
            return refuse("a person holds it");
        }
        if (plan.kind == PlanKind::Headsup) != claim.announces.is_some() {
            return refuse("it does not say what it announces");
        }
        let instant = claim.announces.unwrap_or(plan.t0);
        let (stage, t0) = self.disclosure_stands(plan.disclosure)?;
        if t0 != Some(instant) {
            return refuse("its instant was moved");
        }
        // GO was written by them all: what is damaged since stops no day half-way.
        if plan.kind.is_public() && self.has_go(plan.id)? {
            return Ok(plan);
        }
        // A notice that it is out comes after GO as well; of all others doubt means no.
        let is_out = matches!(stage, Stage::Releasing | Stage::Public);
        if plan.kind.is_public() || !is_out {
            self.disclosure(plan.disclosure)?;
        }
        let approvals = u32::try_from(self.approvals(plan.id)?.len()).unwrap_or(u32::MAX);
        if approvals < claim.threshold.max(1) {
            return refuse("too few people approved it");
        }
        Ok(plan)
    }

    fn has_go(&mut self, plan: PlanId) -> Result<bool, StoreError> {
        Ok(self.decided(plan)?.is_some_and(|d| d.decision == Decision::Go))
    }

    /// Whether a Headsup still has something to announce at `at`.
    fn is_ahead(&mut self, plan: &Plan, claim: &Claim, at: At) -> Result<(), StoreError> {
        if !self.disclosure_stands(plan.disclosure)?.0.is_open() {
            return Err(StoreError::NotPermitted("the embargo is over"));
        }
        match claim.announces {
            Some(instant) if at < instant => Ok(()),
            _ => Err(StoreError::NotPermitted("what it announces has come")),
        }
    }
}

/// What may still be told when the embargo is over: that it is off, of a cancelled disclosure;
/// that it was published at once, of one that was.
const fn last_word(stage: Stage) -> Option<NoticeKind> {
    match stage {
        Stage::Cancelled => Some(NoticeKind::Cancellation),
        Stage::Releasing | Stage::Public => Some(NoticeKind::AtOnce),
        Stage::Drafting | Stage::Embargoed => None,
    }
}

/// Whether a plan is a notice of that kind.
fn tells(plan: &Plan, kind: NoticeKind) -> Option<Manifest> {
    let manifest = Manifest::parse(plan.manifest.open(Reason::Judging)).ok()?;
    (manifest.notice() == Some(kind)).then_some(manifest)
}

/// Whether a step tells the one thing that may be told at that stage.
fn says_the_last_word(plan: &Plan, step: StepId, stage: Stage) -> bool {
    let Some(kind) = last_word(stage) else { return false };
    let Some(manifest) = tells(plan, kind) else { return false };
    let says = |s: &Step| match &s.sealing {
        Some(sealing) => sealing.notice == kind,
        None => matches!(s.action, Action::Ask { .. }),
    };
    manifest.steps.iter().any(|s| s.id == step && says(s))
}

impl Tx<'_> {
    /// Records that a step's act follows at once, and gives leave for it. The first notice
    /// moves its disclosure to Embargoed.
    pub fn intend(
        &mut self,
        claim: &Claim,
        step: StepId,
        event: EventId,
    ) -> Result<Permit, StoreError> {
        self.still_leads(claim.epoch)?;
        self.is_trusted()?;
        let plan = self.claimed(claim)?;
        let decided = self.decided(plan.id)?;
        let permit = if plan.kind.is_public() {
            let go = match &decided {
                Some(d) if d.decision == Decision::Go => Go::witnessed(plan.id, claim.epoch),
                _ => return Err(StoreError::NotPermitted("there is no GO")),
            };
            if plan.kind == PlanKind::Headsup {
                let at = self.deed.at;
                self.is_ahead(&plan, claim, at)?;
                Permit::Headsup(go)
            } else {
                Permit::Public(go)
            }
        } else {
            let (stage, _) = self.disclosure_stands(plan.disclosure)?;
            if !stage.is_open() && !says_the_last_word(&plan, step, stage) {
                return Err(StoreError::NotPermitted("the embargo is over"));
            }
            Permit::Notice(ApprovedPlan::witnessed(plan.id, claim.epoch))
        };
        let lifted = decided.map_or(Span::ZERO, |d| d.at.since(plan.t0).min(Span::ZERO));
        let opened = plan.kind.is_public().then_some(plan.t0);
        self.may_begin(plan.id, step, lifted, opened)?;
        if !plan.kind.is_public() && self.disclosure_stands(plan.disclosure)?.0.is_open() {
            self.move_stage(plan.disclosure, Move::FirstNotice)?;
        }
        if plan.state == PlanState::Approved {
            self.move_plan(plan.id, PlanState::Approved, PlanState::Running)?;
        }
        let happened = Happened::Intended;
        self.add_step_event(event, (plan.id, step), claim.epoch, happened.word(), &happened)?;
        Ok(permit)
    }

    /// Whether a step may begin at the deed's time: its own not-before has come (moved as much
    /// earlier as GO was), and no person has settled it meanwhile. What GO has `opened` needs
    /// no clock any more: one set back behind T0 must not stop a disclosure day half-way.
    fn may_begin(
        &mut self,
        plan: PlanId,
        step: StepId,
        lifted: Span,
        opened: Option<At>,
    ) -> Result<(), StoreError> {
        let row = self.step(plan, step)?;
        let open = opened.is_some_and(|t0| row.not_before <= t0);
        if !open && self.deed.at < row.not_before.plus(lifted) {
            return Err(StoreError::NotPermitted("its time has not come"));
        }
        if self.is_settled_by_hand(plan, step)? {
            return Err(StoreError::NotPermitted("a person settled it"));
        }
        Ok(())
    }

    /// Writes GO at the deed's time: not before T0 unless enough members asked for it.
    pub fn write_go(&mut self, claim: &Claim) -> Result<(), StoreError> {
        self.still_leads(claim.epoch)?;
        self.is_trusted()?;
        let plan = self.claimed(claim)?;
        if plan.kind == PlanKind::Headsup {
            return self.write_headsup_go(&plan, claim);
        }
        let lifts = u32::try_from(self.lifts(plan.id)?.len()).unwrap_or(u32::MAX);
        let lifted = lifts >= claim.early_lift.max(1);
        if !lifted && self.deed.at < plan.t0 {
            return Err(StoreError::NotPermitted("T0 has not come"));
        }
        let why = if lifted { "lifted early" } else { "T0" };
        self.decide(plan.id, Decision::Go, claim.epoch, &Embargoed::new(why.to_owned()))?;
        if plan.state == PlanState::Approved {
            self.move_plan(plan.id, PlanState::Approved, PlanState::Running)?;
        }
        // The world hears now: whoever was not yet told in advance needs neither notice nor
        // announcement any more. Whoever waits for another date must still hear that it is over.
        for (ahead, state) in self.plans_ahead(plan.disclosure)? {
            let at_once = match self.plan(ahead) {
                Ok(ahead) => tells(&ahead, NoticeKind::AtOnce).is_some(),
                Err(e) if e.is_away() => return Err(e),
                // Nobody can send what nobody can read, and it must not stop the day.
                Err(_) => false,
            };
            if !at_once {
                self.move_plan(ahead, state, PlanState::Void)?;
            }
        }
        self.move_stage(plan.disclosure, Move::Go)
    }

    /// A Headsup's GO opens its own posts at its own instant and nothing else: the stage stays,
    /// no plan becomes void, nothing is published, and nobody can lift it to before its time.
    fn write_headsup_go(&mut self, plan: &Plan, claim: &Claim) -> Result<(), StoreError> {
        let at = self.deed.at;
        if at < plan.t0 {
            return Err(StoreError::NotPermitted("its time has not come"));
        }
        self.is_ahead(plan, claim, at)?;
        self.decide(plan.id, Decision::Go, claim.epoch, &Embargoed::new("headsup".to_owned()))?;
        if plan.state == PlanState::Approved {
            self.move_plan(plan.id, PlanState::Approved, PlanState::Running)?;
        }
        Ok(())
    }

    /// Ends a plan whose every step is settled.
    pub fn finish_plan(&mut self, plan: PlanId, epoch: i64) -> Result<(), StoreError> {
        self.still_leads(epoch)?;
        let (state, _) = self.plan_stands(plan)?;
        if !state.is_live() {
            return Err(StoreError::NotPermitted("it was ended meanwhile"));
        }
        self.move_plan(plan, state, PlanState::Finished)
    }
}
