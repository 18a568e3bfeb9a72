//! Days that begin one a second in one house: when GO was written, and when the page could be
//! read from outside.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::stand;
use super::outside::page_at;
use crate::casework::{advisories, disclosures, papers};
use crate::clock::Clock;
use crate::domain::deed::Actor;
use crate::domain::disclosure::CellState;
use crate::domain::ids::PlanId;
use crate::domain::plan::PlanKind;
use crate::domain::planner::whole_second;
use crate::domain::time::{At, Span};
use crate::domain::zone::T0;
use crate::engine::Engine;
use crate::town::project::LINES;
use crate::town::{Database, Time, Town, story};
use crate::web::{Web, serve};

/// Milliseconds after T0, one for each day.
pub struct Begun {
    /// When GO was written, by its own row.
    pub go: Vec<f64>,
    /// When the page could be read.
    pub byte: Vec<f64>,
}

/// One page that waits for its instant.
struct Waiting {
    plan: PlanId,
    t0: At,
    path: String,
}

pub async fn measure(folder: &Path, times: u32) -> anyhow::Result<Begun> {
    let town = stand::town(folder.to_owned(), Time::System, Database::Sqlite).await?;
    papers::renew(&town.house).await?;
    let days = prepare(&town, times).await?;
    let site = serve(town.site(), Web::of_house(Arc::clone(&town.house))).await;
    let site = site.context("the site cannot be served")?;
    let (stop, stopped) = watch::channel(false);
    let engine = Engine::start(Arc::clone(&town.house)).await?;
    let running = tokio::spawn(engine.run(stopped));
    let seen = look_on(town.site(), &days, &town.clock).await;
    stop.send_replace(true);
    running.await.context("the engine broke off")??;
    site.stop().await;
    let mut go = Vec::new();
    for day in &days {
        let plan = day.plan;
        let decided = town.house.store.read(move |r| r.decided(plan)).await?;
        go.push(after(day.t0, decided.context("a day did not begin")?.at));
    }
    Ok(Begun { go, byte: seen? })
}

fn after(t0: At, at: At) -> f64 {
    at.since(t0).as_millis() as f64
}

async fn look_on(
    site: SocketAddr,
    days: &[Waiting],
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<f64>> {
    let mut all = JoinSet::new();
    for day in days {
        let (t0, path, clock) = (day.t0, day.path.clone(), Arc::clone(clock));
        all.spawn(async move {
            Ok::<_, anyhow::Error>(after(t0, page_at(site, path, t0, clock.as_ref()).await?))
        });
    }
    let mut seen = Vec::new();
    while let Some(done) = all.join_next().await {
        seen.push(done.context("whoever looked on broke off")??);
    }
    Ok(seen)
}

/// Pages whose plans are approved, each for a second of its own.
async fn prepare(town: &Town, times: u32) -> anyhow::Result<Vec<Waiting>> {
    let (clock, mut days) = (town.clock.as_ref(), Vec::new());
    // How long one takes is not known before one was made: that one is not counted.
    let start = clock.mono();
    one(town, 0, whole_second(clock.wall()).plus(Span::hours(1))).await?;
    let each = clock.mono().since(start).as_millis().saturating_mul(2);
    let all = each.saturating_mul(i64::from(times));
    let first = whole_second(clock.wall().plus(Span::millis(all))).plus(Span::secs(4));
    for n in 1..=times {
        let t0 = first.plus(Span::secs(i64::from(n)));
        days.push(one(town, n, t0).await?);
    }
    ensure!(clock.wall() < first, "this machine is too busy: the first day began unprepared");
    Ok(days)
}

/// An advisory for which nothing but its page goes out.
async fn one(town: &Town, n: u32, t0: At) -> anyhow::Result<Waiting> {
    let (house, actor) = (&town.house, Actor::Operator);
    let mut text = story::text(&town.people, house.now());
    text.public_id = format!("x_meadow-2026-{:04}", n.saturating_add(1000));
    text.aliases.clear();
    text.reporters.clear();
    let path = format!("/advisories/{}.html", text.public_id);
    let (advisory, _) = advisories::create(house, actor, text).await?;
    let t0 = T0::new(t0, chrono_tz::Tz::UTC);
    let (mut disclosure, _) =
        disclosures::create(house, actor, Some(t0), vec![advisory.id], None).await?;
    for line in &LINES {
        let (branch, state) = (story::branch(line), CellState::NotAffected);
        disclosure =
            disclosures::mark(house, actor, &disclosure, advisory.id, branch, state).await?;
    }
    let plan = story::approved_plan(town, &disclosure, PlanKind::Release).await?;
    Ok(Waiting { plan: plan.id, t0: t0.at, path })
}
