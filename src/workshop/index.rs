//! A tree in the making: git's index in a work area, on which patches and files are laid
//! without ever checking anything out. No filter, hook or line-ending rule can touch the bytes.

use std::path::PathBuf;

use super::mail::PatchMail;
use super::paths::{link_escapes, wrong_path};
use crate::exec::Process;
use crate::exec::git::{Area, GitError};

/// Why something could not be laid on the tree.
pub enum NotLaid {
    /// Its diff cannot be read, or changes nothing.
    Damaged,
    /// Its context is not there.
    DoesNotApply,
    /// It does something it may not, said in words.
    Forbidden(String),
    /// git itself failed.
    Git(GitError),
}

impl From<GitError> for NotLaid {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// An index.
pub struct Index<'a> {
    area: &'a Area,
    file: PathBuf,
}

impl<'a> Index<'a> {
    /// The tree of `commit`.
    pub async fn of(area: &'a Area, commit: &str) -> Result<Self, GitError> {
        let index = Self { area, file: area.file("index") };
        let read = index.git("read-tree").arg(commit);
        area.run("read a commit's tree", read).await?;
        Ok(index)
    }

    fn git(&self, verb: &str) -> Process {
        self.area.git(verb).env("GIT_INDEX_FILE", self.file.as_os_str())
    }

    /// Lays a patch, exactly: no fuzz, no three-way merge. Returns the paths it changed.
    pub async fn apply(&self, mail: &PatchMail) -> Result<Vec<String>, NotLaid> {
        for path in self.named(mail).await? {
            refuse_path(&path)?;
        }
        let before = self.write().await?;
        let apply = self.git("apply").args(["--cached", "--whitespace=nowarn"]);
        let out = self.area.run_any(apply.stdin(mail.diff.clone())).await?;
        if !out.ok() {
            return Err(NotLaid::DoesNotApply);
        }
        let after = self.write().await?;
        // Whatever the patch said, this is what would be published.
        let changed = changes(self.area, &before, &after).await?;
        for change in &changed {
            self.judge(change).await?;
        }
        Ok(changed.into_iter().map(|c| c.path).collect())
    }

    /// The paths a patch names.
    async fn named(&self, mail: &PatchMail) -> Result<Vec<String>, NotLaid> {
        let ask = self.git("apply").args(["--numstat", "-z"]).stdin(mail.diff.clone());
        let out = self.area.run_any(ask).await?;
        // Per file: added, tab, removed, tab, path, NUL.
        let text = out.text();
        let paths = text.split('\0').filter_map(|l| l.splitn(3, '\t').nth(2));
        let paths: Vec<String> = paths.map(str::to_owned).collect();
        if out.ok() && !paths.is_empty() { Ok(paths) } else { Err(NotLaid::Damaged) }
    }

    async fn judge(&self, change: &Change) -> Result<(), NotLaid> {
        refuse_path(&change.path)?;
        if change.mode != "120000" {
            return Ok(());
        }
        let ask = self.area.git("cat-file").args(["blob", &change.oid]);
        let target = self.area.run("read a symbolic link", ask).await?.text();
        if link_escapes(&change.path, &target) {
            let wrong = format!("makes a symbolic link out of the tree (`{}`)", change.path);
            return Err(NotLaid::Forbidden(wrong));
        }
        Ok(())
    }

    /// Puts a file's whole content at `path`, keeping the mode it has.
    pub async fn put(&self, path: &str, bytes: &[u8]) -> Result<(), NotLaid> {
        if let Some(wrong) = wrong_path(path) {
            return Err(NotLaid::Forbidden(wrong.to_owned()));
        }
        let ask =
            self.git("ls-files").args(["--stage", "-z", "--"]).arg(format!(":(literal,top){path}"));
        let listed = self.area.run("look up a file", ask).await?.text();
        let mode = match listed.split(' ').next().unwrap_or_default() {
            "" => "100644",
            mode @ ("100644" | "100755") if listed.ends_with(&format!("\t{path}\0")) => mode,
            _ => return Err(NotLaid::Forbidden("is a folder, link or submodule there".to_owned())),
        };
        let hash = self.area.git("hash-object").args(["-w", "--stdin"]).stdin(bytes);
        let oid = self.area.line("store a file", hash).await?;
        let line = format!("{mode} {oid}\t{path}\0");
        let update = self.git("update-index").args(["-z", "--add", "--index-info"]).stdin(line);
        self.area.run("put a file into the tree", update).await?;
        Ok(())
    }

    /// The tree as it stands.
    pub async fn write(&self) -> Result<String, GitError> {
        self.area.line("write the tree", self.git("write-tree")).await
    }
}

fn refuse_path(path: &str) -> Result<(), NotLaid> {
    match wrong_path(path) {
        Some(wrong) => Err(NotLaid::Forbidden(format!("{wrong} (`{}`)", path.escape_debug()))),
        None => Ok(()),
    }
}

/// A file that differs between two trees.
pub struct Change {
    /// Mode afterwards; `000000` when removed.
    pub mode: String,
    /// Content afterwards.
    pub oid: String,
    /// Where.
    pub path: String,
}

/// What differs between two trees or commits.
pub async fn changes(area: &Area, from: &str, to: &str) -> Result<Vec<Change>, GitError> {
    let ask = area.git("diff-tree").args(["-r", "-z", "--raw", "--no-renames", from, to]);
    let text = area.run("compare two trees", ask.limit(64 * 1024 * 1024)).await?.text();
    // `:oldmode newmode oldid newid letter NUL path NUL`
    let mut fields = text.split('\0');
    let mut found = Vec::new();
    while let (Some(about), Some(path)) = (fields.next(), fields.next()) {
        let mut words = about.split(' ').skip(1);
        let mode = words.next().unwrap_or_default().to_owned();
        let oid = words.nth(1).unwrap_or_default().to_owned();
        found.push(Change { mode, oid, path: path.to_owned() });
    }
    Ok(found)
}
