//! Reading a patch series: whatever form it comes in, it leaves here as `git format-patch`
//! mails that were seen to apply to a public commit and to touch only the tree.

pub mod from_git;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use super::Workshop;
use super::fits::lay;
use super::index::{Index, NotLaid};
use super::mail::{PatchMail, split};
use crate::exec::git::{Area, GitError, is_oid};

/// An ordered series of patches on one branch.
#[derive(Clone, PartialEq, Eq)]
pub struct Series {
    /// Full id of the public commit it (or the series below it) was made on.
    pub base: String,
    /// The mails, each beginning with its `From ` line: joined they are an mbox for `git am`.
    pub mails: Vec<Vec<u8>>,
    /// Paths touched, sorted.
    pub files: Vec<String>,
    /// Subjects without `[PATCH n/m]`, in order.
    pub subjects: Vec<String>,
}

impl Series {
    /// The mails as one mbox.
    pub fn mbox(&self) -> Vec<u8> {
        self.mails.concat()
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[series of {} patches]", self.mails.len())
    }
}

/// A file as it was given.
#[derive(Clone)]
pub struct Named {
    /// Its name, for messages.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Where a series comes from.
pub enum Source {
    /// `git format-patch` files in order, or mboxes.
    Files(Vec<Named>),
    /// A range `BASE..HEAD` of a repository on this machine.
    Git {
        /// The repository or a folder in it.
        path: PathBuf,
        /// The range.
        range: String,
    },
}

/// What a series stands on.
#[derive(Default)]
pub struct Origin<'a> {
    /// The public branch it is for.
    pub branch: &'a str,
    /// Full id of its base, if the person says it. Otherwise what `--base` noted in the
    /// mails, otherwise the branch's public tip.
    pub base: Option<&'a str>,
    /// The series below it on the same branch, lowest first; their base is its base.
    pub below: &'a [&'a Series],
}

/// Why a series was not taken. The texts may name embargoed files: for the team's eyes.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// A file or mail that must be made again.
    #[error("{file}: {cause}")]
    Refused {
        /// Which file, and which mail in it.
        file: String,
        /// What is wrong with it and what would be right.
        cause: String,
    },
    /// Its context is not in the base.
    #[error(
        "{file}: does not apply to its base {base}; make the series on that commit, or name the right one with `--base`"
    )]
    DoesNotApply {
        /// Which file, and which mail in it.
        file: String,
        /// The base.
        base: String,
    },
    /// The public repository does not show the base.
    #[error(
        "base {base} is not a commit of the public branch `{branch}`; make the series on a public commit of that branch"
    )]
    UnknownBase {
        /// The base.
        base: String,
        /// The branch.
        branch: String,
    },
    /// The mails note another base than the one given.
    #[error(
        "{file}: was made on {noted}, not on {given}; leave `--base` out or make the series on it"
    )]
    WrongBase {
        /// Which file.
        file: String,
        /// The base in the mail.
        noted: String,
        /// The base given.
        given: String,
    },
    /// No patch in it.
    #[error("no patch given; make some with `git format-patch --base=BASE BASE..HEAD`")]
    Empty,
    /// A range that cannot be read.
    #[error("range `{range}`: {cause}")]
    Range {
        /// The range.
        range: String,
        /// What is wrong with it and what would be right.
        cause: &'static str,
    },
    /// No such public branch.
    #[error("the public repository has no branch `{0}`")]
    NoBranch(String),
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// A mail with where it came from.
struct Labelled {
    label: String,
    raw: Vec<u8>,
    mail: PatchMail,
}

impl Workshop {
    /// Reads a series and sees that it applies to its base. The mirror must be fresh.
    pub async fn read_series(
        &self,
        source: &Source,
        origin: &Origin<'_>,
    ) -> Result<Series, SeriesError> {
        let tip = self.mirror.tip(origin.branch).await?;
        let tip = tip.ok_or_else(|| SeriesError::NoBranch(origin.branch.to_owned()))?;
        let area = self.area().await?;
        let made;
        let files = match source {
            Source::Files(files) => files,
            Source::Git { path, range } => {
                made = from_git::format(&area, path, range).await?;
                &made
            }
        };
        let mut mails = open(&area, files).await?;
        let base = self.base(&mails, origin, &tip).await?;
        mails.retain(|m| !m.mail.is_cover());
        if mails.is_empty() {
            return Err(SeriesError::Empty);
        }
        check_numbers(&mails)?;
        let index = Index::of(&area, &base).await?;
        match lay(&area, &index, origin.below).await {
            Ok(()) => {}
            Err(NotLaid::Git(error)) => return Err(error.into()),
            Err(_) => {
                return Err(SeriesError::DoesNotApply {
                    file: "the series below".to_owned(),
                    base,
                });
            }
        }
        let mut files = BTreeSet::new();
        for mail in &mails {
            files.extend(try_one(&index, mail, &base).await?);
        }
        Ok(Series {
            base,
            subjects: mails.iter().map(|m| m.mail.subject.clone()).collect(),
            mails: mails.into_iter().map(|m| m.raw).collect(),
            files: files.into_iter().collect(),
        })
    }

    async fn base(
        &self,
        mails: &[Labelled],
        origin: &Origin<'_>,
        tip: &str,
    ) -> Result<String, SeriesError> {
        if let Some(below) = origin.below.first() {
            return Ok(below.base.clone());
        }
        let noted = mails.iter().find_map(|m| Some((m.label.clone(), m.mail.base()?)));
        let base = match (origin.base, noted) {
            (Some(given), Some((file, noted))) if noted != given => {
                return Err(SeriesError::WrongBase { file, noted, given: given.to_owned() });
            }
            (Some(given), _) => given.to_owned(),
            (None, Some((_, noted))) => noted,
            (None, None) => tip.to_owned(),
        };
        if !is_oid(&base) || !self.mirror.is_ancestor(&base, tip).await? {
            let branch = origin.branch.to_owned();
            return Err(SeriesError::UnknownBase { base, branch });
        }
        Ok(base)
    }
}

/// Splits files into mails and takes each apart.
async fn open(area: &Area, files: &[Named]) -> Result<Vec<Labelled>, SeriesError> {
    let mut mails = Vec::new();
    for file in files {
        let parts = split(area, &file.bytes).await?;
        let many = parts.len() > 1;
        for (n, raw) in parts.into_iter().enumerate() {
            let label =
                if many { format!("{}, mail {}", file.name, n + 1) } else { file.name.clone() };
            let refuse = |cause: &str| {
                Err(SeriesError::Refused { file: label.clone(), cause: cause.to_owned() })
            };
            let Some(mail) = PatchMail::read(area, &raw).await? else {
                return refuse(
                    "is not a patch mail; make it with `git format-patch`, not `git diff`",
                );
            };
            if !mail.has_diff() && !mail.is_cover() {
                return refuse("has no diff in git's form; make it with `git format-patch`");
            }
            mails.push(Labelled { label, raw, mail });
        }
    }
    Ok(mails)
}

/// Numbers must run 1/m, 2/m .. m/m: a patch missing in the middle may still apply.
fn check_numbers(mails: &[Labelled]) -> Result<(), SeriesError> {
    let refuse =
        |m: &Labelled, cause: String| Err(SeriesError::Refused { file: m.label.clone(), cause });
    let mut expected = None;
    for mail in mails {
        match (expected.take(), mail.mail.number) {
            (None, None) => {}
            (None, Some((1, m))) => expected = (m > 1).then_some((2, m)),
            (Some(next), Some(found)) if next == found => {
                expected = (found.0 < found.1).then_some((found.0 + 1, found.1));
            }
            (Some((n, m)), _) => return refuse(mail, format!("patch {n}/{m} should come here")),
            (None, Some((n, m))) => {
                return refuse(mail, format!("is patch {n}/{m}; patch 1/{m} should come first"));
            }
        }
    }
    match (expected, mails.last()) {
        (Some((n, m)), Some(last)) => refuse(last, format!("patch {n}/{m} is missing after it")),
        _ => Ok(()),
    }
}

/// Lays one mail; returns the paths it changed.
async fn try_one(
    index: &Index<'_>,
    mail: &Labelled,
    base: &str,
) -> Result<Vec<String>, SeriesError> {
    let file = mail.label.clone();
    index.apply(&mail.mail).await.map_err(|e| match e {
        NotLaid::Damaged => SeriesError::Refused {
            file,
            cause: "has a damaged diff; make it again with `git format-patch`".to_owned(),
        },
        NotLaid::DoesNotApply => SeriesError::DoesNotApply { file, base: base.to_owned() },
        NotLaid::Forbidden(cause) => SeriesError::Refused { file, cause },
        NotLaid::Git(error) => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::bench::Bench;

    /// A mail with `diff`, as somebody could write by hand.
    fn mail(name: &str, diff: &str) -> Named {
        let text = format!(
            "From: Ada <ada@meadow.example>\nDate: Tue, 1 Dec 2026 15:00:00 +0000\n\
             Subject: [PATCH] change\n\nwhy\n---\n{diff}"
        );
        Named { name: name.to_owned(), bytes: text.into_bytes() }
    }

    fn new_file(path: &str, mode: &str, line: &str) -> Named {
        let diff = format!(
            "diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n\
             @@ -0,0 +1 @@\n+{line}\n\\ No newline at end of file\n"
        );
        mail("by-hand.patch", &diff)
    }

    #[tokio::test]
    async fn a_range_files_and_an_mbox_read_the_same() {
        let Some(bench) = Bench::new().await else { return };
        let base = bench.bed.work(&["rev-parse", "HEAD"]).await;
        bench.bed.write("parser.py", "crlf\r\n");
        bench.bed.commit("parser: [api] fix").await;
        bench.bed.write("logo.bin", "\0\u{1}\u{2}");
        bench.bed.write("parser.py", "crlf fixed\r\n");
        bench.bed.commit("docs: say so").await;
        // A setting of the person's own repository that would garble the mails.
        bench.bed.work(&["config", "diff.noprefix", "true"]).await;
        bench.bed.work(&["config", "diff.external", "/bin/false"]).await;
        let ranged = bench.range("HEAD~2..HEAD").await.unwrap();
        assert_eq!(ranged.base, base);
        assert_eq!(ranged.subjects, ["parser: [api] fix", "docs: say so"]);
        assert_eq!(ranged.files, ["logo.bin", "parser.py"]);

        let one = vec![Named { name: "all.mbox".into(), bytes: ranged.mbox() }];
        assert_eq!(bench.read(&Source::Files(one)).await.unwrap(), ranged);
        let several = ranged.mails.iter().enumerate();
        let several =
            several.map(|(n, m)| Named { name: format!("{n}.patch"), bytes: m.clone() }).collect();
        assert_eq!(bench.read(&Source::Files(several)).await.unwrap(), ranged);
        // Without one of them the series is not whole, in whatever order.
        for (kept, word) in [(0, "2/2 is missing"), (1, "patch 1/2 should come first")] {
            let part = Named { name: "x.patch".into(), bytes: ranged.mails[kept].clone() };
            let error = bench.read(&Source::Files(vec![part])).await.unwrap_err().to_string();
            assert!(error.contains("x.patch") && error.contains(word), "{error}");
        }
    }

    #[tokio::test]
    async fn a_cover_letter_gives_its_base_and_is_no_patch() {
        let Some(bench) = Bench::new().await else { return };
        bench.bed.write("parser.py", "fixed\n");
        bench.bed.commit("fix").await;
        let args = ["format-patch", "--stdout", "--cover-letter", "--base=HEAD~1", "-1"];
        let bytes = bench.bed.work(&args).await.into_bytes();
        let file = Named { name: "series.mbox".into(), bytes };
        let series = bench.read(&Source::Files(vec![file])).await.unwrap();
        assert_eq!(series.subjects, ["fix"]);
    }

    #[tokio::test]
    async fn what_is_no_patch_or_leaves_the_tree_is_refused_by_name() {
        let Some(bench) = Bench::new().await else { return };
        let diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
        let plain = Named { name: "p.diff".into(), bytes: diff.into() };
        let old = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1 @@\n-a\n";
        let rename = "diff --git a/parser.py b/.GIT/hooks/x\nsimilarity index 100%\n\
            rename from parser.py\nrename to .GIT/hooks/x\n";
        let cases = [
            (plain, "not a patch mail"),
            (mail("m.patch", "hello\n"), "has no diff"),
            (mail("m.patch", old), "damaged"),
            (mail("m.patch", diff), "does not apply"),
            (mail("m.patch", rename), "`.git`"),
            (new_file(".git/config", "100644", "x"), "`.git`"),
            (new_file("sub/.GiT/config", "100644", "x"), "`.git`"),
            (new_file("../out", "100644", "x"), "leaves the tree"),
            (new_file("/etc/out", "100644", "x"), "leaves the tree"),
            (new_file("a/link", "120000", "../../out"), "symbolic link"),
            (new_file("link", "120000", "/etc/passwd"), "symbolic link"),
            (new_file("link", "120000", ".git/config"), "symbolic link"),
        ];
        for (file, word) in cases {
            let name = file.name.clone();
            let error = bench.read(&Source::Files(vec![file])).await.unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(&name), "{word}: {error}");
        }
        let inside = new_file("docs/link", "120000", "../parser.py");
        assert_eq!(bench.read(&Source::Files(vec![inside])).await.unwrap().files, ["docs/link"]);
        let none = bench.read(&Source::Files(vec![])).await;
        assert!(matches!(none, Err(SeriesError::Empty)));
    }

    #[tokio::test]
    async fn the_base_must_be_public_and_on_the_branch() {
        let Some(bench) = Bench::new().await else { return };
        bench.bed.write("a.txt", "private\n");
        let first = bench.bed.commit("one").await;
        let below = bench.range("HEAD~1..HEAD").await.unwrap();
        bench.bed.write("a.txt", "private, better\n");
        bench.bed.commit("two").await;
        let error = bench.range("HEAD~1..HEAD").await.unwrap_err();
        assert!(matches!(error, SeriesError::UnknownBase { base, .. } if base == first));

        let path = bench.bed.folder().join("work");
        let source = Source::Git { path, range: "HEAD~1..HEAD".to_owned() };
        let on = Origin { branch: "main", base: None, below: &[&below] };
        let above = bench.shop.read_series(&source, &on).await.unwrap();
        assert_eq!((above.base.as_str(), above.subjects.len()), (below.base.as_str(), 1));
        // main's tip is no commit of 1.x.
        let on = Origin { branch: "1.x", base: Some(&below.base), below: &[] };
        let files = Source::Files(vec![Named { name: "s".into(), bytes: below.mbox() }]);
        let error = bench.shop.read_series(&files, &on).await.unwrap_err();
        assert!(matches!(error, SeriesError::UnknownBase { .. }));
        let other = bench.bed.work(&["rev-parse", "HEAD~3"]).await;
        let on = Origin { branch: "main", base: Some(&other), below: &[] };
        let error = bench.shop.read_series(&files, &on).await.unwrap_err();
        assert!(matches!(error, SeriesError::WrongBase { .. }));
        let on = Origin { branch: "2.x", base: None, below: &[] };
        let error = bench.shop.read_series(&files, &on).await.unwrap_err();
        assert!(matches!(error, SeriesError::NoBranch(_)));
    }

    #[tokio::test]
    async fn ranges_that_cannot_be_a_series_are_refused() {
        let Some(bench) = Bench::new().await else { return };
        for range in ["HEAD", "HEAD~1...HEAD", "..HEAD", "nope..HEAD", "HEAD..nope", "HEAD..HEAD"] {
            let error = bench.range(range).await.unwrap_err();
            assert!(matches!(error, SeriesError::Range { .. }), "{range}: {error}");
        }
        bench.bed.work(&["checkout", "-q", "-b", "side", "HEAD~1"]).await;
        bench.bed.write("side", "x");
        bench.bed.commit("side").await;
        bench.bed.work(&["merge", "--no-ff", "-q", "-m", "merge", "main"]).await;
        let error = bench.range("main..HEAD").await.unwrap_err().to_string();
        assert!(error.contains("merge commits"), "{error}");
    }
}
