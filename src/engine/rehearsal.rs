//! A rehearsal: the same plan through the same engine, step machine and outlets, against shadows
//! in the place of the world, on a clock that shows the plan's own instant.
//!
//! What must stay true: the real database gets one line, how it ended, and nothing else; no real
//! target is reached (see `stage`); a rehearsal that could not be played at all is an error and
//! says nothing of the plan, so that a full disk of ours stops nobody's day. The engine plays an
//! approved Release again by itself a day before T0: red calls people, and disarms nothing.

mod bare;
mod clock;
mod compare;
mod report;
mod shadows;
mod sink;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::alarms::Cause;
use super::errands::Errand;
use super::{Engine, EngineError};
use crate::casework::opening::{WORK, disk, write_private};
use crate::casework::plans::preview::{all_of, blobs};
use crate::casework::plans::{self, Standing};
use crate::casework::{Case, CaseError, House, approvals, publications, rehearsals};
use crate::clock::{SystemClock, within};
use crate::domain::deed::{Actor, Subject};
use crate::domain::finding::{Finding, any_stop};
use crate::domain::ids::{PlanId, StepId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::run::Status;
use crate::domain::time::{At, Mono, Span};
use crate::store::Place;
use clock::StageClock;
use compare::{Moved, World, compare};
use stage::Stage;

pub use report::{Piece, Report, StepReport};

/// How long before its instant a public plan is taken up: too short for anything but to see that
/// nothing goes early.
const BEFORE: Span = Span::secs(1);
/// How long after its instant it is played at most, by its own clock.
const PLAYED: Span = Span::hours(2);
/// For the whole, by the machine's clock.
const PATIENCE: Span = Span::mins(15);
/// Instants at which something is due; a plan of more has as many steps.
const INSTANTS: usize = 2_000;
/// The engine plays a Release again within so long before T0.
const AHEAD: Span = Span::hours(24);
/// How often it is asked whether what was red is green now.
const ASK: Span = Span::mins(1);
/// Said until a person answers, or rehearses it green.
pub(super) const RED: &str = "rehearsal-red";
/// So near to T0 nothing is begun that nobody asked for.
const NEAR: Span = Span::hours(3);

/// Plays a plan and writes down how it ended. What would have gone out is kept in `out`, which
/// must be empty; without it, nothing is kept.
pub async fn rehearse(
    house: &Arc<House>,
    actor: Actor,
    plan: &Plan,
    out: Option<&Path>,
) -> Case<Report> {
    let manifest = plans::manifest_of(plan)?;
    let standing = plans::standing(house, plan).await?;
    refuse(house, &standing)?;
    let folder = tempfile::Builder::new()
        .prefix("rehearsal-")
        .tempdir_in(house.dir.join(WORK))
        .map_err(|e| disk("making a folder for the rehearsal", &e))?;
    let own = folder.path().join("house");
    let out = out.map_or_else(|| folder.path().join("out"), PathBuf::from);
    // git starts elsewhere: a relative path would lead nowhere.
    let out = std::path::absolute(out).map_err(|e| disk("finding the folder", &e))?;
    for made in [&own, &out] {
        shadows::private_folder(made).map_err(|e| disk("making a folder for the rehearsal", &e))?;
    }
    let (real, of) = (Arc::clone(house), standing.plan);
    let (tell, told) = oneshot::channel();
    // A thread and runtime of its own: the day's engine waits for none of it, its log says nothing
    // of a day that is none, and a program that ends is not kept from it.
    let work = move || {
        let played = on_this_thread(async {
            let report = play(&real, &of, &manifest, (&out, &own)).await?;
            keep(&report, &out)?;
            Ok(report)
        });
        drop(folder);
        let _nobody_waits = tell.send(played);
    };
    std::thread::Builder::new()
        .name("rehearsal".to_owned())
        .spawn(work)
        .map_err(|e| disk("beginning the rehearsal", &e))?;
    let played = told.await.map_err(|_| CaseError::machine("rehearsing", "it was broken off"))?;
    let report = played?;
    rehearsals::record(house, actor, plan, report.red()).await?;
    Ok(report)
}

fn on_this_thread(play: impl Future<Output = Case<Report>>) -> Case<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| disk("beginning the rehearsal", &e))?;
    let silence = tracing::subscriber::NoSubscriber::default();
    let _silent = tracing::subscriber::set_default(silence);
    let machine = SystemClock::new();
    let late = || CaseError::machine("rehearsing", "it took longer than a quarter of an hour");
    runtime.block_on(within(&machine, PATIENCE, play)).unwrap_or_else(|| Err(late()))
}

/// What cannot be rehearsed any more.
fn refuse(house: &House, standing: &Standing) -> Case<()> {
    let plan = &standing.plan;
    let over = matches!(plan.state, PlanState::Finished | PlanState::Void);
    if over || (plan.kind.is_public() && standing.facts.go.is_some()) {
        let state = if over { plan.state.word() } else { "under way" };
        return Err(CaseError::not_now(
            format!("the plan is {state}"),
            "only what has not begun can be rehearsed",
        ));
    }
    if plan.kind.is_public() && house.now() >= plan.t0 {
        return Err(CaseError::not_now(
            "its instant has passed",
            "it is no time for rehearsals: `daybreak plan show` says what it waits for",
        ));
    }
    Ok(())
}

/// The report beside what would have gone out.
fn keep(report: &Report, out: &Path) -> Case<()> {
    write_private(&out.join("REPORT.txt"), report.as_text().as_bytes())?;
    let json = serde_json::to_vec_pretty(report);
    let json = json.map_err(|e| CaseError::machine("writing the report", e))?;
    write_private(&out.join("REPORT.json"), &json)
}

async fn play(
    real: &House,
    plan: &Plan,
    manifest: &Manifest,
    places: (&Path, &Path),
) -> Case<Report> {
    let rehearsed_at = real.now();
    let begins = if plan.kind.is_public() {
        plan.t0.plus(Span::ZERO.minus(BEFORE)).max(rehearsed_at)
    } else {
        rehearsed_at
    };
    let clock = Arc::new(StageClock::new(begins));
    let stage = Stage::set(real, plan, manifest, clock, places).await?;
    let approved = blobs(&stage.house, plan.id, all_of(manifest)).await?;
    let before = plans::standing(&stage.house, plan).await?;
    let is_settled = |id: &StepId| before.run.progress(*id).is_some_and(|p| p.status.is_settled());
    let settled: Vec<StepId> =
        manifest.steps.iter().map(|s| s.id).filter(|id| is_settled(id)).collect();
    let mut findings = Vec::new();
    let people = approvals::recheck(&stage.house.store, &before.plan).await?.len();
    if u32::try_from(people).unwrap_or(0) < manifest.threshold.max(1) {
        let message = format!("{people} of {} approvals verify", manifest.threshold);
        findings.push(
            Finding::stop("approvals-do-not-verify", "approvals", message)
                .cure("an approver's certificate has expired or is revoked: make the plan again"),
        );
    }
    until_it_ends(&stage, plan).await?;
    let after = plans::standing(&stage.house, plan).await?;
    let world = gather(&stage, &after.manifest).await?;
    let (steps, more) = compare(&after, &settled, &approved, &world);
    findings.extend(more);
    let green = !any_stop(&findings);
    Ok(Report {
        plan: plan.id,
        number: plan.number,
        kind: plan.kind,
        digest: plan.digest,
        rehearsed_at,
        t0: plan.t0,
        stand_ins: plan.state == PlanState::Made,
        green,
        steps,
        findings,
    })
}

/// The engine lives through the plan; time in which nothing is due is skipped.
async fn until_it_ends(stage: &Stage, plan: &Plan) -> Case<()> {
    let mut engine = Engine::start(Arc::clone(&stage.house)).await.map_err(broke_off)?;
    for _ in 0..INSTANTS {
        engine.settle().await.map_err(broke_off)?;
        let now = plans::standing(&stage.house, plan).await?;
        let open = now.manifest.steps.iter().any(|s| {
            let status = now.run.progress(s.id).map(|p| &p.status);
            !status.is_none_or(|s| s.is_settled() || matches!(s, Status::Blocked { .. }))
        });
        let Some(next) = engine.next_due().filter(|_| open) else { break };
        if next > plan.t0.plus(PLAYED) {
            break;
        }
        stage.clock.skip_to(next);
    }
    engine.end().await.map_err(broke_off)
}

fn broke_off(error: EngineError) -> CaseError {
    CaseError::machine("rehearsing", error)
}

/// Reads everything back from the shadows, and writes what people may want to read.
async fn gather(stage: &Stage, manifest: &Manifest) -> Case<World> {
    let published = publications::all(&stage.house.store).await?;
    let mut tree = if published.is_empty() { Vec::new() } else { stage.site().await? };
    for (path, bytes) in &mut tree {
        let file = stage.out.join("site").join(path);
        if let Some(folder) = file.parent() {
            shadows::private_folder(folder).map_err(|e| disk("making a folder", &e))?;
        }
        match std::fs::read(&file) {
            // The outlet of the static tree was here before.
            Ok(written) => *bytes = written,
            Err(_) => write_private(&file, bytes)?,
        }
    }
    let mails = stage.sink.mails();
    let folder = stage.out.join("mail");
    shadows::private_folder(&folder).map_err(|e| disk("making a folder", &e))?;
    for (n, mail) in mails.iter().enumerate() {
        write_private(&folder.join(format!("{:03}.eml", n.saturating_add(1))), &mail.bytes)?;
    }
    let mut moved = BTreeMap::new();
    for (name, bare) in &stage.bare {
        let (before, after) = (bare.before.clone(), bare.now().await?);
        let remade = bare.remade(name, &manifest.steps, &after).await?;
        moved.insert(name.clone(), Moved { before, after, remade });
    }
    let kept = stage.kept.lock().map(|k| k.clone()).unwrap_or_default();
    Ok(World { mails, moved, kept, published, tree, acts: stage.acts.all() })
}

/// Which plans the engine has looked after, and what was red of them.
#[derive(Default)]
pub(super) struct Rehearsals {
    begun: BTreeSet<PlanId>,
    red: BTreeMap<PlanId, Red>,
}

/// What was red, and when it was last asked whether a person has rehearsed it since.
struct Red {
    which: String,
    asked: Mono,
}

impl Engine {
    /// Plays an approved Release again a day before T0, once, beside the day. In an imagined
    /// house nothing is rehearsed: it may be a rehearsal itself.
    pub(super) fn rehearse_ahead(&mut self, id: PlanId, now: At) {
        let Some(day) = self.days.get(&id) else { return };
        let waiting = day.plan.kind == PlanKind::Release
            && day.facts.state == PlanState::Approved
            && day.facts.go.is_none();
        if let (true, Some(red)) = (waiting, self.rehearsals.red.get_mut(&id)) {
            let (held, mono) = (day.facts.held, self.house.clock.mono());
            if mono.since(red.asked) >= ASK {
                red.asked = mono;
                let (house, plan) = (Arc::clone(&self.house), day.plan.clone());
                self.errands.spawn(async move {
                    match rehearsals::newest(&house, &plan).await {
                        Ok(Some(last)) => Errand::Rehearsed(plan.id, Ok(last.red)),
                        _ => Errand::Minded,
                    }
                });
            }
            // Nothing is disarmed by it, so a person must say what becomes of the day.
            let (subject, which) = (Subject::from(id), red.which.clone());
            if !held {
                self.alarm(Cause { subject, code: RED, step: None, which });
            }
            return;
        }
        let left = day.plan.t0.since(now);
        let imagined = matches!(self.store.place(), Place::Memory(_));
        if !waiting || imagined || left > AHEAD || left <= NEAR || !self.rehearsals.begun.insert(id)
        {
            return;
        }
        let (house, plan) = (Arc::clone(&self.house), day.plan.clone());
        let actor = Actor::Engine(self.lead.holder);
        self.errands.spawn(async move {
            // Somebody did it already, within this day.
            match rehearsals::newest(&house, &plan).await {
                Ok(Some(last)) if last.at >= plan.t0.plus(Span::ZERO.minus(AHEAD)) => {
                    return Errand::Rehearsed(plan.id, Ok(last.red));
                }
                _ => {}
            }
            let played = rehearse(&house, actor, &plan, None).await;
            Errand::Rehearsed(plan.id, played.map(|report| report.red()))
        });
    }

    /// Red calls the team, who have a day; nothing is disarmed by it.
    pub(super) fn rehearsed(&mut self, plan: PlanId, ended: Case<Vec<String>>) {
        match ended {
            Ok(red) if red.is_empty() => {
                tracing::info!(plan = %plan, "rehearsed: green");
                self.rehearsals.red.remove(&plan);
                self.alarms.pass(&Subject::from(plan), RED);
            }
            Ok(red) => {
                let red = Red { which: red.join(" "), asked: self.house.clock.mono() };
                let known = self.rehearsals.red.insert(plan, red);
                if known.is_none() {
                    tracing::error!(plan = %plan, "rehearsed: red");
                }
                self.moved = true;
            }
            Err(_) => {
                tracing::error!(plan = %plan, "a rehearsal was broken off");
                self.page(plan, "rehearsal-broken-off", None);
            }
        }
    }
}
