//! What would be made of a Candidate, and of the patches it was made from, if its branch were
//! pushed to as it stands now. Tried in a work area; nothing leaves.

use super::Workshop;
use super::index::{Index, NotLaid};
use super::mail::PatchMail;
use super::series::{Named, Series, from_git};
use crate::domain::remake::Remake;
use crate::domain::time::At;
use crate::exec::git::commits::{self, Commit, Person};
use crate::exec::git::remake::{Approved, NotMade, holds, make, rebased};
use crate::exec::git::{Area, Bundle, GitError};

/// What would happen to a branch.
#[derive(Debug)]
pub enum Foreseen {
    /// It holds what was approved.
    Holds,
    /// This would be pushed.
    Makes {
        /// What the branch would gain: its old tip against its new one.
        diff: Vec<u8>,
        /// The same in short.
        stat: String,
    },
    /// Nothing would be: a person decides.
    Waits(NotMade),
}

impl Workshop {
    /// What `remake` would make of a Candidate on `onto`, dated `at`. The mirror must be fresh.
    pub async fn foresee(
        &self,
        bundle: &[u8],
        approved: Approved<'_>,
        onto: &str,
        (remake, at): (&Remake, At),
    ) -> Result<Foreseen, GitError> {
        let area = self.area().await?;
        match area.unbundle(&Bundle::read(bundle)?, false).await {
            Ok(()) => {}
            Err(GitError::Refused { .. }) => return Ok(Foreseen::Waits(NotMade::Rewritten)),
            Err(other) => return Err(other),
        }
        if holds(&area, approved, onto, Some(remake.way)).await? {
            return Ok(Foreseen::Holds);
        }
        let tip = match make(&area, approved, onto, remake, at).await {
            Ok(tip) => tip,
            Err(NotMade::Git(error)) => return Err(error),
            Err(why) => return Ok(Foreseen::Waits(why)),
        };
        let compare = |form: &str| {
            let ask = area.git("diff-tree").args(["-r", "--no-color", "--no-ext-diff"]);
            ask.args(["--no-textconv", form, onto, &tip]).limit(64 * 1024 * 1024)
        };
        let diff = area.run("compare two commits", compare("-p")).await?.stdout;
        let stat = area.run("compare two commits", compare("--stat")).await?.text();
        Ok(Foreseen::Makes { diff, stat })
    }

    /// Whether a Candidate holds a merge.
    pub async fn holds_merges(
        &self,
        bundle: &[u8],
        base: &str,
        tip: &str,
    ) -> Result<bool, GitError> {
        let area = self.area().await?;
        area.unbundle(&Bundle::read(bundle)?, false).await?;
        let count = area.git("rev-list").args(["--count", "--merges", "--end-of-options"]);
        let count = count.arg(format!("{base}..{tip}"));
        Ok(area.line("count merges", count).await? != "0")
    }

    /// Whether a public commit carries a signature; no when it is not in the mirror.
    pub async fn is_signed(&self, commit: &str) -> Result<bool, GitError> {
        if self.mirror.commit(commit).await?.is_none() {
            return Ok(false);
        }
        Ok(Commit::read(&self.mirror, commit).await?.is_some_and(|c| c.signed))
    }

    /// The series `stack`, lowest first, as they would be on `onto`: each a file of mails under
    /// the name it has. For people to look at and to send again.
    pub async fn moved_series(
        &self,
        stack: &[(String, Series)],
        onto: &str,
    ) -> Result<Vec<Named>, NotMade> {
        let Some((_, lowest)) = stack.first() else { return Ok(Vec::new()) };
        let area = self.area().await?;
        let index = Index::of(&area, &lowest.base).await?;
        let nobody = Person::at("Daybreak", "daybreak@localhost", At::from_secs(0));
        let (mut old, mut new) = (lowest.base.clone(), onto.to_owned());
        let mut all = Vec::new();
        for (name, series) in stack {
            let tip = committed(&area, &index, series, &old, &nobody).await?;
            let approved = Approved { base: &old, tip: &tip };
            let moved = rebased(&area, approved, &new, &nobody).await?;
            let bytes = from_git::mails(&area, &format!("{new}..{moved}"), onto).await?;
            all.push(Named { name: name.clone(), bytes });
            (old, new) = (tip, moved);
        }
        Ok(all)
    }
}

/// Makes a series' commits on `tip`, in its own words; the newest.
async fn committed(
    area: &Area,
    index: &Index<'_>,
    series: &Series,
    tip: &str,
    nobody: &Person,
) -> Result<String, NotMade> {
    let mut tip = tip.to_owned();
    for raw in &series.mails {
        let misfit = || NotMade::Differs(series.subjects.concat());
        let mail = PatchMail::read(area, raw).await?.ok_or_else(misfit)?;
        index.apply(&mail).await.map_err(|e| match e {
            NotLaid::Git(error) => NotMade::Git(error),
            _ => misfit(),
        })?;
        let author =
            Person { name: mail.author.clone(), address: mail.address, date: mail.date.clone() };
        let says = match mail.body.as_str() {
            "" => format!("{}\n", mail.subject),
            body => format!("{}\n\n{body}\n", mail.subject),
        };
        let tree = index.write().await?;
        tip = commits::make(area, &tree, &[&tip], (&author, nobody), says.as_bytes()).await?;
    }
    Ok(tip)
}
