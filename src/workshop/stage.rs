//! Staging: the commits of a branch, made privately from series and extra commits, with fixed
//! dates, so that staging again gives the same ids.

use super::index::{Index, NotLaid};
use super::mail::PatchMail;
use super::staged::{Staged, StagedTag, bundle, commits};
use super::tag::{self, Committer, NewTag, NotTagged, Unsigned};
use super::{Messages, Series, Workshop};
use crate::domain::time::At;
use crate::exec::git::{Area, GitError, is_ref_name};

/// A commit beyond the series: a version bump, a changelog.
#[derive(Clone)]
pub struct ExtraCommit {
    /// What it says, as it is.
    pub message: String,
    /// Whole contents by path; a file that exists keeps its mode.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What is to be staged.
pub struct StageOrder<'a> {
    /// The public branch; its tip in the mirror is what the commits stand on.
    pub branch: &'a str,
    /// The series, lowest first.
    pub series: &'a [&'a Series],
    /// Then these.
    pub extra: &'a [ExtraCommit],
    /// What the commits of the series say.
    pub messages: Messages,
    /// Who commits and tags.
    pub committer: Committer,
    /// The date of every commit and of the tag, to the second.
    pub at: At,
    /// The tag on the last commit.
    pub tag: Option<NewTag<'a>>,
}

/// Why nothing was staged. The texts may carry embargoed subjects: for the team's eyes.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// No such public branch.
    #[error("the public repository has no branch `{0}`")]
    NoBranch(String),
    /// A series whose base is not in the branch's public history.
    #[error(
        "series {series}: its base {base} is not in the public history of `{branch}`; make it on a commit of that branch"
    )]
    WrongBase {
        /// Which series, counted from 1.
        series: usize,
        /// Its base.
        base: String,
        /// The branch.
        branch: String,
    },
    /// The branch moved under a series, or the series contradict each other.
    #[error(
        "series {series}, patch {patch} (`{subject}`): does not apply to the public tip of `{branch}`; make the series again on that tip"
    )]
    DoesNotApply {
        /// Which series, counted from 1.
        series: usize,
        /// Which of its patches, counted from 1.
        patch: usize,
        /// The patch's subject.
        subject: String,
        /// The branch.
        branch: String,
    },
    /// An extra commit that cannot be made.
    #[error("extra commit {commit}: {cause}")]
    Extra {
        /// Which one, counted from 1.
        commit: usize,
        /// What is wrong.
        cause: String,
    },
    /// A tag name that cannot be used.
    #[error("tag `{0}`: is not a usable name; use letters, digits, `.`, `_`, `-`, `+` and `/`")]
    TagName(String),
    /// The tag is public already.
    #[error("tag `{0}` exists in the public repository; choose the next version")]
    TagExists(String),
    /// The signer failed.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// Neither series nor extra commits nor tag.
    #[error("nothing to stage; add a patch, an extra commit or a tag")]
    Nothing,
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Workshop {
    /// Makes a Candidate. The mirror must be fresh; nothing is written into it.
    pub async fn stage(&self, order: &StageOrder<'_>) -> Result<Staged, StageError> {
        let tip = self.mirror.tip(order.branch).await?;
        let base = tip.ok_or_else(|| StageError::NoBranch(order.branch.to_owned()))?;
        self.check(order, &base).await?;
        let area = self.area().await?;
        let making = Making { area: &area, index: Index::of(&area, &base).await?, order };
        let mut tip = base.clone();
        for (n, series) in order.series.iter().enumerate() {
            tip = making.series(n + 1, series, tip).await?;
        }
        for (n, extra) in order.extra.iter().enumerate() {
            tip = making.extra(n + 1, extra, tip).await?;
        }
        let tag = match &order.tag {
            Some(tag) => Some(making.tag(tag, &tip).await?),
            None => None,
        };
        let mut refs = Vec::new();
        if tip != base {
            refs.push((format!("refs/heads/{}", order.branch), tip.clone()));
        }
        refs.extend(tag.iter().map(|t| (format!("refs/tags/{}", t.name), t.oid.clone())));
        Ok(Staged {
            commits: commits(&area, &base, &tip).await?,
            bundle: bundle(&area, &base, &refs).await?,
            branch: order.branch.to_owned(),
            base,
            tip,
            tag,
        })
    }

    async fn check(&self, order: &StageOrder<'_>, tip: &str) -> Result<(), StageError> {
        if order.series.is_empty() && order.extra.is_empty() && order.tag.is_none() {
            return Err(StageError::Nothing);
        }
        for (n, series) in order.series.iter().enumerate() {
            if !self.mirror.is_ancestor(&series.base, tip).await? {
                return Err(StageError::WrongBase {
                    series: n + 1,
                    base: series.base.clone(),
                    branch: order.branch.to_owned(),
                });
            }
        }
        let Some(tag) = &order.tag else { return Ok(()) };
        if !is_ref_name(tag.name) {
            return Err(StageError::TagName(tag.name.to_owned()));
        }
        if self.mirror.tag_object(tag.name).await?.is_some() {
            return Err(StageError::TagExists(tag.name.to_owned()));
        }
        Ok(())
    }
}

/// The work of one order.
struct Making<'a> {
    area: &'a Area,
    index: Index<'a>,
    order: &'a StageOrder<'a>,
}

impl Making<'_> {
    async fn series(
        &self,
        number: usize,
        series: &Series,
        mut tip: String,
    ) -> Result<String, StageError> {
        for (n, raw) in series.mails.iter().enumerate() {
            let misfit = |subject: String| StageError::DoesNotApply {
                series: number,
                patch: n + 1,
                subject,
                branch: self.order.branch.to_owned(),
            };
            let mail = PatchMail::read(self.area, raw).await?;
            let mail = mail.ok_or_else(|| misfit(String::new()))?;
            match self.index.apply(&mail).await {
                Ok(_paths) => {}
                Err(NotLaid::Git(error)) => return Err(error.into()),
                Err(_) => return Err(misfit(mail.subject)),
            }
            let author = Author { name: &mail.author, address: &mail.address, date: &mail.date };
            tip = self.commit(&tip, &author, &self.order.messages.of(&mail)).await?;
        }
        Ok(tip)
    }

    async fn extra(
        &self,
        number: usize,
        extra: &ExtraCommit,
        tip: String,
    ) -> Result<String, StageError> {
        let wrong = |cause: String| StageError::Extra { commit: number, cause };
        if extra.message.trim().is_empty() {
            return Err(wrong("has no message".to_owned()));
        }
        let before = self.index.write().await?;
        for (path, bytes) in &extra.files {
            match self.index.put(path, bytes).await {
                Ok(()) => {}
                Err(NotLaid::Git(error)) => return Err(error.into()),
                Err(NotLaid::Forbidden(why)) => return Err(wrong(format!("`{path}` {why}"))),
                Err(_) => return Err(wrong(format!("`{path}` cannot be put into the tree"))),
            }
        }
        if self.index.write().await? == before {
            return Err(wrong("changes nothing".to_owned()));
        }
        let committer = &self.order.committer;
        let date = self.date();
        let author = Author { name: committer.name(), address: committer.address(), date: &date };
        self.commit(&tip, &author, &extra.message).await
    }

    async fn commit(
        &self,
        parent: &str,
        author: &Author<'_>,
        message: &str,
    ) -> Result<String, StageError> {
        let clean = self.area.git("stripspace").stdin(message);
        let message = self.area.run("tidy a message", clean).await?.stdout;
        let tree = self.index.write().await?;
        let commit = self
            .area
            .git("commit-tree")
            .args([tree.as_str(), "-p", parent, "-F", "-"])
            .env("GIT_AUTHOR_NAME", author.name)
            .env("GIT_AUTHOR_EMAIL", author.address)
            .env("GIT_AUTHOR_DATE", author.date)
            .env("GIT_COMMITTER_NAME", self.order.committer.name())
            .env("GIT_COMMITTER_EMAIL", self.order.committer.address())
            .env("GIT_COMMITTER_DATE", self.date())
            .stdin(message);
        Ok(self.area.line("make a commit", commit).await?)
    }

    async fn tag(&self, tag: &NewTag<'_>, tip: &str) -> Result<StagedTag, StageError> {
        let (tagger, at) = (&self.order.committer, self.order.at);
        let oid = tag::make(self.area, tag, tip, tagger, at).await.map_err(|e| match e {
            NotTagged::Unsigned(unsigned) => StageError::Unsigned(unsigned),
            NotTagged::Git(error) => StageError::Git(error),
        })?;
        let (name, message) = (tag.name.to_owned(), tag.message.to_owned());
        Ok(StagedTag { name, oid, message, signed: tag.signer.is_some() })
    }

    fn date(&self) -> String {
        format!("@{} +0000", self.order.at.secs())
    }
}

struct Author<'a> {
    name: &'a str,
    address: &'a str,
    date: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::Fit;
    use crate::workshop::bench::{Bench, FakeSigner};

    const SECRET: &str = "parser: fix xyzzy overflow\n\nThe plugh is long.\n\n\
        Reported-by: Eve <eve@x.example>\nReviewed-by: Bob <bob@meadow.example>";

    #[tokio::test]
    async fn staging_masks_tags_and_repeats_to_the_same_ids() {
        let Some(bench) = Bench::new().await else { return };
        let before = bench.public_objects().await;
        bench.bed.write("parser.py", "fixed\n");
        let series = bench.series(SECRET).await;
        let extra = [ExtraCommit {
            message: "Release 1.0.1".to_owned(),
            files: vec![
                ("docs/readme.txt".to_owned(), b"1.0.1\n".to_vec()),
                ("CHANGES/1.0.1".to_owned(), b"new\n".to_vec()),
            ],
        }];
        let signed = NewTag { name: "1.0.1", message: "1.0.1", signer: Some(&FakeSigner) };
        let stack = [&series];
        let order = StageOrder { extra: &extra, tag: Some(signed), ..bench.order(&stack) };
        let staged = bench.shop.stage(&order).await.unwrap();
        let again = bench.shop.stage(&order).await.unwrap();
        let ids = |s: &Staged| (s.tip.clone(), s.tag.clone(), s.commits.clone());
        assert_eq!(ids(&staged), ids(&again));
        let subjects: Vec<_> = staged.commits.iter().map(|c| c.subject.as_str()).collect();
        assert_eq!(subjects, ["security: fix (details to follow)", "Release 1.0.1"]);
        assert_eq!(staged.base, bench.bed.public("refs/heads/main").await);

        // Nothing of it is in the mirror or the public repository, and no area is left.
        assert_eq!(bench.public_objects().await, before);
        let areas = bench.bed.folder().join("data/areas");
        assert_eq!(std::fs::read_dir(areas).unwrap().count(), 0);

        // Somebody who has the public history can take it in.
        let file = bench.bed.folder().join("x.bundle");
        std::fs::write(&file, &staged.bundle).unwrap();
        let clone = bench.bed.folder().join("clone");
        let public = bench.bed.public_folder();
        let args = ["clone", "-q", public.to_str().unwrap(), clone.to_str().unwrap()];
        bench.bed.git(bench.bed.folder(), &args).await;
        let file = file.to_str().unwrap();
        bench.bed.git(&clone, &["fetch", "-q", "--tags", file, "main"]).await;
        let log =
            bench.bed.git(&clone, &["log", "--format=%an %ae %cn %ct%n%B", "FETCH_HEAD"]).await;
        assert!(log.contains("Ada ada@meadow.example Meadow Team 1796137200"), "{log}");
        assert!(log.contains("Reviewed-by: Bob"));
        for secret in ["xyzzy", "plugh", "Eve", "overflow"] {
            assert!(!log.contains(secret), "{secret}");
        }
        let tag = bench.bed.git(&clone, &["cat-file", "tag", "1.0.1"]).await;
        assert!(tag.contains("tagger Meadow Team <security@meadow.example> 1796137200 +0000"));
        assert!(tag.ends_with("AAAA\n-----END PGP SIGNATURE-----"), "{tag}");
        bench.bed.git(&clone, &["fsck", "--strict"]).await;
    }

    #[tokio::test]
    async fn as_written_keeps_the_words() {
        let Some(bench) = Bench::new().await else { return };
        bench.bed.write("parser.py", "fixed\n");
        let series = bench.series(SECRET).await;
        let stack = [&series];
        let order = StageOrder { messages: Messages::AsWritten, ..bench.order(&stack) };
        let staged = bench.shop.stage(&order).await.unwrap();
        assert_eq!(staged.commits[0].subject, "parser: fix xyzzy overflow");
        assert_eq!(staged.tag, None);
    }

    #[tokio::test]
    async fn series_stack_and_a_moved_branch_is_told() {
        let Some(bench) = Bench::new().await else { return };
        bench.bed.write("parser.py", "one\n");
        let one = bench.series("one").await;
        bench.bed.write("parser.py", "two\n");
        bench.bed.commit("two").await;
        let path = bench.bed.folder().join("work");
        let source = crate::workshop::Source::Git { path, range: "HEAD~1..HEAD".into() };
        let on = crate::workshop::Origin { branch: "main", base: None, below: &[&one] };
        let two = bench.shop.read_series(&source, &on).await.unwrap();
        assert_eq!(bench.stage(&[&one, &two]).await.unwrap().commits.len(), 2);
        let alone = bench.stage(&[&two]).await;
        assert!(matches!(alone, Err(StageError::DoesNotApply { series: 1, patch: 1, .. })));
        let tip = bench.bed.public("refs/heads/main").await;
        assert_eq!(bench.shop.fits(&[&one, &two], &tip).await.unwrap(), Fit::Applies);
        assert_eq!(bench.shop.fits(&[&two], &tip).await.unwrap(), Fit::AppliesNot);

        bench.bed.advance("main", "parser.py").await;
        bench.shop.mirror().refresh().await.unwrap();
        let error = bench.stage(&[&one]).await.unwrap_err().to_string();
        assert!(error.contains("series 1, patch 1 (`one`)"), "{error}");
        let tag = bench.shop.mirror().commit("refs/tags/1.0.0").await.unwrap().unwrap();
        assert_eq!(bench.shop.fits(&[&one], &tag).await.unwrap(), Fit::Applies);
    }

    #[tokio::test]
    async fn orders_that_cannot_be_staged_are_refused() {
        let Some(bench) = Bench::new().await else { return };
        let tag = |name| Some(NewTag { name, message: "x", signer: None });
        let stage = async |order: StageOrder<'_>| bench.shop.stage(&order).await.unwrap_err();
        let exists = stage(StageOrder { tag: tag("1.0.0"), ..bench.order(&[]) }).await;
        assert!(matches!(exists, StageError::TagExists(_)));
        let hostile = stage(StageOrder { tag: tag("-f"), ..bench.order(&[]) }).await;
        assert!(matches!(hostile, StageError::TagName(_)));
        assert!(matches!(stage(bench.order(&[])).await, StageError::Nothing));
        let branch = stage(StageOrder { branch: "9.x", ..bench.order(&[]) }).await;
        assert!(matches!(branch, StageError::NoBranch(_)));
        for (path, bytes) in
            [("../x", "x"), (".git/x", "x"), ("docs", "x"), ("new.txt", "main only\n")]
        {
            let files = vec![(path.to_owned(), bytes.as_bytes().to_vec())];
            let extra = [ExtraCommit { message: "bump".into(), files }];
            let error = stage(StageOrder { extra: &extra, ..bench.order(&[]) }).await;
            assert!(matches!(error, StageError::Extra { commit: 1, .. }), "{path}: {error}");
        }
        let only_tag = StageOrder { tag: tag("1.0.1"), ..bench.order(&[]) };
        let staged = bench.shop.stage(&only_tag).await.unwrap();
        assert!(staged.commits.is_empty() && !staged.tag.unwrap().signed);
    }
}
