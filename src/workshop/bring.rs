//! Candidates brought: commits and a tag the team made with its own tools and keys, as a git
//! bundle. They are checked and never rewritten.

use std::collections::BTreeMap;

use super::Workshop;
use super::staged::{Staged, StagedTag, commits};
use super::tag::{is_signed, unsigned};
use crate::domain::time::Span;
use crate::exec::git::{Area, BadBundle, Bundle, GitError};

/// Why a bundle was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BringError {
    /// No such public branch.
    #[error("the public repository has no branch `{0}`")]
    NoBranch(String),
    /// Not a bundle we can read.
    #[error(transparent)]
    NotABundle(#[from] BadBundle),
    /// It needs commits the public repository does not show.
    #[error(
        "the bundle needs {0}, which the public repository does not show; make it with `^PUBLIC-TIP`, where that is the branch's public tip"
    )]
    LacksBase(String),
    /// It does not bring the branch or tag it should.
    #[error("the bundle does not bring `{0}`; name it when making the bundle")]
    LacksRef(String),
    /// It brings something else too.
    #[error("the bundle also brings `{0}`; make it with the branch and its tag only")]
    OtherRef(String),
    /// Its branch is not a continuation of the public one.
    #[error(
        "the bundle rewrites `{branch}`: its commits do not stand on the public tip {tip}; rebase them on it"
    )]
    Rewrites {
        /// The branch.
        branch: String,
        /// Its public tip.
        tip: String,
    },
    /// Its objects are damaged, incomplete or malformed.
    #[error("the bundle's objects are damaged or incomplete; make it again")]
    Damaged,
    /// A branch that points to something else than a commit.
    #[error("`{0}` in the bundle is not a commit")]
    NotACommit(String),
    /// A lightweight tag.
    #[error("tag `{0}` is not annotated; make it with `git tag -s` or `git tag -a`")]
    TagNotAnnotated(String),
    /// A tag somewhere else.
    #[error("tag `{0}` does not name a new commit of the branch, or calls itself something else")]
    TagElsewhere(String),
    /// The tag is public already.
    #[error("tag `{0}` exists in the public repository; choose the next version")]
    TagExists(String),
    /// Neither a new commit nor a tag.
    #[error("the bundle brings nothing new")]
    Nothing,
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Workshop {
    /// Takes a bundle with `branch` and, when named, `tag`. The mirror must be fresh.
    pub async fn bring(
        &self,
        bytes: &[u8],
        branch: &str,
        tag: Option<&str>,
    ) -> Result<Staged, BringError> {
        let base = self.mirror.tip(branch).await?;
        let base = base.ok_or_else(|| BringError::NoBranch(branch.to_owned()))?;
        let bundle = Bundle::read(bytes)?;
        for needed in &bundle.prerequisites {
            if !self.mirror.contains(needed).await? {
                return Err(BringError::LacksBase(needed.clone()));
            }
        }
        let (tip, tag_oid) = refs(&bundle, branch, tag)?;
        let area = self.area().await?;
        take_in(&area, &bundle).await?;
        if area.kind(&tip).await?.as_deref() != Some("commit") {
            return Err(BringError::NotACommit(format!("refs/heads/{branch}")));
        }
        if !area.is_ancestor(&base, &tip).await? {
            return Err(BringError::Rewrites { branch: branch.to_owned(), tip: base });
        }
        let tag = match tag.zip(tag_oid) {
            Some((name, oid)) => Some(self.tag(&area, name, oid, &base, &tip).await?),
            None => None,
        };
        if tip == base && tag.is_none() {
            return Err(BringError::Nothing);
        }
        Ok(Staged {
            commits: commits(&area, &base, &tip).await?,
            branch: branch.to_owned(),
            base,
            tip,
            tag,
            bundle: bytes.to_vec(),
        })
    }

    async fn tag(
        &self,
        area: &Area,
        name: &str,
        oid: String,
        base: &str,
        tip: &str,
    ) -> Result<StagedTag, BringError> {
        if self.mirror.tag_object(name).await?.is_some() {
            return Err(BringError::TagExists(name.to_owned()));
        }
        if area.kind(&oid).await?.as_deref() != Some("tag") {
            return Err(BringError::TagNotAnnotated(name.to_owned()));
        }
        let elsewhere = || BringError::TagElsewhere(name.to_owned());
        let content = area.git("cat-file").args(["tag", &oid]);
        let content = area.run("read the tag", content).await?.text();
        let (head, message) = content.split_once("\n\n").ok_or_else(elsewhere)?;
        if !head.lines().any(|l| l.strip_prefix("tag ") == Some(name)) {
            return Err(elsewhere());
        }
        let commit = area.commit(&oid).await?.ok_or_else(elsewhere)?;
        // Between the public tip and the branch's new tip: a commit after the tag, such as
        // the next development version, is common.
        let ours = area.is_ancestor(&commit, tip).await? && area.is_ancestor(base, &commit).await?;
        if !ours {
            return Err(elsewhere());
        }
        let message = unsigned(message);
        Ok(StagedTag { name: name.to_owned(), oid, message, signed: is_signed(&content) })
    }
}

/// The ids of the branch and the tag in a bundle that brings exactly these.
fn refs(
    bundle: &Bundle<'_>,
    branch: &str,
    tag: Option<&str>,
) -> Result<(String, Option<String>), BringError> {
    let mut brought: BTreeMap<&str, &String> =
        bundle.refs.iter().map(|(oid, name)| (name.as_str(), oid)).collect();
    let mut take = |name: String| match brought.remove(name.as_str()) {
        Some(oid) => Ok(oid.clone()),
        None => Err(BringError::LacksRef(name)),
    };
    let tip = take(format!("refs/heads/{branch}"))?;
    let tag = tag.map(|t| take(format!("refs/tags/{t}"))).transpose()?;
    match brought.into_keys().next() {
        Some(other) => Err(BringError::OtherRef(other.to_owned())),
        None => Ok((tip, tag)),
    }
}

/// Takes in the objects and sees that everything they link to is here.
async fn take_in(area: &Area, bundle: &Bundle<'_>) -> Result<(), BringError> {
    match area.unbundle(bundle, true).await {
        Ok(()) => {}
        Err(GitError::Refused { .. }) => return Err(BringError::Damaged),
        Err(other) => return Err(other.into()),
    }
    let complete = area
        .git("rev-list")
        .args(["--objects", "--quiet", "--stdin"])
        .stdin(
            bundle.refs.iter().fold(String::new(), |all, (oid, _)| all + oid + "\n")
                + &bundle
                    .prerequisites
                    .iter()
                    .fold(String::new(), |all, oid| all + "^" + oid + "\n"),
        )
        .allow(Span::mins(10));
    if area.run_any(complete).await?.ok() { Ok(()) } else { Err(BringError::Damaged) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::bench::Bench;

    /// A bundle of the developer's clone.
    async fn bundle(bench: &Bench, args: &[&str]) -> Vec<u8> {
        let file = bench.bed.folder().join("made.bundle");
        let mut all = vec!["bundle", "create", "-q", file.to_str().unwrap()];
        all.extend(args);
        bench.bed.work(&all).await;
        std::fs::read(&file).unwrap()
    }

    #[tokio::test]
    async fn the_teams_own_commits_and_tag_are_taken_as_they_are() {
        let Some(bench) = Bench::new().await else { return };
        let before = bench.public_objects().await;
        let base = bench.bed.work(&["rev-parse", "HEAD"]).await;
        let not = format!("^{base}");
        bench.bed.write("parser.py", "fixed\n");
        bench.bed.commit("fix\n\nThe body, which\nthe world reads too.").await;
        bench.bed.work(&["tag", "-a", "-m", "1.0.1\n\nIts whole text.", "1.0.1"]).await;
        bench.bed.write("version", "1.1-dev\n");
        let tip = bench.bed.commit("back to development").await;
        let bytes = bundle(&bench, &["main", "1.0.1", &not]).await;
        let staged = bench.shop.bring(&bytes, "main", Some("1.0.1")).await.unwrap();
        assert_eq!((&staged.base, &staged.tip), (&base, &tip));
        assert_eq!(staged.bundle, bytes);
        assert_eq!(staged.commits.len(), 2);
        assert_eq!(staged.commits[0].subject, "fix");
        assert_eq!(staged.commits[0].message, "fix\n\nThe body, which\nthe world reads too.\n");
        assert_eq!(staged.commits[1].subject, "back to development");
        let tag = staged.tag.unwrap();
        assert_eq!(tag.oid, bench.bed.work(&["rev-parse", "1.0.1"]).await);
        assert!(!tag.signed);
        assert_eq!(tag.message, "1.0.1\n\nIts whole text.\n");
        assert_eq!(bench.public_objects().await, before);

        // The same bundle, asked for something else.
        let other = bench.shop.bring(&bytes, "main", None).await;
        assert!(matches!(other, Err(BringError::OtherRef(_))));
        let lacks = bench.shop.bring(&bytes, "main", Some("1.0.2")).await;
        assert!(matches!(lacks, Err(BringError::LacksRef(_))));
        let branch = bench.shop.bring(&bytes, "9.x", None).await;
        assert!(matches!(branch, Err(BringError::NoBranch(_))));
        // And broken.
        let mut broken = bytes.clone();
        let middle = broken.len() - 40;
        broken[middle] ^= 1;
        let broken = bench.shop.bring(&broken, "main", Some("1.0.1")).await;
        assert!(matches!(broken, Err(BringError::Damaged)));
        let text = bench.shop.bring(b"hello", "main", None).await;
        assert!(matches!(text, Err(BringError::NotABundle(_))));
    }

    #[tokio::test]
    async fn bundles_that_rewrite_or_lack_their_base_are_refused() {
        let Some(bench) = Bench::new().await else { return };
        bench.bed.write("parser.py", "private\n");
        bench.bed.commit("private").await;
        bench.bed.write("parser.py", "fixed\n");
        bench.bed.commit("fix").await;
        let lacking = bundle(&bench, &["main", "^HEAD~1"]).await;
        let lacking = bench.shop.bring(&lacking, "main", None).await;
        assert!(matches!(lacking, Err(BringError::LacksBase(_))));

        bench.bed.work(&["reset", "-q", "--hard", "HEAD~2"]).await;
        bench.bed.work(&["commit", "-q", "--amend", "-m", "rewritten"]).await;
        let rewritten = bundle(&bench, &["main"]).await;
        let rewritten = bench.shop.bring(&rewritten, "main", None).await;
        assert!(matches!(rewritten, Err(BringError::Rewrites { .. })));
    }

    #[tokio::test]
    async fn tags_must_be_annotated_new_and_on_the_branch() {
        let Some(bench) = Bench::new().await else { return };
        bench.bed.work(&["tag", "-a", "-m", "old", "old", "HEAD~1"]).await;
        bench.bed.write("parser.py", "fixed\n");
        bench.bed.commit("fix").await;
        bench.bed.work(&["tag", "light"]).await;
        for tag in ["light", "old", "1.0.0"] {
            let bytes = bundle(&bench, &["main", tag]).await;
            let error = bench.shop.bring(&bytes, "main", Some(tag)).await.unwrap_err();
            let right = match tag {
                "light" => matches!(error, BringError::TagNotAnnotated(_)),
                "old" => matches!(error, BringError::TagElsewhere(_)),
                _ => matches!(error, BringError::TagExists(_)),
            };
            assert!(right, "{tag}: {error}");
        }
    }
}
