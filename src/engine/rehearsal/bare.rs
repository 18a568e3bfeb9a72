//! The public repositories of a rehearsal: bare copies of our own mirrors, with their refs before
//! and after. The real ones are not asked, not even for what they hold now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::casework::{Case, CaseError, House};
use crate::clock::Clock;
use crate::config::Repository;
use crate::domain::action::Action;
use crate::domain::plan::Step;
use crate::domain::remake::Way;
use crate::exec::git::{Git, Objects};

/// Every ref with its object id.
pub(super) type Refs = BTreeMap<String, String>;

/// One copy.
pub(super) struct Bare {
    pub objects: Objects,
    /// What a push finds configured: a path on this machine, no credentials.
    pub repository: Repository,
    /// Its refs before anything happened.
    pub before: Refs,
}

impl Bare {
    /// A copy in `public`, and another one in `own` where the git outlet keeps its mirrors.
    pub async fn of(
        house: &House,
        name: &str,
        (public, own): (&Path, &Path),
        clock: &Arc<dyn Clock>,
    ) -> Case<Self> {
        let mirror = mirror_of(&house.dir, name);
        if !mirror.join("objects").is_dir() {
            return Err(CaseError::not_now(
                format!("there is no mirror of the repository {name} yet"),
                "stage a branch of it first: daybreak disclosure stage",
            ));
        }
        let (copy, mirrors) = (public.join(format!("{name}.git")), mirror_of(own, name));
        for to in [&copy, &mirrors] {
            clone(&mirror, to, clock).await?;
        }
        let objects = Objects::new(copy.clone(), Arc::clone(clock));
        let repository = house.repository(name)?.without_keys(copy.to_string_lossy().into_owned());
        let before = refs(&objects).await?;
        Ok(Self { objects, repository, before })
    }

    /// Its refs now.
    pub async fn now(&self) -> Case<Refs> {
        refs(&self.objects).await
    }

    /// Branches that are not where the plan expects them and whose new tip holds what must be in
    /// it, whatever the outlet said.
    pub async fn remade(&self, name: &str, steps: &[Step], after: &Refs) -> Case<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        let of_mine = |s: &'_ Step| match &s.action {
            Action::Push { repository, refs, remake: Some(remake), .. } if repository == name => {
                refs.iter().map(|r| (r.clone(), remake.way)).collect()
            }
            _ => Vec::new(),
        };
        for (r, way) in steps.iter().flat_map(of_mine) {
            let (before, now) = (self.before.get(&r.name), after.get(&r.name));
            let (Some(before), Some(now)) = (before, now) else { continue };
            if Some(before) == r.old.as_ref() {
                continue;
            }
            // Commits that are applied again become others.
            let merged = (way == Way::Merge).then_some(&r.new);
            let mut holds = true;
            for must in [Some(before), merged].into_iter().flatten() {
                let asked = self.objects.is_ancestor(must, now).await;
                holds = holds
                    && asked.map_err(|e| CaseError::machine("reading the copied repository", e))?;
            }
            if holds {
                all.insert(r.name.clone());
            }
        }
        Ok(all)
    }
}

fn mirror_of(dir: &Path, name: &str) -> PathBuf {
    dir.join("mirrors").join(format!("{name}.git"))
}

async fn clone(from: &Path, to: &Path, clock: &Arc<dyn Clock>) -> Case<()> {
    let copying = |e: &dyn std::fmt::Display| CaseError::machine("copying a mirror", e.to_string());
    if let Some(folder) = to.parent() {
        super::shadows::private_folder(folder).map_err(|e| copying(&e.kind()))?;
    }
    let copy = Git::anonymous()
        .verb("clone")
        .args(["--quiet", "--mirror", "--template=", "--"])
        .arg(from.as_os_str())
        .arg(to.as_os_str());
    let out = copy.run(clock.as_ref()).await.map_err(|e| copying(&e))?;
    if out.ok() { Ok(()) } else { Err(copying(&out.complaint())) }
}

async fn refs(objects: &Objects) -> Case<Refs> {
    let ask = objects.git("for-each-ref").args(["--format=%(objectname) %(refname)"]);
    let out = objects.run("list the refs", ask).await;
    let text = out.map_err(|e| CaseError::machine("looking at the copied repository", e))?.text();
    let pairs = text.lines().filter_map(|l| l.split_once(' '));
    Ok(pairs.map(|(oid, name)| (name.to_owned(), oid.to_owned())).collect())
}
