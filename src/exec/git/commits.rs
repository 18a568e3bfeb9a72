//! Commits as git stores them: read whole, and made without a work tree, configuration or
//! signature.

use super::{Area, GitError};
use crate::domain::time::At;

/// A name, an address and a date, as they stand in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Address.
    pub address: String,
    /// Any form of a date that git reads; `@SECONDS ZONE` where it was read from a commit.
    pub date: String,
}

impl Person {
    /// Somebody at an instant, to the second.
    pub fn at(name: &str, address: &str, at: At) -> Self {
        let (name, address) = (name.to_owned(), address.to_owned());
        Self { name, address, date: format!("@{} +0000", at.secs()) }
    }

    /// From `NAME <ADDRESS> SECONDS ZONE`.
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('<')?;
        let (address, date) = rest.split_once("> ")?;
        let (name, address) = (name.trim_end().to_owned(), address.to_owned());
        Some(Self { name, address, date: format!("@{date}") })
    }
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// Its author.
    pub author: Person,
    /// Whether it carries a signature, which is not verified here.
    pub signed: bool,
    /// Its message, byte for byte.
    pub message: Vec<u8>,
}

impl Commit {
    /// Reads the commit `oid`; `None` when it is damaged.
    pub async fn read(area: &super::Objects, oid: &str) -> Result<Option<Self>, GitError> {
        let raw = area.run("read a commit", area.git("cat-file").args(["commit", oid])).await?;
        Ok(Self::parse(&raw.stdout))
    }

    /// Whether author and message are those of `other`.
    pub fn says_as(&self, other: &Self) -> bool {
        self.author == other.author && self.message == other.message
    }

    fn parse(raw: &[u8]) -> Option<Self> {
        let end = raw.windows(2).position(|w| w == b"\n\n")?;
        let (head, message) = raw.split_at_checked(end)?;
        let head = String::from_utf8_lossy(head);
        let field = |name: &'static str| {
            head.lines().filter_map(move |l| l.strip_prefix(name)?.strip_prefix(' '))
        };
        Some(Self {
            tree: field("tree").next()?.to_owned(),
            parents: field("parent").map(str::to_owned).collect(),
            author: Person::parse(field("author").next()?)?,
            signed: field("gpgsig").next().is_some() || field("gpgsig-sha256").next().is_some(),
            message: message.get(2..)?.to_vec(),
        })
    }
}

/// Makes a commit and says its id. Nothing refers to it.
pub async fn make(
    area: &Area,
    tree: &str,
    parents: &[&str],
    (author, committer): (&Person, &Person),
    message: &[u8],
) -> Result<String, GitError> {
    let parents = parents.iter().flat_map(|p| ["-p", p]);
    let commit = area
        .git("commit-tree")
        .arg(tree)
        .args(parents)
        .args(["-F", "-"])
        .env("GIT_AUTHOR_NAME", &author.name)
        .env("GIT_AUTHOR_EMAIL", &author.address)
        .env("GIT_AUTHOR_DATE", &author.date)
        .env("GIT_COMMITTER_NAME", &committer.name)
        .env("GIT_COMMITTER_EMAIL", &committer.address)
        .env("GIT_COMMITTER_DATE", &committer.date)
        .stdin(message);
    area.line("make a commit", commit).await
}
