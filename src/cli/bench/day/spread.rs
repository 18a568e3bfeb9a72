//! A whole day as the demo tells it: two branches and their tags, two uploads, two posts and two
//! pages go out at one instant, and somebody outside writes down when each was to be seen.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use tokio::sync::watch;

use super::super::stand;
use super::outside::{page_at, written_at};
use crate::casework::{advisories, disclosures, papers};
use crate::clock::sleep;
use crate::domain::deed::Actor;
use crate::domain::disclosure::CellState;
use crate::domain::plan::{Plan, PlanKind, PlanState};
use crate::domain::planner::whole_second;
use crate::domain::time::{At, Span};
use crate::engine::Engine;
use crate::town::project::LINES;
use crate::town::uploads::Uploads;
use crate::town::{Database, Time, Town, story};
use crate::web::{Web, serve};

/// How many effects it has.
const EFFECTS: usize = 10;
/// From the draft to T0 on a quick machine.
const AHEAD: Span = Span::secs(6);
/// What is left to T0 when everything is ready: the first look at targets must be over.
const READY: Span = Span::millis(1500);
/// Longest wait for its end.
const PATIENCE: Span = Span::secs(60);
/// The second advisory's id.
const SECOND: &str = "x_meadow-2026-0002";

/// Milliseconds after T0.
pub struct Day {
    /// When the first effect was to be seen.
    pub first: f64,
    /// When the last one was.
    pub last: f64,
}

/// Lives one day.
pub async fn day(folder: &Path) -> anyhow::Result<Day> {
    let mut ahead = AHEAD;
    for attempt in 0..5 {
        let folder = folder.join(attempt.to_string());
        let town = stand::town(folder, Time::System, Database::Sqlite).await?;
        papers::renew(&town.house).await?;
        let t0 = whole_second(town.house.now().plus(ahead));
        let plan = prepare(&town, t0).await;
        if town.house.now() < t0.plus(Span::ZERO.minus(READY)) {
            return live(&town, &plan?, t0).await;
        }
        ahead = ahead.plus(ahead);
    }
    anyhow::bail!("this machine is too busy: a day cannot be prepared in time")
}

async fn prepare(town: &Town, t0: At) -> anyhow::Result<Plan> {
    let (house, actor) = (&town.house, Actor::Operator);
    let (first, _) = story::draft(town).await?;
    let mut text = story::text(&town.people, house.now());
    text.public_id = SECOND.to_owned();
    text.aliases.clear();
    text.reporters.clear();
    let (second, _) = advisories::create(house, actor, text).await?;
    let instant = story::t0_in(town, t0.since(house.now()));
    let ids = vec![first.id, second.id];
    let (disclosure, _) = disclosures::create(house, actor, Some(instant), ids, None).await?;
    let mut disclosure = story::patch(town, disclosure, first.id).await?;
    for line in &LINES {
        let (branch, state) = (story::branch(line), CellState::NotAffected);
        disclosure = disclosures::mark(house, actor, &disclosure, second.id, branch, state).await?;
    }
    let disclosure = story::release(town, disclosure).await?;
    let disclosure = story::post(town, disclosure).await?;
    let (disclosure, _) = story::stage(town, disclosure).await?;
    let disclosure = story::build_files(town, disclosure).await?;
    Ok(story::approved_plan(town, &disclosure, PlanKind::Release).await?)
}

async fn live(town: &Town, plan: &Plan, t0: At) -> anyhow::Result<Day> {
    let site = serve(town.site(), Web::of_house(Arc::clone(&town.house))).await;
    let site = site.context("the site cannot be served")?;
    let (stop, stopped) = watch::channel(false);
    let engine = Engine::start(Arc::clone(&town.house)).await?;
    let running = tokio::spawn(engine.run(stopped));
    let pages = [story::PUBLIC_ID, SECOND].map(|id| format!("/advisories/{id}.html"));
    let look = pages.map(|path| page_at(town.site(), path, t0, town.clock.as_ref()));
    let [one, other] = look;
    let (one, other) = tokio::join!(one, other);
    let ended = wait(town, plan).await;
    stop.send_replace(true);
    running.await.context("the engine broke off")??;
    site.stop().await;
    ended?;
    let mut seen = vec![one?, other?];
    seen.extend(pushed(town)?);
    seen.extend(uploaded(town)?);
    seen.extend(town.catcher.mails().iter().filter(|m| is_post(town, &m.to)).map(|m| m.at));
    ensure!(seen.len() >= EFFECTS, "only {} of {EFFECTS} effects were to be seen", seen.len());
    let after = |at: Option<At>| at.map_or(f64::NAN, |at| at.since(t0).as_millis() as f64);
    Ok(Day { first: after(seen.iter().min().copied()), last: after(seen.iter().max().copied()) })
}

async fn wait(town: &Town, plan: &Plan) -> anyhow::Result<()> {
    let (id, until) = (plan.id, town.clock.mono().plus(PATIENCE));
    while town.house.store.read(move |r| r.plan(id)).await?.state != PlanState::Finished {
        ensure!(town.clock.mono() < until, "a day did not end within {} s", PATIENCE.as_secs());
        sleep(town.clock.as_ref(), Span::millis(50)).await;
    }
    Ok(())
}

/// When the repository took each branch and each tag.
fn pushed(town: &Town) -> anyhow::Result<Vec<At>> {
    let mended = LINES.iter().filter_map(|line| line.next.map(|next| (line.branch, next)));
    let refs =
        mended.flat_map(|(branch, next)| [format!("heads/{branch}"), format!("tags/{next}")]);
    refs.map(|name| written_at(&town.project.public().join("refs").join(name))).collect()
}

/// When the index took each file.
fn uploaded(town: &Town) -> anyhow::Result<Vec<At>> {
    let Uploads::Folder { folder, .. } = &town.uploads else { return Ok(Vec::new()) };
    town.uploads.files()?.iter().map(|file| written_at(&folder.join(&file.name))).collect()
}

fn is_post(town: &Town, to: &[String]) -> bool {
    town.house.config.list.values().any(|list| to.contains(&list.address))
}
