//! Where a rehearsal is played: a house in memory with the plan in it as it is stored, and
//! shadows in the place of the world.
//!
//! What must stay true: nothing of it can reach a real target. Every outlet is made here, from
//! nothing that holds an address, a path or a secret of the world: mail goes to a relay of our own
//! on the loopback, pushes to a copy on this disk, pages to a folder, and what only commands,
//! receivers or people could do is kept in files. `tests/it/rehearsal.rs` rehearses with the whole
//! world taken away.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bare::Bare;
use super::clock::StageClock;
use super::shadows::{Acts, Kept, Mute, Noted, Shadow, private_folder};
use super::sink::Sink;
use crate::casework::opening::disk;
use crate::casework::pages::{self, StorePages};
use crate::casework::publications::StoreShelf;
use crate::casework::{Bells, Case, CaseError, House, members, papers, plans};
use crate::clock::{Clock, random};
use crate::config::{Config, Relay, StaticTree};
use crate::domain::action::Action;
use crate::domain::approval::Approval;
use crate::domain::deed::{Actor, Subject};
use crate::domain::ids::{ApprovalId, StepId};
use crate::domain::manifest::Manifest;
use crate::domain::plan::{Plan, PlanState, Step};
use crate::domain::planner::STATIC;
use crate::domain::secret::Embargoed;
use crate::formats::tree::{Papers, Tree};
use crate::outlets::git::GitOutlet;
use crate::outlets::mail::MailOutlet;
use crate::outlets::site::SiteOutlet;
use crate::outlets::static_site::StaticSite;
use crate::outlets::{Outlet, Outlets};
use crate::pgp::{ResidentSigner, Signer as _, generate_team_key};
use crate::store::{Store, StoreError};

/// A stage, ready to be played on.
pub(super) struct Stage {
    pub house: Arc<House>,
    pub clock: Arc<StageClock>,
    /// When each step acted.
    pub acts: Acts,
    /// The relay.
    pub sink: Sink,
    /// The repositories by name.
    pub bare: BTreeMap<String, Bare>,
    /// What was handed to commands, receivers and people.
    pub kept: Kept,
    /// The real data directory, for the papers that the site shows.
    papers: PathBuf,
    /// Where everything is kept.
    pub out: PathBuf,
}

impl Stage {
    /// Sets it up: `out` is where what would go out is kept, `own` the stage's own folder.
    pub async fn set(
        real: &House,
        plan: &Plan,
        manifest: &Manifest,
        clock: Arc<StageClock>,
        (out, own): (&Path, &Path),
    ) -> Case<Self> {
        let steps: Vec<StepId> = manifest.steps.iter().map(|s| s.id).collect();
        let name = hex::encode(random::<16>(real.rng.as_ref()));
        let store = real.store.imagine_plan(&name, plan.id, &steps)?;
        let sink = Sink::open().await.map_err(|e| disk("opening a port of the loopback", &e))?;
        let time: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let mut bare = BTreeMap::new();
        for repository in repositories(manifest) {
            let public = out.join("git");
            let copy = Bare::of(real, &repository, (&public, own), &time).await?;
            bare.insert(repository, copy);
        }
        let config = of_the_stage(&real.config, &sink, &bare);
        let tree = |store: &Store| {
            let (templates, dir) = (Arc::clone(&real.templates), real.dir.clone());
            StorePages::new(store.clone(), templates, real.masthead(), dir)
        };
        let (acts, kept) = (Acts::default(), Kept::default());
        let mut outlets = Outlets::default();
        for step in &manifest.steps {
            let inner: Arc<dyn Outlet> = match &step.action {
                Action::Mail { .. } => {
                    let (relay, domain) = (config.mail.clone(), config.team.domain());
                    Arc::new(MailOutlet::new(relay, domain, Arc::clone(&time)))
                }
                Action::Push { .. } => {
                    let (all, own) = (config.repository.clone(), own.to_owned());
                    // What the shadows stand for is what is compared with what was approved.
                    let real = real.config.repository.iter();
                    let places = real.map(|(name, r)| (name.clone(), r.place())).collect();
                    let git = GitOutlet::new(all, own, Arc::clone(&time));
                    Arc::new(git.standing_for(places))
                }
                Action::Publish { .. } if step.outlet == STATIC => {
                    let folder = out.join("site");
                    private_folder(&folder).map_err(|e| disk("making a folder", &e))?;
                    let to = StaticTree { folder, then: Vec::new() };
                    Arc::new(StaticSite::new(to, Arc::new(tree(&store)), Arc::clone(&time)))
                }
                Action::Publish { .. } => {
                    let shelf = StoreShelf::new(store.clone(), Arc::clone(&time));
                    Arc::new(SiteOutlet::new(Arc::new(shelf)))
                }
                action => Arc::new(shadow(action, real, out, &kept)),
            };
            let noted = Noted { inner, acts: acts.clone(), clock: Arc::clone(&time) };
            outlets.add(step.outlet.clone(), Arc::new(noted));
        }
        let bells = Bells::new(
            Arc::new(Mute),
            config.team.clone(),
            Arc::clone(&time),
            Arc::clone(&real.rng),
        );
        let house = House {
            store,
            clock: time,
            witnesses: Vec::new(),
            rng: Arc::clone(&real.rng),
            config,
            outlets,
            bells,
            keys: real.keys.clone(),
            templates: Arc::clone(&real.templates),
            dir: own.to_owned(),
        };
        clear(&house, plan).await?;
        if plan.state == PlanState::Made {
            stand_in(&house, plan, manifest.threshold).await?;
        }
        let (house, out) = (Arc::new(house), out.to_owned());
        let papers = real.dir.clone();
        Ok(Self { house, clock, acts, sink, bare, kept, papers, out })
    }

    /// The whole public site as it would be served. A house that never served has no papers yet;
    /// the pages are there without them.
    pub async fn site(&self) -> Case<Vec<(String, Vec<u8>)>> {
        let nothing = |_| Papers { certificate: Vec::new(), security_txt: Vec::new() };
        let papers = papers::read(&self.papers).await.unwrap_or_else(nothing);
        let shown = pages::published(&self.house.store).await?;
        let house = &self.house;
        let tree = Tree::build(&house.templates, &house.masthead(), &papers, &shown);
        let tree = tree.map_err(|e| CaseError::machine("building the site of the rehearsal", e))?;
        Ok(tree.on_disk())
    }
}

fn repositories(manifest: &Manifest) -> BTreeSet<String> {
    let of = |step: &Step| match &step.action {
        Action::Push { repository, .. } => Some(repository.clone()),
        _ => None,
    };
    manifest.steps.iter().filter_map(of).collect()
}

fn shadow(action: &Action, real: &House, out: &Path, kept: &Kept) -> Shadow {
    let (folder, command) = match action {
        Action::Run { command, .. } => ("files", real.config.command.get(command).cloned()),
        Action::Post { .. } => ("calls", None),
        _ => ("people", None),
    };
    Shadow { folder: out.join(folder), command, kept: Arc::clone(kept) }
}

/// What the house is told, without everything that leads into the world.
fn of_the_stage(real: &Config, sink: &Sink, bare: &BTreeMap<String, Bare>) -> Config {
    let mut config = real.clone();
    config.database = String::new();
    config.mail = Relay::on_loopback(sink.port());
    config.repository =
        bare.iter().map(|(name, copy)| (name.clone(), copy.repository.clone())).collect();
    config.command.clear();
    config.webhook.clear();
    config.list.clear();
    // Its clock shows T0: nobody may hear that as our heartbeat.
    config.heartbeat = Default::default();
    config.bells.clear();
    config.site.public_url = None;
    config.site.static_tree = None;
    config
}

/// Nobody leads, nothing is doubted or held, and no other plan does anything.
async fn clear(house: &House, plan: &Plan) -> Case<()> {
    let id = plan.id;
    let deed = house.deed(Actor::Operator, "rehearsal-begin", Subject::house());
    let cleared = house.store.write(&deed, move |tx| {
        let epoch = tx.lease()?.epoch;
        tx.release_lease(epoch)?;
        tx.set_quarantine(None)?;
        for disclosure in tx.disclosures()? {
            for other in tx.plans(disclosure.id)? {
                let open = other.state.is_live() || other.state == PlanState::Made;
                if other.id != id && open {
                    tx.move_plan(other.id, other.state, PlanState::Void)?;
                }
            }
        }
        tx.hold_plan(id, false)
    });
    cleared.await.map_err(|e: StoreError| e.into())
}

/// A plan that waits for its approvals is approved by people who exist in this memory only, over
/// its own approval text: the engine reads their signatures as it reads those of the team.
async fn stand_in(house: &House, plan: &Plan, needed: u32) -> Case<()> {
    let text = plans::approval_text(plan)?;
    let failed = |e: &dyn std::fmt::Display| CaseError::machine("standing in", e.to_string());
    let mut approvals = Vec::new();
    for n in 1..=needed.max(1) {
        let (name, address) = (format!("Stand-in {n}"), format!("stand-in-{n}@rehearsal.invalid"));
        let at = house.now();
        let key = generate_team_key(&format!("{name} <{address}>"), at).map_err(|e| failed(&e))?;
        let certificate = key.certificate.to_bytes();
        let member = members::add(house, Actor::Operator, &name, &address, &certificate).await?;
        let signer = ResidentSigner::new(&key).map_err(|e| failed(&e))?;
        let signed = signer.clearsign(text.as_bytes(), at).await.map_err(|e| failed(&e))?;
        approvals.push(Approval {
            id: house.fresh(ApprovalId::new),
            plan: plan.id,
            member: member.id,
            at,
            signed: Embargoed::new(signed),
        });
    }
    let id = plan.id;
    let deed = house.deed(Actor::Operator, "rehearsal-approve", id);
    let approved = house.store.write(&deed, move |tx| {
        for approval in &approvals {
            tx.add_approval(approval)?;
        }
        tx.move_plan(id, PlanState::Made, PlanState::Approved)
    });
    approved.await.map_err(|e: StoreError| e.into())
}
