//! The steps of the day as the team takes them, each one verb or a few of casework: used by
//! the demo and the tests alike.
//!
//! The secret words are planted: each of `PLANTED` stands in a field that must not be read in
//! clear before T0, and nowhere else in the town.

mod approve;
mod draft;

use std::fs;

use chrono_tz::Tz;

use super::people::Reader;
use super::project::{LINES, Line, NAME, Project, build, tree};
use super::{Town, TownError, config, uploads};
use crate::casework::distributors::{NewContact, NewDistributor};
use crate::casework::patches::NewPatch;
use crate::casework::plans::preview;
use crate::casework::releases::{NewArtefact, NewRelease};
use crate::casework::{
    CaseError, House, advisories, candidates, disclosures, distributors, members, patches, plans,
    releases,
};
use crate::domain::advisory::Advisory;
use crate::domain::blob::Sha256;
use crate::domain::deed::Actor;
use crate::domain::disclosure::{
    BranchRef, Candidate, CellState, Disclosure, ExtraCommit, ReleaseKind,
};
use crate::domain::finding::Finding;
use crate::domain::ids::AdvisoryId;
use crate::domain::party::{Distributor, Member, Profile};
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::time::Span;
use crate::domain::zone::T0;
use crate::workshop::Source;

pub use approve::{Form, approve, approve_by_all, sign};
pub use draft::{PLANTED, PUBLIC_ID, text};

/// Whoever works in the story: the town's own people have no accounts.
const ACTOR: Actor = Actor::Operator;

/// The instant `ahead` of now, chosen in Berlin.
pub fn t0_in(town: &Town, ahead: Span) -> T0 {
    T0::new(town.house.now().plus(ahead), Tz::Europe__Berlin)
}

/// Adds the maintainers as members, Ada first.
pub async fn add_members(town: &Town) -> Result<Vec<Member>, TownError> {
    let mut added = Vec::new();
    for who in town.people.maintainers() {
        let certificate = who.key.certificate.to_bytes();
        added.push(members::add(&town.house, ACTOR, who.name, who.address, &certificate).await?);
    }
    Ok(added)
}

/// Adds all distributors, those with a useless certificate too; with what was found wrong.
pub async fn add_distributors(town: &Town) -> Result<(Vec<Distributor>, Vec<Finding>), TownError> {
    let (mut added, mut findings) = (Vec::new(), Vec::new());
    for reader in &town.people.distributors {
        let (one, more) = distributors::add(&town.house, ACTOR, newcomer(reader)).await?;
        added.push(one);
        findings.extend(more);
    }
    Ok((added, findings))
}

fn newcomer(reader: &Reader) -> NewDistributor {
    let certificates = reader.keys.iter().zip(1_u32..);
    let file = |(key, n): (&crate::pgp::TeamKey, u32)| {
        (format!("{}-{n}.asc", reader.address), key.certificate.armored().into_bytes())
    };
    NewDistributor {
        name: reader.name.to_owned(),
        lead_days: reader.lead_days,
        longest_embargo_days: reader.longest_embargo_days,
        groups: vec![],
        contact: NewContact {
            address: reader.address.to_owned(),
            kind: reader.kind,
            profile: Profile::default(),
            certificates: certificates.map(file).collect(),
        },
        accept_unusable: !reader.should_read,
    }
}

/// Drafts the advisory.
pub async fn draft(town: &Town) -> Result<(Advisory, Vec<Finding>), TownError> {
    let text = text(&town.people, town.house.now());
    Ok(advisories::create(&town.house, ACTOR, text).await?)
}

/// Opens its disclosure.
pub async fn open(
    town: &Town,
    advisory: &Advisory,
    t0: T0,
) -> Result<(Disclosure, Vec<Finding>), TownError> {
    let ids = vec![advisory.id];
    Ok(disclosures::create(&town.house, ACTOR, Some(t0), ids, None).await?)
}

/// A branch of the project as the house names it.
pub fn branch(line: &Line) -> BranchRef {
    BranchRef { repository: NAME.to_owned(), branch: line.branch.to_owned() }
}

fn mended() -> impl Iterator<Item = (&'static Line, &'static str)> {
    LINES.iter().filter_map(|line| line.next.map(|next| (line, next)))
}

/// Adds the fixes from the private clone and says that the oldest branch needs none.
pub async fn patch(
    town: &Town,
    mut disclosure: Disclosure,
    advisory: AdvisoryId,
) -> Result<Disclosure, TownError> {
    for line in &LINES {
        if line.next.is_none() {
            let unaffected = CellState::NotAffected;
            disclosure = disclosures::mark(
                &town.house,
                ACTOR,
                &disclosure,
                advisory,
                branch(line),
                unaffected,
            )
            .await?;
            continue;
        }
        let path = town.project.private().to_owned();
        let source = Source::Git { path, range: Project::range(line) };
        let new = NewPatch { branch: branch(line), fixes: vec![advisory], source, base: None };
        (disclosure, ..) = patches::add(&town.house, ACTOR, &disclosure, new).await?;
    }
    Ok(disclosure)
}

/// Adds a release for each fixed branch, with a commit that raises the version.
pub async fn release(town: &Town, mut disclosure: Disclosure) -> Result<Disclosure, TownError> {
    for (line, next) in mended() {
        let files = tree::versioned(next, Some("A security fix; see the advisory."));
        let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes()));
        let bump = ExtraCommit { message: format!("Meadow {next}"), files: files.collect() };
        let new = NewRelease {
            branch: branch(line),
            version: next.to_owned(),
            tag: None,
            kind: ReleaseKind::Pinned,
            project: None,
            upload: vec![uploads::COMMAND.to_owned()],
            expected: vec![],
            extra_commits: vec![bump],
        };
        (disclosure, _) = releases::add(&town.house, ACTOR, &disclosure, new).await?;
    }
    Ok(disclosure)
}

/// Lets the two mailing lists hear.
pub async fn post(town: &Town, mut disclosure: Disclosure) -> Result<Disclosure, TownError> {
    for list in [config::ANNOUNCE, config::OSS_SECURITY] {
        disclosure = disclosures::add_post(&town.house, ACTOR, &disclosure, list, None).await?;
    }
    Ok(disclosure)
}

/// Makes the commits and tags of every fixed branch, privately.
pub async fn stage(
    town: &Town,
    mut disclosure: Disclosure,
) -> Result<(Disclosure, Vec<Candidate>), TownError> {
    let mut staged = Vec::new();
    for (line, _) in mended() {
        let made = candidates::stage(&town.house, ACTOR, &disclosure, &branch(line)).await?;
        disclosure = made.0;
        staged.push(made.1);
    }
    Ok((disclosure, staged))
}

/// Hands every candidate to the project's own build and takes the files in.
pub async fn build_files(town: &Town, mut disclosure: Disclosure) -> Result<Disclosure, TownError> {
    for (line, next) in mended() {
        let work = town.world().join(format!("build-{next}"));
        let tree = work.join("tree");
        if work.exists() {
            fs::remove_dir_all(&work).map_err(TownError::disk("clear an old build"))?;
        }
        candidates::export(&town.house, &disclosure, &branch(line), &tree).await?;
        let files = build(&tree, &work.join("dist"))?;
        let files = files.into_iter().map(|f| NewArtefact {
            sha256: Some(Sha256::of(&f.bytes)),
            file_name: f.name,
            bytes: f.bytes,
        });
        disclosure =
            releases::add_artefacts(&town.house, ACTOR, &disclosure, next, files.collect()).await?;
    }
    Ok(disclosure)
}

/// Pins a plan.
pub async fn plan(
    town: &Town,
    disclosure: &Disclosure,
    kind: PlanKind,
) -> Result<(Plan, Vec<Finding>), TownError> {
    Ok(plans::make(&town.house, ACTOR, disclosure, kind).await?)
}

/// What people read before they approve.
pub async fn look_through(town: &Town, plan: &Plan) -> Result<Vec<preview::File>, TownError> {
    Ok(preview::files(&town.house, plan).await?)
}

/// A whole case, ready for its plans.
pub struct Prepared {
    /// The advisory.
    pub advisory: Advisory,
    /// Its disclosure, staged and built.
    pub disclosure: Disclosure,
}

/// Everybody added, everything drafted, staged and built, for a T0 that far ahead.
pub async fn prepare(town: &Town, ahead: Span) -> Result<Prepared, TownError> {
    add_members(town).await?;
    add_distributors(town).await?;
    let (advisory, _) = draft(town).await?;
    let (disclosure, _) = open(town, &advisory, t0_in(town, ahead)).await?;
    let disclosure = patch(town, disclosure, advisory.id).await?;
    let disclosure = release(town, disclosure).await?;
    let disclosure = post(town, disclosure).await?;
    let (disclosure, _) = stage(town, disclosure).await?;
    let disclosure = build_files(town, disclosure).await?;
    Ok(Prepared { advisory, disclosure })
}

/// Makes a plan and lets every maintainer approve it.
pub async fn approved_plan(
    town: &Town,
    disclosure: &Disclosure,
    kind: PlanKind,
) -> Result<Plan, TownError> {
    let (plan, _) = plan(town, disclosure, kind).await?;
    approve_by_all(town, &plan).await
}

/// The disclosure as it is now.
pub async fn again(house: &House, disclosure: &Disclosure) -> Result<Disclosure, TownError> {
    let id = disclosure.id;
    let found = house.store.read(move |r| r.disclosure(id)).await;
    found.map_err(|e| TownError::Case(CaseError::Store(e)))
}
