//! Whether patches apply: exactly, one after the other, tried in an index only.

use super::index::{Index, NotLaid};
use super::mail::PatchMail;
use super::{Series, Workshop};
use crate::exec::git::{Area, GitError};

/// Whether a stack of series applies to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// All of it, without fuzz.
    Applies,
    /// Not all of it.
    AppliesNot,
}

impl Workshop {
    /// Tries `stack`, oldest series first, on `commit`: a full id, such as the branch's tip or
    /// the commit of the last release's tag.
    pub async fn fits(&self, stack: &[&Series], commit: &str) -> Result<Fit, GitError> {
        let area = self.area().await?;
        let index = Index::of(&area, commit).await?;
        match lay(&area, &index, stack).await {
            Ok(()) => Ok(Fit::Applies),
            Err(NotLaid::Git(error)) => Err(error),
            Err(_) => Ok(Fit::AppliesNot),
        }
    }
}

/// Lays every mail of `stack` on `index`.
pub async fn lay(area: &Area, index: &Index<'_>, stack: &[&Series]) -> Result<(), NotLaid> {
    for mail in stack.iter().flat_map(|s| &s.mails) {
        let mail = PatchMail::read(area, mail).await?.ok_or(NotLaid::DoesNotApply)?;
        index.apply(&mail).await?;
    }
    Ok(())
}
