//! Eight pushes that were made ready before, each of a branch and a tag into a repository of its
//! own: by the engine and the real outlet, at once and one after another.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tokio::sync::Mutex;

use super::super::stand;
use crate::casework::opening::CONFIG;
use crate::casework::plans::public::try_targets;
use crate::casework::plans::standing;
use crate::clock::{SystemClock, sleep};
use crate::domain::action::{Action, RefMove};
use crate::domain::blob::Blob;
use crate::domain::plan::{OnMove, Phase, Plan, PlanKind, Step};
use crate::domain::planner::{GIT, whole_second};
use crate::domain::run::GoRow;
use crate::domain::time::{At, Span};
use crate::engine::Engine;
use crate::exec::git::Git;
use crate::town::{Database, Time, Town};

/// As many as there are gates at once.
const REPOSITORIES: usize = 8;

/// A town with eight copies of its repository.
pub struct Yard {
    town: Town,
    work: PathBuf,
    /// The tip of every copy's main branch, and how many pushes there were.
    tip: Mutex<(String, u32)>,
}

fn name(n: usize) -> String {
    format!("copy{n}")
}

impl Yard {
    pub async fn new(folder: &Path) -> anyhow::Result<Self> {
        let mut town = stand::town(folder.to_owned(), Time::System, Database::Sqlite).await?;
        let mut sections = String::new();
        for n in 0..REPOSITORIES {
            let copy = town.world().join(format!("{}.git", name(n)));
            let from = town.project.public().to_string_lossy().into_owned();
            let to = copy.to_string_lossy().into_owned();
            git(folder, &["clone", "--quiet", "--bare", "--no-hardlinks", &from, &to]).await?;
            sections.push_str(&format!(
                "\n[repository.{}]\nurl = {copy:?}\nbranches = [{{ name = \"main\" }}]\n",
                name(n)
            ));
        }
        let config = town.dir().join(CONFIG);
        let text = std::fs::read_to_string(&config).context("cannot read the configuration")?;
        std::fs::write(&config, text + &sections).context("cannot write the configuration")?;
        town.reopen()?;
        let work = town.world().join("work.git");
        let (from, to) = (town.project.public().to_string_lossy(), work.to_string_lossy());
        git(folder, &["clone", "--quiet", "--bare", &from, &to]).await?;
        let tip = git(&work, &["rev-parse", "refs/heads/main"]).await?;
        Ok(Self { town, work, tip: Mutex::new((tip, 0)) })
    }

    /// One day of eight pushes, `in_a_row` or at once: milliseconds from GO to the last one.
    pub async fn day(&self, in_a_row: bool) -> anyhow::Result<f64> {
        let (town, house) = (&self.town, &self.town.house);
        let (refs, pack) = self.commit().await?;
        let mut steps: Vec<Step> = Vec::new();
        // Time enough to be taken on; nothing is left to be tried when it is that close.
        let t0 = whole_second(house.now()).plus(Span::secs(3));
        for n in 0..REPOSITORIES {
            let (refs, pack) = (refs.clone(), pack.about.clone());
            let action =
                Action::Push { repository: name(n), place: None, refs, pack, remake: None };
            let mut step = stand::step(town, GIT, Phase::Gate, t0, action);
            step.on_move = Some(OnMove::Hold);
            step.after = steps.last().filter(|_| in_a_row).map(|s| s.id).into_iter().collect();
            steps.push(step);
        }
        // As when a plan is made: it also brings the mirrors up to date.
        let findings = try_targets(house, &steps, std::slice::from_ref(&pack)).await;
        ensure!(findings.is_empty(), "a push would not work: {findings:?}");
        let t0 = whole_second(house.now()).plus(Span::secs(2));
        steps.iter_mut().for_each(|step| step.not_before = t0);
        let disclosure = stand::disclosure(town, t0);
        let plan = stand::approved(town, &disclosure, PlanKind::Release, steps, vec![pack]).await?;
        self.carry_out(&plan, t0).await
    }

    async fn carry_out(&self, plan: &Plan, t0: At) -> anyhow::Result<f64> {
        let house = &self.town.house;
        let mut engine = Engine::start(house.clone()).await?;
        engine.settle().await?;
        sleep(&SystemClock::new(), t0.since(house.now())).await;
        engine.settle().await?;
        engine.end().await?;
        let stands = standing(house, plan).await?;
        let Some(GoRow::Go(go)) = stands.facts.go else { anyhow::bail!("a day did not begin") };
        let ended = stands.manifest.steps.iter().map(|step| {
            let progress = stands.run.progress(step.id)?;
            progress.settled_at
        });
        let ended: Option<Vec<At>> = ended.collect();
        let last = ended.and_then(|all| all.into_iter().max()).context("a push was not done")?;
        Ok(last.since(go).as_millis() as f64)
    }

    /// One more commit with a tag, as refs to be moved and as a bundle.
    async fn commit(&self) -> anyhow::Result<(Vec<RefMove>, Blob)> {
        let mut tip = self.tip.lock().await;
        let (old, n) = (tip.0.clone(), tip.1.saturating_add(1));
        let (tag, tree) = (format!("refs/tags/bench-{n}"), format!("{old}^{{tree}}"));
        let message = format!("Change number {n}");
        let new = git(&self.work, &["commit-tree", &tree, "-p", &old, "-m", &message]).await?;
        git(&self.work, &["update-ref", "refs/heads/main", &new]).await?;
        git(&self.work, &["update-ref", &tag, &new]).await?;
        let file = self.town.world().join("bench.bundle");
        let to = file.to_string_lossy();
        let not = format!("^{old}");
        git(&self.work, &["bundle", "create", "--quiet", &to, "refs/heads/main", &tag, &not])
            .await?;
        let bytes = std::fs::read(&file).context("cannot read a bundle")?;
        *tip = (new.clone(), n);
        let main = RefMove { name: "refs/heads/main".to_owned(), old: Some(old), new: new.clone() };
        let refs = vec![main, RefMove { name: tag, old: None, new }];
        Ok((refs, Blob::new("pushed.bundle", bytes, vec![])))
    }
}

async fn git(folder: &Path, args: &[&str]) -> anyhow::Result<String> {
    let who = [("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@meadow.example")];
    let (verb, rest) = args.split_first().context("git does something")?;
    let mut git = Git::anonymous()
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@meadow.example");
    for (key, value) in who {
        git = git.env(key, value);
    }
    let out = git.verb(verb).args(rest).folder(folder).run(&SystemClock::new()).await?;
    ensure!(out.ok(), "git refused: {}", out.complaint());
    Ok(out.text().trim_end().to_owned())
}
